"""What the makers of sounds share: chances, lines to lay sounds into, and noise."""

from collections.abc import Callable

import numpy as np
from scipy.signal import butter, sosfilt

from ..recordings import SAMPLE_RATE, Samples

Range = tuple[float, float]
Maker = Callable[[np.random.Generator], Samples]

HIGHEST_HZ = 7800.0


def between(generator: np.random.Generator, low: float, high: float) -> float:
    """Return a number whose logarithm is uniform."""
    return float(np.exp(generator.uniform(np.log(low), np.log(high))))


def add(line: Samples, sound: Samples, time_s: float) -> None:
    """Add a sound [samples] to a line [samples] from a time on, as far as the line goes."""
    start = int(time_s * SAMPLE_RATE)
    piece = sound[: max(0, len(line) - start)]
    line[start : start + len(piece)] += piece


def noise_band(generator: np.random.Generator, samples: int, low_hz: float, high_hz: float) -> Samples:
    """Return noise [samples] between two frequencies, of peak 1."""
    # Enough of it for the filter to settle, however short the noise.
    ahead = 256
    high = min(max(high_hz, 1.3 * low_hz), HIGHEST_HZ)
    band = butter(1, (min(low_hz, 0.7 * high), high), "bandpass", fs=SAMPLE_RATE, output="sos")
    noise = sosfilt(band, generator.standard_normal(samples + ahead))[ahead:]
    return np.asarray(noise / np.abs(noise).max(), np.float32)
