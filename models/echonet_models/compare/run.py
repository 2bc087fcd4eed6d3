"""Trains and scores every approach, one after the other; what is done is not done again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
import gc
import hashlib
import json
from pathlib import Path
import statistics
import sys
import time
from typing import Any, Self

import numpy as np
from threadpoolctl import threadpool_limits

from ..datasets import Split
from ..errors import ModelsError
from ..material import Material
from ..progress import duration
from .approach import Approach, Costly, OneClass, Progress, Released, WithContext, WithExtra
from .references import Ear, YamnetEar
from .registry import approaches
from .scoring import balanced_accuracy, score
from .windows import Windows, windows_of

# Chance is one ninth and one half; a system that learned anything from clear sounds is well above.
LEARNS, LEARNS_ONE_CLASS = 0.25, 0.6
TIMED_WINDOWS, TIMED_ROUNDS = 60, 5


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many windows of each class are learned from, chosen by and scored on, at most."""

    train: int = 1000
    tune: int = 200
    validation: int = 400


FULL, QUICK = Amounts(), Amounts(30, 15, 15)


@dataclass(frozen=True, slots=True)
class Data:
    """The windows that all approaches share."""

    train: Windows
    tune: Windows
    validation: Windows

    def digest(self) -> str:
        """Return a name for exactly these windows."""
        known = hashlib.sha256()
        for windows in (self.train, self.tune, self.validation):
            for path, start, label in zip(windows.clips, windows.starts, windows.labels, strict=True):
                known.update(f"{path} {start} {label}\n".encode())
        return known.hexdigest()[:16]


def compare(
    material: Material,
    folder: Path,
    *,
    only: str | None = None,
    quick: bool = False,
    again: bool = False,
    seed: int = 1,
) -> list[dict[str, Any]]:
    """Return the results of every approach (or of `only`), in the order of the registry.

    Each is stored as `NAME.json` in the folder and taken from there next time, unless its windows, its seed or a
    released network have changed, or `again` is asked for.
    """
    chosen = approaches(material, only)
    amounts = QUICK if quick else FULL
    # What a thing costs is for the page, which a quick look does not write.
    yamnet = None if quick else YamnetEar(material)
    data = gather(material, amounts, seed)
    digest = data.digest()
    folder.mkdir(parents=True, exist_ok=True)
    results = []
    for number, approach in enumerate(chosen, 1):
        path = folder / f"{approach.name}.json"
        key = {"windows": digest, "seed": seed, "quick": quick}
        if isinstance(approach, Released):
            key["version"] = approach.version
        done = None if again else _read(path)
        if done is None or done["key"] != key:
            with _Line(f"[{number}/{len(chosen)}] {approach.name}") as line:
                done = {"key": key, "amounts": asdict(amounts)} | measure(
                    approach, material, data, seed=seed, quick=quick, progress=line.show, yamnet=yamnet
                )
            _write(path, done)
        results.append(done)
        gc.collect()
    return results


def read_results(
    material: Material, folder: Path, *, like: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the results in a folder that were measured on the same windows, and the names of those that are not there.

    Args:
        material: see `compare`.
        folder: see `compare`.
        like: the `key` of one of them.
    """
    results, missing = [], []
    for approach in approaches(material):
        result = _read(folder / f"{approach.name}.json")
        if result is not None and all(
            result["key"][name] == like[name] for name in ("windows", "seed", "quick")
        ):
            results.append(result)
        else:
            missing.append(approach.name)
    return results, missing


def gather(material: Material, amounts: Amounts, seed: int) -> Data:
    """Cut the windows of all three splits.

    Raises:
        ModelsError: there are none in one of them.
    """
    data = Data(
        windows_of(material, Split.TRAIN, limit_per_class=amounts.train, seed=seed),
        windows_of(material, Split.TUNE, limit_per_class=amounts.tune, seed=seed),
        windows_of(material, Split.VALIDATION, limit_per_class=amounts.validation, seed=seed),
    )
    for split, windows in zip(Split, (data.train, data.tune, data.validation), strict=True):
        if not len(windows):
            raise ModelsError(f"no recording is in the {split} split: the folder of recordings holds too few")
    return data


def measure(
    approach: Approach,
    material: Material,
    data: Data,
    *,
    seed: int,
    quick: bool,
    progress: Progress,
    yamnet: Ear | None = None,
) -> dict[str, Any]:
    """Train an approach on `train` and `tune`, score it on `validation`, and ask it for its extra table.

    Beside `yamnet`, where it is given, its processor time is measured.
    """
    tune, validation = data.tune, data.validation
    if isinstance(approach, Costly):
        tune, validation = (_first_of_each(windows, approach.most_windows) for windows in (tune, validation))
    target = approach.target if isinstance(approach, OneClass) else None
    share = 0.5 if isinstance(approach, WithExtra) else 0.9
    start = time.monotonic()
    approach.fit(data.train, tune, seed=seed, quick=quick, progress=lambda done: progress(share * done))
    trained = time.monotonic() - start
    predicted = approach.predict(validation)
    progress(share + 0.05)
    result: dict[str, Any] = {
        "name": approach.name,
        "paper": approach.paper,
        "purpose": approach.purpose,
        "partly": isinstance(approach, Costly),
        "target": None if target is None else str(target),
        "trained_s": round(trained, 1),
        "size_bytes": approach.size_bytes(),
        "cost_of_yamnet": None if yamnet is None else cost_beside(yamnet, approach, validation, seed),
        "figures": score(predicted, validation, target),
        "extra": None,
    }
    if isinstance(approach, WithExtra):
        result["extra"] = approach.extra(  # noqa: S610 - no database here
            material, seed=seed, quick=quick, progress=lambda done: progress(0.55 + 0.45 * done)
        )
    progress(1.0)
    return result


def unlearned(results: list[dict[str, Any]]) -> list[str]:
    """Return a line for each approach that is no better than chance by a margin."""
    lines = []
    for result in results:
        reached = balanced_accuracy(result["figures"])
        needed = LEARNS if result["target"] is None else LEARNS_ONE_CLASS
        if not reached > needed:
            lines.append(f"{result['name']}: balanced accuracy {reached:.2f}, not above {needed:.2f}")
    return lines


def cost_beside(yamnet: Ear, approach: Approach, windows: Windows, seed: int) -> dict[str, float]:
    """Return the processor time for a second of sound, features included, as a part of YAMNet's for the same windows.

    One thread. The two take turns, so that a busy machine slows both; the median of some rounds, and the range.
    """
    parts = []
    with threadpool_limits(1):
        for number in range(TIMED_ROUNDS + 1):
            order = np.random.default_rng([seed, number]).permutation(len(windows))[:TIMED_WINDOWS]
            chosen = windows.take(order)
            heard = approach.heard_s(chosen) if isinstance(approach, WithContext) else yamnet.heard_s(chosen)
            begun = time.process_time()
            approach.predict(chosen)
            between = time.process_time()
            yamnet.hear(chosen, lambda _: None)
            theirs = (time.process_time() - between) / yamnet.heard_s(chosen)
            parts.append((between - begun) / heard / theirs)
    # The first round only warms up.
    kept = parts[1:]
    return {
        "value": round(statistics.median(kept), 3),
        "low": round(min(kept), 3),
        "high": round(max(kept), 3),
    }


def _first_of_each(windows: Windows, most: int) -> Windows:
    """Return at most so many windows of each label; recordings take turns in them already."""
    labels = windows.labels
    return windows.take(
        np.concatenate([np.flatnonzero(labels == label)[:most] for label in np.unique(labels)])
    )


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ModelsError(f"{path} is damaged: delete it, and the same command makes it anew") from None
    return result


def _write(path: Path, result: dict[str, Any]) -> None:
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(path)


class _Line:
    """One line that says how far an approach is and how long it still takes."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._start = self._shown = time.monotonic()

    def __enter__(self) -> Self:
        self._print("starts")
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        spent = duration(time.monotonic() - self._start)
        self._print(f"done in {spent}" if kind is None else f"stopped after {spent}")
        print(file=sys.stderr)

    def show(self, done: float) -> None:
        """Show a share that is done, at most twice a second."""
        now = time.monotonic()
        if now - self._shown > 0.5 and done > 0:
            self._shown = now
            self._print(f"{100 * done:.0f} %, {duration((now - self._start) / done * (1 - done))} left")

    def _print(self, text: str) -> None:
        print(f"\r{self._title}: {text:30}", end="", file=sys.stderr, flush=True)
