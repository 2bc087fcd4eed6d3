"""The table of the literature: precision, recall, F1, specificity and accuracy, per class, macro and micro.

Besides, mean average precision: how well the scores of each class tell its windows from all others, at any threshold.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from echonet_satellite.protocol import SoundClass

from ..data.manifest import CLASSES
from ..evaluation.intervals import Floats as Exact, average_precision, figure, resamples
from .windows import LABELS, OTHER_LABEL, Floats, Integers, Windows

MEASURES = ("precision", "recall", "f1", "specificity", "accuracy")
REST = "rest"


def score(
    predicted: Floats, windows: Windows, target: SoundClass | None = None, *, ranked: Floats | None = None
) -> dict[str, Any]:
    """Return the figures of what an approach says of windows; each window counts for its highest score, [N, 9].

    One that tells the class `target` from the rest is scored on these two. `ranked` says of which windows it is surer,
    where that is something else. `macro` is the mean over the labels that there are, `micro` the share of all windows
    that are right. Figures over labels have a 95 % interval: a bootstrap over the recordings of each label.
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
    ranked = predicted if ranked is None else ranked
    # The first of the weights is of all windows as they are.
    weights = np.concatenate((np.ones((1, len(recordings))), weights))[:, place]
    precisions = {
        names[label]: average_precision(ranked[:, column], truth == label, weights)
        for label, column in enumerate(columns)
        if there[label]
    }
    mean_precision = np.mean(list(precisions.values()), axis=0)
    return {
        "windows": len(windows),
        "recordings": len(recordings),
        "confusion": {"labels": list(names), "counts": total.astype(int).tolist()},
        "classes": {
            name: {
                "windows": int(total[row].sum()),
                "recordings": len(set(place[truth == row].tolist())),
                **{key: round(float(own[key][row]), 4) for key in MEASURES},
                "average_precision": round(float(precisions[name][0]), 4) if name in precisions else None,
            }
            for row, name in enumerate(names)
            if there[row]
        },
        "macro": {
            key: figure(float(own[key][there].mean()), again[key][:, there].mean(axis=1)) for key in MEASURES
        },
        "micro": {"accuracy": figure(float(_right(total)), _right(resampled))},
        "mean_average_precision": figure(float(mean_precision[0]), mean_precision[1:]),
    }


def measures(confusion: Exact) -> Mapping[str, Exact]:
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


def _answers(
    predicted: Floats, windows: Windows, target: SoundClass | None
) -> tuple[Sequence[str], Integers, Integers, Sequence[int]]:
    """Return the labels, which is right, which was said, and the columns of scores of the labels that are classes."""
    if target is None:
        return LABELS, windows.labels, predicted.argmax(axis=1), range(OTHER_LABEL)
    column = CLASSES.index(target)
    truth = (windows.labels != column).astype(np.int64)
    return (target, REST), truth, predicted[:, [column, OTHER_LABEL]].argmax(axis=1), [column]


def _right(confusion: Exact) -> Any:
    return np.trace(confusion, axis1=-2, axis2=-1) / confusion.sum(axis=(-2, -1))
