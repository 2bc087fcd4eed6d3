"""What a person decided after listening again: a table of stretches to keep or to drop."""

import csv
from dataclasses import dataclass
from pathlib import Path

from .errors import ModelsError

COLUMNS = ("path", "start_s", "stop_s", "decision")
KEEP, DROP = "keep", "drop"
STANDING = "decisions.csv"


@dataclass(frozen=True, slots=True)
class Decision:
    """From `start_s` to `stop_s` a clip does (`keep`) or does not hold its class."""

    path: str
    start_s: float
    stop_s: float
    keep: bool


def read_decisions(path: Path) -> list[Decision]:
    """Return the decisions of a CSV file: path, start_s, stop_s and `keep` or `drop`; a first line of names is skipped.

    Raises:
        ModelsError: the file cannot be read, or a line does not say what it should.
    """
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            rows = [(number, row) for number, row in enumerate(csv.reader(lines), 1) if row]
    except OSError as error:
        raise ModelsError(f"cannot read the decisions {path}: {error.strerror}") from None
    return [_decision(path, number, row) for number, row in rows if row[0] != COLUMNS[0]]


def _decision(path: Path, number: int, row: list[str]) -> Decision:
    try:
        name, start, stop, word = (field.strip() for field in row)
        decision = Decision(name, float(start), float(stop), word == KEEP)
    except ValueError:
        raise ModelsError(f"{path}, line {number}: write {','.join(COLUMNS)}") from None
    if word not in (KEEP, DROP) or not 0 <= decision.start_s < decision.stop_s:
        raise ModelsError(
            f"{path}, line {number}: the decision is {KEEP} or {DROP}, and start_s is before stop_s"
        )
    return decision


def adopt_decisions(path: Path, cache: Path) -> list[Decision]:
    """Take a file of decisions over into the cache, from where all that learns has them; return them.

    A file without decisions takes those of before back.
    """
    decisions = read_decisions(path)
    cache.mkdir(parents=True, exist_ok=True)
    standing = cache / STANDING
    partial = standing.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as lines:
        table = csv.writer(lines)
        table.writerow(COLUMNS)
        for one in decisions:
            table.writerow((one.path, one.start_s, one.stop_s, KEEP if one.keep else DROP))
    partial.replace(standing)
    return decisions


def standing_decisions(cache: Path) -> list[Decision]:
    """Return the decisions that were taken over into a cache; none where there were none."""
    path = cache / STANDING
    return read_decisions(path) if path.is_file() else []
