"""Every detection on disk (SQLite) before it is told, until each controller has it; and what people said of them."""

from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import replace
import logging
from pathlib import Path
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Final

from .codec import decode, encode
from .errors import JournalError, ProtocolError
from .protocol import Detection, Phase, Verdict
from .state import FILE_MODE, make_private, set_aside

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOGGER = logging.getLogger(__name__)

DEFAULT_KEEP_DAYS: Final = 30.0
DEFAULT_KEEP_COUNT: Final = 20_000
_PRUNE_EVERY: Final = 200

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS detections (
    sequence INTEGER PRIMARY KEY, id TEXT NOT NULL, phase TEXT NOT NULL, recorded_at REAL NOT NULL, frame TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS detections_id ON detections (id);
CREATE TABLE IF NOT EXISTS acknowledged (controller_id TEXT PRIMARY KEY, sequence INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS labels (detection_id TEXT PRIMARY KEY, verdict TEXT NOT NULL, labelled_at REAL NOT NULL);
"""


class Journal:
    """The detections of one satellite; safe to use from several threads."""

    def __init__(
        self,
        path: Path,
        *,
        keep_days: float = DEFAULT_KEEP_DAYS,
        keep_count: int = DEFAULT_KEEP_COUNT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open the journal at `path`; a damaged one is set aside and a new one begun.

        Raises:
            JournalError: the file cannot be opened or written.
        """
        self._path = path
        self._keep_s = keep_days * 86400
        self._keep_count = keep_count
        self._clock = clock
        self._lock = threading.RLock()
        self._closed = False
        self._database = self._open_or_begin_anew()
        self._last = self._highest_sequence()
        with self._writing():
            self._prune()

    @property
    def last_sequence(self) -> int:
        """The highest sequence number given so far."""
        return self._last

    def append(self, detection: Detection) -> Detection:
        """Give a detection its sequence number, put it on disk, and return it.

        Raises:
            JournalError: it is not on disk. Its number is not given again.
        """
        with self._lock:
            self._last += 1
            numbered = replace(detection, sequence=self._last)
            try:
                self._insert(numbered)
            except JournalError:
                raise
            except sqlite3.DatabaseError as err:
                _LOGGER.error("The journal is damaged (%s): a new one is begun", err)
                self._database.close()
                self._database = self._begin_anew()
                self._insert(numbered)
            return numbered

    def next_sequence(self) -> int:
        """Return a new number for a detection that cannot be kept."""
        with self._lock:
            self._last += 1
            return self._last

    def pending(self, controller_id: str, *, after: int = 0, up_to: int, limit: int = 200) -> list[Detection]:
        """Return what a controller has not acknowledged, in order and marked `replayed`; at most `limit`."""
        with self._lock:
            rows = self._database.execute(
                "SELECT sequence, frame FROM detections WHERE sequence > max(?, ?) AND sequence <= ? "
                "ORDER BY sequence LIMIT ?",
                (after, self.acknowledged(controller_id), up_to, limit),
            ).fetchall()
        return [replace(item, replayed=True) for item in _detections(rows)]

    def acknowledge(self, controller_id: str, sequence: int) -> None:
        """Remember that a controller has everything up to `sequence`; it never goes back."""
        with self._writing():
            self._database.execute(
                "INSERT INTO acknowledged VALUES (?, ?) ON CONFLICT (controller_id) "
                "DO UPDATE SET sequence = max(sequence, excluded.sequence)",
                (controller_id, min(sequence, self._last)),
            )

    def acknowledged(self, controller_id: str) -> int:
        """Return the sequence number up to which a controller has everything."""
        with self._lock:
            row = self._database.execute(
                "SELECT sequence FROM acknowledged WHERE controller_id = ?", (controller_id,)
            ).fetchone()
        return int(row[0]) if row else 0

    def forget_controller(self, controller_id: str) -> None:
        """Forget the acknowledgements of a controller."""
        with self._writing():
            self._database.execute("DELETE FROM acknowledged WHERE controller_id = ?", (controller_id,))

    def unfinished(self) -> list[Detection]:
        """Return the last message of each detection that has no end, the oldest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT max(sequence), frame FROM detections GROUP BY id "
                "HAVING sum(phase = ?) = 0 ORDER BY 1",
                (Phase.END.value,),
            ).fetchall()
        return list(_detections(rows))

    def label(self, detection_id: str, verdict: Verdict) -> bool:
        """Keep a person's verdict, and with it the detection; False where there is no such detection."""
        with self._writing():
            known = self._database.execute(
                "SELECT 1 FROM detections WHERE id = ?", (detection_id,)
            ).fetchone()
            if known:
                self._database.execute(
                    "INSERT OR REPLACE INTO labels VALUES (?, ?, ?)",
                    (detection_id, verdict.value, self._clock()),
                )
        return known is not None

    def labels(self) -> dict[str, Verdict]:
        """Return all verdicts by detection id."""
        with self._lock:
            rows = self._database.execute("SELECT detection_id, verdict FROM labels").fetchall()
        return {str(name): Verdict(verdict) for name, verdict in rows}

    def close(self) -> None:
        """Close the file; what is still to be written is refused from now on."""
        with self._lock:
            self._closed = True
            self._database.close()

    def _insert(self, detection: Detection) -> None:
        with self._writing():
            self._database.execute(
                "INSERT INTO detections VALUES (?, ?, ?, ?, ?)",
                (
                    detection.sequence,
                    detection.id,
                    detection.phase.value,
                    self._clock(),
                    encode(detection),
                ),
            )
            if detection.sequence % _PRUNE_EVERY == 0:
                self._prune()

    def _prune(self) -> None:
        self._database.execute(
            "DELETE FROM detections WHERE (recorded_at < ? OR sequence <= ?) "
            "AND id NOT IN (SELECT detection_id FROM labels)",
            (self._clock() - self._keep_s, self._last - self._keep_count),
        )

    @contextmanager
    def _writing(self) -> "Iterator[None]":
        """Commit at the end; what the disk refuses becomes a `JournalError`, damage stays a `DatabaseError`."""
        with self._lock:
            if self._closed:
                raise JournalError(f"cannot write {self._path}: the satellite is stopping")
            try:
                with self._database:
                    self._database.execute("BEGIN IMMEDIATE")
                    yield
            except sqlite3.OperationalError as err:
                raise JournalError(f"cannot write {self._path}: {err}") from None

    def _open_or_begin_anew(self) -> sqlite3.Connection:
        try:
            return self._open()
        except sqlite3.OperationalError as err:
            raise JournalError(f"cannot use {self._path}: {err}") from None
        except sqlite3.DatabaseError:
            return self._begin_anew()

    def _begin_anew(self) -> sqlite3.Connection:
        for suffix in ("-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        if self._path.exists():
            _LOGGER.warning("The journal was damaged; the old file is now %s", set_aside(self._path))
        try:
            return self._open()
        except sqlite3.Error as err:
            raise JournalError(f"cannot use {self._path}: {err}") from None

    def _open(self) -> sqlite3.Connection:
        if not self._path.exists():
            try:
                self._path.touch(mode=FILE_MODE)
            except OSError as err:
                raise JournalError(f"cannot write {self._path}: {err.strerror}") from None
        make_private(self._path, FILE_MODE)  # SQLite gives its side files the same mode.
        database = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            # A commit returns when it is on the disk, not in a cache that a power cut empties.
            database.execute("PRAGMA synchronous = FULL")
            database.executescript(_SCHEMA)
            if database.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("quick_check")
        except BaseException:
            database.close()
            raise
        return database

    def _highest_sequence(self) -> int:
        row = self._database.execute(
            "SELECT max(sequence) FROM (SELECT sequence FROM detections UNION SELECT sequence FROM acknowledged)"
        ).fetchone()
        # A new journal counts from the seconds since 1970, so that its numbers are above those of one that was lost.
        return int(row[0]) if row[0] is not None else int(self._clock())


def _detections(rows: Iterable[tuple[int, str]]) -> "Iterator[Detection]":
    for sequence, frame in rows:
        try:
            message = decode(frame)
        except ProtocolError:
            _LOGGER.warning("Detection %d of the journal cannot be read and is left out", sequence)
            continue
        if isinstance(message, Detection):
            yield message
