"""Drills: a detection that nobody heard, told as a test, and what is heard only because the self-test plays it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
import threading
import time
from typing import TYPE_CHECKING, Final
import uuid

from .protocol import Detection, Phase, SoundClass, Test

if TYPE_CHECKING:
    from .sound_event import SoundEvent

TEST_DURATION_S: Final = 2.0


class Drills:
    """The tests of one satellite; `hold` and `end` belong to the event loop, the rest may be called from any thread."""

    def __init__(
        self,
        take: Callable[[Detection], None],
        *,
        rooms: Callable[[], tuple[str, ...]],
        utc: Callable[[], datetime],
    ) -> None:
        """Tell through `take`, which may wait for the disk; `utc` is the clock that onsets are told by."""
        self._take = take
        self._rooms = rooms
        self._utc = utc
        self._lock = threading.Lock()
        self._expected: dict[tuple[str, SoundClass], float] = {}  # until when, by room and class
        self._heard: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def expect(self, sound_class: SoundClass, duration_s: float, *, room: str = "") -> None:
        """Mark what is heard next of this class, within a time, as a test; in a room, where it hears several."""
        with self._lock:
            self._expected[room, sound_class] = time.monotonic() + duration_s

    def expect_no_more(self, sound_class: SoundClass, *, room: str = "") -> None:
        """Take what is heard of this class for what it is again."""
        with self._lock:
            self._expected.pop((room, sound_class), None)

    def is_test(self, event: "SoundEvent") -> bool:
        """Tell whether what is heard was expected, from its start to its end."""
        with self._lock:
            if event.phase is Phase.START:
                until = self._expected.pop((event.room, event.sound_class), 0.0)
                if time.monotonic() < until:
                    self._heard.add(event.id)
            test = event.id in self._heard
            if event.phase is Phase.END:
                self._heard.discard(event.id)
        return test

    async def hold(self, message: Test) -> None:
        """Tell a detection that nobody heard, and its end a little later."""
        detection = Detection(
            id=uuid.uuid4().hex,
            sequence=1,
            sound_class=message.sound_class,
            phase=Phase.START,
            onset=self._utc(),
            confidence=1.0,
            peak_dbfs=0.0,
            test=True,
            room=message.room if message.room in self._rooms() else "",
        )
        await asyncio.to_thread(self._take, detection)
        task = asyncio.create_task(self._finish(detection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Stop what is under way; the next start of the satellite ends what was told."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _finish(self, detection: Detection) -> None:
        await asyncio.sleep(TEST_DURATION_S)
        await asyncio.to_thread(self._take, replace(detection, phase=Phase.END, duration_s=TEST_DURATION_S))
