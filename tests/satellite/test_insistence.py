"""Beeps that go on and on, alone: what they are told by, and what only sounds a little like them."""

from hypothesis import assume, given, strategies as st
import numpy as np
from numpy.typing import NDArray
import pytest

from echonet_satellite.frontend import Floats, FrontendParameters, decibels, log_mel
from echonet_satellite.insistence import INSISTENT_S, frames_needed, insists, only_beeps
from echonet_satellite.synthesis import room_tone, temporal_alarm, with_echo

PARAMETERS = FrontendParameters()
RATE = PARAMETERS.sample_rate
SAMPLES = PARAMETERS.samples_in(frames_needed(PARAMETERS))


def heard(sound: Floats, noise: float = 1.0) -> bool:
    samples = sound[:SAMPLES] + noise * room_tone(np.random.default_rng(1), SAMPLES / RATE + 0.1)[:SAMPLES]
    return insists(decibels(log_mel(samples.astype(np.float32), PARAMETERS), PARAMETERS), PARAMETERS)


def beeping(pitch: float, on_s: float, off_s: float) -> Floats:
    random = np.random.default_rng(2)
    duration_s = INSISTENT_S + 1
    dry = temporal_alarm(random, duration_s, beeps=60, on_s=on_s, off_s=off_s, pause_s=60.0, pitch=pitch)
    return 0.1 * with_echo(random, dry, 0.3)[: round(duration_s * RATE)]


def tone(pitch: NDArray[np.floating] | float) -> Floats:
    time = np.arange(SAMPLES) / RATE
    phase = np.cumsum(np.broadcast_to(pitch, time.shape)) / RATE
    return (0.1 * np.sin(2 * np.pi * phase)).astype(np.float32)


@pytest.mark.parametrize("pitch", [2350.0, 2600.0, 3100.0, 3600.0])
@pytest.mark.parametrize(("on_s", "off_s"), [(0.25, 0.08), (0.2, 0.1), (0.4, 0.15)])
def test_an_alarm_that_beeps_on_and_on_insists(pitch: float, on_s: float, off_s: float) -> None:
    assert heard(beeping(pitch, on_s, off_s))


@pytest.mark.parametrize(("on_s", "off_s"), [(0.5, 0.5), (1.0, 1.0), (0.2, 0.4)])
def test_beeps_with_pauses_do_not_insist(on_s: float, off_s: float) -> None:
    assert not heard(beeping(2800.0, on_s, off_s))


@pytest.mark.parametrize("pitch", [2000.0, 2350.0, 2600.0, 3100.0, 3600.0])
def test_a_kettle_that_whistles_does_not_insist(pitch: float) -> None:
    random = np.random.default_rng(4)
    time = np.arange(SAMPLES) / RATE
    # It rises a little, and it swells and fades as the steam comes.
    steam = np.interp(time, np.arange(0, 4, 0.05), random.normal(1, 0.2, 80))
    whistle = tone(pitch * (1 + 0.01 * time)) * steam + random.normal(0, 0.003, SAMPLES)
    assert not heard(whistle.astype(np.float32))
    assert not heard(tone(pitch))


def test_a_tone_that_glides_is_low_or_has_others_below_it_does_not_insist() -> None:
    time = np.arange(SAMPLES) / RATE
    gated = (time % 0.3 < 0.22).astype(np.float32)
    assert heard(gated * tone(2900.0))
    assert not heard(gated * tone(2900 + 500 * np.sin(2 * np.pi * 0.5 * time)))
    assert not heard(gated * tone(1000.0))
    assert not heard(gated * (tone(2900.0) + tone(725.0)))


@given(st.lists(st.floats(0.15, 0.6), min_size=12, max_size=12, unique=True))
def test_what_beeps_unevenly_does_not_insist(lengths: list[float]) -> None:
    """A bird, or somebody who whistles."""
    ends = np.cumsum(lengths)
    whole = lengths[: np.searchsorted(ends, INSISTENT_S)]
    assume(np.std(whole) > 0.3 * np.mean(whole))
    time = np.arange(SAMPLES) / RATE
    since = time - np.concatenate(([0.0], ends))[np.searchsorted(ends, time)]
    assert not heard((since > 0.08).astype(np.float32) * tone(2900.0))


def only_one_tone(sound: Floats) -> bool:
    samples = sound[: PARAMETERS.samples_in(160)]
    samples = samples + room_tone(np.random.default_rng(1), 2.0)[: len(samples)]
    return only_beeps(decibels(log_mel(samples.astype(np.float32), PARAMETERS), PARAMETERS), PARAMETERS)


@pytest.mark.parametrize("pitch", [2050.0, 2800.0, 3100.0])
@pytest.mark.parametrize(("on_s", "off_s"), [(0.5, 0.4), (0.1, 0.1), (1.0, 1.0), (0.2, 0.2)])
def test_beeps_of_one_pitch_are_only_beeps(pitch: float, on_s: float, off_s: float) -> None:
    assert only_one_tone(beeping(pitch, on_s, off_s))


def test_what_glides_has_partials_or_sounds_with_others_is_more_than_beeps() -> None:
    time = np.arange(SAMPLES) / RATE
    gated = (time % 0.6 < 0.4).astype(np.float32)
    hi_lo = np.where(time % 1.0 < 0.5, 700.0, 930.0)
    noise = np.random.default_rng(5).normal(0, 0.3, SAMPLES).astype(np.float32)
    assert only_one_tone(gated * tone(2900.0))
    assert not only_one_tone(tone(900 + 500 * np.sin(2 * np.pi * 0.4 * time)))
    assert not only_one_tone(tone(hi_lo))
    assert not only_one_tone(gated * (tone(2900.0) + 0.5 * tone(1900.0)))
    assert not only_one_tone(gated * tone(2900.0) + noise)
    assert not only_one_tone(np.zeros(SAMPLES, np.float32))
    assert not only_one_tone(noise)


def test_noise_and_silence_do_not_insist() -> None:
    assert not heard(np.zeros(SAMPLES, np.float32))
    assert not heard(np.random.default_rng(3).normal(0, 0.1, SAMPLES).astype(np.float32))
    assert not heard(np.zeros(SAMPLES, np.float32), noise=0.0)
