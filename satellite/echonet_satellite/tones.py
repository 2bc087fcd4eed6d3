"""Tones in frames of sound: bands that stand out of those around them."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from .frontend import Floats

TONAL_DB: Final = 8.0


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
    padded = np.pad(levels_db, ((0, 0), (5, 5)), mode="edge")
    near = padded[:, 5 : 5 + width]
    for shift in (4, 6):
        near = np.maximum(near, padded[:, shift : shift + width])
    pairs = padded[:, :-1] + padded[:, 1:]
    contrast = near - 0.5 * np.maximum(pairs[:, :width], pairs[:, 9:])
    # One frame of noise in a narrow band swings by several dB; three overlapping frames much less.
    contrast[1:-1] = (contrast[:-2] + contrast[1:-1] + contrast[2:]) / 3
    return np.asarray(contrast, np.float32)
