"""A picture of a sound: time to the right, frequency upwards, louder is brighter. Only NumPy and zlib."""

import struct
from typing import Final
import zlib

import numpy as np
from numpy.typing import NDArray

from ..audio import SAMPLE_RATE
from .tape import Samples

HEIGHT: Final = 256
MAX_WIDTH: Final = 800
_N_FFT: Final = 1024
_RANGE_DB: Final = 70.0
_SHADES: Final = 250
_ONSET_SHADE: Final = 255
# From silence to full scale: position, red, green, blue.
_RAMP: Final = (
    (0.0, 8, 8, 20),
    (0.3, 40, 30, 100),
    (0.55, 150, 40, 110),
    (0.8, 240, 130, 50),
    (1.0, 255, 245, 200),
)
_ONSET_COLOUR: Final = (90, 230, 255)


def spectrogram_png(samples: Samples, onset_s: float | None = None) -> bytes:
    """Return a PNG of the frequencies from 0 to 8 kHz, with a line where the detection begins."""
    return _png(_picture(samples, onset_s), _palette())


def _picture(samples: Samples, onset_s: float | None) -> NDArray[np.uint8]:
    sound = samples.astype(np.float32) / 32768
    width = min(MAX_WIDTH, max(1, len(sound) // (SAMPLE_RATE // 100)))
    padded = np.concatenate((sound, np.zeros(_N_FFT, np.float32)))
    starts = np.linspace(0, max(0, len(sound) - 1), width).astype(np.int64)
    frames = padded[starts[:, None] + np.arange(_N_FFT)] * np.hanning(_N_FFT).astype(np.float32)
    power = np.abs(np.fft.rfft(frames, axis=1))[:, : _N_FFT // 2] ** 2
    # Two bins a row: a loud tone must not vanish between the rows.
    rows = power.reshape(width, HEIGHT, -1).max(axis=2)
    level = 10 * np.log10(rows + 1e-9)
    loudest = max(float(level.max()), -20.0)
    shade = np.clip((level - loudest + _RANGE_DB) / _RANGE_DB, 0.0, 1.0) * (_SHADES - 1)
    picture: NDArray[np.uint8] = shade.astype(np.uint8).T[::-1].copy()
    if onset_s is not None and len(sound):
        column = round(onset_s * SAMPLE_RATE / len(sound) * width)
        if 0 <= column < width:
            picture[::4, column] = _ONSET_SHADE
            picture[1::4, column] = _ONSET_SHADE
    return picture


def _palette() -> bytes:
    at, *colours = np.array(_RAMP).T
    steps = np.linspace(0.0, 1.0, _SHADES)
    ramp = np.stack([np.interp(steps, at, colour) for colour in colours], axis=1).round().astype(np.uint8)
    palette = np.zeros((256, 3), np.uint8)
    palette[:_SHADES] = ramp
    palette[_ONSET_SHADE] = _ONSET_COLOUR
    return palette.tobytes()


def _png(picture: NDArray[np.uint8], palette: bytes) -> bytes:
    height, width = picture.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)  # 8 bits, indexed colours
    lines = np.zeros((height, width + 1), np.uint8)  # each line begins with the number of its filter: none
    lines[:, 1:] = picture
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", palette),
            _chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
