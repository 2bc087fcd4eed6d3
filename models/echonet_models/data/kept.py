"""What networks hear in many sounds, kept in a folder: it can be stopped at any time and goes on where it was."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..progress import track

Rows = Mapping[str, NDArray[Any]]
_EACH = 200


def hear(
    folder: Path, names: Sequence[str], listen: Callable[[str], Rows], doing: str
) -> dict[str, dict[str, NDArray[Any]]]:
    """Return what `listen` makes of each name, arrays of as many rows; what is in the folder is not asked again."""
    folder.mkdir(parents=True, exist_ok=True)
    known: dict[str, dict[str, NDArray[Any]]] = {}
    for part in sorted(folder.glob("*.npz")):
        known |= read_rows(part)
    missing = [name for name in names if name not in known]
    fresh: dict[str, Rows] = {}
    for number, name in enumerate(track(missing, doing), 1):
        fresh[name] = listen(name)
        if number % _EACH == 0 or number == len(missing):
            path = folder / f"{len(known):06d}.npz"
            store_rows(path, fresh)
            known |= read_rows(path)
            fresh = {}
    return {name: known[name] for name in names}


def store_rows(path: Path, heard: Mapping[str, Rows]) -> None:
    """Write arrays of several names into one file, each row beside its name; the file is there whole or not at all."""
    lengths = [len(next(iter(rows.values()))) for rows in heard.values()]
    joined: dict[str, Any] = {
        key: np.concatenate([rows[key] for rows in heard.values()]) for key in next(iter(heard.values()))
    }
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as stream:
        np.savez(stream, paths=np.repeat(list(heard), lengths), **joined)
    unfinished.replace(path)


def read_rows(path: Path) -> dict[str, dict[str, NDArray[Any]]]:
    """Return what was stored, by name."""
    with np.load(path) as stored:
        arrays = {key: stored[key] for key in stored.files}
    names = arrays.pop("paths")
    first = np.flatnonzero(np.r_[True, names[1:] != names[:-1]])
    return {
        str(names[begin]): {key: rows[begin:end] for key, rows in arrays.items()}
        for begin, end in zip(first, [*first[1:], len(names)], strict=True)
    }
