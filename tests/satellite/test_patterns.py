"""Alarm patterns are told apart, in noise, echo and within the tolerance of their standards."""

import numpy as np
import pytest

from benchmarks.patterns import recognise, trial
from echonet_satellite.frontend import Floats, FrontendParameters, log_mel
from echonet_satellite.patterns import AlarmPatterns
from echonet_satellite.protocol import AlarmPattern
from echonet_satellite.synthesis import alarm_clock, co_alarm, gunshot, siren, smoke_alarm, temporal_alarm
from tests.support.hearing import RATE, noise, silence


def random() -> np.random.Generator:
    """Return the same random numbers in each test."""
    return np.random.default_rng(5)


def pattern_of(sound: Floats) -> AlarmPattern:
    """Return what is recognised in a sound that follows a second of silence."""
    return recognise(np.concatenate((silence(1.0), sound)), 1.0)[0]


@pytest.mark.parametrize("seed", range(24))
def test_what_is_recognised_in_noise_and_echo_is_right(seed: int) -> None:
    truth, found, known_s = trial(np.random.default_rng([99, seed]), 10.0)
    assert found is truth
    if truth is AlarmPattern.T3:
        assert known_s <= 8.0


@pytest.mark.parametrize("pitch", [520.0, 3100.0])
def test_smoke_is_known_within_its_second_cycle(pitch: float) -> None:
    found, known_s = recognise(np.concatenate((silence(2.0), smoke_alarm(random(), pitch=pitch))), 2.0)
    assert found is AlarmPattern.T3
    assert known_s < 5.5


@pytest.mark.parametrize("missing_s", [0.3, 0.8, 1.4, 2.6, 3.7])
def test_smoke_is_known_although_its_beginning_was_missed(missing_s: float) -> None:
    assert pattern_of(smoke_alarm(random(), 14.0)[round(missing_s * RATE) :]) is AlarmPattern.T3


@pytest.mark.parametrize("pitch", [520.0, 3100.0])
def test_carbon_monoxide_is_known(pitch: float) -> None:
    assert pattern_of(co_alarm(random(), 8.0, pitch=pitch)) is AlarmPattern.T4


@pytest.mark.parametrize("two_tone", [False, True])
def test_siren(two_tone: bool) -> None:
    assert pattern_of(siren(random(), two_tone=two_tone)) is AlarmPattern.SIREN


def test_alarm_clock() -> None:
    assert pattern_of(alarm_clock(random())) is AlarmPattern.CLOCK


@pytest.mark.parametrize(
    ("beeps", "on_s", "off_s", "pause_s"),
    [
        (1, 0.5, 0.5, 0.5),  # beeps on and on
        (2, 0.5, 0.5, 1.5),
        (4, 0.5, 0.5, 1.5),
        (3, 0.5, 0.5, 4.0),  # too long a pause
        (3, 0.3, 0.3, 1.5),  # too fast
        (3, 0.8, 0.8, 1.5),  # too slow
        (3, 0.1, 0.1, 5.0),
        (5, 0.1, 0.1, 5.0),
        (4, 0.1, 0.1, 2.5),
        (4, 0.2, 0.2, 5.0),
        (1, 3.0, 0.0, 0.0),  # a steady tone
        (1, 0.05, 0.0, 40.0),  # a single chirp: the battery is low
    ],
)
def test_other_rhythms_are_neither(beeps: int, on_s: float, off_s: float, pause_s: float) -> None:
    sound = temporal_alarm(random(), 14.0, beeps=beeps, on_s=on_s, off_s=off_s, pause_s=pause_s)
    assert pattern_of(sound) not in (AlarmPattern.T3, AlarmPattern.T4)


@pytest.mark.parametrize(
    "sound", [noise(14.0), silence(14.0), np.zeros(14 * RATE, np.float32), gunshot(random())]
)
def test_what_is_no_tone_has_no_pattern(sound: Floats) -> None:
    assert pattern_of(sound) is AlarmPattern.UNKNOWN


@pytest.mark.parametrize("forgetful", [False, True])
def test_who_is_asked_again_and_again_says_what_one_says_who_is_asked_once(forgetful: bool) -> None:
    """What was worked out before is kept; a new listener, who hears the same frames, works all of it out."""
    parameters = FrontendParameters()
    sound = np.concatenate(
        (
            noise(2.0, 3e-3),
            smoke_alarm(random(), 18.0),
            silence(6.0),
            co_alarm(random(), 14.0),
            siren(random()),
        )
    )
    frames = log_mel(sound + noise(len(sound) / RATE, 1e-3, seed=3), parameters)
    steps = [frames[first : first + 16] for first in range(0, len(frames), 16)]
    often, said = AlarmPatterns(parameters), []
    heard: list[Floats] = []
    for number, step in enumerate(steps):
        often.push(step)
        heard.append(step)
        if number % 6 == 0 or number % 17 == 0:
            once = AlarmPatterns(parameters)
            for each in heard:
                once.push(each)
            said.append(often.recognise())
            assert said[-1] is once.recognise()
        if forgetful and number == 150:
            often.forget()
            heard.clear()
    assert {AlarmPattern.T3, AlarmPattern.T4, AlarmPattern.SIREN} <= set(said)
