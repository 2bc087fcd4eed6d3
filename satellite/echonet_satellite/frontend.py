"""Log-mel frames of sound: the one definition, used by the satellite and by training."""

from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Slaney's Auditory Toolbox (1998): linear up to 1 kHz, logarithmic above.
_HZ_PER_MEL: Final = 200.0 / 3
_BREAK_HZ: Final = 1000.0
_BREAK_MEL: Final = _BREAK_HZ / _HZ_PER_MEL
_LOG_STEP: Final = log(6.4) / 27.0

_CHUNK_FRAMES: Final = 4096
_LOW_SHARE: Final = 0.625


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontendParameters:
    """How samples become frames; a model works only with the parameters that it was trained with.

    Attributes:
        sample_rate: samples per second.
        n_fft: length of the Fourier transform in samples.
        win_length: length of the Hann window, which lies in the middle of `n_fft`.
        hop_length: samples from one frame to the next.
        n_mels: bands per frame.
        fmin: lower edge of the lowest band in hertz.
        fmax: upper edge of the highest band in hertz.
        log_offset: what is added to the power before the logarithm.
    """

    sample_rate: int = 16_000
    n_fft: int = 512
    win_length: int = 400
    hop_length: int = 160
    n_mels: int = 64
    fmin: float = 50.0
    fmax: float = 8000.0
    log_offset: float = 1e-6

    def __post_init__(self) -> None:
        for name in ("sample_rate", "n_fft", "win_length", "hop_length", "n_mels", "log_offset"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be greater than 0")
        if self.win_length > self.n_fft:
            raise ValueError("win_length must not exceed n_fft")
        if not 0 <= self.fmin < self.fmax <= self.sample_rate / 2:
            raise ValueError("fmin and fmax must lie between 0 and half the sample rate, fmin below fmax")

    def samples_in(self, frames: int) -> int:
        """Return how many samples so many frames need."""
        return self.n_fft + (frames - 1) * self.hop_length

    def frames_in(self, samples: int) -> int:
        """Return how many whole frames so many samples give."""
        return max(0, 1 + (samples - self.n_fft) // self.hop_length)


def log_mel(samples: Floats, parameters: FrontendParameters) -> Floats:
    """Return the frames [n, n_mels] of a whole recording at once.

    Equal to `log(librosa.feature.melspectrogram(..., center=False, power=2.0).T + log_offset)`.
    """
    samples = np.ascontiguousarray(samples, dtype=np.float32)
    count = parameters.frames_in(len(samples))
    frames = np.empty((count, parameters.n_mels), np.float32)
    bank = _Bank.of(parameters)
    for first in range(0, count, _CHUNK_FRAMES):
        last = min(first + _CHUNK_FRAMES, count)
        frames[first:last] = bank.transform(samples[first * parameters.hop_length :], last - first)
    return frames


def mel_filter_bank(parameters: FrontendParameters) -> Floats:
    """Return the triangular filters [n_mels, 1 + n_fft // 2]: Slaney's scale, each of equal area."""
    edges = _mel_to_hz(
        np.linspace(_hz_to_mel(parameters.fmin), _hz_to_mel(parameters.fmax), parameters.n_mels + 2)
    )
    bins = np.fft.rfftfreq(parameters.n_fft, 1.0 / parameters.sample_rate)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.minimum((bins - lower) / (centre - lower), (upper - bins) / (upper - centre))
    return np.asarray(np.maximum(0.0, triangles) * 2.0 / (upper - lower), np.float32)


def mel_centres(parameters: FrontendParameters) -> NDArray[np.float64]:
    """Return the centre of each band in hertz."""
    mels = np.linspace(_hz_to_mel(parameters.fmin), _hz_to_mel(parameters.fmax), parameters.n_mels + 2)
    return _mel_to_hz(mels)[1:-1]


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the filters, and the bins that they take from."""

    bins: slice
    bands: slice
    filters: Floats

    @classmethod
    def of(cls, filters: Floats, bands: slice) -> "_Part":
        own = filters[:, bands]
        used = np.flatnonzero(own.any(axis=1))
        bins = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0)
        return cls(bins, bands, np.ascontiguousarray(own[bins]))


class _Bank:
    """Window and filters of one set of parameters."""

    def __init__(self, parameters: FrontendParameters) -> None:
        self._parameters = parameters
        self._offset = np.float32(parameters.log_offset)
        # The periodic Hann window, as spectral analysis wants it.
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(parameters.win_length) / parameters.win_length)
        self._window = np.zeros(parameters.n_fft, np.float32)
        start = (parameters.n_fft - parameters.win_length) // 2
        self._window[start : start + parameters.win_length] = hann
        filters = mel_filter_bank(parameters).T
        # The low bands are many and lie in few bins, the high ones in many: two small products cost less than one.
        low = round(_LOW_SHARE * parameters.n_mels)
        self._parts = [_Part.of(filters, bands) for bands in (slice(0, low), slice(low, parameters.n_mels))]

    @staticmethod
    @lru_cache(maxsize=8)
    def of(parameters: FrontendParameters) -> "_Bank":
        return _Bank(parameters)

    def transform(self, samples: Floats, count: int) -> Floats:
        """Return the first `count` frames of contiguous samples."""
        stride = samples.itemsize
        overlapping: Floats = np.ndarray(
            (count, self._parameters.n_fft),
            np.float32,
            samples,
            strides=(self._parameters.hop_length * stride, stride),
        )
        spectrum = np.fft.rfft(overlapping * self._window)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        mel: Floats = np.empty((count, self._parameters.n_mels), np.float32)
        for part in self._parts:
            np.matmul(power[:, part.bins], part.filters, out=mel[:, part.bands])
        mel += self._offset
        np.log(mel, out=mel)
        return mel


def _hz_to_mel(hz: float) -> float:
    if hz < _BREAK_HZ:
        return hz / _HZ_PER_MEL
    return _BREAK_MEL + log(hz / _BREAK_HZ) / _LOG_STEP


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = mel * _HZ_PER_MEL
    return np.where(mel < _BREAK_MEL, linear, _BREAK_HZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL)))
