"""Reads what can still be read of a journal that is damaged."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
import logging
from pathlib import Path
import sqlite3
from typing import Any, Final

from .journal_tables import BUSY_S, Contents, is_number, read_rows

_LOGGER = logging.getLogger(__name__)

_MOST_SALVAGED: Final = 1_000_000
_ALL_ROWS: Final = (
    "SELECT sequence, id, phase, recorded_at, frame FROM detections NOT INDEXED ORDER BY sequence"
)


def salvage(path: Path) -> Contents:
    """Return what can still be read of a damaged journal, from both of its ends."""
    contents = Contents()
    if not path.is_file():
        return contents
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_S)) as database:
            rows: dict[int, tuple[Any, ...]] = {}
            for query in (_ALL_ROWS, f"{_ALL_ROWS} DESC"):
                for row in _until_damage(database, query):
                    # Damaged pages may lead in a circle.
                    if not is_number(row[0]) or row[0] in rows:
                        break
                    rows[row[0]] = row
            contents.rows = [row for _, row in sorted(rows.items()) if list(read_rows([(row[0], row[4])]))]
            contents.acknowledged = {
                str(name): int(sequence)
                for name, sequence in _until_damage(
                    database, "SELECT controller_id, sequence FROM acknowledged"
                )
                if is_number(sequence)
            }
            contents.labels = list(_until_damage(database, "SELECT * FROM labels"))
            for (reserved,) in _until_damage(database, "SELECT sequence FROM reserved"):
                contents.reserved = reserved if is_number(reserved) else 0
    except (sqlite3.Error, ValueError, TypeError) as err:
        _LOGGER.debug("No more can be read of the damaged journal: %s", err)
    return contents


def _until_damage(database: sqlite3.Connection, query: str) -> Iterator[tuple[Any, ...]]:
    try:
        yield from islice(database.execute(query), _MOST_SALVAGED)
    except sqlite3.Error:
        return
