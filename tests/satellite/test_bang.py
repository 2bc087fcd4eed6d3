"""When a bang began: to the millisecond, whatever the network says, and not when its forerunner came through a wall."""

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from echonet_satellite.classifier import Heard
from echonet_satellite.frontend import Floats
from echonet_satellite.hearing import Hearing
from echonet_satellite.protocol import Phase, Sensitivity, SoundClass
from tests.support.hearing import (
    CLASSES,
    RATE,
    LoudnessClassifier,
    WindowClassifier,
    decision,
    noise,
    silence,
)

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


def test_a_bang_that_is_sure_only_a_second_later_has_its_own_onset() -> None:
    ear = WindowClassifier()
    rules = dict(ear.card.decisions) | {SoundClass.GUNSHOT: decision(confirm=(8, 8))}
    object.__setattr__(ear.card, "decisions", rules)
    sound = np.concatenate((silence(3.0), noise(0.05, 0.5), silence(3.0)))
    events = Hearing(ear, MEDIUM).push(sound)
    assert events[0].at_s > 4.0
    assert events[0].onset_s == pytest.approx(3.0, abs=0.003)


class Hallucinating(LoudnessClassifier):
    """Hears a bang in the twelfth step, whatever sounds."""

    def __init__(self) -> None:
        super().__init__()
        self._steps = 0

    def step(self, log_mel: Floats) -> Heard:
        heard = super().step(log_mel)
        self._steps += 1
        heard.probabilities[0] = (
            0.95 if self._steps == 13 else 0.01
        )  # the first hears the room before the stream
        return heard


def test_a_bang_without_any_sound_begins_where_the_network_says() -> None:
    events = Hearing(Hallucinating(), MEDIUM).push(np.zeros(3 * RATE, np.float32))
    assert [event.onset_s for event in events] == [pytest.approx(12 * 0.16 - 0.4)] * 2
