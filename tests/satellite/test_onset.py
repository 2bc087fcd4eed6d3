"""Where a sound begins and ends is found in its level: bangs, cries and tones over noise, at known moments."""

from collections.abc import Callable
from functools import cache

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from echonet_satellite import synthesis
from echonet_satellite.frontend import Floats, FrontendParameters, log_mel
from echonet_satellite.onset import MEASURES, Levels, Onset, frame_levels
from echonet_satellite.track import FRAME_CENTRE_S
from tests.support.hearing import RATE, noise

PARAMETERS = FrontendParameters()
Random = np.random.Generator
Maker = Callable[[Random], Floats]


def levels_of(samples: Floats) -> Levels:
    """Return the levels of a sound, of which everything is remembered."""
    frames = frame_levels(log_mel(samples, PARAMETERS), PARAMETERS)
    levels = Levels(len(frames))
    levels.push(frames)
    return levels


@cache
def made(maker: Maker, seed: int) -> Floats:
    """Return a sound, made once for all tests."""
    return maker(np.random.default_rng(seed))


def mixed(random: Random, sound: Floats, onset_s: float, snr_db: float, length_s: float) -> Floats:
    """Return a sound in the noise of a room, so much louder than that in its first 100 ms."""
    slope = random.uniform(-6, 0)
    spectrum = np.fft.rfft(random.standard_normal(round(length_s * RATE)))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(round(length_s * RATE), 1 / RATE), 50.0) / 1000)
    room = np.fft.irfft(spectrum * 10 ** (slope * octaves / 20), round(length_s * RATE))
    first = round(onset_s * RATE)
    sound = sound[: len(room) - first]
    room *= np.sqrt(np.mean(sound[: RATE // 10] ** 2)) / room.std() * 10 ** (-snr_db / 20)
    room[first : first + len(sound)] += sound
    return np.asarray(0.3 * room / np.abs(room).max(), np.float32)


def errors_s(maker: Maker, snr_db: float, find: Callable[[Levels, int, int], Onset | None]) -> Floats:
    """Return how late each of many onsets is found by who knows the window of 1.6 s; 9 where none is."""
    errors = []
    for seed in range(20):
        random = np.random.default_rng([7, seed])
        onset_s = random.uniform(2.0, 3.0)
        samples = mixed(random, made(maker, seed), onset_s, snr_db, 5.0)
        # The network has heard it a little later.
        last = round((onset_s + random.uniform(0.2, 0.6)) * 100)
        levels = levels_of(samples[: last * 160 + 352])
        found = find(levels, last - 160, last - 1)
        errors.append(found.frame / 100 + FRAME_CENTRE_S - onset_s if found else 9.0)
    return np.array(errors, np.float32)


@pytest.mark.parametrize("maker", [synthesis.gunshot, synthesis.glass_break])
@pytest.mark.parametrize(
    ("snr_db", "median_s", "p90_s"), [(20, 0.015, 0.03), (10, 0.02, 0.05), (5, 0.05, 0.3)]
)
def test_a_bang_begins_where_it_rises(maker: Maker, snr_db: float, median_s: float, p90_s: float) -> None:
    errors = np.abs(errors_s(maker, snr_db, Levels.bang))
    assert np.median(errors) <= median_s
    assert np.percentile(errors, 90) <= p90_s


@pytest.mark.parametrize("maker", [synthesis.dog_bark, synthesis.baby_cry, synthesis.scream, synthesis.siren])
@pytest.mark.parametrize(("snr_db", "median_s"), [(20, 0.06), (10, 0.12)])
def test_what_goes_on_begins_where_it_leaves_the_background(
    maker: Maker, snr_db: float, median_s: float
) -> None:
    assert np.median(np.abs(errors_s(maker, snr_db, Levels.lasting))) <= median_s


def test_a_tone_begins_although_it_fills_few_bands() -> None:
    errors = errors_s(synthesis.smoke_alarm, 10, Levels.lasting)
    assert np.median(np.abs(errors)) <= 0.03


def test_nothing_begins_in_noise() -> None:
    for seed in range(20):
        levels = levels_of(noise(3.0, seed=seed))
        assert levels.bang(100, 260) is None
        assert levels.rise_db(100, 260) < 3.0


def test_a_bang_rises_by_its_strength() -> None:
    quiet = noise(2.0, 0.01)
    for gain_db in (10, 20, 30):
        loud = quiet.copy()
        loud[RATE:] *= 10 ** (gain_db / 20)
        assert levels_of(loud).rise_db(60, 150) == pytest.approx(gain_db, abs=3.0 + 0.1 * gain_db)


def test_the_pauses_of_a_sound_belong_to_it_and_a_sound_before_it_does_not() -> None:
    sound = np.concatenate([noise(length, level) for length, level in PIECES])
    levels = levels_of(sound)
    found = levels.lasting(0, 290)
    assert found is not None
    assert found.frame == pytest.approx(170, abs=3)
    assert levels.last_above(found, 0) == pytest.approx(260, abs=3)


# A sound, half a second of quiet; then a sound with two short pauses.
PIECES = (
    (0.5, 1e-3),
    (0.5, 0.1),
    (0.7, 1e-3),
    (0.3, 0.1),
    (0.15, 1e-3),
    (0.3, 0.1),
    (0.15, 1e-3),
    (0.02, 0.1),
    (0.6, 1e-3),
)


@settings(max_examples=50, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=20),
    asked=st.tuples(st.integers(-50, 400), st.integers(-50, 400)),
)
def test_what_is_found_lies_where_it_was_looked_for(lengths: list[int], asked: tuple[int, int]) -> None:
    random = np.random.default_rng(sum(lengths))
    levels = Levels(100)
    whole = random.normal(0, 10, (sum(lengths), MEASURES)).astype(np.float32)
    for number, length in enumerate(lengths):
        first = sum(lengths[:number])
        levels.push(whole[first : first + length])
    assert levels.end == len(whole)
    first, last = min(asked), min(max(asked), levels.end - 1)
    for found in (levels.bang(first, last), levels.lasting(first, last)):
        if found is not None:
            assert first <= found.frame <= last
            until = levels.last_above(found, found.frame)
            assert until is None or found.frame <= until < levels.end


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(1, 299), max_size=6, unique=True))
def test_levels_in_pieces_are_those_at_once(cuts: list[int]) -> None:
    whole = np.random.default_rng(3).normal(0, 5, (300, MEASURES)).astype(np.float32)
    once, often = Levels(120), Levels(120)
    once.push(whole)
    for piece in np.split(whole, sorted(cuts)):
        often.push(piece)
    assert often.bang(200, 290) == once.bang(200, 290)
    assert often.lasting(190, 299) == once.lasting(190, 299)
