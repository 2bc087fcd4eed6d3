"""Log-mel frames of sound: the one definition, used by the satellite and by training."""

from dataclasses import dataclass
from functools import lru_cache
from math import expm1, log, log1p
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_CHUNK_FRAMES: Final = 4096
_LOW_SHARE: Final = 0.625
_DB: Final = 10 / log(10)
# Kaldi's scale of pitch.
_MEL: Final = 1127.0
_MEL_HZ: Final = 700.0


def hz_to_mel(hz: float) -> float:
    """Return the pitch of a frequency on Kaldi's scale."""
    return _MEL * log1p(hz / _MEL_HZ)


def mel_to_hz(mel: float) -> float:
    """Return the frequency of a pitch on Kaldi's scale."""
    return _MEL_HZ * expm1(mel / _MEL)


def upper_edge(bands: int, of_bands: int, up_to_hz: float) -> float:
    """Return where the first `bands` of `of_bands` bands end that are spread over 0 hertz to `up_to_hz`."""
    return mel_to_hz((bands + 1) * hz_to_mel(up_to_hz) / (of_bands + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontendParameters:
    """How samples become frames; a model works only with the parameters that it was trained with.

    As they stand here, the bands are the lower 104 of the 128 that EfficientAT's networks hear at 32 kHz, and a frame
    is what such a network would be given of the same sound.

    Attributes:
        sample_rate: samples per second.
        n_fft: length of the Fourier transform in samples.
        win_length: length of the Hann window, which lies in the middle of `n_fft`.
        hop_length: samples from one frame to the next.
        n_mels: bands per frame.
        fmin: lower edge of the lowest band in hertz.
        fmax: upper edge of the highest band in hertz; what of it lies above half the sample rate is cut off.
        preemphasis: how much of each sample is taken off the next, 0 for none; a gain of each frequency.
        preemphasis_rate: the sample rate at which that is meant.
        power_gain: what the power of each bin is multiplied by.
        log_offset: what is added to the power of each band before the logarithm.
        shift: what is added to the logarithm.
        scale: what the sum is divided by.
    """

    sample_rate: int = 16_000
    n_fft: int = 512
    win_length: int = 400
    hop_length: int = 160
    n_mels: int = 104
    fmin: float = 0.0
    fmax: float = upper_edge(104, 128, 15_000.0)
    preemphasis: float = 0.97
    preemphasis_rate: int = 32_000
    power_gain: float = 4.0
    log_offset: float = 1e-5
    shift: float = 4.5
    scale: float = 5.0

    def __post_init__(self) -> None:
        for name in (
            "sample_rate",
            "n_fft",
            "win_length",
            "hop_length",
            "n_mels",
            "preemphasis_rate",
            "power_gain",
            "log_offset",
            "scale",
        ):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be greater than 0")
        if self.win_length > self.n_fft:
            raise ValueError("win_length must not exceed n_fft")
        if not 0 <= self.preemphasis < 1:
            raise ValueError("preemphasis must be at least 0 and below 1")
        # The triangle of the highest band may be cut at half the sample rate, but must not lie above it.
        if not 0 <= self.fmin < self.fmax or mel_edges(self)[-3] >= self.sample_rate / 2:
            raise ValueError(
                "fmin and fmax must lie above 0, fmin below fmax, and each band begin below half the sample rate"
            )

    def samples_in(self, frames: int) -> int:
        """Return how many samples so many frames need."""
        return self.n_fft + (frames - 1) * self.hop_length

    def frames_in(self, samples: int) -> int:
        """Return how many whole frames so many samples give."""
        return max(0, 1 + (samples - self.n_fft) // self.hop_length)


def log_mel(samples: Floats, parameters: FrontendParameters) -> Floats:
    """Return the frames [n, n_mels] of a whole recording at once."""
    samples = np.ascontiguousarray(samples, dtype=np.float32)
    count = parameters.frames_in(len(samples))
    frames = np.empty((count, parameters.n_mels), np.float32)
    bank = _Bank.of(parameters)
    for first in range(0, count, _CHUNK_FRAMES):
        last = min(first + _CHUNK_FRAMES, count)
        bank.transform(samples[first * parameters.hop_length :], frames[first:last])
    return frames


def decibels(frames: Floats, parameters: FrontendParameters) -> Floats:
    """Return the power of each band of frames in dB: what the microphone gave, with the pre-emphasis taken back."""
    levels_db: Floats = frames * np.float32(_DB * parameters.scale)
    levels_db -= _gain_db(parameters)
    return levels_db


@lru_cache(maxsize=8)
def _gain_db(parameters: FrontendParameters) -> Floats:
    """Return what the frontend adds to the power of each band."""
    gain = 10 * np.log10(_gain(mel_centres(parameters), parameters))
    return np.asarray(_DB * parameters.shift + gain, np.float32)


def _gain(hz: NDArray[np.floating], parameters: FrontendParameters) -> NDArray[np.float64]:
    """Return what the power at frequencies is multiplied by."""
    turn = np.exp(-2j * np.pi * hz / parameters.preemphasis_rate)
    return np.asarray(parameters.power_gain * np.abs(1.0 - parameters.preemphasis * turn) ** 2)


def mel_edges(parameters: FrontendParameters) -> NDArray[np.float64]:
    """Return where the bands begin, peak and end in hertz: band i at the edges i, i + 1 and i + 2."""
    mels = np.linspace(hz_to_mel(parameters.fmin), hz_to_mel(parameters.fmax), parameters.n_mels + 2)
    return _MEL_HZ * np.expm1(mels / _MEL)


def mel_centres(parameters: FrontendParameters) -> NDArray[np.float64]:
    """Return the centre of each band in hertz."""
    return mel_edges(parameters)[1:-1]


def mel_filter_bank(parameters: FrontendParameters) -> Floats:
    """Return what each band takes of each bin's power [n_mels, 1 + n_fft // 2].

    Triangles of height one, linear in mel, and the pre-emphasis and the gain of each bin.
    """
    bins = np.arange(1 + parameters.n_fft // 2) * (parameters.sample_rate / parameters.n_fft)
    mels = np.linspace(hz_to_mel(parameters.fmin), hz_to_mel(parameters.fmax), parameters.n_mels + 2)
    position = _MEL * np.log1p(bins / _MEL_HZ)
    lower, centre, upper = mels[:-2, None], mels[1:-1, None], mels[2:, None]
    triangles = np.minimum((position - lower) / (centre - lower), (upper - position) / (upper - centre))
    return np.asarray(np.maximum(0.0, triangles) * _gain(bins, parameters), np.float32)


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
        # The logarithm's offset, shift and scale in as few steps over the frames as there can be.
        self._offset = np.float32(parameters.log_offset)
        self._shift = np.float32(parameters.shift / parameters.scale)
        self._scale = np.float32(1.0 / parameters.scale)
        self._window = np.zeros(parameters.n_fft, np.float32)
        start = (parameters.n_fft - parameters.win_length) // 2
        self._window[start : start + parameters.win_length] = np.hanning(parameters.win_length)
        filters = mel_filter_bank(parameters).T
        # The low bands are many and lie in few bins, the high ones in many: two small products cost less than one.
        low = round(_LOW_SHARE * parameters.n_mels)
        self._parts = [_Part.of(filters, bands) for bands in (slice(0, low), slice(low, parameters.n_mels))]

    @staticmethod
    @lru_cache(maxsize=8)
    def of(parameters: FrontendParameters) -> "_Bank":
        return _Bank(parameters)

    def transform(self, samples: Floats, mel: Floats) -> None:
        """Write the first frames of contiguous samples."""
        stride = samples.itemsize
        overlapping: Floats = np.ndarray(
            (len(mel), self._parameters.n_fft),
            np.float32,
            samples,
            strides=(self._parameters.hop_length * stride, stride),
        )
        spectrum = np.fft.rfft(overlapping * self._window)
        # The squares of real and imaginary parts lie one behind the other.
        parts = spectrum.view(spectrum.real.dtype)
        np.square(parts, out=parts)
        power = parts[:, 0::2] + parts[:, 1::2]
        for part in self._parts:
            np.matmul(power[:, part.bins], part.filters, out=mel[:, part.bands])
        mel += self._offset
        np.log(mel, out=mel)
        mel *= self._scale
        mel += self._shift
