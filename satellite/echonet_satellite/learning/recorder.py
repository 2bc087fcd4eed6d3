"""Records what is heard for as long as somebody teaches a sound."""

import asyncio
from collections.abc import Callable
from functools import partial
import logging
import threading
from typing import Final

import numpy as np

from ..audio import SAMPLE_RATE
from ..frontend import Floats

_LOGGER = logging.getLogger(__name__)

# A microphone gives its sound a little later than it was made.
_PATIENCE_S: Final = 2.0


class Recorder:
    """Keeps what is heard while somebody records, and nothing else; fed by the thread that hears."""

    def __init__(self) -> None:
        """Begin switched off."""
        self._lock = threading.Lock()
        # One recording for each thread that hears: a satellite may hear several rooms.
        self._recordings: dict[int, list[Floats]] | None = None
        self._length = 0
        self._done: Callable[[], None] = lambda: None

    def push(self, samples: Floats) -> None:
        """Take the next block of the room that this thread hears."""
        with self._lock:
            if self._recordings is None:
                return
            own = self._recordings.setdefault(threading.get_ident(), [])
            missing = self._length - sum(len(block) for block in own)
            if missing > 0:
                own.append(samples[:missing].copy())
            if missing <= len(samples):
                self._done()

    async def record(self, seconds: float) -> Floats:
        """Return what is heard from now on, where it is loudest; less where nothing is heard for long."""
        loop, enough = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            self._recordings, self._length = {}, round(seconds * SAMPLE_RATE)
            self._done = partial(_wake, loop, enough)
        try:
            async with asyncio.timeout(seconds + _PATIENCE_S):
                await enough.wait()
        except TimeoutError:
            _LOGGER.warning("Less was heard than somebody wanted to teach")
        finally:
            with self._lock:
                recordings, self._recordings = self._recordings or {}, None
        whole = [np.concatenate(blocks, dtype=np.float32) for blocks in recordings.values() if blocks]
        return max(whole, key=_loudest, default=np.zeros(0, np.float32))


def _loudest(samples: Floats) -> float:
    return float(np.abs(samples).max(initial=0.0))


def _wake(loop: asyncio.AbstractEventLoop, enough: asyncio.Event) -> None:
    try:
        loop.call_soon_threadsafe(enough.set)
    except RuntimeError:
        _LOGGER.debug("The event loop has ended before the recording")
