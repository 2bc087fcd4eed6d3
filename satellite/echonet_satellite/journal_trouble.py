"""What keeps the journal from the disk: since when, what is told of it, and to whom."""

from collections.abc import Callable
import logging
from pathlib import Path
import threading
import time
from typing import Final

from .disk import disk_problem
from .errors import JournalError
from .journal_tables import LockedError
from .protocol import Problem

_LOGGER = logging.getLogger(__name__)

_HELD_UP_IS_TOLD_AFTER_S: Final = 5.0


class JournalTrouble:
    """The problem with the disk of one journal; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Begin without any problem; the journal is at `path`."""
        self._path = path
        self._lock = threading.Lock()
        self._telling = threading.Lock()
        self._since: float | None = None
        self._failure: Problem | None = None
        self._disk: Problem | None = None
        self._listeners: list[Callable[[Problem | None], None]] = []
        self.problem: Problem | None = None

    @property
    def failing(self) -> bool:
        """Whether the journal's last attempt to write has failed, or takes too long."""
        return self._since is not None

    def fail(self, err: JournalError) -> None:
        """Note that an attempt has failed."""
        with self._lock:
            self._begin(str(err))
            assert self._since is not None
            self._failure = Problem.JOURNAL_FAILING
            if isinstance(err, LockedError) and time.monotonic() - self._since < _HELD_UP_IS_TOLD_AFTER_S:
                self._failure = None
            elif "full" in str(err):
                self._failure = Problem.DISK_FULL

    def held_up(self, err: LockedError) -> None:
        """Note that an attempt takes long, unless more is known than that."""
        if self._failure is None:
            self.fail(err)

    def found_damage(self) -> None:
        """Note that a question has found the file damaged."""
        with self._lock:
            self._begin("the file is damaged")

    def end(self) -> None:
        """Note that everything is on disk."""
        with self._lock:
            if self._since is not None:
                _LOGGER.warning("The journal is on disk again")
            self._since = self._failure = None

    def look(self) -> None:
        """See how the disk is, whether or not anything is to be written."""
        self._disk = disk_problem(self._path)

    def subscribe(self, listener: Callable[[Problem | None], None]) -> None:
        """Call `listener`, from any thread, whenever the problem changes."""
        self._listeners.append(listener)

    def tell(self) -> None:
        """Tell the problem, if it is another one than before; the caller must hold no lock of the journal."""
        with self._telling:
            problem = self._disk or self._failure
            if problem is self.problem:
                return
            self.problem = problem
            for listener in tuple(self._listeners):
                listener(problem)

    def _begin(self, why: str) -> None:
        if self._since is None:
            self._since = time.monotonic()
            _LOGGER.warning("What is heard is kept in memory for now: %s", why)
