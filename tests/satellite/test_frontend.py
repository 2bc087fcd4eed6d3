"""Frames equal a slow and obvious reference, however long the sound is and however it is cut."""

from itertools import pairwise
from math import log

from hypothesis import given, settings, strategies as st
import numpy as np
from numpy.typing import NDArray
import pytest

from echonet_satellite.frontend import (
    FrontendParameters,
    decibels,
    log_mel,
    mel_centres,
    mel_filter_bank,
)

PARAMETERS = FrontendParameters()
OTHERS = (
    PARAMETERS,
    FrontendParameters(n_fft=1024, win_length=1024, hop_length=320, n_mels=128, fmax=8000.0, power_gain=1.0),
    FrontendParameters(
        sample_rate=8000,
        n_fft=256,
        win_length=200,
        hop_length=80,
        n_mels=40,
        fmin=50.0,
        fmax=3800.0,
        preemphasis=0.0,
        log_offset=1e-6,
        shift=0.0,
        scale=1.0,
    ),
)


def reference(samples: NDArray[np.float32], parameters: FrontendParameters) -> NDArray[np.float64]:
    """Work out one frame after the other, one band after the other, in 64 bits, from the definitions alone."""
    first = (parameters.n_fft - parameters.win_length) // 2
    window = np.zeros(parameters.n_fft)
    for n in range(parameters.win_length):
        window[first + n] = 0.5 - 0.5 * np.cos(2 * np.pi * n / (parameters.win_length - 1))
    bins = np.arange(parameters.n_fft // 2 + 1) * parameters.sample_rate / parameters.n_fft

    def mel(hz: float) -> float:
        return 1127 * log(1 + hz / 700)

    edges = np.linspace(mel(parameters.fmin), mel(parameters.fmax), parameters.n_mels + 2)
    frames = []
    for start in range(0, len(samples) - parameters.n_fft + 1, parameters.hop_length):
        piece = samples[start : start + parameters.n_fft].astype(np.float64)
        power = np.abs(np.fft.rfft(piece * window)) ** 2
        # The gain of y[n] = x[n] - preemphasis * x[n - 1].
        turn = np.exp(-2j * np.pi * bins / parameters.preemphasis_rate)
        power *= parameters.power_gain * np.abs(1 - parameters.preemphasis * turn) ** 2
        frame = []
        for lower, centre, upper in zip(edges[:-2], edges[1:-1], edges[2:], strict=True):
            band = 0.0
            for hz, each in zip(bins, power, strict=True):
                if lower < mel(hz) <= centre:
                    band += each * (mel(hz) - lower) / (centre - lower)
                elif centre < mel(hz) < upper:
                    band += each * (upper - mel(hz)) / (upper - centre)
            frame.append((log(band + parameters.log_offset) + parameters.shift) / parameters.scale)
        frames.append(frame)
    return np.array(frames)


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
def test_equals_the_reference(name: str, parameters: FrontendParameters) -> None:
    samples = sound(name)[19_000:21_000]
    frames = log_mel(samples, parameters)
    assert frames.dtype == np.float32
    # Within 1e-4 of what a network is given; as much of the logarithm where that is not scaled down.
    np.testing.assert_allclose(frames, reference(samples, parameters), atol=5e-4 / parameters.scale, rtol=0)


def test_the_bands_are_the_lower_ones_of_what_a_network_hears_at_twice_the_rate() -> None:
    """Kaldi spreads 128 bands over 15 kHz; a bin of the two Fourier transforms is the same part of the spectrum."""
    whole = mel_filter_bank(
        FrontendParameters(
            sample_rate=32_000, n_fft=1024, win_length=800, hop_length=320, n_mels=128, fmax=15_000.0
        )
    )
    lower = mel_filter_bank(PARAMETERS)
    np.testing.assert_allclose(lower, whole[:104, :257], atol=1e-5)
    assert whole[104:, :256].sum() < 0.02 * lower.sum()


def test_decibels_are_of_the_power() -> None:
    samples = sound("noise")
    quieter, louder = (decibels(log_mel(gain * samples, PARAMETERS), PARAMETERS)[:, 40:] for gain in (1, 10))
    np.testing.assert_allclose(louder - quieter, 20, atol=0.1)


def test_centre_of_a_band_is_where_it_hears_best() -> None:
    time = np.arange(16_000) / 16_000
    for band in (40, 60, 80, 100):
        tone = np.sin(2 * np.pi * mel_centres(PARAMETERS)[band] * time).astype(np.float32)
        assert set(log_mel(tone, PARAMETERS).argmax(axis=1)) <= {band - 1, band, band + 1}


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 500), max_size=8))
def test_what_is_heard_in_pieces_is_what_is_heard_at_once(cuts: list[int]) -> None:
    samples = sound("noise", 5.2)
    whole = log_mel(samples, PARAMETERS)
    edges = [0, *sorted(cuts), len(whole)]
    pieces = [
        log_mel(samples[first * 160 : last * 160 + 352], PARAMETERS)
        for first, last in pairwise(edges)
        if first < last
    ]
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=2e-6, rtol=0)


def test_chunks_of_long_sound_join_without_a_seam() -> None:
    samples = sound("noise", 90.0)
    frames = log_mel(samples, PARAMETERS)
    assert len(frames) == PARAMETERS.frames_in(samples.size) > 8192
    around = slice(4096 - 3, 4096 + 3)
    piece = samples[around.start * 160 : (around.stop - 1) * 160 + 512]
    np.testing.assert_allclose(frames[around], log_mel(piece, PARAMETERS), atol=2e-6, rtol=0)


def test_too_short_sound_has_no_frame() -> None:
    assert log_mel(np.zeros(511, np.float32), PARAMETERS).shape == (0, 104)
    assert log_mel(np.zeros(512, np.float32), PARAMETERS).shape == (1, 104)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hop_length": 0}, "hop_length must be greater than 0"),
        ({"log_offset": float("nan")}, "log_offset must be greater than 0"),
        ({"scale": 0.0}, "scale must be greater than 0"),
        ({"preemphasis": 1.0}, "preemphasis must be at least 0 and below 1"),
        ({"preemphasis": float("nan")}, "preemphasis must be at least 0 and below 1"),
        ({"win_length": 513}, "win_length must not exceed n_fft"),
        ({"fmax": 9000.0}, "fmin and fmax"),
        ({"fmax": float("nan")}, "fmin and fmax"),
        ({"fmin": 8200.0}, "fmin and fmax"),
        ({"fmin": -1.0}, "fmin and fmax"),
    ],
)
def test_impossible_parameters_are_refused(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FrontendParameters(**wrong)  # type: ignore[arg-type]
