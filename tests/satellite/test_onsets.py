"""When a bang began: to the millisecond, whatever the network says, and not when its forerunner came through a wall."""

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from echonet_satellite.hearing import Hearing
from echonet_satellite.protocol import Phase, Sensitivity
from tests.support.hearing import CLASSES, RATE, LoudnessClassifier, noise, silence

MEDIUM = dict.fromkeys(CLASSES, Sensitivity.MEDIUM)


@settings(max_examples=50, deadline=None)
@given(at=st.integers(RATE // 2, RATE), block=st.integers(100, 5000))
def test_the_onset_of_a_bang_is_that_of_its_sound(at: int, block: int) -> None:
    sound = silence(3.0)
    sound[at : at + RATE // 20] += noise(0.05, 0.5)
    hearing = Hearing(LoudnessClassifier(), MEDIUM)
    events = [
        event for part in np.split(sound, range(block, len(sound), block)) for event in hearing.push(part)
    ]
    assert [event.phase for event in events] == [Phase.START, Phase.END]
    assert [event.onset_s for event in events] == [pytest.approx(at / RATE, abs=0.003)] * 2


def test_what_came_through_the_wall_before_the_bang_is_not_its_onset() -> None:
    sound = silence(2.0)
    sound[RATE : RATE + 480] += noise(0.03, 0.02)
    sound[RATE + 320 :][:480] += noise(0.03, 0.3)
    events = Hearing(LoudnessClassifier(), MEDIUM).push(sound)
    assert events[0].onset_s == pytest.approx(1.02, abs=0.003)


def test_a_bang_long_after_the_start_has_its_own_onset() -> None:
    hearing = Hearing(LoudnessClassifier(), MEDIUM)
    hearing.push(silence(60.0))
    events = hearing.push(np.concatenate((silence(0.7), noise(0.05, 0.5), silence(1.0))))
    assert events[0].onset_s == pytest.approx(60.7, abs=0.003)
