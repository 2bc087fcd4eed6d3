"""Every detection on disk before it is told, until each controller has it; in memory where the disk fails."""

from collections.abc import Callable, Collection
from dataclasses import replace
import logging
from pathlib import Path
import threading
import time
from typing import Final, TypeVar

from .errors import JournalError
from .journal_file import JournalFile
from .journal_memory import JournalMemory
from .journal_opening import JournalOpener
from .journal_spool import open_spool
from .journal_start import start, take_in
from .journal_tables import Batch, DamagedError, Kept, LockedError
from .journal_trouble import JournalTrouble
from .protocol import Label, Phase, Problem, Verdict

_LOGGER = logging.getLogger(__name__)

DEFAULT_KEEP_DAYS: Final = 30.0
DEFAULT_KEEP_COUNT: Final = 20_000
# A party is loud all night: it must not push out what else was heard.
KEEP_NOISES: Final = 1000
# A disk that takes longer than this is not waited for; whoever locks the file, even less: see `BUSY_S`.
PATIENCE_S: Final = 1.0
_PRUNE_EVERY: Final = 200
_RETRY_S: Final = 1.0
_RETRY_LOCKED_S: Final = 0.1
_GATHER_S: Final = 0.2
_LOOK_S: Final = 10.0
_CHECK_EVERY_S: Final = 3600.0
_CLOSE_S: Final = 2.0

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
        self._keep_s = keep_days * 86400
        self._keep_count = keep_count
        self._clock = clock
        self._retry_s = retry_s
        self._look_s = look_s
        self._changed = threading.Condition(threading.RLock())
        self._closing = False
        self._closed = False
        self._memory = JournalMemory()
        self._spool = open_spool(path)
        self._opener = JournalOpener(path, clock)
        self._file: JournalFile | None = None
        self._was_writable = False
        self._pruned_at = 0
        self._damaged = False
        self._suspect = False
        self._checked_at = time.monotonic()
        self._trouble = JournalTrouble(path)
        self._first = self._readable_up_to = 0
        self._begin()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def last_sequence(self) -> int:
        """The highest sequence number given so far."""
        return self._memory.last

    @property
    def alive(self) -> bool:
        """Whether somebody still writes."""
        return self._thread.is_alive()

    @property
    def problem(self) -> Problem | None:
        """What keeps the journal from the disk now."""
        return self._trouble.problem

    @property
    def unsaved(self) -> int:
        """How many detections are not on disk yet."""
        return len(self._memory.unsaved)

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
            if self._closing:
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
        try:
            on_disk = [] if self._file is None else self._file.unfinished()
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
            file = self._file
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
            file, new = self._file, self._memory.labels
        return {**(file.labels() if file is not None else {}), **new}

    def close(self) -> None:
        """Write what is left, and close the file; nothing more is taken from now on."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(_CLOSE_S)
        with self._changed:
            self._closed = True
            if self._memory.unsaved:
                _LOGGER.error(
                    "%d messages are not on disk, which takes nothing%s",
                    len(self._memory.unsaved),
                    ""
                    if self._spool is None
                    else ": the next start writes them, unless the power goes before",
                )

    # At the start.

    def _begin(self) -> None:
        try:
            self._file = self._opener.open()
        except JournalError as err:
            self._trouble.fail(err)
            self._file = self._opener.open_to_read()
        self._was_writable = self._file is not None and self._file.writable
        spooled = [] if self._spool is None else self._spool.read()
        self._readable_up_to = start(
            self._memory, self._file, spooled, clock=self._clock, fail=self._trouble.fail
        )
        self._first = self._pruned_at = self._memory.last
        if self._spool is not None:
            self._spool.keep(self._memory.precious)
        if self._file is not None and self._was_writable:
            try:
                self._prune(self._file)
            except JournalError as err:
                self._trouble.fail(err)
        self._trouble.look()
        self._trouble.tell()

    # In the thread that writes.

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work, self._look_s)
                if not self._memory.unsaved and not self._closing and not self._damaged:
                    # Acknowledgements and verdicts are gathered: nobody waits for them, and a card wears out.
                    self._changed.wait_for(lambda: self._memory.unsaved or self._closing, _GATHER_S)
            self._trouble.look()
            wait_s = self._turn()
            self._trouble.tell()
            with self._changed:
                if self._closing and (wait_s or not self._memory.waits):
                    self._end()
                    return
                self._changed.wait_for(lambda: self._closing, wait_s)

    def _has_work(self) -> bool:
        return self._memory.waits or self._closing or self._damaged or self._trouble.failing

    def _turn(self) -> float:
        """Write what there is, and return how long to wait before the next attempt."""
        try:
            if self._damaged:
                self._heal()
            elif self._file is None or not self._file.writable or self._suspect:
                self._open_again()
            if self._memory.waits or self._trouble.failing:
                self._save()
            elif self._file is not None:
                self._look(self._file)
        except LockedError as err:
            self._fail(err)
            return _RETRY_LOCKED_S
        except DamagedError as err:
            _LOGGER.error("%s", err)
            self._fail(err)
            self._damaged = True
            return 0.0
        except JournalError as err:
            # Once the disk works again, a file that was open meanwhile may not.
            self._suspect = True
            self._fail(err)
            return self._retry_s
        except Exception as err:
            _LOGGER.exception("The journal has failed, and tries again")
            self._fail(JournalError(str(err)))
            return self._retry_s
        self._trouble.end()
        return 0.0

    def _look(self, file: JournalFile) -> None:
        file.look()
        now = time.monotonic()
        if now - self._checked_at > _CHECK_EVERY_S:
            self._checked_at = now
            file.check()

    def _save(self) -> None:
        assert self._file is not None
        with self._changed:
            batch = self._memory.batch()
        self._file.write(batch)
        with self._changed:
            self._memory.wrote(batch)
            if self._spool is not None and not self._memory.precious:
                self._spool.keep([])
            self._changed.notify_all()
        if self._memory.last - self._pruned_at >= _PRUNE_EVERY:
            self._pruned_at = self._memory.last
            self._prune(self._file)

    def _prune(self, file: JournalFile) -> None:
        file.prune(
            before=self._clock() - self._keep_s,
            delivered=self._memory.delivered,
            keep_count=self._keep_count,
            keep_noises=KEEP_NOISES,
        )

    def _heal(self) -> None:
        """Begin a new file, with all that memory and the damaged one still have."""
        old, self._file = self._file, None
        if old is not None:
            old.close()
        file = self._opener.begin_anew()
        with self._changed:
            self._memory.write_again()
            self._file = file
            self._damaged = self._suspect = False
            self._changed.notify_all()

    def _open_again(self) -> None:
        """Use a file that could not be used before; what nobody knew of in it gets numbers that nobody has."""
        file = self._opener.open()
        old = self._file
        with self._changed:
            if not self._was_writable:
                take_in(self._memory, file, after=self._readable_up_to, up_to=self._first)
                self._was_writable = True
            self._file = file
            self._suspect = False
        if old is not None:
            old.close()

    def _end(self) -> None:
        self._give_back_reserve()
        with self._changed:
            self._closed = True
            if self._file is not None:
                self._file.close()
            if self._spool is not None:
                self._spool.close()

    def _give_back_reserve(self) -> None:
        """Let the next start count on without a gap."""
        if self._file is None or not self._file.writable or self._memory.unsaved:
            return
        try:
            self._prune(self._file)
            try:
                self._file.check()
            except DamagedError:
                self._heal()
                self._save()
            self._file.write(Batch(reserved=self._memory.last))
        except JournalError as err:
            _LOGGER.debug("The next start counts on after a gap: %s", err)

    def _spool_add(self, message: Kept | Label) -> None:
        if self._spool is not None and not self._spool.add(message):
            self._spool.keep(self._memory.precious)

    def _on_disk(self, after: int, up_to: int, limit: int) -> list[Kept]:
        file = self._file
        if file is None:
            return []
        try:
            return file.messages(after=after, up_to=up_to, limit=limit)
        except DamagedError:
            with self._changed:
                if self._closed:
                    raise JournalError("the satellite is stopping") from None
                # The thread that writes heals it; what it could save is there for the next question.
                self._damaged = True
                self._trouble.found_damage()
                self._changed.notify_all()
                if not self._changed.wait_for(lambda: not self._damaged, 2 * PATIENCE_S):
                    raise
            file = self._file
            return [] if file is None else file.messages(after=after, up_to=up_to, limit=limit)

    def _fail(self, err: JournalError) -> None:
        self._trouble.fail(err)
        with self._changed:
            self._changed.notify_all()
