"""What a recording needs before it is of use: filtered, cut to its sounds, as loud as it can be. Pure."""

from typing import Final

import numpy as np

from .audio import SAMPLE_RATE
from .frontend import Floats

_TAPS: Final = 1023
_FRAME_S: Final = 0.02
# So far above the quiet of the recording, and never below this, a sound is one.
_ABOVE_DB: Final = 10.0
_QUIETEST_DBFS: Final = -65.0
_QUIET_SHARE: Final = 10  # per cent of the recording that are taken for its quiet
_GAP_S: Final = 0.5
_MARGIN_S: Final = 0.2
_PEAK: Final = 10 ** (-1 / 20)
_MAX_GAIN: Final = 100.0


def band(samples: Floats, *, low_hz: float | None = None, high_hz: float | None = None) -> Floats:
    """Return what lies between two frequencies, without a shift in time."""
    at = np.arange(_TAPS) - _TAPS // 2
    window = np.hanning(_TAPS)
    taps = np.zeros(_TAPS)
    taps[_TAPS // 2] = 1.0
    if high_hz is not None:
        edge = 2 * high_hz / SAMPLE_RATE
        taps = edge * np.sinc(edge * at) * window
    if low_hz is not None:
        edge = 2 * low_hz / SAMPLE_RATE
        taps = taps - edge * np.sinc(edge * at) * window
    length = len(samples) + _TAPS
    size = 1 << (length - 1).bit_length()
    whole = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(taps, size), size)
    first = _TAPS // 2
    filtered: Floats = whole[first : first + len(samples)].astype(np.float32)
    return filtered


def sounds(samples: Floats) -> list[tuple[int, int]]:
    """Return where the sounds of a recording begin and end, with a margin; pauses of half a second part them."""
    frame = round(_FRAME_S * SAMPLE_RATE)
    count = len(samples) // frame
    if count == 0:
        return []
    power = np.mean(samples[: count * frame].reshape(count, frame) ** 2, axis=1)
    level = 10 * np.log10(power + 1e-12)
    loud = np.flatnonzero(level > max(_QUIETEST_DBFS, float(np.percentile(level, _QUIET_SHARE)) + _ABOVE_DB))
    if not len(loud):
        return []
    gaps = np.flatnonzero(np.diff(loud) * _FRAME_S > _GAP_S)
    firsts = loud[np.concatenate(([0], gaps + 1))] * frame
    lasts = (loud[np.concatenate((gaps, [len(loud) - 1]))] + 1) * frame
    margin = round(_MARGIN_S * SAMPLE_RATE)
    return [
        (max(0, int(first) - margin), min(len(samples), int(last) + margin))
        for first, last in zip(firsts, lasts, strict=True)
    ]


def trimmed(samples: Floats) -> Floats:
    """Return a recording without the quiet at its beginning and end; all of it where it is nothing but quiet."""
    found = sounds(samples)
    return samples[found[0][0] : found[-1][1]] if found else samples


def normalised(samples: Floats) -> Floats:
    """Return a recording whose loudest sample is 1 dB below full scale, where that needs no absurd gain."""
    peak = float(np.abs(samples).max()) if len(samples) else 0.0
    if peak == 0.0:
        return samples
    louder: Floats = (samples * min(_MAX_GAIN, _PEAK / peak)).astype(np.float32)
    return louder
