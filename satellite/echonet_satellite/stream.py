"""One uninterrupted stream of sound: when its samples were captured, and so when each detection began."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
import uuid

import numpy as np

from .audio import SAMPLE_RATE, Block
from .decision import StreamEvent
from .hearing import Hearing, dbfs
from .picture import Picture
from .protocol import Phase, Settings

_PEAK_S: Final = 0.5
# How fast two clocks may run apart: a sound card's and the computer's.
_CLOCK_DRIFT: Final = 2e-4


class Stream:
    """One uninterrupted stream of sound, and when its samples were captured."""

    def __init__(self, hearing: Hearing, picture: Picture, settings: Settings) -> None:
        self.hearing = hearing
        self.picture = picture
        self.settings = settings
        self._known: dict[int, tuple[str, datetime]] = {}
        self._samples = 0
        self._start: float | None = None  # monotonic time of the first sample
        self._dropped = 0
        self._peak = 0.0
        self._peak_samples = 0

    def peak(self, block: Block) -> float | None:
        """Return the loudest sample of the last half second, once it is over."""
        if len(block.samples):
            self._peak = max(self._peak, float(np.abs(block.samples).max()))
            self._peak_samples += len(block.samples)
        if self._peak_samples < _PEAK_S * SAMPLE_RATE:
            return None
        peak, self._peak, self._peak_samples = self._peak, 0.0, 0
        return round(dbfs(peak), 1)

    def note(self, block: Block, dropped: int) -> None:
        """Learn from the capture time of a block when the stream began."""
        start = block.captured - self._samples / SAMPLE_RATE
        if self._start is None or dropped != self._dropped:
            self._start = start
            self._dropped = dropped
        else:
            # A block may come late, but never early: the earliest is right, but for the drift of the clocks.
            self._start = min(start, self._start + _CLOCK_DRIFT * len(block.samples) / SAMPLE_RATE)
        self._samples += len(block.samples)

    def identify(
        self, event: StreamEvent, utc_now: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> tuple[str, datetime]:
        """Return id and onset in UTC of a detection: what its start said, whatever the clocks do later."""
        if event.phase is Phase.START:
            age = monotonic() - ((self._start or 0.0) + event.onset_s)
            self._known[event.number] = (uuid.uuid4().hex, utc_now() - timedelta(seconds=age))
        known = self._known[event.number]
        if event.phase is Phase.END:
            del self._known[event.number]
        return known
