"""The table of the literature: precision, recall, F1, specificity and accuracy, per class, macro and micro."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.protocol import SoundClass

from ..datasets import CLASSES
from ..evaluation.intervals import Floats, figure, resamples
from .approach import Scores
from .windows import LABELS, OTHER_LABEL, Windows

MEASURES = ("precision", "recall", "f1", "specificity", "accuracy")
REST = "rest"


def score(predicted: Scores, windows: Windows, target: SoundClass | None = None) -> dict[str, Any]:
    """Return the figures of what an approach says of windows; each window counts for its likeliest class.

    Args:
        predicted: [N, 9].
        windows: what they hold.
        target: the class of an approach that tells one from the rest; it is scored on these two.

    Returns:
        Figures per label; `macro`, their mean over the labels that there are; `micro`, the share of all windows that
        are right. The figures over labels have a 95 % interval: a bootstrap over the recordings of each label.
    """
    names, truth, guessed = _answers(predicted, windows, target)
    recordings, place = np.unique(np.array(windows.origins), return_inverse=True)
    confusions = np.zeros((len(recordings), len(names), len(names)))
    np.add.at(confusions, (place, truth, guessed), 1)
    strata = [int(truth[np.argmax(place == number)]) for number in range(len(recordings))]
    weights = resamples(strata)
    total = confusions.sum(axis=0)
    resampled = np.einsum("br,rij->bij", weights, confusions)
    there = total.sum(axis=1) > 0
    own, again = measures(total), measures(resampled)
    figures: dict[str, Any] = {
        "windows": len(windows),
        "recordings": len(recordings),
        "confusion": {"labels": list(names), "counts": total.astype(int).tolist()},
        "classes": {
            name: {
                "windows": int(total[row].sum()),
                "recordings": len(set(place[truth == row].tolist())),
                **{key: round(float(own[key][row]), 4) for key in MEASURES},
            }
            for row, name in enumerate(names)
            if there[row]
        },
        "macro": {
            key: figure(float(own[key][there].mean()), again[key][:, there].mean(axis=1)) for key in MEASURES
        },
        "micro": {"accuracy": figure(_right(total), _right(resampled))},
    }
    return figures


def measures(confusion: Floats) -> Mapping[str, Floats]:
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


def balanced_accuracy(figures: Mapping[str, Any]) -> float:
    """Return the mean recall over labels, of what `score` returns."""
    return float(figures["macro"]["recall"]["value"])


def _answers(
    predicted: Scores, windows: Windows, target: SoundClass | None
) -> tuple[Sequence[str], NDArray[np.int64], NDArray[np.int64]]:
    if target is None:
        return LABELS, windows.labels, predicted.argmax(axis=1)
    column = CLASSES.index(target)
    return (
        (target, REST),
        (windows.labels != column).astype(np.int64),
        predicted[:, [column, OTHER_LABEL]].argmax(axis=1),
    )


def _right(confusion: Floats) -> Any:
    return np.trace(confusion, axis1=-2, axis2=-1) / confusion.sum(axis=(-2, -1))
