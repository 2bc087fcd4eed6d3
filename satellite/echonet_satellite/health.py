"""How well the satellite hears: from what the pipeline sees of its source and of itself. Time is given, not read."""

from collections import deque
from typing import Final

import numpy as np

from .audio import SAMPLE_RATE, STILL, SourceKind
from .frontend import Floats
from .protocol import Health, Problem

SILENT_AFTER_S: Final = 20.0
# A driver that hangs gives the same sound again and again; no room does.
FROZEN_AFTER_S: Final = 10.0
_REMEMBERED_BLOCKS: Final = 16
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
        """Watch a source of this kind; only what is live can be silent or clipped by mistake."""
        self._is_live = kind not in {SourceKind.FILE, SourceKind.DEMO}
        self._missing: Problem | None = None
        self._silent_s = 0.0
        self._elsewhere_s = 0.0
        self._frozen_s = 0.0
        self._last_blocks: deque[int] = deque(maxlen=_REMEMBERED_BLOCKS)
        self._clipped = _Window(_CLIPPED_S)
        self._dropped = 0
        self._last_drop: float | None = None
        self._work = _Window(_SLOW_S)
        self._told = Health()

    @property
    def missing(self) -> bool:
        """Whether no sound comes at all."""
        return self._missing is not None

    def block(self, samples: Floats, work_s: float, *, elsewhere: bool = False) -> None:
        """Note a block of sound, and how long it took to hear it; `elsewhere`: on another channel there was some."""
        self._missing = None
        seconds = len(samples) / SAMPLE_RATE
        if not len(samples):
            return
        still = float(np.ptp(samples)) <= STILL
        self._silent_s = self._silent_s + seconds if still else 0.0
        self._elsewhere_s = self._elsewhere_s + seconds if still and elsewhere else 0.0
        content = hash(samples.tobytes())
        again = not still and content in self._last_blocks
        self._frozen_s = self._frozen_s + seconds if again else 0.0
        self._last_blocks.append(content)
        clipped = float(np.count_nonzero(np.abs(samples) >= _FULL_SCALE)) / SAMPLE_RATE
        self._clipped.push(seconds, clipped)
        self._work.push(seconds, work_s)

    def dropped(self, total: int, now: float) -> None:
        """Note how many blocks have been lost so far."""
        if total > self._dropped:
            self._dropped = total
            self._last_drop = now

    def gone(self, *, wrong_channel: bool = False) -> None:
        """Note that no sound comes: the source cannot be opened, or has stopped, or has not the channel wanted."""
        self.paused()
        self._missing = Problem.MICROPHONE_WRONG_CHANNEL if wrong_channel else Problem.MICROPHONE_MISSING

    def paused(self) -> None:
        """Note that nobody listens, so that nothing is wrong with the sound."""
        self._missing = None
        self._silent_s = self._elsewhere_s = self._frozen_s = 0.0
        self._last_blocks.clear()
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
        if self._missing is not None:
            problems.append(self._missing)
        if self._is_live and self._silent_s >= SILENT_AFTER_S:
            wrong = self._elsewhere_s >= SILENT_AFTER_S
            problems.append(Problem.MICROPHONE_WRONG_CHANNEL if wrong else Problem.MICROPHONE_SILENT)
        if self._is_live and self._frozen_s >= FROZEN_AFTER_S:
            problems.append(Problem.MICROPHONE_FROZEN)
        clipped = self._clipped
        if self._is_live and clipped.full and clipped.value / clipped.seconds > _CLIPPED_SHARE:
            problems.append(Problem.MICROPHONE_CLIPPED)
        if self._last_drop is not None and now - self._last_drop < _DROPPED_FOR_S:
            problems.append(Problem.BLOCKS_DROPPED)
        factor = max(0.0, self._work.value) / self._work.seconds if self._work.seconds else 0.0
        if self._work.full and factor > _TOO_SLOW:
            problems.append(Problem.TOO_SLOW)
        return Health(
            problems=tuple(problems), dropped_blocks=self._dropped, realtime_factor=round(factor, 3)
        )


class _Window:
    """Seconds and what was counted in them, of the last time; sums are kept, not made anew for each block."""

    def __init__(self, length_s: float) -> None:
        self._length_s = length_s
        self._entries: deque[tuple[float, float]] = deque()
        self.seconds = 0.0
        self.value = 0.0

    @property
    def full(self) -> bool:
        # Rounding makes a sum of floats slightly smaller than the exact one.
        return self.seconds >= self._length_s - 1e-6

    def push(self, seconds: float, value: float) -> None:
        """Add an entry, and drop the oldest ones that the window does not need to be full."""
        self._entries.append((seconds, value))
        self.seconds += seconds
        self.value += value
        while self.seconds - self._entries[0][0] >= self._length_s - 1e-6:
            old_seconds, old_value = self._entries.popleft()
            self.seconds -= old_seconds
            self.value -= old_value

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self.seconds = self.value = 0.0
