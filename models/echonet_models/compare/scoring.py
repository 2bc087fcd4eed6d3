"""The table of the literature: precision, recall, F1, specificity and accuracy, per class, macro and micro.

Besides, mean average precision: how well the scores of each class tell its windows from all others, at any threshold.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.protocol import SoundClass

from ..data.manifest import CLASSES
from .windows import LABELS, OTHER_LABEL, Floats, Integers, Windows

MEASURES = ("precision", "recall", "f1", "specificity", "accuracy")
REST = "rest"
BOOTSTRAPS = 1000
Doubles = NDArray[np.float64]


def score(
    predicted: Floats, windows: Windows, target: SoundClass | None = None, *, ranked: Floats | None = None
) -> dict[str, Any]:
    """Return the figures of what an approach says of windows; each window counts for its highest score.

    Args:
        predicted: [N, 9].
        windows: what they hold.
        target: the class of an approach that tells one from the rest; it is scored on these two.
        ranked: what says of which windows it is surer, [N, 9], where that is something else.

    Returns:
        Figures per label; `macro`, their mean over the labels that there are; `micro`, the share of all windows that
        are right. The figures over labels have a 95 % interval: a bootstrap over the recordings of each label.
    """
    names, truth, guessed, columns = _answers(predicted, windows, target)
    recordings, place = np.unique(windows.origins, return_inverse=True)
    confusions = np.zeros((len(recordings), len(names), len(names)))
    np.add.at(confusions, (place, truth, guessed), 1)
    weights = resamples(confusions.sum(axis=2).argmax(axis=1))
    total = confusions.sum(axis=0)
    resampled = np.einsum("br,rij->bij", weights, confusions)
    there = total.sum(axis=1) > 0
    own, again = measures(total), measures(resampled)
    ones = np.ones((1, len(windows)))
    ranked = predicted if ranked is None else ranked
    precisions = {
        names[label]: (
            average_precision(ranked[:, column], truth == label, ones),
            average_precision(ranked[:, column], truth == label, weights[:, place]),
        )
        for label, column in enumerate(columns)
        if there[label]
    }
    return {
        "windows": len(windows),
        "recordings": len(recordings),
        "confusion": {"labels": list(names), "counts": total.astype(int).tolist()},
        "classes": {
            name: {
                "windows": int(total[row].sum()),
                "recordings": len(set(place[truth == row].tolist())),
                **{key: round(float(own[key][row]), 4) for key in MEASURES},
                "average_precision": round(float(precisions[name][0][0]), 4) if name in precisions else None,
            }
            for row, name in enumerate(names)
            if there[row]
        },
        "macro": {
            key: figure(float(own[key][there].mean()), again[key][:, there].mean(axis=1)) for key in MEASURES
        },
        "micro": {"accuracy": figure(float(_right(total)), _right(resampled))},
        "mean_average_precision": figure(
            float(np.mean([found[0] for found, _ in precisions.values()])),
            np.mean([found for _, found in precisions.values()], axis=0),
        ),
    }


def measures(confusion: Doubles) -> Mapping[str, Doubles]:
    """Return the measures of each label from counts [..., truth, guess]; what is never guessed has a precision of 0."""
    hit = np.diagonal(confusion, axis1=-2, axis2=-1)
    false, missed = confusion.sum(axis=-2) - hit, confusion.sum(axis=-1) - hit
    every = confusion.sum(axis=(-2, -1))[..., None]
    quiet = every - hit - false - missed
    return {
        "precision": hit / np.maximum(hit + false, 1),
        "recall": hit / np.maximum(hit + missed, 1),
        "f1": 2 * hit / np.maximum(2 * hit + false + missed, 1),
        "specificity": quiet / np.maximum(quiet + false, 1),
        "accuracy": (hit + quiet) / np.maximum(every, 1),
    }


def average_precision(scores: Floats, truth: NDArray[np.bool_], weights: Doubles) -> Doubles:
    """Return the average precision for each row of weights [B, N]; equal scores are told apart by no threshold."""
    order = np.argsort(-scores, kind="stable")
    ranked = -scores[order]
    last = np.searchsorted(ranked, ranked, side="right") - 1
    weighed = weights[:, order]
    hits = weighed * truth[order]
    precision = np.cumsum(hits, axis=1)[:, last] / np.maximum(np.cumsum(weighed, axis=1)[:, last], 1e-9)
    found: Doubles = (hits * precision).sum(axis=1) / np.maximum(hits.sum(axis=1), 1e-9)
    return found


def resamples(strata: Integers) -> Doubles:
    """Return how often each recording is drawn in each resample, [BOOTSTRAPS, recordings].

    Recordings are drawn with replacement within their stratum (their label), so that each resample has as many
    recordings of each label as there are.
    """
    generator = np.random.default_rng(0)
    weights = np.zeros((BOOTSTRAPS, len(strata)))
    for stratum in np.unique(strata):
        own = np.flatnonzero(strata == stratum)
        weights[:, own] = generator.multinomial(len(own), np.full(len(own), 1 / len(own)), size=BOOTSTRAPS)
    return weights


def figure(value: float, resampled: Doubles) -> dict[str, float]:
    """Return a figure with its 95 % interval."""
    low, high = np.percentile(resampled, [2.5, 97.5])
    return {"value": round(value, 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def _answers(
    predicted: Floats, windows: Windows, target: SoundClass | None
) -> tuple[Sequence[str], Integers, Integers, Sequence[int]]:
    """Return the labels, which is right, which was said, and the columns of scores of the labels that are classes."""
    if target is None:
        return LABELS, windows.labels, predicted.argmax(axis=1), range(OTHER_LABEL)
    column = CLASSES.index(target)
    truth = (windows.labels != column).astype(np.int64)
    return (target, REST), truth, predicted[:, [column, OTHER_LABEL]].argmax(axis=1), [column]


def _right(confusion: Doubles) -> Any:
    return np.trace(confusion, axis1=-2, axis2=-1) / confusion.sum(axis=(-2, -1))
