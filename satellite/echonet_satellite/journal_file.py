"""The journal's file (SQLite), open: what goes in and out, and whether it is still the file that was opened."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
import sqlite3
import threading
from typing import Any, Final

from .codec import encode
from .errors import JournalError
from .journal_tables import (
    BUSY_S,
    Batch,
    Contents,
    DamagedError,
    Kept,
    LockedError,
    check_numbers,
    migrate,
    read_rows,
)
from .protocol import LoudNoise, Phase, Verdict
from .state import FILE_MODE, make_private

_LARGEST_LOG_BYTES: Final = 4 * 1024 * 1024
# Nobody who asks waits longer than this for a write to end.
READ_S: Final = 1.0


class JournalFile:
    """One open file; safe to use from several threads, which take turns."""

    def __init__(self, path: Path, clock: Callable[[], float], *, read_only: bool = False) -> None:
        """Open the file at `path`, and make it where there is none.

        Raises:
            DamagedError: it is no journal.
            JournalError: the disk or another process keeps us from using it.
        """
        self._path = path
        self._clock = clock
        self._lock = threading.RLock()
        self.writable = not read_only
        with self._explained():
            self._database = self._open_read_only() if read_only else self._open()
        self._files = self._identities()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def write(self, batch: Batch) -> None:
        """Put a batch on the disk, and return when it is there.

        Raises:
            LockedError: another process holds the file; nothing was written.
            DamagedError: the file has to be begun anew.
            JournalError: the disk takes nothing.
        """
        with self._lock, self._explained():
            self.look()
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                self._write(batch)

    def _write(self, batch: Batch) -> None:
        now = self._clock()
        self._database.executemany(
            "INSERT OR REPLACE INTO detections VALUES (?, ?, ?, ?, ?)",
            [(item.sequence, item.id, item.phase.value, now, encode(item)) for item in batch.messages],
        )
        for controller_id, sequence in batch.acknowledged.items():
            if sequence is None:
                self._database.execute("DELETE FROM acknowledged WHERE controller_id = ?", (controller_id,))
            else:
                self._database.execute(
                    "INSERT OR REPLACE INTO acknowledged VALUES (?, ?)", (controller_id, sequence)
                )
        self._database.executemany(
            "INSERT OR REPLACE INTO labels VALUES (?, ?, ?)",
            [(name, verdict.value, now) for name, verdict in batch.labels.items()],
        )
        self._database.execute("INSERT OR REPLACE INTO reserved VALUES (1, ?)", (batch.reserved,))

    def prune(self, *, before: float, delivered: int, keep_count: int, keep_noises: int) -> None:
        """Forget what every controller has and is old, and what is more than can be kept.

        Args:
            before: What is delivered and was kept before this time goes; a label keeps it longer.
            delivered: The sequence number up to which every controller has everything.
            keep_count: How many messages, and how many labels, stay at most, delivered or not.
            keep_noises: How many messages of loud noises stay at most: they must not push out detections.
        """
        with self._lock, self._explained(), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(
                "DELETE FROM labels WHERE detection_id IN "
                "(SELECT detection_id FROM labels ORDER BY labelled_at DESC LIMIT -1 OFFSET ?)",
                (keep_count,),
            )
            self._database.execute(
                "DELETE FROM detections WHERE frame ->> 'type' = :noise AND sequence <= (SELECT sequence "
                "FROM detections WHERE frame ->> 'type' = :noise ORDER BY sequence DESC LIMIT 1 OFFSET :keep)",
                {"noise": LoudNoise.type, "keep": keep_noises},
            )
            self._database.execute(
                "DELETE FROM detections WHERE ((recorded_at < ? AND sequence <= ?) OR sequence <= "
                "(SELECT sequence FROM detections ORDER BY sequence DESC LIMIT 1 OFFSET ?)) "
                "AND id NOT IN (SELECT detection_id FROM labels)",
                (before, delivered, keep_count),
            )

    def messages(self, *, after: int, up_to: int, limit: int) -> list[Kept]:
        """Return messages in order."""
        return list(
            read_rows(
                self._query(
                    "SELECT sequence, frame FROM detections WHERE sequence > ? AND sequence <= ? "
                    "ORDER BY sequence LIMIT ?",
                    (after, up_to, limit),
                )
            )
        )

    def newest(self, *, after: int, limit: int) -> list[Kept]:
        """Return the last messages, in order."""
        rows = self._query(
            "SELECT sequence, frame FROM detections WHERE sequence > ? ORDER BY sequence DESC LIMIT ?",
            (after, limit),
        )
        return list(read_rows(reversed(rows)))

    def unfinished(self) -> list[Kept]:
        """Return the last message of each detection or noise that has no end, the oldest first."""
        return list(
            read_rows(
                self._query(
                    "SELECT max(sequence), frame FROM detections GROUP BY id "
                    "HAVING sum(phase = ?) = 0 ORDER BY 1",
                    (Phase.END.value,),
                )
            )
        )

    def knows(self, detection_id: str) -> bool:
        """Tell whether there is such a detection."""
        return bool(self._query("SELECT 1 FROM detections WHERE id = ? LIMIT 1", (detection_id,)))

    def labels(self) -> dict[str, Verdict]:
        """Return all verdicts by detection id."""
        rows = self._query("SELECT detection_id, verdict FROM labels")
        return {str(name): Verdict(verdict) for name, verdict in rows if verdict in _VERDICTS}

    def acknowledged(self) -> dict[str, int]:
        """Return up to which sequence number each controller has everything."""
        return dict(self._query("SELECT controller_id, sequence FROM acknowledged"))

    def highest_sequence(self) -> int | None:
        """Return the highest sequence number of what is there; None where nothing is."""
        ((highest,),) = self._query(
            "SELECT max(sequence) FROM (SELECT sequence FROM detections UNION ALL SELECT sequence FROM acknowledged)"
        )
        return None if highest is None else int(highest)

    def reserved(self) -> int | None:
        """Return up to which sequence number any may have been given; None in a new file."""
        rows = self._query("SELECT sequence FROM reserved")
        return int(rows[0][0]) if rows else None

    def restore(self, contents: Contents) -> None:
        """Take over what could be read of another file."""
        with self._lock, self._explained(), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(
                "INSERT OR IGNORE INTO detections VALUES (?, ?, ?, ?, ?)", contents.rows
            )
            self._database.executemany(
                "INSERT OR IGNORE INTO acknowledged VALUES (?, ?)", contents.acknowledged.items()
            )
            self._database.executemany("INSERT OR IGNORE INTO labels VALUES (?, ?, ?)", contents.labels)

    def _query(self, sql: str, values: tuple[object, ...] = ()) -> list[Any]:
        # Whoever asks goes without an answer rather than wait for a disk that hangs while it is written to.
        if not self._lock.acquire(timeout=READ_S):
            raise LockedError(f"cannot read {self._path}: the disk takes its time")
        try:
            with self._explained():
                if self.writable:
                    self.look()
                return self._database.execute(sql, values).fetchall()
        finally:
            self._lock.release()

    def _open(self) -> sqlite3.Connection:
        if not self._path.exists():
            self._path.touch(mode=FILE_MODE)
        elif not self._path.is_file():
            raise sqlite3.DatabaseError("it is no file")
        make_private(self._path, FILE_MODE)  # SQLite gives its side files the same mode.
        database = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=BUSY_S, cached_statements=32
        )
        try:
            database.execute("PRAGMA journal_mode = WAL")
            # A commit returns when it is on the disk, not in a cache that a power cut empties.
            database.execute("PRAGMA synchronous = FULL")
            database.execute(f"PRAGMA journal_size_limit = {_LARGEST_LOG_BYTES}")
            if database.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("quick_check")
            migrate(database)
            check_numbers(database)
        except BaseException:
            database.close()
            raise
        return database

    def _open_read_only(self) -> sqlite3.Connection:
        # Where the disk has no room even for the index of the write-ahead log, the main file can still be read.
        for how in ("mode=ro", "immutable=1"):
            database = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?{how}", uri=True, check_same_thread=False, timeout=BUSY_S
            )
            try:
                database.execute("SELECT count(*) FROM reserved").fetchone()
            except sqlite3.Error as err:
                database.close()
                last = err
            else:
                return database
        raise last

    def _identities(self) -> tuple[object, ...]:
        """Return what tells these files from others of the same name."""
        found: list[object] = []
        for name in ("", "-wal") if self.writable else ("",):
            try:
                status = self._path.with_name(self._path.name + name).stat()
            except OSError:
                found.append(None)
            else:
                found.append((status.st_dev, status.st_ino))
        return tuple(found)

    def look(self) -> None:
        """See whether this is still the file that was opened.

        SQLite would go on writing to files that have no name any more, and reading from its memory what is damaged on
        the disk.

        Raises:
            DamagedError: it is not.
        """
        found = self._identities()
        if any(was is not None and now != was for was, now in zip(self._files, found, strict=True)):
            raise DamagedError(f"{self._path} has been moved, removed or replaced")
        self._files = found
        for suffix, magics in (("", _MAGICS), ("-wal", _LOG_MAGICS)):
            try:
                with self._path.with_name(self._path.name + suffix).open("rb") as stream:
                    start = stream.read(len(magics[0]))
            except FileNotFoundError:
                continue
            if start not in magics:
                raise DamagedError(f"{self._path}{suffix} has been overwritten")

    def check(self) -> None:
        """Read the whole file, as it is on the disk.

        Raises:
            DamagedError: it is damaged.
        """
        with self._lock, self._explained():
            self.look()
            with closing(sqlite3.connect(self._path, timeout=BUSY_S)) as database:
                if database.execute("PRAGMA quick_check").fetchone() != ("ok",):
                    raise DamagedError(f"{self._path} is damaged")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as err:
            code = getattr(err, "sqlite_errorcode", None)
            text = f"cannot use {self._path}: {err}"
            kind = None if code is None else code & 0xFF
            if kind in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise LockedError(text) from None
            if kind in _DISK_CODES:
                raise JournalError(text) from None
            raise DamagedError(text) from None
        except OSError as err:
            raise JournalError(f"cannot use {self._path}: {err.strerror}") from None


# A newer version may know others.
_VERDICTS: Final = frozenset(Verdict)
_DISK_CODES: Final = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
    }
)


_MAGICS: Final = (b"SQLite format 3\0",)
_LOG_MAGICS: Final = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83", b"")  # it begins empty
