"""What was learned at home, on disk (SQLite): traces of recent detections, lessons, and taught sounds.

A file of its own: whatever happens to it, the journal of detections is as it was, and no alarm waits for it.
"""

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
import logging
from pathlib import Path
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..errors import LearningError
from ..frontend import Floats
from ..protocol import AlarmPattern, SoundClass
from ..state import FILE_MODE, make_private, set_aside

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOGGER = logging.getLogger(__name__)

KEEP_TRACES: Final = 1000
_PRUNE_EVERY: Final = 50
# Whoever copies the file may hold it for a moment; the hearing does not wait for longer.
_PATIENCE_S: Final = 0.1

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS traces (
    number INTEGER PRIMARY KEY, detection_id TEXT NOT NULL UNIQUE, model TEXT NOT NULL, sound_class TEXT NOT NULL,
    pattern TEXT, embeddings BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS lessons (
    number INTEGER PRIMARY KEY, detection_id TEXT NOT NULL UNIQUE, model TEXT NOT NULL, sound_class TEXT NOT NULL,
    learned_at REAL NOT NULL, embeddings BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS sounds (id TEXT PRIMARY KEY, name TEXT NOT NULL, taught_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS examples (
    number INTEGER PRIMARY KEY, sound_id TEXT NOT NULL REFERENCES sounds (id) ON DELETE CASCADE, samples BLOB NOT NULL,
    model TEXT NOT NULL, embeddings BLOB NOT NULL
);
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """What a detection sounded like to the network `model`: [moments, size]."""

    detection_id: str
    model: str
    sound_class: SoundClass
    pattern: AlarmPattern | None
    embeddings: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeptLesson:
    """A false alarm that was learned from, as the network hears it."""

    detection_id: str
    sound_class: SoundClass
    embeddings: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """A recording of a taught sound (16 kHz), and its moments as the network `model` hears them."""

    samples: Floats
    model: str
    embeddings: Floats
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeptSound:
    """A sound that somebody taught."""

    id: str
    name: str
    examples: tuple[Example, ...]


class LearningStore:
    """The file; safe to use from several threads."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Open the file at `path`; a damaged one is set aside and a new one begun.

        Raises:
            LearningError: it cannot be opened or written.
        """
        self._path = path
        self._clock = clock
        self._lock = threading.RLock()
        self._closed = False
        self._since_pruned = 0
        self._database = self._open_or_begin_anew()

    def keep_trace(self, trace: Trace) -> None:
        """Keep what a detection sounded like; what is known of it already is replaced."""
        with self._writing():
            self._database.execute(
                "INSERT INTO traces (detection_id, model, sound_class, pattern, embeddings) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (detection_id) DO UPDATE SET pattern = excluded.pattern, embeddings = excluded.embeddings",
                (
                    trace.detection_id,
                    trace.model,
                    trace.sound_class.value,
                    trace.pattern.value if trace.pattern else None,
                    _packed(trace.embeddings),
                ),
            )
            self._since_pruned += 1
            if self._since_pruned >= _PRUNE_EVERY:
                self._since_pruned = 0
                self._database.execute(
                    "DELETE FROM traces WHERE number <= (SELECT max(number) FROM traces) - ?", (KEEP_TRACES,)
                )

    def trace(self, detection_id: str) -> Trace | None:
        """Return what a detection sounded like, if that is still known."""
        rows = self._read(
            "SELECT model, sound_class, pattern, embeddings FROM traces WHERE detection_id = ?", detection_id
        )
        if not rows:
            return None
        model, sound_class, pattern, packed = rows[0]
        return Trace(
            detection_id=detection_id,
            model=str(model),
            sound_class=SoundClass(sound_class),
            pattern=AlarmPattern(pattern) if pattern else None,
            embeddings=_unpacked(packed),
        )

    def keep_lesson(self, lesson: KeptLesson, model: str, *, at_most: int) -> None:
        """Keep a lesson, and of all those the newest only."""
        with self._writing():
            self._database.execute(
                "INSERT OR REPLACE INTO lessons (detection_id, model, sound_class, learned_at, embeddings) "
                "VALUES (?, ?, ?, ?, ?)",
                (
                    lesson.detection_id,
                    model,
                    lesson.sound_class.value,
                    self._clock(),
                    _packed(lesson.embeddings),
                ),
            )
            self._database.execute(
                "DELETE FROM lessons WHERE number NOT IN (SELECT number FROM lessons ORDER BY number DESC LIMIT ?)",
                (at_most,),
            )

    def lessons(self, model: str) -> list[KeptLesson]:
        """Return what was learned with a network, the oldest first; another's embeddings mean nothing to it."""
        rows = self._read(
            "SELECT detection_id, sound_class, embeddings FROM lessons WHERE model = ? ORDER BY number", model
        )
        return [
            KeptLesson(
                detection_id=str(name), sound_class=SoundClass(sound_class), embeddings=_unpacked(packed)
            )
            for name, sound_class, packed in rows
        ]

    def forget_lessons(self, detection_ids: Sequence[str] | None = None) -> None:
        """Forget the lessons of some detections, or all."""
        with self._writing():
            if detection_ids is None:
                self._database.execute("DELETE FROM lessons")
            else:
                self._database.executemany(
                    "DELETE FROM lessons WHERE detection_id = ?", [(name,) for name in detection_ids]
                )

    def keep_example(self, sound_id: str, name: str, example: Example) -> None:
        """Keep one recording of a sound, which begins with its first."""
        with self._writing():
            self._database.execute(
                "INSERT OR IGNORE INTO sounds VALUES (?, ?, ?)", (sound_id, name, self._clock())
            )
            stored = np.round(np.clip(example.samples, -1, 1) * 32767).astype("<i2").tobytes()
            self._database.execute(
                "INSERT INTO examples (sound_id, samples, model, embeddings) VALUES (?, ?, ?, ?)",
                (sound_id, stored, example.model, _packed(example.embeddings)),
            )

    def hear_anew(self, example: Example) -> None:
        """Keep what another network hears in a recording that is there."""
        with self._writing():
            self._database.execute(
                "UPDATE examples SET model = ?, embeddings = ? WHERE number = ?",
                (example.model, _packed(example.embeddings), example.number),
            )

    def sounds(self) -> list[KeptSound]:
        """Return what was taught, the oldest first."""
        kept = []
        for sound_id, name in self._read("SELECT id, name FROM sounds ORDER BY taught_at, id"):
            rows = self._read(
                "SELECT number, samples, model, embeddings FROM examples WHERE sound_id = ? ORDER BY number",
                sound_id,
            )
            examples = tuple(
                Example(
                    samples=np.frombuffer(samples, "<i2").astype(np.float32) / np.float32(32767),
                    model=str(model),
                    embeddings=_unpacked(packed),
                    number=int(number),
                )
                for number, samples, model, packed in rows
            )
            kept.append(KeptSound(id=str(sound_id), name=str(name), examples=examples))
        return kept

    def forget_sound(self, sound_id: str) -> None:
        """Forget a sound and its recordings."""
        with self._writing():
            self._database.execute("DELETE FROM sounds WHERE id = ?", (sound_id,))

    def close(self) -> None:
        """Close the file; what is still to be written is refused from now on."""
        with self._lock:
            self._closed = True
            self._database.close()

    def _read(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._database.execute(query, values).fetchall()
        except sqlite3.Error as err:
            raise LearningError(f"cannot read {self._path}: {err}") from None

    @contextmanager
    def _writing(self) -> "Iterator[None]":
        with self._lock:
            if self._closed:
                raise LearningError(f"cannot write {self._path}: the satellite is stopping")
            try:
                with self._database:
                    self._database.execute("BEGIN IMMEDIATE")
                    yield
            except sqlite3.Error as err:
                raise LearningError(f"cannot write {self._path}: {err}") from None

    def _open_or_begin_anew(self) -> sqlite3.Connection:
        try:
            return self._open()
        except sqlite3.OperationalError as err:
            raise LearningError(f"cannot use {self._path}: {err}") from None
        except sqlite3.DatabaseError:
            for suffix in ("-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            _LOGGER.warning(
                "What was learned at home was damaged; the old file is now %s", set_aside(self._path)
            )
            return self._open()

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.touch(mode=FILE_MODE, exist_ok=True)
            make_private(self._path, FILE_MODE)  # SQLite gives its side files the same mode.
        except OSError as err:
            raise LearningError(f"cannot write {self._path}: {err.strerror}") from None
        database = sqlite3.connect(
            self._path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
        )
        try:
            database.execute("PRAGMA journal_mode = WAL")
            # A power cut may cost the last trace; the hearing need not wait for the disk.
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute("PRAGMA foreign_keys = ON")
            database.executescript(_SCHEMA)
            if database.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("quick_check")
        except BaseException:
            database.close()
            raise
        return database


def _packed(embeddings: Floats) -> bytes:
    """Return embeddings as bytes: how long one is, then all of them in 16 bits."""
    return np.int32(embeddings.shape[1]).tobytes() + embeddings.astype("<f2").tobytes()


def _unpacked(packed: bytes) -> Floats:
    size = int(np.frombuffer(packed[:4], np.int32)[0])
    values: Floats = np.frombuffer(packed[4:], "<f2").astype(np.float32)
    return values.reshape(-1, size) if size else np.zeros((0, 0), np.float32)
