"""Alarm patterns are told apart, in noise, echo and within the tolerance of their standards."""

import numpy as np
import pytest

from benchmarks.patterns import recognise, trial
from echonet_satellite.frontend import Floats, FrontendParameters, decibels, log_mel
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


def beeps(*times: tuple[float, float], pitch: float = 2800.0) -> Floats:
    """Return beeps, each from a time and of a length in seconds, in 14 s."""
    time = np.arange(14 * RATE) / RATE
    gate = np.zeros(14 * RATE)
    for start_s, length_s in times:
        gate[round(start_s * RATE) : round((start_s + length_s) * RATE)] = 0.3
    return np.asarray(gate * np.sin(2 * np.pi * pitch * time) + noise(14.0, 1e-3), np.float32)


def regular(period_s: float, length_s: float, drift: float = 0.0) -> list[tuple[float, float]]:
    """Return the times of beeps, each interval longer than the last by a part."""
    times, start_s = [], 0.0
    while start_s < 13.5:
        times.append((start_s, length_s))
        start_s += period_s
        period_s *= 1 + drift
    return times


ALARMS_THAT_ARE_NO_CLOCKS = {
    "fast": beeps(*regular(0.16, 0.08)),
    "faster": beeps(*regular(0.1, 0.05)),
    "slow and long": beeps(*regular(1.0, 0.5)),
    "drifting": beeps(*regular(0.5, 0.1, drift=0.05)),
    "drifting to faster": beeps(*regular(1.6, 0.1, drift=-0.04)),
    "of growing length": beeps(*((start_s, 0.06 + 0.06 * start_s) for start_s, _ in regular(0.6, 0.1))),
    "irregular": beeps(*((0.7 * n + 0.08 * (n * n % 5), 0.1) for n in range(18))),
    "two at once": beeps(*regular(0.9, 0.2)) + beeps(*regular(0.83, 0.2), pitch=3600.0),
    "three at once": beeps(*regular(1.0, 0.25))
    + beeps(*regular(0.95, 0.25), pitch=2300.0)
    + beeps(*regular(1.08, 0.25), pitch=3600.0),
    "beside a steady tone": beeps(*regular(0.8, 0.15)) + beeps((0.0, 14.0), pitch=1900.0),
    "continuous": beeps((0.0, 14.0)),
    "only a few": beeps(*regular(1.0, 0.1)[:4]),
}


@pytest.mark.parametrize("name", ALARMS_THAT_ARE_NO_CLOCKS)
def test_an_alarm_that_is_no_exact_clock_alone_is_unknown(name: str) -> None:
    """Whoever is told that a clock rings sleeps on: at no moment may another alarm be taken for one."""
    patterns = AlarmPatterns(FrontendParameters())
    frames = log_mel(np.concatenate((silence(1.0), ALARMS_THAT_ARE_NO_CLOCKS[name])), FrontendParameters())
    said = set()
    for first in range(0, len(frames), 16):
        patterns.push(decibels(frames[first : first + 16], FrontendParameters()))
        said.add(patterns.recognise())
    # Two tones that change in turn are also what a siren is.
    assert said - {AlarmPattern.SIREN} == {AlarmPattern.UNKNOWN}
    assert AlarmPattern.SIREN not in said or name in ("three at once", "beside a steady tone")


@pytest.mark.parametrize(("period_s", "length_s"), [(0.5, 0.1), (1.0, 0.2), (1.8, 0.3)])
def test_a_clock_is_known_after_several_exact_cycles_and_not_before(period_s: float, length_s: float) -> None:
    times = regular(period_s, length_s)
    assert pattern_of(beeps(*times)) is AlarmPattern.CLOCK
    assert pattern_of(beeps(*times[:5])[: round(6 * period_s * RATE)]) is AlarmPattern.UNKNOWN


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
    frames = decibels(log_mel(sound + noise(len(sound) / RATE, 1e-3, seed=3), parameters), parameters)
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
