"""What the teachers' scores of single clips say about a mixture of them."""

import numpy as np
from numpy.typing import NDArray

from .knowledge import SCALE, UNTAUGHT, Knowledge
from .recordings import Samples
from .teachers import DENSE_HOP, TEACHER_CLASSES, WINDOW

# A layer counts in full down to 10 dB under the whole and not at all from 25 dB under it: nobody hears it there.
FULL_DB, DEAF_DB = -10.0, -25.0
BLOCKS_PER_WINDOW = WINDOW // DENSE_HOP

Scores = NDArray[np.uint8]


def taught_windows(samples: int) -> int:
    """Return how many of the teacher's windows lie in a mixture of so many samples."""
    return (samples - WINDOW) // DENSE_HOP + 1


class Lesson:
    """The layers of one mixture, each with what the teachers hear in it alone."""

    def __init__(self, samples: int, knowledge: Knowledge) -> None:
        """Begin an empty mixture of so many samples."""
        self._samples, self._knowledge = samples, knowledge
        self._starts = np.arange(taught_windows(samples), dtype=np.int64) * DENSE_HOP
        self._powers: list[NDArray[np.float32]] = []
        self._heard: list[NDArray[np.float32] | None] = []

    def add(
        self,
        layer: Samples,
        position: int,
        path: str | None,
        *,
        origin: int = 0,
        speed: float = 1.0,
        period: int | None = None,
        known: bool = True,
    ) -> None:
        """Add a layer.

        Args:
            layer: its samples as they are mixed in.
            position: where in the mixture they begin.
            path: the clip they come from; None for a made-up sound.
            origin: where in the mixture the clip's own first sample lies (before the mixture, if negative).
            speed: how many samples of the clip pass in one of the mixture.
            period: after so many samples the clip begins again.
            known: whether the teachers' judgement of this sound is known (or, of noise: nothing).
        """
        squares = np.zeros(-(-self._samples // DENSE_HOP) * DENSE_HOP, np.float32)
        squares[position : position + len(layer)] = np.square(layer)
        blocks = squares.reshape(-1, DENSE_HOP).sum(axis=1)
        joined = np.convolve(blocks, np.ones(BLOCKS_PER_WINDOW, np.float32), mode="valid")
        self._powers.append(joined[: len(self._starts)])
        if path is not None:
            places: NDArray[np.floating] = (self._starts - origin) * speed
            if period is not None:
                places = places % period
            self._heard.append(self._knowledge.at(path, places))
        elif known:
            self._heard.append(np.zeros((len(self._starts), TEACHER_CLASSES), np.float32))
        else:
            self._heard.append(None)

    def scores(self) -> Scores:
        """Return the scores of every window as bytes, [windows, classes]: a class is there if any layer has it."""
        powers = np.stack(self._powers)
        relative_db = 10 * np.log10((powers + 1e-12) / (powers.sum(axis=0) + 1e-12))
        shares = np.clip((relative_db - DEAF_DB) / (FULL_DB - DEAF_DB), 0, 1)
        absent = np.ones((len(self._starts), TEACHER_CLASSES), np.float32)
        unknown = np.zeros(len(self._starts), bool)
        for share, heard in zip(shares, self._heard, strict=True):
            if heard is None:
                unknown |= share > 0
            else:
                absent *= 1 - share[:, None].astype(np.float32) * heard
        scores = np.rint((1 - absent) * SCALE).astype(np.uint8)
        scores[unknown] = UNTAUGHT
        return scores
