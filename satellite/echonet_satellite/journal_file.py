"""The journal's file (SQLite): its tables, what goes in and out, and what can be saved of a damaged one."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
import logging
import os
from pathlib import Path
import sqlite3
import threading
from typing import Any, Final, TypeAlias

from .codec import decode, encode
from .errors import JournalError
from .protocol import Detection, LoudNoise, Phase, Problem, ProtocolError, Verdict
from .state import FILE_MODE, is_read_only, make_private

_LOGGER = logging.getLogger(__name__)

# Whoever else holds the file is not waited for any longer: an alarm is told from memory.
BUSY_S: Final = 0.05
# With less than this, the next detections may not fit.
LEAST_FREE_BYTES: Final = 1024 * 1024
_MOST_SALVAGED: Final = 1_000_000
_LARGEST_LOG_BYTES: Final = 4 * 1024 * 1024

# Each entry brings a file from the version before to the next one; `user_version` counts them.
_MIGRATIONS: Final = (
    """
    CREATE TABLE IF NOT EXISTS detections (
        sequence INTEGER PRIMARY KEY, id TEXT NOT NULL, phase TEXT NOT NULL, recorded_at REAL NOT NULL,
        frame TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS detections_id ON detections (id);
    CREATE TABLE IF NOT EXISTS acknowledged (controller_id TEXT PRIMARY KEY, sequence INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS labels (
        detection_id TEXT PRIMARY KEY, verdict TEXT NOT NULL, labelled_at REAL NOT NULL
    );
    """,
    "CREATE TABLE reserved (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL);",
)


# What is kept until it is acknowledged.
Kept: TypeAlias = Detection | LoudNoise


class LockedError(JournalError):
    """Another process holds the file."""


class DamagedError(JournalError):
    """The file is no journal any more, or not the one that was opened."""


@dataclass(slots=True, kw_only=True)
class Batch:
    """What is written in one transaction: all of it, or nothing."""

    messages: list[Kept] = field(default_factory=list)
    acknowledged: Mapping[str, int | None] = field(default_factory=dict)  # None: forget the controller
    labels: Mapping[str, Verdict] = field(default_factory=dict)
    reserved: int = 0


@dataclass(slots=True, kw_only=True)
class Contents:
    """What could be read of a file."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    acknowledged: dict[str, int] = field(default_factory=dict)
    labels: list[tuple[Any, ...]] = field(default_factory=list)
    reserved: int = 0


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
            _read(
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
        return list(_read(reversed(rows)))

    def unfinished(self) -> list[Kept]:
        """Return the last message of each detection or noise that has no end, the oldest first."""
        return list(
            _read(
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
        return {str(name): Verdict(verdict) for name, verdict in rows}

    def acknowledged(self) -> dict[str, int]:
        """Return up to which sequence number each controller has everything."""
        return dict(self._query("SELECT controller_id, sequence FROM acknowledged"))

    def last_sequence(self) -> int | None:
        """Return the highest number that may have been given; None in a new file."""
        ((highest,),) = self._query(
            "SELECT max(sequence) FROM (SELECT sequence FROM detections UNION ALL "
            "SELECT sequence FROM acknowledged UNION ALL SELECT sequence FROM reserved)"
        )
        return None if highest is None else int(highest)

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
        with self._lock, self._explained():
            if self.writable:
                self.look()
            return self._database.execute(sql, values).fetchall()

    def _open(self) -> sqlite3.Connection:
        if not self._path.exists():
            self._path.touch(mode=FILE_MODE)
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
            _migrate(database)
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

_ALL_ROWS: Final = (
    "SELECT sequence, id, phase, recorded_at, frame FROM detections NOT INDEXED ORDER BY sequence"
)


def disk_problem(path: Path) -> Problem | None:
    """Return what is wrong with the disk that a file lies on, whether or not anybody writes to it."""
    if is_read_only(path.parent):
        return Problem.DISK_READ_ONLY
    try:
        status = os.statvfs(path.parent)
    except OSError:
        return Problem.JOURNAL_FAILING
    if status.f_blocks and status.f_bavail * status.f_frsize < LEAST_FREE_BYTES:
        return Problem.DISK_FULL
    return None


def salvage(path: Path) -> Contents:
    """Return what can still be read of a damaged journal, from both of its ends."""
    contents = Contents()
    if not path.exists():
        return contents
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_S)) as database:
            rows: dict[int, tuple[Any, ...]] = {}
            for query in (_ALL_ROWS, f"{_ALL_ROWS} DESC"):
                for row in _until_damage(database, query):
                    # Damaged pages may lead in a circle.
                    if not isinstance(row[0], int) or row[0] in rows:
                        break
                    rows[row[0]] = row
            contents.rows = [row for _, row in sorted(rows.items()) if list(_read([(row[0], row[4])]))]
            contents.acknowledged = {
                str(name): int(sequence)
                for name, sequence in _until_damage(
                    database, "SELECT controller_id, sequence FROM acknowledged"
                )
            }
            contents.labels = list(_until_damage(database, "SELECT * FROM labels"))
            for (reserved,) in _until_damage(database, "SELECT sequence FROM reserved"):
                contents.reserved = int(reserved)
    except (sqlite3.Error, ValueError, TypeError) as err:
        _LOGGER.debug("No more can be read of the damaged journal: %s", err)
    return contents


def _until_damage(database: sqlite3.Connection, query: str) -> Iterator[tuple[Any, ...]]:
    try:
        yield from islice(database.execute(query), _MOST_SALVAGED)
    except sqlite3.Error:
        return


def _migrate(database: sqlite3.Connection) -> None:
    ((version,),) = database.execute("PRAGMA user_version").fetchall()
    if version > len(_MIGRATIONS):
        raise sqlite3.DatabaseError("the journal is from a newer version")
    for number, script in enumerate(_MIGRATIONS[version:], version + 1):
        database.executescript(f"BEGIN IMMEDIATE;{script}PRAGMA user_version = {number};COMMIT;")


def _read(rows: Iterable[tuple[int, str]]) -> Iterator[Kept]:
    for sequence, frame in rows:
        try:
            message = decode(frame)
        except (ProtocolError, TypeError):
            _LOGGER.warning("Message %s of the journal cannot be read and is left out", sequence)
            continue
        if isinstance(message, Kept):
            yield message
