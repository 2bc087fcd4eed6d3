"""The thread that writes the journal: opens its file, writes what memory holds, heals and prunes the file."""

from collections.abc import Callable
from dataclasses import dataclass
import logging
from pathlib import Path
import threading
import time
from typing import Final

from .errors import JournalError
from .journal_file import JournalFile
from .journal_memory import JournalMemory
from .journal_opening import JournalOpener
from .journal_spool import Spool
from .journal_start import start, take_in
from .journal_tables import Batch, DamagedError, LockedError
from .journal_trouble import JournalTrouble

_LOGGER = logging.getLogger(__name__)

# A party is loud all night: it must not push out what else was heard.
KEEP_NOISES: Final = 1000
_PRUNE_EVERY: Final = 200
_RETRY_LOCKED_S: Final = 0.1
_GATHER_S: Final = 0.2
_CHECK_EVERY_S: Final = 3600.0
_CLOSE_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What is handed over to the thread that writes, and the lock that whoever uses it holds.

    Both sides are told through `changed` of what the other has done.
    """

    changed: threading.Condition
    memory: JournalMemory
    spool: Spool | None


class JournalWriter:
    """The file of one journal, and the thread that writes it; what others ask of it may be asked from any thread."""

    def __init__(
        self,
        path: Path,
        handover: Handover,
        trouble: JournalTrouble,
        *,
        keep_days: float,
        keep_count: int,
        clock: Callable[[], float],
        retry_s: float,
        look_s: float,
    ) -> None:
        """Open the file at `path`, fill the memory from it and from the spool, and begin to write."""
        self._changed = handover.changed
        self._memory = handover.memory
        self._spool = handover.spool
        self._trouble = trouble
        self._opener = JournalOpener(path, clock)
        self._keep_s = keep_days * 86400
        self._keep_count = keep_count
        self._clock = clock
        self._retry_s = retry_s
        self._look_s = look_s
        self._closing = False
        self._closed = False
        self._file: JournalFile | None = None
        self._was_writable = False
        self._pruned_at = 0
        self._damaged = False
        self._suspect = False
        self._checked_at = time.monotonic()
        self._first = self._readable_up_to = 0
        self._begin()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether somebody still writes."""
        return self._thread.is_alive()

    @property
    def closing(self) -> bool:
        """Whether nothing more is taken."""
        return self._closing

    @property
    def file(self) -> JournalFile | None:
        """The file as it is now, to read from it; None where it cannot be opened."""
        return self._file

    def wait_for_healing(self, within_s: float) -> bool:
        """Have a file healed that a question has found damaged, and wait for it; False where that takes too long.

        Raises:
            JournalError: the journal is closed.
        """
        with self._changed:
            if self._closed:
                raise JournalError("the satellite is stopping") from None
            # The thread that writes heals it; what it could save is there for the next question.
            self._damaged = True
            self._trouble.found_damage()
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._damaged, within_s)

    def close(self) -> None:
        """Write what is left, close the file, and end the thread, unless that takes too long."""
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

    def _fail(self, err: JournalError) -> None:
        self._trouble.fail(err)
        with self._changed:
            self._changed.notify_all()
