"""Every detection on disk before it is told, until each controller has it; in memory where the disk fails."""

from collections.abc import Callable, Collection
from dataclasses import replace
import logging
from pathlib import Path
import threading
import time
from typing import Final, TypeVar

from .errors import JournalError
from .journal_memory import JournalMemory
from .journal_spool import open_spool
from .journal_tables import DamagedError, Kept, LockedError
from .journal_trouble import JournalTrouble
from .journal_writer import Handover, JournalWriter
from .protocol import Label, Phase, Problem, Verdict

_LOGGER = logging.getLogger(__name__)

DEFAULT_KEEP_DAYS: Final = 30.0
DEFAULT_KEEP_COUNT: Final = 20_000
# A disk that takes longer than this is not waited for; whoever locks the file, even less: see `BUSY_S`.
PATIENCE_S: Final = 1.0
_RETRY_S: Final = 1.0
_LOOK_S: Final = 10.0

_KeptT = TypeVar("_KeptT", bound=Kept)


class Journal:
    """The detections of one satellite; safe to use from several threads.

    A thread of its own writes. `append` waits until a detection is on disk, but never long: an alarm that the disk
    does not take is told all the same, and written as soon as that is possible. Until then a file in memory has it,
    which a kill of the process does not take away, but a power cut does.
    """

    def __init__(
        self,
        path: Path,
        *,
        keep_days: float = DEFAULT_KEEP_DAYS,
        keep_count: int = DEFAULT_KEEP_COUNT,
        clock: Callable[[], float] = time.time,
        retry_s: float = _RETRY_S,
        look_s: float = _LOOK_S,
    ) -> None:
        """Open the journal at `path`; where that fails, keep everything in memory and try again."""
        self._path = path
        self._changed = threading.Condition(threading.RLock())
        self._memory = JournalMemory()
        self._spool = open_spool(path)
        self._trouble = JournalTrouble(path)
        self._writer = JournalWriter(
            path,
            Handover(changed=self._changed, memory=self._memory, spool=self._spool),
            self._trouble,
            keep_days=keep_days,
            keep_count=keep_count,
            clock=clock,
            retry_s=retry_s,
            look_s=look_s,
        )

    @property
    def last_sequence(self) -> int:
        """The highest sequence number given so far."""
        return self._memory.last

    @property
    def alive(self) -> bool:
        """Whether somebody still writes."""
        return self._writer.alive

    @property
    def problem(self) -> Problem | None:
        """What keeps the journal from the disk now."""
        return self._trouble.problem

    @property
    def unsaved(self) -> int:
        """How many detections are not on disk yet."""
        return len(self._memory.unsaved)

    def holds(self, sequence: int) -> bool:
        """Whether a message that was appended is on disk, and nothing keeps the next one from it."""
        return sequence not in self._memory.unsaved and self.problem is None

    def subscribe(self, listener: Callable[[Problem | None], None]) -> None:
        """Call `listener`, from any thread, whenever the problem with the disk changes."""
        self._trouble.subscribe(listener)

    def append(self, message: _KeptT) -> _KeptT:
        """Give a message of a detection or loud noise its sequence number, put it on disk, and return it.

        Where the disk does not take it in time, it is in memory, is written as soon as possible, and `problem` says so.

        Raises:
            JournalError: the journal is closed.
        """
        with self._changed:
            if self._writer.closing:
                raise JournalError(f"cannot write {self._path}: the satellite is stopping")
            numbered = self._memory.add(message)
            if (lost := self._memory.make_room()) is not None:
                _LOGGER.error("Message %d was never on disk and is forgotten: too many wait", lost.sequence)
            self._spool_add(numbered)
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: numbered.sequence not in self._memory.unsaved or self._trouble.failing,
                PATIENCE_S,
            )
            if numbered.sequence in self._memory.unsaved:
                # A disk that hangs keeps the thread that writes from saying so; the next message does not wait for it.
                self._trouble.held_up(LockedError(f"{self._path} is not on disk after {PATIENCE_S:g} s"))
        self._trouble.tell()
        return numbered

    def pending(self, controller_id: str, *, after: int = 0, up_to: int, limit: int = 200) -> list[Kept]:
        """Return what a controller has not acknowledged, in order and marked `replayed`; at most `limit`.

        Raises:
            JournalError: the file cannot be read now.
        """
        after = max(after, self.acknowledged(controller_id))
        with self._changed:
            found, complete = self._memory.held(after=after, up_to=up_to)
        if not complete:
            found |= {item.sequence: item for item in self._on_disk(after, up_to, limit)}
        return [replace(found[number], replayed=True) for number in sorted(found)[:limit]]

    def acknowledge(self, controller_id: str, sequence: int) -> None:
        """Remember that a controller has everything up to `sequence`; it never goes back."""
        with self._changed:
            if self._memory.acknowledge(controller_id, sequence):
                self._changed.notify_all()

    def acknowledged(self, controller_id: str) -> int:
        """Return the sequence number up to which a controller has everything."""
        return self._memory.acknowledged.get(controller_id, 0)

    def forget_controller(self, controller_id: str) -> None:
        """Forget the acknowledgements of a controller."""
        with self._changed:
            if self._memory.forget_controller(controller_id):
                self._changed.notify_all()

    def keep_controllers(self, controller_ids: Collection[str]) -> None:
        """Forget all controllers but these: what nobody will ever fetch is kept for nobody."""
        for controller_id in set(self._memory.acknowledged) - set(controller_ids):
            self.forget_controller(controller_id)

    def unfinished(self) -> list[Kept]:
        """Return the last message of each detection or noise that has no end, the oldest first."""
        on_disk: list[Kept] = []
        file = self._writer.file
        try:
            on_disk = [] if file is None else file.unfinished()
        except JournalError as err:
            _LOGGER.warning("What was cut off by the last end is not known: %s", err)
        found = {item.id: item for item in on_disk}
        with self._changed:
            for _, item in sorted(self._memory.unsaved.items()):
                found.pop(item.id, None)
                if item.phase is not Phase.END:
                    found[item.id] = item
        return sorted(found.values(), key=lambda item: item.sequence)

    def label(self, detection_id: str, verdict: Verdict) -> bool:
        """Keep a person's verdict, and with it the detection; False where there is no such detection.

        Raises:
            JournalError: the file cannot be read now.
        """
        with self._changed:
            known = self._memory.knows(detection_id)
            file = self._writer.file
        if not known and (file is None or not file.knows(detection_id)):
            return False
        with self._changed:
            self._memory.label(detection_id, verdict)
            self._spool_add(Label(detection_id=detection_id, verdict=verdict))
            self._changed.notify_all()
        return True

    def labels(self) -> dict[str, Verdict]:
        """Return all verdicts by detection id."""
        with self._changed:
            file, new = self._writer.file, self._memory.labels
        return {**(file.labels() if file is not None else {}), **new}

    def close(self) -> None:
        """Write what is left, and close the file; nothing more is taken from now on."""
        self._writer.close()

    def _spool_add(self, message: Kept | Label) -> None:
        if self._spool is not None and not self._spool.add(message):
            self._spool.keep(self._memory.precious)

    def _on_disk(self, after: int, up_to: int, limit: int) -> list[Kept]:
        file = self._writer.file
        if file is None:
            return []
        try:
            return file.messages(after=after, up_to=up_to, limit=limit)
        except DamagedError:
            if not self._writer.wait_for_healing(2 * PATIENCE_S):
                raise
            file = self._writer.file
            return [] if file is None else file.messages(after=after, up_to=up_to, limit=limit)
