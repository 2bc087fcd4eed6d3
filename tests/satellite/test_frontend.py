"""Frames equal librosa's, however long the sound is."""

import librosa
import numpy as np
from numpy.typing import NDArray
import pytest

from echonet_satellite.frontend import (
    FrontendParameters,
    log_mel,
    mel_centres,
    mel_filter_bank,
)

PARAMETERS = FrontendParameters()
OTHERS = (
    PARAMETERS,
    FrontendParameters(n_fft=1024, win_length=1024, hop_length=320, n_mels=128, fmin=0.0),
    FrontendParameters(sample_rate=8000, n_fft=256, win_length=200, hop_length=80, n_mels=40, fmax=3800.0),
)


def sound(name: str, seconds: float = 3.0, rate: int = 16_000) -> NDArray[np.float32]:
    """Give a sound that is hard in one way."""
    random = np.random.default_rng(1)
    time = np.arange(int(seconds * rate)) / rate
    samples = {
        "noise": 0.1 * random.standard_normal(time.size),
        "quiet": 1e-5 * random.standard_normal(time.size),
        "silence": np.zeros(time.size),
        "full-scale tone": np.sin(2 * np.pi * 3100 * time),
        "square": np.sign(np.sin(2 * np.pi * 520 * time)),
        "impulse": np.where(np.arange(time.size) == 20_000, 1.0, 0.0),
    }[name]
    return np.asarray(samples, np.float32)


@pytest.mark.parametrize("parameters", OTHERS)
@pytest.mark.parametrize("name", ["noise", "quiet", "silence", "full-scale tone", "square", "impulse"])
def test_equals_librosa(name: str, parameters: FrontendParameters) -> None:
    samples = sound(name)
    power = librosa.feature.melspectrogram(
        y=samples,
        sr=parameters.sample_rate,
        n_fft=parameters.n_fft,
        win_length=parameters.win_length,
        hop_length=parameters.hop_length,
        window="hann",
        center=False,
        power=2.0,
        n_mels=parameters.n_mels,
        fmin=parameters.fmin,
        fmax=parameters.fmax,
    )
    frames = log_mel(samples, parameters)
    assert frames.dtype == np.float32
    np.testing.assert_allclose(frames, np.log(power + parameters.log_offset).T, atol=1e-4, rtol=0)


@pytest.mark.parametrize("parameters", OTHERS)
def test_filter_bank_equals_librosa(parameters: FrontendParameters) -> None:
    bank = librosa.filters.mel(
        sr=parameters.sample_rate,
        n_fft=parameters.n_fft,
        n_mels=parameters.n_mels,
        fmin=parameters.fmin,
        fmax=parameters.fmax,
    )
    np.testing.assert_allclose(mel_filter_bank(parameters), bank, atol=1e-8)


def test_centre_of_a_band_is_where_it_hears_best() -> None:
    time = np.arange(16_000) / 16_000
    for band in (10, 30, 50, 60):
        tone = np.sin(2 * np.pi * mel_centres(PARAMETERS)[band] * time).astype(np.float32)
        assert set(log_mel(tone, PARAMETERS).argmax(axis=1)) == {band}


def test_chunks_of_long_sound_join_without_a_seam() -> None:
    samples = sound("noise", 90.0)
    frames = log_mel(samples, PARAMETERS)
    assert len(frames) == PARAMETERS.frames_in(samples.size) > 8192
    around = slice(4096 - 3, 4096 + 3)
    piece = samples[around.start * 160 : (around.stop - 1) * 160 + 512]
    np.testing.assert_allclose(frames[around], log_mel(piece, PARAMETERS), atol=2e-6, rtol=0)


def test_too_short_sound_has_no_frame() -> None:
    assert log_mel(np.zeros(511, np.float32), PARAMETERS).shape == (0, 64)
    assert log_mel(np.zeros(512, np.float32), PARAMETERS).shape == (1, 64)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hop_length": 0}, "hop_length must be greater than 0"),
        ({"log_offset": float("nan")}, "log_offset must be greater than 0"),
        ({"win_length": 513}, "win_length must not exceed n_fft"),
        ({"fmax": 8001.0}, "fmin and fmax"),
        ({"fmin": 8000.0}, "fmin and fmax"),
    ],
)
def test_impossible_parameters_are_refused(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FrontendParameters(**wrong)  # type: ignore[arg-type]
