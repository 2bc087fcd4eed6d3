"""How well the satellite hears: from what the pipeline sees of its source and of itself. Time is given, not read."""

from collections import deque
from typing import Final

import numpy as np

from .audio import SAMPLE_RATE, SourceKind
from .frontend import Floats
from .protocol import Health, Problem

# One step of a 16-bit converter: even a quiet room moves a microphone by more.
_STILL: Final = 1.0 / 32768
SILENT_AFTER_S: Final = 20.0
_FULL_SCALE: Final = 0.999
_CLIPPED_S: Final = 5.0
_CLIPPED_SHARE: Final = 0.01
_DROPPED_FOR_S: Final = 60.0
_SLOW_S: Final = 10.0
_TOO_SLOW: Final = 0.9
_FACTOR_NEWS: Final = 0.05


class HealthMonitor:
    """Collects what is seen, and says the health of the moment."""

    def __init__(self, kind: SourceKind) -> None:
        """Watch a source of this kind; only a microphone can be silent or clipped by mistake."""
        self._is_microphone = kind is SourceKind.MICROPHONE
        self._missing = False
        self._silent_s = 0.0
        self._clipped: deque[tuple[float, float]] = deque()
        self._dropped = 0
        self._last_drop: float | None = None
        self._work: deque[tuple[float, float]] = deque()
        self._told = Health()

    @property
    def missing(self) -> bool:
        """Whether no sound comes at all."""
        return self._missing

    def block(self, samples: Floats, work_s: float) -> None:
        """Note a block of sound, and how long it took to hear it."""
        self._missing = False
        seconds = len(samples) / SAMPLE_RATE
        if not len(samples):
            return
        self._silent_s = self._silent_s + seconds if float(np.ptp(samples)) <= _STILL else 0.0
        clipped = float(np.count_nonzero(np.abs(samples) >= _FULL_SCALE)) / SAMPLE_RATE
        _slide(self._clipped, (seconds, clipped), _CLIPPED_S)
        _slide(self._work, (seconds, work_s), _SLOW_S)

    def dropped(self, total: int, now: float) -> None:
        """Note how many blocks have been lost so far."""
        if total > self._dropped:
            self._dropped = total
            self._last_drop = now

    def gone(self) -> None:
        """Note that no sound comes: the microphone cannot be opened, or has stopped."""
        self.paused()
        self._missing = True

    def paused(self) -> None:
        """Note that nobody listens, so that nothing is wrong with the sound."""
        self._missing = False
        self._silent_s = 0.0
        self._clipped.clear()
        self._work.clear()

    def changed(self, now: float) -> Health | None:
        """Return the health where it is news, else None."""
        health = self._health(now)
        told = self._told
        same = (health.problems, health.dropped_blocks) == (told.problems, told.dropped_blocks)
        if same and abs(health.realtime_factor - told.realtime_factor) < _FACTOR_NEWS:
            return None
        self._told = health
        return health

    def _health(self, now: float) -> Health:
        problems = []
        if self._missing:
            problems.append(Problem.MICROPHONE_MISSING)
        if self._is_microphone and self._silent_s >= SILENT_AFTER_S:
            problems.append(Problem.MICROPHONE_SILENT)
        heard_s, clipped_s = _sums(self._clipped)
        if self._is_microphone and heard_s >= _CLIPPED_S and clipped_s / heard_s > _CLIPPED_SHARE:
            problems.append(Problem.MICROPHONE_CLIPPED)
        if self._last_drop is not None and now - self._last_drop < _DROPPED_FOR_S:
            problems.append(Problem.BLOCKS_DROPPED)
        sound_s, work_s = _sums(self._work)
        factor = work_s / sound_s if sound_s else 0.0
        if sound_s >= _SLOW_S and factor > _TOO_SLOW:
            problems.append(Problem.TOO_SLOW)
        return Health(
            problems=tuple(problems), dropped_blocks=self._dropped, realtime_factor=round(factor, 3)
        )


def _slide(window: deque[tuple[float, float]], entry: tuple[float, float], length_s: float) -> None:
    """Add an entry (seconds, value) and drop the oldest ones that the window does not need to be full."""
    window.append(entry)
    while sum(seconds for seconds, _ in window) - window[0][0] >= length_s:
        window.popleft()


def _sums(window: deque[tuple[float, float]]) -> tuple[float, float]:
    return sum(seconds for seconds, _ in window), sum(value for _, value in window)
