"""Made-up cries and screams, and treble for recordings that have none."""

from collections.abc import Callable

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest
from scipy.signal import firwin, oaconvolve

pytest.importorskip("tensorflow", reason="TensorFlow is in .venv-models only: scripts/setup models")

from echonet_models.datasets import CLASSES
from echonet_models.errors import ModelsError
from echonet_models.recordings import SAMPLE_RATE, Samples
from echonet_models.synthetic.treble import restore_treble
from echonet_models.synthetic.voices import baby_cry, scream
from echonet_models.teachers import Yamnet, read_class_map, teachers_directory
from echonet_satellite.protocol import SoundClass

from .sounds import check_sound

seeds = st.integers(0, 2**32 - 1)
MAKERS = pytest.mark.parametrize(
    ("make", "shortest_s", "longest_s"), [(baby_cry, 1.5, 6.0), (scream, 0.5, 3.5)]
)


def telephone_cry(seed: int) -> Samples:
    """Return harmonics of a pitch that moves, and a little noise, with nothing over 3.8 kHz."""
    generator = np.random.default_rng(seed)
    time = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(450 + 60 * np.sin(2 * np.pi * time)) / SAMPLE_RATE
    sound = sum(np.sin(number * phase) / number for number in range(1, 14))
    sound = (sound + generator.normal(0, 0.02, len(time))) * (0.6 + 0.4 * np.sin(2 * np.pi * 1.3 * time))
    filtered: Samples = oaconvolve(0.2 * sound, firwin(301, 3800, fs=SAMPLE_RATE), "same").astype(np.float32)
    return filtered


def level_db(samples: Samples, low_hz: float, high_hz: float) -> float:
    spectrum = np.fft.rfft(samples)
    frequency = np.linspace(0, SAMPLE_RATE / 2, len(spectrum))
    inside = np.abs(spectrum[(frequency >= low_hz) & (frequency < high_hz)])
    return float(10 * np.log10(np.square(inside).mean() + 1e-12))


@MAKERS
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_a_made_up_voice_is_sound_of_the_length_promised(
    make: Callable[[np.random.Generator], Samples], shortest_s: float, longest_s: float, seed: int
) -> None:
    check_sound(make, seed, shortest_s, longest_s)
    sound = make(np.random.default_rng(seed))
    assert np.abs(sound[: SAMPLE_RATE // 20]).max() > 0.003


@MAKERS
def test_made_up_voices_are_wide_band(
    make: Callable[[np.random.Generator], Samples], shortest_s: float, longest_s: float
) -> None:
    sounds = [make(np.random.default_rng(seed)) for seed in range(12)]
    treble = [level_db(sound, 5000, 7500) - level_db(sound, 1000, 4000) for sound in sounds]
    assert -25 < np.mean(treble) < 0
    assert np.std(treble) > 1


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_it_restores_treble_and_leaves_the_rest(seed: int) -> None:
    before = telephone_cry(seed)
    after = restore_treble(before, np.random.default_rng(seed))
    assert after.dtype == np.float32
    assert after.shape == before.shape
    assert np.isfinite(after).all()
    assert level_db(after, 4200, 6000) > level_db(before, 4200, 6000) + 20
    assert level_db(after, 5000, 7000) < level_db(before, 1000, 3500) + 2
    assert level_db(after - before, 100, 3200) < level_db(before, 100, 3200) - 40
    np.testing.assert_array_equal(after, restore_treble(before, np.random.default_rng(seed)))


def test_restored_harmonics_are_multiples_of_the_pitch() -> None:
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    numbers = np.arange(1, 8)[:, None]
    before = (0.05 * np.sin(2 * np.pi * 500 * numbers * time)).sum(axis=0).astype(np.float32)
    after = restore_treble(before, np.random.default_rng(1))
    on, off = (
        np.mean([10 ** (level_db(after, hz - 40, hz + 40) / 10) for hz in places])
        for places in ((4500, 5000, 5500), (4750, 5250, 5750))
    )
    assert on > 10 * off


@pytest.mark.parametrize("make", [baby_cry, scream])
def test_a_wide_band_sound_stays_as_it_is(make: Callable[[np.random.Generator], Samples]) -> None:
    for seed in range(6):
        sound = make(np.random.default_rng(seed))
        np.testing.assert_array_equal(restore_treble(sound, np.random.default_rng(0)), sound)


def test_silence_and_the_shortest_of_sounds_stay_as_they_are() -> None:
    for samples in (0, 100, SAMPLE_RATE):
        silence = np.zeros(samples, np.float32)
        np.testing.assert_array_equal(restore_treble(silence, np.random.default_rng(0)), silence)


@pytest.mark.parametrize(
    ("make", "sound_class", "share"),
    [(baby_cry, SoundClass.BABY_CRY, 1 / 3), (scream, SoundClass.SCREAM, 1 / 4)],
)
def test_the_teacher_hears_what_is_meant(
    make: Callable[[np.random.Generator], Samples], sound_class: SoundClass, share: float
) -> None:
    try:
        directory = teachers_directory()
    except ModelsError as error:
        pytest.skip(str(error))
    teacher, class_map = Yamnet(directory), read_class_map(directory)
    heard = []
    for seed in range(24):
        sound = np.pad(make(np.random.default_rng(seed)), (SAMPLE_RATE // 4, SAMPLE_RATE))
        core, _ = class_map.scores(teacher.scores(sound))
        heard.append(core[:, CLASSES.index(sound_class)].max() >= 0.3)
    assert np.mean(heard) >= share
