"""Tones in frames of sound: bands that stand out of those around them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .frontend import Floats

TONAL_DB: Final = 8.0
# The contrast of a band is to those up to so far beside it.
BESIDE: Final = 5


@dataclass(frozen=True, slots=True)
class Tones:
    """Which bands a tone stands out in, over time."""

    contrast: Floats
    """See `tonal_contrast`, [frames, bands]."""
    levels_db: Floats
    """How loud the tones are, [frames, bands]; minus infinity where there is none."""

    @classmethod
    def none(cls, bands: int) -> "Tones":
        """Return those of no frame."""
        return cls(np.zeros((0, bands), np.float32), np.zeros((0, bands), np.float32))

    @classmethod
    def of(cls, levels_db: Floats) -> "Tones":
        """Return those of frames [frames, bands]."""
        contrast = tonal_contrast(levels_db)
        levels_db = np.where(contrast >= TONAL_DB, levels_db, np.float32(-np.inf))
        return cls(contrast, levels_db)

    def last(self, frames: int) -> "Tones":
        """Return those of the last frames."""
        first = len(self.contrast) - frames
        return Tones(self.contrast[first:], self.levels_db[first:])

    def before_last(self, frames: int) -> "Tones":
        """Return those of all but the last frames."""
        end = len(self.contrast) - frames
        return Tones(self.contrast[:end], self.levels_db[:end])

    def followed_by(self, later: "Tones") -> "Tones":
        """Return those of these frames and later ones."""
        return Tones(
            np.concatenate((self.contrast, later.contrast)),
            np.concatenate((self.levels_db, later.levels_db)),
        )


def tonal_contrast(levels_db: Floats) -> Floats:
    """Return by how many dB each band [frames, bands] rises above those around it: a tone does, noise does not."""
    width = levels_db.shape[1]
    padded = levels_db.take(_with_edges(width), axis=1)
    near = np.maximum(padded[:, 4 : 4 + width], padded[:, 6 : 6 + width])
    np.maximum(near, levels_db, out=near)
    pairs = padded[:, :-1] + padded[:, 1:]
    around = np.maximum(pairs[:, :width], pairs[:, 9:])
    around *= 0.5
    near -= around
    # One frame of noise in a narrow band swings by several dB; three overlapping frames much less.
    mean = near[:-2] + near[1:-1]
    mean += near[2:]
    mean /= 3
    near[1:-1] = mean
    return near


@lru_cache(maxsize=8)
def _with_edges(width: int) -> NDArray[np.int64]:
    """Return the bands, and beyond both ends of them the last one five times more."""
    return np.clip(np.arange(-BESIDE, width + BESIDE), 0, width - 1)
