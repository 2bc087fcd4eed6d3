"""Trains every approach fold by fold, scores what it says of the sources left out; does nothing twice."""

from collections.abc import Sequence
import gc
import json
from pathlib import Path
import statistics
import time
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ..errors import ModelsError
from ..progress import track
from .approach import Approach, Factory
from .folds import Fold, digest
from .references import hear_yamnet
from .scoring import score
from .windows import Windows, fresh, join

Result = dict[str, Any]
TIMED_WINDOWS, TIMED_ROUNDS = 64, 3


def compare(
    factories: Sequence[Factory],
    folds: Sequence[Fold],
    folder: Path,
    parts: Path,
    *,
    again: bool = False,
) -> list[Result]:
    """Return the results of the approaches.

    Each is stored as `NAME.json` in `folder` and taken from there next time, unless its windows, its seed or what it
    looks up have changed, or `again` is asked for. What a fold has brought is in `parts`: a run that is stopped goes on
    with the next one.
    """
    for place in (folder, parts):
        place.mkdir(parents=True, exist_ok=True)
    missing = factories if again else read_results(factories, folds, folder)[1]
    jobs = [(factory, number) for factory in missing for number in range(len(folds))]
    outcomes: list[Result] = []
    for factory, number in track(jobs, "approaches, fold by fold"):
        approach = factory()
        key, part = _key(approach, folds), parts / f"{approach.name}-{number}.json"
        outcome = None if again else _read(part)
        if outcome is None or outcome["key"] != key:
            outcome = {"key": key} | measure(
                approach, folds[number], timed=number == 0 and not folds[0].quick
            )
            _write(part, outcome)
            gc.collect()
        outcomes.append(outcome)
        if len(outcomes) == len(folds):
            _write(folder / f"{approach.name}.json", {"key": key} | summarise(approach, folds, outcomes))
            outcomes = []
    return read_results(factories, folds, folder)[0]


def read_results(
    factories: Sequence[Factory], folds: Sequence[Fold], folder: Path
) -> tuple[list[Result], list[Factory]]:
    """Return the results that were measured on these windows, and the approaches without one."""
    results, missing = [], []
    for factory in factories:
        approach = factory()
        result = _read(folder / f"{approach.name}.json")
        if result is not None and result["key"] == _key(approach, folds):
            results.append(result)
        else:
            missing.append(factory)
    return results, missing


def measure(approach: Approach, fold: Fold, *, timed: bool = False) -> Result:
    """Train an approach on a fold; return what it says of the sources left out, and `timed` what that costs."""
    fold = fold.asked(approach.target)
    begun = time.process_time()
    approach.fit(fold)
    trained = time.process_time() - begun
    return {
        "trained_s": round(trained, 1),
        "size_bytes": approach.size_bytes(),
        "thresholds": approach.thresholds.tolist(),
        "predicted": [[round(float(value), 6) for value in row] for row in approach.predict(fold.scored)],
        # What is looked up costs nothing here.
        "cost_of_yamnet": cost_beside_yamnet(approach, fold) if timed and not approach.version else None,
        "experiment": approach.experiment(fold),
    }


def summarise(approach: Approach, folds: Sequence[Fold], outcomes: Sequence[Result]) -> Result:
    """Return the figures of all folds pooled: of each window what the network says that never heard its source."""
    scores = [np.array(outcome["predicted"], np.float32) for outcome in outcomes]
    ranked = [own * np.float32(outcome["thresholds"]) for own, outcome in zip(scores, outcomes, strict=True)]
    windows = join([fold.scored for fold in folds])
    experiments = [outcome["experiment"] for outcome in outcomes]
    return {
        "name": approach.name,
        "paper": approach.paper,
        "purpose": approach.purpose,
        "target": None if approach.target is None else str(approach.target),
        "trained_s": round(sum(outcome["trained_s"] for outcome in outcomes), 1),
        "size_bytes": max(outcome["size_bytes"] for outcome in outcomes),
        "cost_of_yamnet": outcomes[0]["cost_of_yamnet"],
        "figures": score(np.concatenate(scores), windows, approach.target, ranked=np.concatenate(ranked)),
        "experiment": None if None in experiments else approach.report(experiments),
    }


def cost_beside_yamnet(approach: Approach, fold: Fold) -> float:
    """Return the processor time of windows, features included, as a part of YAMNet's for the same ones.

    One thread. The two take turns, so that a busy machine slows both; the median of some rounds.
    """

    def spent(look: Any, windows: Windows) -> float:
        begun = time.process_time()
        look(windows)
        return time.process_time() - begun

    shares = []
    with threadpool_limits(1), fresh():
        for number in range(TIMED_ROUNDS + 1):
            order = np.random.default_rng([fold.seed, number]).permutation(len(fold.scored))
            windows = fold.scored.take(order[:TIMED_WINDOWS])
            shares.append(spent(approach.predict, windows) / spent(hear_yamnet, windows))
    # The first round only warms up.
    return round(statistics.median(shares[1:]), 3)


def _key(approach: Approach, folds: Sequence[Fold]) -> Result:
    """Return all that an approach's results depend on."""
    fold = folds[0]
    return {"windows": digest(folds), "seed": fold.seed, "quick": fold.quick, "version": approach.version}


def _read(path: Path) -> Result | None:
    if not path.is_file():
        return None
    try:
        result: Result = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ModelsError(f"{path} is damaged: delete it, and the same command makes it anew") from None
    return result


def _write(path: Path, result: Result) -> None:
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(path)
