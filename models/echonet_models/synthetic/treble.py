"""The treble that a telephone took from a recording, made up again.

What lies under the edge is copied above it, shifted by multiples of the pitch, with breath, and shaped (M. Dietz et
al.: "Spectral band replication", 112th AES Convention, 2002).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft, ifft, irfft, next_fast_len, rfft
from scipy.ndimage import gaussian_filter1d, median_filter

from ..recordings import SAMPLE_RATE, Samples

HIGHEST_HZ = 7900
# Where a recording's spectrum may end, and how steeply it must do so.
LOWEST_EDGE_HZ, HIGHEST_EDGE_HZ = 2500, 5000
EDGE_DROP_DB = 18
BAND_HZ = SAMPLE_RATE / 1024
_FINE = np.arange(513) * BAND_HZ


def restore_treble(samples: Samples, generator: np.random.Generator) -> Samples:
    """Return a recording whose spectrum ends near 4 kHz with treble made of the band below; any other unchanged."""
    edge = _edge(samples)
    if edge is None:
        return samples
    length = next_fast_len(len(samples))
    spectrum = fft(samples.astype(np.float32), length)
    frequency = np.arange(length // 2) * (SAMPLE_RATE / length)
    band = generator.uniform(1300, 1900)
    patch = np.zeros(length, np.complex64)
    inside = np.flatnonzero((frequency > edge - band - 150) & (frequency <= edge))
    patch[inside] = 2 * spectrum[inside]
    copied = ifft(patch)[: len(samples)]
    shift = _shift(samples, band)
    turn = np.exp(1j * np.mod(np.cumsum(shift) * (2 * np.pi / SAMPLE_RATE), 2 * np.pi)).astype(np.complex64)
    harmonics, up = np.zeros(len(samples), np.float32), turn.copy()
    for _ in range(int((HIGHEST_HZ - edge) / (band * 0.6)) + 1):
        harmonics += (copied * up).real
        up = up * turn
    # The band under the edge holds more of the room's noise than the voice's own bands do: these say when.
    envelope = _follow(np.abs(copied)) + np.float32(1e-6)
    voiced = np.where((frequency > 500) & (frequency <= edge), 2 * spectrum[: len(frequency)], 0)
    loud = _follow(np.abs(ifft(voiced, length)[: len(samples)])) + np.float32(1e-6)
    harmonics *= loud / envelope
    noise = generator.standard_normal(len(samples), dtype=np.float32) * loud
    treble = _unit(harmonics, edge) + np.float32(generator.uniform(0.2, 1)) * _unit(noise, edge)
    return samples + _shaped(treble, samples, edge, generator)


def _edge(samples: Samples) -> float | None:
    """Return the frequency over which there is nothing any more, or None."""
    level = gaussian_filter1d(_spectrum_db(samples), 2)
    places = range(int(LOWEST_EDGE_HZ / BAND_HZ), int(HIGHEST_EDGE_HZ / BAND_HZ))
    under = [level[place - 20 : place - 4].mean() for place in places]
    above = [
        max(level[place + 13 : place + 45].mean(), level[place + 20 : -12].max() - 6) for place in places
    ]
    drop = np.subtract(under, above)
    if drop.max() < EDGE_DROP_DB:
        return None
    # The filter's own slope begins lower: back to where the spectrum still holds.
    edge = places[int(drop.argmax())]
    threshold = level[edge - 26 : edge - 6].mean() - 9
    while edge > places[0] and level[edge] < threshold:
        edge -= 1
    return edge * BAND_HZ


def _spectrum_db(samples: Samples) -> NDArray[np.float64]:
    """Return the long-term spectrum, [513]."""
    padded = np.pad(samples, (0, max(0, 1024 - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 1024)[::512]
    power = np.square(np.abs(rfft(frames * np.hanning(1024).astype(np.float32)))).mean(axis=0)
    level: NDArray[np.float64] = 10 * np.log10(power.astype(np.float64) + 1e-12)
    return level


def _shift(samples: Samples, band: float) -> Samples:
    """Return by how much to shift the band at each moment: a multiple of the pitch, if there is one, near its width."""
    hop = 256
    padded = np.pad(samples, (512, 1024))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 1024)[::hop]
    magnitude = np.sqrt(np.abs(rfft(frames * np.hanning(1024).astype(np.float32))))
    # Of the spectrum as of a signal: harmonics repeat at the pitch.
    magnitude = magnitude[:, int(300 / BAND_HZ) : int(3600 / BAND_HZ)]
    magnitude = magnitude - gaussian_filter1d(magnitude, 20, axis=1)
    power = np.square(np.abs(rfft(magnitude, 2048, axis=1)))
    alike = irfft(power, axis=1)[:, : int(1250 / BAND_HZ) + 2]
    lowest = int(220 / BAND_HZ)
    place = lowest + alike[:, lowest:-1].argmax(axis=1)
    row = np.arange(len(alike))
    before, here, after = (alike[row, place + step] for step in (-1, 0, 1))
    curved = np.minimum(before - 2 * here + after, -1e-9)
    pitch = (place + np.clip(0.5 * (before - after) / curved, -0.5, 0.5)) * BAND_HZ
    voiced = here > 0.25 * alike[:, 0]
    pitch = median_filter(np.where(voiced, pitch, 0), 5)
    # The multiple changes seldom: each change is heard as a glide.
    multiple = median_filter(np.floor(band / np.maximum(pitch, 200)), 15)
    shift = np.where(
        pitch > 0, np.clip(multiple, 1, np.floor(band / np.maximum(pitch, 200))) * pitch, band * 0.9
    )
    line: Samples = np.interp(np.arange(len(samples)), row * hop, shift).astype(np.float32)
    return line


def _follow(level: Samples) -> Samples:
    """Return the level smoothed over 8 ms."""
    width = SAMPLE_RATE // 125
    total = np.cumsum(np.pad(level.astype(np.float64), (width // 2 + 1, width // 2)))
    smooth: Samples = ((total[width:] - total[:-width]) / width).astype(np.float32)[: len(level)]
    return smooth


def _unit(samples: Samples, edge: float) -> Samples:
    """Return the sound with nothing under the edge, and as much in each band above as in any other, on the whole."""
    level = gaussian_filter1d(_spectrum_db(samples), 6)
    slope_db = 60 * np.clip((edge + 60 - _FINE) / 120, 0, 1)
    return _filtered(samples, np.where(edge - 60 > _FINE, -400, -level - slope_db))


def _shaped(treble: Samples, samples: Samples, edge: float, generator: np.random.Generator) -> Samples:
    """Return the treble with a random slope and a random resonance, as loud at the edge as the sound below it."""
    place = int(edge / BAND_HZ)
    under = 10 * np.log10(np.mean(10 ** (_spectrum_db(samples)[place - 32 : place - 3] / 10)))
    gain_db = under + generator.uniform(-18, -4) * np.log2(np.maximum(_FINE, edge) / edge)
    centre, width = generator.uniform((5000, 250), (6200, 700))
    gain_db += generator.uniform(0, 7) * np.exp(-0.5 * np.square((_FINE - centre) / width))
    end = generator.uniform(6000, 8000)
    return _filtered(treble, gain_db - generator.uniform(12, 60) * np.log2(np.maximum(_FINE / end, 1)))


def _filtered(samples: Samples, gain_db: NDArray[np.float64]) -> Samples:
    """Return the sound with so much gain in each of the bands of `_spectrum_db`."""
    length = next_fast_len(len(samples), real=True)
    spectrum = rfft(samples, length)
    gain = np.interp(np.linspace(0, SAMPLE_RATE / 2, len(spectrum)), _FINE, gain_db)
    filtered: Samples = irfft(spectrum * 10 ** (gain / 20).astype(np.float32), length)
    return filtered[: len(samples)]
