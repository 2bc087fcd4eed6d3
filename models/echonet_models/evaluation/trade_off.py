"""Detection-error trade-off and reliability: what a threshold buys, and whether a confidence means what it says."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..activity import IGNORE
from ..datasets import CLASSES, Clip
from ..listening import Probabilities, firing_scores
from ..thresholds import is_negative
from .systems import Decisions
from .windows import Windows

BLOCK_STEPS = 125
BINS = 10
# Below this a network claims nothing; nearly all windows of a house lie there and would hide the rest.
CLAIM = 0.1
OVERALL = "overall"


def detection_error(
    clips: Sequence[Clip], heard: Mapping[str, Probabilities], decisions: Decisions
) -> dict[str, Any]:
    """Return per class the share of clips missed against false alarms an hour, over all thresholds.

    False alarms are counted as blocks of 10 s of `other` and background clips in which the class would be confirmed.
    Clips weigh so that each recording counts once.
    """
    curves: dict[str, Any] = {}
    for column, name in enumerate(CLASSES):
        hits: dict[str, list[float]] = defaultdict(list)
        alarms: list[float] = []
        hours = 0.0
        for clip in clips:
            if clip.sound_class is not name and not is_negative(clip, name):
                continue
            scores = firing_scores(heard[clip.path], decisions[name], column)
            if clip.sound_class is name:
                hits[clip.origin].append(float(scores.max()))
            else:
                hours += clip.duration_s / 3600
                blocks = range(0, len(scores), BLOCK_STEPS)
                alarms += [float(scores[first : first + BLOCK_STEPS].max()) for first in blocks]
        if hits and hours:
            curves[str(name)] = _curve(list(hits.values()), np.sort(alarms), hours)
    return curves


def reliability(windows: Windows) -> dict[str, Any]:
    """Return per class and over all what share of the windows with a confidence really hold the class.

    C. Guo et al., "On calibration of modern neural networks", ICML 2017. Ten bins of confidence; the expected
    calibration error weighs each bin by its windows, once over all and once over those that claim something.
    """
    known = windows.truth != IGNORE
    found = {
        str(name): _reliability(
            windows.scores[known[:, column], column], windows.truth[known[:, column], column]
        )
        for column, name in enumerate(CLASSES)
    }
    found[OVERALL] = _reliability(windows.scores[known], windows.truth[known])
    return found


def _curve(hits: Sequence[Sequence[float]], alarms: np.ndarray, hours: float) -> dict[str, Any]:
    thresholds = np.unique(np.concatenate([*map(np.asarray, hits), np.linspace(0.01, 0.99, 50)]))
    if len(thresholds) > 80:
        thresholds = thresholds[np.linspace(0, len(thresholds) - 1, 80).round().astype(int)]
    missed = [np.mean([np.mean(np.asarray(own) < threshold) for own in hits]) for threshold in thresholds]
    false = (len(alarms) - np.searchsorted(alarms, thresholds)) / hours
    return {
        "threshold": thresholds.round(5).tolist(),
        "missed": np.round(missed, 4).tolist(),
        "false_alarms_per_hour": false.round(3).tolist(),
        "hours": round(hours, 3),
    }


def _reliability(confidence: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    sums = np.bincount(place, weights=confidence, minlength=BINS)
    held = np.bincount(place, weights=truth == 1, minlength=BINS)
    filled = counts > 0
    means, shares = sums[filled] / counts[filled], held[filled] / counts[filled]
    claims = confidence >= CLAIM
    return {
        "confidence": means.round(4).tolist(),
        "share": shares.round(4).tolist(),
        "windows": counts[filled].tolist(),
        "expected_error": _error(confidence, truth),
        "expected_error_of_claims": _error(confidence[claims], truth[claims]),
    }


def _error(confidence: np.ndarray, truth: np.ndarray) -> float | None:
    if not len(confidence):
        return None
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(place, weights=confidence - (truth == 1), minlength=BINS)
    return round(float(np.abs(gaps).sum() / len(confidence)), 4)
