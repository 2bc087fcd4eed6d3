"""Regions of a spectrogram: a beep is found where it is, and what overlaps is told apart."""

import librosa
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is in .venv-models only: scripts/setup models")

from echonet_models.compare.features.images import FRAMES, PATCH, images
from echonet_models.compare.networks.regions import (
    REGIONS,
    SIZE,
    Region,
    cut_out,
    propose,
    without_overlap,
)


def beep(pitch: float, start: float, stop: float) -> np.ndarray:
    """Return 0.96 s of noise with a tone in it."""
    time = np.arange(15360) / 16000
    noise = np.random.default_rng(1).normal(0, 0.003, len(time))
    return (noise + 0.3 * np.sin(2 * np.pi * pitch * time) * ((time >= start) & (time < stop))).astype(
        np.float32
    )


@pytest.mark.parametrize(("pitch", "start", "stop"), [(3000, 0.2, 0.5), (800, 0.6, 0.8)])
def test_the_strongest_region_is_the_beep(pitch: float, start: float, stop: float) -> None:
    image = images(beep(pitch, start, stop)[None], PATCH, FRAMES)[0]
    whole, strongest = propose(image)[:2]
    assert whole[:4] == (0, FRAMES, 0, PATCH.bands)
    assert strongest.start == pytest.approx(start * 100, abs=4)
    assert strongest.stop == pytest.approx(stop * 100, abs=4)
    band = int(
        np.abs(
            librosa.mel_frequencies(PATCH.bands + 2, fmin=PATCH.low, fmax=PATCH.high)[1:-1] - pitch
        ).argmin()
    )
    assert strongest.low <= band < strongest.high
    assert strongest.area < FRAMES * PATCH.bands / 4


def test_two_beeps_are_two_regions() -> None:
    image = images((beep(3000, 0.1, 0.3) + beep(900, 0.6, 0.8))[None], PATCH, FRAMES)[0]
    middles = {((region.start + region.stop) / 200 < 0.45) for region in propose(image)[1:3]}
    assert middles == {True, False}


def test_silence_is_one_region_and_there_are_never_too_many() -> None:
    assert len(propose(np.zeros((FRAMES, PATCH.bands), np.float32))) == 1
    noise = np.random.default_rng(0).normal(size=(FRAMES, PATCH.bands)).astype(np.float32)
    assert len(propose(noise)) <= 1 + REGIONS


def test_of_regions_that_overlap_much_the_strongest_stays() -> None:
    weak, strong = Region(0, 10, 0, 10, 1.0), Region(1, 11, 0, 10, 2.0)
    apart = Region(40, 50, 0, 10, 0.5)
    # Of the two that overlap, 90 of 110 are shared.
    assert without_overlap([weak, strong, apart], 0.81, 3) == [strong, apart]
    assert without_overlap([weak, strong, apart], 0.82, 3) == [strong, weak, apart]
    assert without_overlap([weak, strong, apart], 0.82, 1) == [strong]


def test_a_cut_keeps_levels_and_says_pitch_and_length() -> None:
    image = np.repeat(np.linspace(0, 1, PATCH.bands, dtype=np.float32)[None], FRAMES, axis=0)
    cut = cut_out(image, Region(20, 40, 30, 50, 1.0))
    assert cut.shape == (SIZE, SIZE, 3)
    low, high = 28, 51
    np.testing.assert_allclose(cut[0, :, 0], np.linspace(low, high, SIZE) / 63, atol=1e-5)
    np.testing.assert_allclose(cut[0, [0, -1], 1], [2 * low / 63 - 1, 2 * high / 63 - 1], atol=1e-6)
    np.testing.assert_allclose(cut[:, :, 2], 2 * 24 / FRAMES - 1, atol=1e-6)
