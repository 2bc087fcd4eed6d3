"""The last half minute of sound in memory, for as long as the owner wants clips: a ring that always forgets."""

import threading
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..audio import SAMPLE_RATE
from ..frontend import Floats

Samples = NDArray[np.int16]

# An onset is often known late, and whoever cuts a clip may be kept waiting by a slow disk.
TAPE_S: Final = 30.0
# Blocks come a little early or late; beyond this there is a hole in the sound.
_HOLE_S: Final = 0.5
_FULL_SCALE: Final = 32767.0


class Tape:
    """Takes sound from the thread that hears, and is cut by another; remembers nothing unless it is switched on."""

    def __init__(self, *, length_s: float = TAPE_S) -> None:
        """Begin switched off."""
        self._ring: Samples | None = None
        self._size = round(length_s * SAMPLE_RATE)
        self._lock = threading.Lock()
        self._count = 0  # samples since the beginning of the uninterrupted sound
        self._end = 0.0  # monotonic time of the end of the last sample

    def switch(self, *, on: bool) -> None:
        """Begin to remember, or forget everything."""
        with self._lock:
            if on is (self._ring is not None):
                return
            self._ring = np.zeros(self._size, np.int16) if on else None
            self._count = 0

    def clear(self) -> None:
        """Forget everything, because the sound is interrupted or nobody is to be listened to."""
        with self._lock:
            if self._ring is not None:
                self._ring[:] = 0
            self._count = 0

    def push(self, samples: Floats, captured: float) -> None:
        """Remember a block; `captured` is the monotonic time of its first sample."""
        with self._lock:
            ring = self._ring
            if ring is None or not len(samples):
                return
            if self._count and abs(captured - self._end) > _HOLE_S:
                self._count = 0
            kept = np.nan_to_num(samples[-self._size :])
            whole = (np.clip(kept, -1.0, 1.0) * _FULL_SCALE).astype(np.int16)
            at = self._count % self._size
            first = min(len(whole), self._size - at)
            ring[at : at + first] = whole[:first]
            ring[: len(whole) - first] = whole[first:]
            self._count += len(whole)
            self._end = captured + len(samples) / SAMPLE_RATE

    def cut(self, start: float, end: float) -> tuple[Samples, float] | None:
        """Return what is remembered between two monotonic times, and when it begins; None where that is nothing."""
        with self._lock:
            ring = self._ring
            known = min(self._count, self._size)
            if ring is None or not known:
                return None
            begin = self._end - known / SAMPLE_RATE
            first = max(0, round((start - begin) * SAMPLE_RATE))
            last = min(known, round((end - begin) * SAMPLE_RATE))
            if last <= first:
                return None
            oldest = self._count - known
            return ring[np.arange(oldest + first, oldest + last) % self._size], begin + first / SAMPLE_RATE
