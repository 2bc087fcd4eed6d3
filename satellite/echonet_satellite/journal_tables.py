"""What is in the journal's file (SQLite): its tables from version to version, their rows, and what can go wrong."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
import logging
import sqlite3
from typing import Any, Final, TypeAlias

from .codec import decode
from .errors import JournalError
from .protocol import Detection, LoudNoise, ProtocolError, Verdict

_LOGGER = logging.getLogger(__name__)

# Whoever else holds the file is not waited for any longer: an alarm is told from memory.
BUSY_S: Final = 0.05

# No satellite ever reaches this sequence number: a larger one means that the file is damaged.
_HIGHEST: Final = 2**53
_BAD_NUMBERS: Final = (
    "SELECT 1 FROM (SELECT sequence FROM detections UNION ALL SELECT sequence FROM acknowledged UNION ALL "
    "SELECT sequence FROM reserved) WHERE typeof(sequence) <> 'integer' OR sequence NOT BETWEEN 0 AND ? LIMIT 1"
)

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


def migrate(database: sqlite3.Connection) -> None:
    """Bring a file to the newest version."""
    ((version,),) = database.execute("PRAGMA user_version").fetchall()
    if version > len(_MIGRATIONS):
        raise sqlite3.DatabaseError("the journal is from a newer version")
    for number, script in enumerate(_MIGRATIONS[version:], version + 1):
        database.executescript(f"BEGIN IMMEDIATE;{script}PRAGMA user_version = {number};COMMIT;")


def check_numbers(database: sqlite3.Connection) -> None:
    """Raise an error where a sequence number is no integer or out of range: counting on from it would fail."""
    if database.execute(_BAD_NUMBERS, (_HIGHEST,)).fetchone() is not None:
        raise sqlite3.DatabaseError("the journal has an invalid sequence number")


def is_number(value: object) -> bool:
    """Tell whether a value can be a sequence number."""
    return isinstance(value, int) and 0 <= value <= _HIGHEST


def read_rows(rows: Iterable[tuple[int, Any]]) -> Iterator[Kept]:
    """Yield the messages of rows [sequence, frame]; one that cannot be read is left out, and said."""
    for sequence, frame in rows:
        try:
            message = decode(str(frame))
        except (ProtocolError, TypeError):
            _LOGGER.warning("Message %s of the journal cannot be read and is left out", sequence)
            continue
        if isinstance(message, Kept):
            yield message
