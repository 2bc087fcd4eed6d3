"""The table of the literature: precision, recall, F1, specificity and accuracy of windows of 0.96 s."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from ..activity import IGNORE, WINDOW_STEPS, Labels, windows_hold
from ..datasets import CLASSES
from ..listening import Probabilities
from .intervals import Floats, figure, resamples

HOP_STEPS = 6
MEASURES = ("precision", "recall", "f1", "specificity", "accuracy")
CURVE_POINTS = 60


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of many clips: whether each holds each class (1, 0, -1 unsure), and how sure a listener is of it."""

    truth: Labels
    """[N, 8]."""
    scores: Probabilities
    """[N, 8]."""
    recordings: NDArray[np.int64]
    """Which recording each window is of, [N]."""
    labels: list[str]
    """The label of each recording."""


def count_windows(steps: int) -> int:
    """Return how many windows cover so many steps; the last may reach beyond them."""
    return max(0, -(-(steps - WINDOW_STEPS) // HOP_STEPS)) + 1


def window_truth(labels: Labels) -> Labels:
    """Return per window and class 1, 0 or -1 (unsure), [windows, 8]: from labels of steps [steps, 8]."""
    return windows_hold(_cut(labels, 0, WINDOW_STEPS, count_windows(len(labels))))


def window_scores(rows: Probabilities, windows: int, reach: tuple[int, int]) -> Probabilities:
    """Return the highest probability per window, [windows, 8].

    `reach` are the steps, from the start of a window, in which a listener says what it heard in it.
    """
    scores: Probabilities = _cut(rows, *reach, windows).max(axis=1)
    return scores


def _cut(rows: NDArray[Any], first: int, last: int, windows: int) -> NDArray[Any]:
    needed = (windows - 1) * HOP_STEPS + last
    padded = np.pad(rows, ((0, max(0, needed - len(rows))), (0, 0)))
    starts = np.arange(windows)[:, None] * HOP_STEPS + np.arange(first, last)
    cut: NDArray[Any] = padded[starts]
    return cut


def best_thresholds(windows: Windows) -> list[float]:
    """Return per class the threshold with the highest F1, to be chosen on the tune split."""
    thresholds = []
    for column in range(len(CLASSES)):
        truth, scores, _ = _sure(windows, column)
        if not truth.any():
            thresholds.append(0.5)
            continue
        precision, recall, candidates = precision_recall_curve(truth, scores)
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
        thresholds.append(float(candidates[int(np.argmax(f1[:-1]))]))
    return thresholds


def table(windows: Windows, thresholds: Sequence[float]) -> dict[str, Any]:
    """Return the measures of each class, their mean over classes (macro) and over all decisions (micro).

    Each window is asked about each class by itself: a window of a dog is a negative for the seven other classes.
    """
    weights = resamples(windows.labels)
    counts = np.stack([_counts(windows, column, thresholds[column]) for column in range(len(CLASSES))])
    measured, resampled = _measures(counts.sum(axis=1)), _measures(np.einsum("br,crk->cbk", weights, counts))
    present = counts[:, :, 0].sum(axis=1) + counts[:, :, 2].sum(axis=1) > 0
    figures: dict[str, Any] = {"classes": {}, "macro": {}, "micro": {}}
    for column, name in enumerate(CLASSES):
        figures["classes"][str(name)] = {
            "threshold": round(thresholds[column], 4),
            "windows": int(counts[column, :, (0, 2)].sum()),
            "negatives": int(counts[column, :, (1, 3)].sum()),
            **{key: figure(float(measured[key][column]), resampled[key][column]) for key in MEASURES},
        }
    micro, micro_resampled = (
        _measures(counts.sum(axis=(0, 1))),
        _measures(np.einsum("br,crk->bk", weights, counts)),
    )
    for key in MEASURES:
        figures["macro"][key] = figure(
            float(np.mean(measured[key][present])), np.nanmean(resampled[key][present], axis=0)
        )
        figures["micro"][key] = figure(float(micro[key]), micro_resampled[key])
    return figures


def curves(windows: Windows) -> dict[str, Any]:
    """Return per class the points of the ROC curve, the area under it and the average precision."""
    found: dict[str, Any] = {}
    for column, name in enumerate(CLASSES):
        truth, scores, _ = _sure(windows, column)
        if not truth.any() or truth.all():
            continue
        false, true, _ = roc_curve(truth, scores)
        # What matters lies among the rarest false alarms, so points lie closer there; each is one of the curve.
        places = np.concatenate([[0.0], np.logspace(-4, 0, CURVE_POINTS)])
        chosen = np.unique(np.searchsorted(false, places, side="right") - 1)
        found[str(name)] = {
            "area": round(float(roc_auc_score(truth, scores)), 4),
            "average_precision": round(float(average_precision_score(truth, scores)), 4),
            "false_positive_rate": np.round(false[chosen], 5).tolist(),
            "true_positive_rate": np.round(true[chosen], 5).tolist(),
        }
    return found


def _sure(windows: Windows, column: int) -> tuple[NDArray[np.bool_], Probabilities, NDArray[np.int64]]:
    known = windows.truth[:, column] != IGNORE
    return windows.truth[known, column] == 1, windows.scores[known, column], windows.recordings[known]


def _counts(windows: Windows, column: int, threshold: float) -> Floats:
    """Return true and false positives, false and true negatives per recording, [recordings, 4]."""
    truth, scores, recordings = _sure(windows, column)
    fired = scores >= threshold
    counts = np.zeros((len(windows.labels), 4))
    for kind, chosen in enumerate((fired & truth, fired & ~truth, ~fired & truth, ~fired & ~truth)):
        counts[:, kind] = np.bincount(recordings[chosen], minlength=len(windows.labels))
    return counts


def _measures(counts: Floats) -> Mapping[str, Floats]:
    """Return the measures of counts [..., 4]. What nothing was said of (no window fired) has a precision of 0."""
    hit, false, missed, quiet = np.moveaxis(counts, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = hit / (hit + missed)
        return {
            "precision": hit / np.maximum(hit + false, 1e-9),
            "recall": recall,
            "f1": 2 * hit / (2 * hit + false + missed),
            "specificity": quiet / (quiet + false),
            "accuracy": (hit + quiet) / (hit + false + missed + quiet),
        }
