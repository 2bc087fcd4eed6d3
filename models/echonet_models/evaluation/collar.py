"""Event-based error rate and F1 with a collar around the onset, by `sed_scores_eval`.

J. Ebbers, R. Serizel, R. Haeb-Umbach, "Threshold-independent evaluation of sound event detection scores", ICASSP 2022;
A. Mesaros, T. Heittola, T. Virtanen, "Metrics for polyphonic sound event detection", Applied Sciences 6, 2016.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
import importlib
import sys
from types import ModuleType
from typing import Any
import warnings

import numpy as np
from numpy.typing import NDArray

COLLAR_S = 0.5
# Only the onset counts: an offset may be anywhere.
_ANY_OFFSET_S = 1e4
# sed_scores_eval wants times that are not negative; a shifted onset may be.
_ORIGIN_S = 100.0
_CLASS = "event"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Changes:
    """How the hits and false alarms of one mixture change where the threshold falls below each of its scores."""

    scores: Floats
    hits: Floats
    false_alarms: Floats

    def at(self, threshold: float) -> tuple[int, int]:
        """Return hits and false alarms of the regions whose scores are above a threshold."""
        above = self.scores > threshold
        return round(float(self.hits[above].sum())), round(float(self.false_alarms[above].sum()))


def changes(
    scores: Sequence[float] | Floats, step_s: float, shift_s: float, onset_s: float | None
) -> Changes:
    """Return what each threshold finds in one mixture.

    Args:
        scores: one a step; an event is an unbroken run of steps above the threshold.
        step_s: seconds from one step to the next.
        shift_s: added to every onset that is found.
        onset_s: when the event of the mixture begins; None where it has none.
    """
    package = _package()
    values = np.array(scores, float)
    timestamps = np.arange(len(values) + 1) * step_s + shift_s + _ORIGIN_S
    unique, onsets, offsets = package.curves(values, timestamps, None)
    true = np.array([] if onset_s is None else [onset_s + _ORIGIN_S])
    found = package.statistics(onsets, offsets, true, true + 1.0, None, None, COLLAR_S, _ANY_OFFSET_S)
    hits, false_alarms = (
        found[key] - np.append(np.asarray(found[key][1:], float), 0.0) for key in ("tps", "fps")
    )
    return Changes(np.asarray(unique), hits, false_alarms)


def best_threshold(found: Mapping[str, Changes], onsets: Mapping[str, float | None]) -> tuple[float, float]:
    """Return the lowest error rate over all thresholds, and the threshold that has it."""
    package = _package()
    deltas = {
        key: {_CLASS: (each.scores, {"tps": each.hits, "fps": each.false_alarms})}
        for key, each in found.items()
    }
    truth = {
        key: [] if onset is None else [(onset + _ORIGIN_S, onset + _ORIGIN_S + 1.0, _CLASS)]
        for key, onset in onsets.items()
    }
    rates, _, _, thresholds, _ = package.collar_based.best_error_rate(
        None, truth, deltas=deltas, onset_collar=COLLAR_S, offset_collar=_ANY_OFFSET_S
    )
    return float(rates[_CLASS]), float(thresholds[_CLASS])


def match(found: Sequence[float], true: Sequence[float], collar_s: float = COLLAR_S) -> tuple[int, int]:
    """Return hits and false alarms of onsets that were found, each true onset found at most once.

    Taking both in order of time gives as many pairs as any matching can, because all collars are equally wide.
    """
    hits, position = 0, 0
    ordered = sorted(found)
    for onset in sorted(true):
        while position < len(ordered) and round(ordered[position] - onset + collar_s, 6) < 0:
            position += 1
        if position < len(ordered) and round(ordered[position] - onset - collar_s, 6) <= 0:
            hits += 1
            position += 1
    return hits, len(ordered) - hits


@dataclass(frozen=True, slots=True)
class _Package:
    collar_based: Any
    curves: Any
    statistics: Any


@cache
def _package() -> _Package:
    """Load `sed_scores_eval`, which takes seconds, when it is first needed.

    It is asked for its curves and statistics piece by piece: its own loop over the clips hands read-only columns of
    pandas 3 to code that wants to write.
    """
    absent = _without_pkg_resources()
    try:
        # Their docstrings hold backslashes that Python warns of when it compiles them for the first time.
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            return _load()
    finally:
        if absent:
            del sys.modules["pkg_resources"]


def _load() -> _Package:
    based = importlib.import_module("sed_scores_eval.collar_based")
    curves = importlib.import_module("sed_scores_eval.base_modules.cy_detection")
    statistics = importlib.import_module("sed_scores_eval.collar_based.intermediate_statistics")
    return _Package(based, curves.onset_offset_curves, statistics.statistics_fn)


def _without_pkg_resources() -> bool:
    """Put an empty module where `dcase_util`, far below, imports `pkg_resources` and does not use it.

    setuptools has it no longer. Returns whether that was needed.
    """
    try:
        importlib.import_module("pkg_resources")
    except ModuleNotFoundError:
        sys.modules["pkg_resources"] = ModuleType("pkg_resources")
        return True
    return False
