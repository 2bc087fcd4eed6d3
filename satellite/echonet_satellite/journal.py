"""Every detection on disk before it is told, until each controller has it; in memory where the disk fails."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
import logging
from pathlib import Path
import secrets
import threading
import time
from typing import Final, TypeVar

from .disk import disk_problem
from .errors import JournalError
from .journal_file import JournalFile
from .journal_salvage import salvage
from .journal_tables import Batch, Contents, DamagedError, Kept, LockedError
from .protocol import LoudNoise, Problem, Verdict
from .state import set_aside

_LOGGER = logging.getLogger(__name__)

DEFAULT_KEEP_DAYS: Final = 30.0
DEFAULT_KEEP_COUNT: Final = 20_000
# A party is loud all night: it must not push out what else was heard.
KEEP_NOISES: Final = 1000
# A disk that takes longer than this is not waited for; whoever locks the file, even less: see `BUSY_S`.
PATIENCE_S: Final = 1.0
MOST_IN_MEMORY: Final = 10_000
_PRUNE_EVERY: Final = 200
_MOST_AT_ONCE: Final = 500
# What is on disk and not acknowledged is also kept in memory, up to here: damage to the file costs nothing of it.
_MOST_MIRRORED: Final = 1000
# Numbers are reserved on disk ahead of their use, so that none is given again after a kill while the disk was full.
_RESERVE: Final = 1000
_RETRY_S: Final = 1.0
_RETRY_LOCKED_S: Final = 0.1
_LOCKED_IS_TOLD_AFTER_S: Final = 5.0
_GATHER_S: Final = 0.2
_LOOK_S: Final = 10.0
_CHECK_EVERY_S: Final = 3600.0
_CLOSE_S: Final = 2.0

_Value = TypeVar("_Value")
_Kept = TypeVar("_Kept", bound=Kept)


class Journal:
    """The detections of one satellite; safe to use from several threads.

    A thread of its own writes. `append` waits until a detection is on disk, but never long: an alarm that the disk
    does not take is told all the same, and written as soon as that is possible.
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
        self._file: JournalFile | None = None
        self._was_writable = False
        self._unsaved: dict[int, Kept] = {}
        self._mirror: dict[int, Kept] = {}
        self._acknowledged: dict[str, int] = {}
        self._new_acknowledged: dict[str, int | None] = {}
        self._new_labels: dict[str, Verdict] = {}
        self._reserved = 0
        self._pruned_at = 0
        self._failing_since: float | None = None
        self._failure: Problem | None = None
        self._disk: Problem | None = None
        self._damaged = False
        self._suspect = False
        self._checked_at = time.monotonic()
        self._salvaged: Contents | None = None
        self._problem: Problem | None = None
        self._listeners: list[Callable[[Problem | None], None]] = []
        self._last = self._first = self._readable_up_to = 0
        self._begin()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def last_sequence(self) -> int:
        """The highest sequence number given so far."""
        return self._last

    @property
    def alive(self) -> bool:
        """Whether somebody still writes."""
        return self._thread.is_alive()

    @property
    def problem(self) -> Problem | None:
        """What keeps the journal from the disk now."""
        return self._problem

    @property
    def unsaved(self) -> int:
        """How many detections are in memory only."""
        return len(self._unsaved)

    def subscribe(self, listener: Callable[[Problem | None], None]) -> None:
        """Call `listener`, from any thread, whenever the problem with the disk changes."""
        self._listeners.append(listener)

    def append(self, message: _Kept) -> _Kept:
        """Give a message of a detection or loud noise its sequence number, put it on disk, and return it.

        Where the disk does not take it in time, it is in memory, is written as soon as possible, and `problem` says so.

        Raises:
            JournalError: the journal is closed.
        """
        with self._changed:
            if self._closing:
                raise JournalError(f"cannot write {self._path}: the satellite is stopping")
            self._last += 1
            numbered = replace(message, sequence=self._last)
            self._unsaved[numbered.sequence] = numbered
            if len(self._unsaved) > MOST_IN_MEMORY:
                self._forget_unsaved()
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: numbered.sequence not in self._unsaved or self._failing_since is not None, PATIENCE_S
            )
            return numbered

    def pending(self, controller_id: str, *, after: int = 0, up_to: int, limit: int = 200) -> list[Kept]:
        """Return what a controller has not acknowledged, in order and marked `replayed`; at most `limit`.

        Raises:
            JournalError: the file cannot be read now.
        """
        after = max(after, self.acknowledged(controller_id))
        with self._changed:
            held = {**self._mirror, **self._unsaved}
        found = {number: item for number, item in held.items() if after < number <= up_to}
        found |= {item.sequence: item for item in self._on_disk(after, up_to, limit)}
        return [replace(found[number], replayed=True) for number in sorted(found)[:limit]]

    def acknowledge(self, controller_id: str, sequence: int) -> None:
        """Remember that a controller has everything up to `sequence`; it never goes back."""
        with self._changed:
            known = self._acknowledged.get(controller_id)
            reached = min(sequence, self._last)
            if known is None or reached > known:
                self._acknowledged[controller_id] = self._new_acknowledged[controller_id] = reached
                self._forget_delivered()
                self._changed.notify_all()

    def acknowledged(self, controller_id: str) -> int:
        """Return the sequence number up to which a controller has everything."""
        return self._acknowledged.get(controller_id, 0)

    def forget_controller(self, controller_id: str) -> None:
        """Forget the acknowledgements of a controller."""
        with self._changed:
            if self._acknowledged.pop(controller_id, None) is not None:
                self._new_acknowledged[controller_id] = None
                self._changed.notify_all()

    def keep_controllers(self, controller_ids: Collection[str]) -> None:
        """Forget all controllers but these: what nobody will ever fetch is kept for nobody."""
        for controller_id in set(self._acknowledged) - set(controller_ids):
            self.forget_controller(controller_id)

    def unfinished(self) -> list[Kept]:
        """Return the last message of each detection or noise that has no end, the oldest first."""
        try:
            return [] if self._file is None else self._file.unfinished()
        except JournalError as err:
            _LOGGER.warning("What was cut off by the last end is not known: %s", err)
            return []

    def label(self, detection_id: str, verdict: Verdict) -> bool:
        """Keep a person's verdict, and with it the detection; False where there is no such detection."""
        with self._changed:
            known = any(item.id == detection_id for item in (*self._mirror.values(), *self._unsaved.values()))
            file = self._file
        if not known and (file is None or not file.knows(detection_id)):
            return False
        with self._changed:
            self._new_labels[detection_id] = verdict
            self._changed.notify_all()
        return True

    def labels(self) -> dict[str, Verdict]:
        """Return all verdicts by detection id."""
        with self._changed:
            file, new = self._file, dict(self._new_labels)
        return {**(file.labels() if file is not None else {}), **new}

    def close(self) -> None:
        """Write what is left, and close the file; nothing more is taken from now on."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(_CLOSE_S)
        with self._changed:
            self._closed = True
            if self._unsaved:
                _LOGGER.error("%d messages could not be kept: the disk takes nothing", len(self._unsaved))
            if self._file is not None and not self._thread.is_alive():
                self._file.close()

    # At the start.

    def _begin(self) -> None:
        try:
            self._file = self._open()
        except JournalError as err:
            self._fail(err)
            try:
                self._file = JournalFile(self._path, self._clock, read_only=True)
            except JournalError as again:
                _LOGGER.debug("Nor can it be read: %s", again)
        last = None
        if self._file is not None:
            try:
                last = self._file.last_sequence()
                self._acknowledged = self._file.acknowledged()
                self._mirror = {item.sequence: item for item in self._undelivered(self._file)}
                if self._file.writable:
                    self._prune(self._file)
            except JournalError as err:
                self._fail(err)
        self._readable_up_to = last or 0
        self._was_writable = self._file is not None and self._file.writable
        # A new journal counts from the seconds since 1970, so that its numbers are above those of one that was lost.
        if last is None or not self._was_writable:
            last = max(last or 0, int(self._clock()))
        if not self._reserve(last):
            # What is given now cannot be remembered, so that the next start had better not count from the same number.
            last += secrets.randbelow(_RESERVE * _RESERVE)
        self._last = self._first = self._pruned_at = last
        self._disk = disk_problem(self._path)
        self._note_problem()

    def _reserve(self, last: int) -> bool:
        """Note on disk which numbers come next."""
        self._reserved = last
        if self._file is None or not self._file.writable:
            return False
        try:
            self._file.write(Batch(reserved=last + _RESERVE))
        except JournalError as err:
            self._fail(err)
            return False
        self._reserved = last + _RESERVE
        return True

    def _open(self) -> JournalFile:
        """Open the file, or begin anew with what can be saved of a damaged one."""
        if self._salvaged is None:
            try:
                return JournalFile(self._path, self._clock)
            except DamagedError as err:
                _LOGGER.error("%s", err)
        return self._begin_anew()

    def _begin_anew(self) -> JournalFile:
        if self._salvaged is None:
            self._salvaged = salvage(self._path)
        saved = self._salvaged
        try:
            for suffix in ("-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        except OSError as err:
            raise JournalError(f"cannot replace the damaged {self._path}: {err.strerror}") from None
        if self._path.exists():
            aside = set_aside(self._path)
            if aside == self._path:
                raise JournalError(f"cannot replace the damaged {self._path}")
            _LOGGER.warning(
                "The journal was damaged; %d messages of it were saved, and the old file is now %s",
                len(saved.rows),
                aside,
            )
        file = JournalFile(self._path, self._clock)
        try:
            highest = max(saved.reserved, 0, *(row[0] for row in saved.rows), *saved.acknowledged.values())
            if highest:
                # Above the numbers that were lost with it.
                file.restore(saved)
                file.write(Batch(reserved=max(highest + _RESERVE, int(self._clock()))))
        except JournalError:
            file.close()
            raise
        self._salvaged = None
        return file

    # In the thread that writes.

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work, self._look_s)
                if not self._unsaved and not self._closing and not self._damaged:
                    # Acknowledgements and verdicts are gathered: nobody waits for them, and a card wears out.
                    self._changed.wait_for(lambda: self._unsaved or self._closing, _GATHER_S)
            self._disk = disk_problem(self._path)
            wait_s = self._turn()
            self._note_problem()
            with self._changed:
                if self._closing and (wait_s or not self._has_data()):
                    self._give_back_reserve()
                    return
                self._changed.wait_for(lambda: self._closing, wait_s)

    def _has_data(self) -> bool:
        return bool(self._unsaved or self._new_acknowledged or self._new_labels)

    def _has_work(self) -> bool:
        return self._has_data() or self._closing or self._damaged or self._failing_since is not None

    def _turn(self) -> float:
        """Write what there is, and return how long to wait before the next attempt."""
        try:
            if self._damaged:
                self._heal()
            elif self._file is None or not self._file.writable or self._suspect:
                self._open_again()
            if self._has_data() or self._failing_since is not None:
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
        with self._changed:
            if self._failing_since is not None:
                _LOGGER.warning("The journal is on disk again")
            self._failing_since = self._failure = None
            self._changed.notify_all()
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
            messages = list(self._unsaved.values())[:_MOST_AT_ONCE]
            batch = Batch(
                messages=messages,
                acknowledged=dict(self._new_acknowledged),
                labels=dict(self._new_labels),
                reserved=max(self._reserved, self._last + _RESERVE)
                if self._last + _RESERVE // 2 > self._reserved
                else self._reserved,
            )
        self._file.write(batch)
        with self._changed:
            self._reserved = batch.reserved
            for item in messages:
                self._unsaved.pop(item.sequence, None)
                self._mirror[item.sequence] = item
            _drop_same(self._new_acknowledged, batch.acknowledged)
            _drop_same(self._new_labels, batch.labels)
            self._forget_delivered()
            self._changed.notify_all()
        if self._last - self._pruned_at >= _PRUNE_EVERY:
            self._pruned_at = self._last
            self._prune(self._file)

    def _forget_unsaved(self) -> None:
        noises = (number for number, item in self._unsaved.items() if isinstance(item, LoudNoise))
        lost = self._unsaved.pop(next(noises, next(iter(self._unsaved))))
        _LOGGER.error("Message %d was never on disk and is forgotten: too many wait", lost.sequence)

    def _undelivered(self, file: JournalFile) -> list[Kept]:
        """Return the newest of what not every controller has."""
        delivered = min(self._acknowledged.values(), default=0)
        return file.newest(after=delivered, limit=_MOST_MIRRORED)

    def _prune(self, file: JournalFile) -> None:
        file.prune(
            before=self._clock() - self._keep_s,
            delivered=min(self._acknowledged.values(), default=0),
            keep_count=self._keep_count,
            keep_noises=KEEP_NOISES,
        )

    def _heal(self) -> None:
        """Begin a new file, with all that memory and the damaged one still have."""
        old, self._file = self._file, None
        if old is not None:
            old.close()
        file = self._begin_anew()
        with self._changed:
            self._unsaved = dict(sorted({**self._mirror, **self._unsaved}.items()))
            self._mirror.clear()
            self._new_acknowledged = {**self._acknowledged, **self._new_acknowledged}
            self._reserved = 0
            self._file = file
            self._damaged = self._suspect = False
            self._changed.notify_all()

    def _open_again(self) -> None:
        """Use a file that could not be used before; what nobody knew of in it gets numbers that nobody has."""
        file = self._open()
        old = self._file
        with self._changed:
            if not self._was_writable:
                acknowledged = file.acknowledged()
                known = max(self._readable_up_to, min(acknowledged.values(), default=self._first))
                for item in file.messages(after=known, up_to=self._first, limit=MOST_IN_MEMORY):
                    self._last += 1
                    self._unsaved[self._last] = replace(item, sequence=self._last)
                for name, sequence in acknowledged.items():
                    self._acknowledged.setdefault(name, sequence)
                self._was_writable = True
            self._file = file
            self._suspect = False
        if old is not None:
            old.close()

    def _give_back_reserve(self) -> None:
        """Let the next start count on without a gap."""
        if self._file is None or not self._file.writable or self._unsaved:
            return
        try:
            self._prune(self._file)
            try:
                self._file.check()
            except DamagedError:
                self._heal()
                self._save()
            self._file.write(Batch(reserved=self._last))
        except JournalError as err:
            _LOGGER.debug("The next start counts on after a gap: %s", err)

    def _forget_delivered(self) -> None:
        delivered = min(self._acknowledged.values(), default=0)
        for sequence in [number for number in self._mirror if number <= delivered]:
            del self._mirror[sequence]
        while len(self._mirror) > _MOST_MIRRORED:
            del self._mirror[next(iter(self._mirror))]

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
                self._failing_since = self._failing_since or time.monotonic()
                self._changed.notify_all()
                if not self._changed.wait_for(lambda: not self._damaged, 2 * PATIENCE_S):
                    raise
            file = self._file
            return [] if file is None else file.messages(after=after, up_to=up_to, limit=limit)

    # What is wrong.

    def _fail(self, err: JournalError) -> None:
        with self._changed:
            now = time.monotonic()
            if self._failing_since is None:
                self._failing_since = now
                _LOGGER.warning("What is heard is kept in memory for now: %s", err)
            self._failure = Problem.JOURNAL_FAILING
            if isinstance(err, LockedError) and now - self._failing_since < _LOCKED_IS_TOLD_AFTER_S:
                self._failure = None
            elif "full" in str(err):
                self._failure = Problem.DISK_FULL
            self._changed.notify_all()

    def _note_problem(self) -> None:
        problem = self._disk or self._failure
        if problem is self._problem:
            return
        self._problem = problem
        for listener in tuple(self._listeners):
            listener(problem)


def _drop_same(new: dict[str, _Value], written: Mapping[str, _Value]) -> None:
    """Forget what has been written and has not changed since."""
    for key, value in written.items():
        if key in new and new[key] == value:
            del new[key]
