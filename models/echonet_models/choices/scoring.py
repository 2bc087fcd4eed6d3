"""What a network hears of the common mixtures, and how much better or worse than the chosen one it does.

Every figure is computed for many resamples of the mixtures at once. Two networks are compared on the same resamples
(paired), so that what makes a mixture hard for both does not widen the interval of their difference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ..activity import IGNORE, STEP, Labels
from ..datasets import CLASSES
from ..evaluation.intervals import figure, resamples
from ..recordings import SAMPLE_RATE

Floats = NDArray[np.float64]
Logits = NDArray[np.float32]

FALSE_PER_HOUR = 5.0
"""Of one class. The mixtures are full of sounds that imitate it; it is what EchoNet aims at on such (`aims`)."""


class Measure(StrEnum):
    """What is compared."""

    PRECISION = "precision"
    """Average precision over all sure steps."""
    RECALL = "recall"
    """The share of mixtures with a class in which it is heard, at so many false detections in an hour."""


class Verdict(StrEnum):
    """What the interval of a difference says."""

    BETTER = "better"
    WORSE = "worse"
    ALIKE = "not told apart"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a variant and how much more it is than that of the chosen recipe, with the 95 % interval of that."""

    value: float
    difference: float
    low: float
    high: float

    @property
    def verdict(self) -> Verdict:
        """Whether it is better beyond the interval."""
        if self.low > 0:
            return Verdict.BETTER
        return Verdict.WORSE if self.high < 0 else Verdict.ALIKE


@dataclass(frozen=True, slots=True)
class Score:
    """One measure: the mean over the classes, and each class that the mixtures hold."""

    mean: Figure
    classes: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class EvenOdds:
    """What a threshold of one half would give, means over the classes."""

    recall: float
    false_per_hour: float


class Jury:
    """Compares networks by what they make of the same mixtures."""

    def __init__(self, labels: Labels, *, times: int, seed: int = 0) -> None:
        """Take the labels [mixtures, steps, classes] and draw `times` resamples of the mixtures."""
        self._labels = labels
        drawn = resamples([0] * len(labels), times=times, seed=seed)
        # The first row is all mixtures, once each: the figure itself.
        self._weights = np.vstack([np.ones((1, len(labels))), drawn])

    def measure(self, logits: Logits) -> dict[Measure, Floats]:
        """Return every measure of every class in every resample, [1 + times, classes]; NaN where none sounds."""
        ways: dict[Measure, Callable[[Labels, Logits, Floats], Floats]] = {
            Measure.PRECISION: average_precision,
            Measure.RECALL: recall,
        }
        return {
            measure: np.stack(
                [
                    way(self._labels[..., column], logits[..., column], self._weights)
                    for column in range(len(CLASSES))
                ],
                axis=1,
            )
            for measure, way in ways.items()
        }

    def even_odds(self, logits: Logits) -> EvenOdds:
        """Return what a threshold of one half would give."""
        heard, false = [], []
        for column in range(len(CLASSES)):
            with_class, without = loudest(self._labels[..., column], logits[..., column])
            if np.isfinite(with_class).any():
                heard.append(float(np.mean(with_class[np.isfinite(with_class)] > 0)))
            quiet = without[np.isfinite(without)]
            false.append(float(np.sum(quiet > 0) / max(hours(len(quiet), self._labels.shape[1]), 1e-9)))
        return EvenOdds(float(np.mean(heard)), float(np.mean(false)))


def compare(own: Floats, chosen: Floats) -> Score:
    """Return the figures of a network beside those of the chosen one, both from `Jury.measure`."""
    there = np.flatnonzero(np.isfinite(own[0]))
    mean = _figure(_mean(own[:, there]), _mean(chosen[:, there]))
    return Score(mean, {str(CLASSES[column]): _figure(own[:, column], chosen[:, column]) for column in there})


def average_precision(labels: Labels, logits: Logits, weights: Floats) -> Floats:
    """Return the average precision over the sure steps of one class, for each row of weights of the mixtures.

    Args:
        labels: [mixtures, steps].
        logits: [mixtures, steps].
        weights: how often each mixture counts, [rows, mixtures].
    """
    mixture, step = np.nonzero(labels != IGNORE)
    scores, truth = logits[mixture, step], labels[mixture, step] == 1
    order = np.argsort(-scores, kind="stable")
    scores, truth, mixture = scores[order], truth[order], mixture[order]
    positive = np.flatnonzero(truth)
    if not len(positive):
        return np.full(len(weights), np.nan)
    # Steps of the same score stand above a threshold together.
    last = np.searchsorted(-scores, -scores[positive], side="right") - 1
    found = np.empty(len(weights))
    for row, each in enumerate(weights):
        drawn = each[mixture]
        right = drawn * truth
        hits, all_steps = np.cumsum(right), np.cumsum(drawn)
        counted = right[positive]
        precision = hits[last] / np.maximum(all_steps[last], 1e-9)
        found[row] = (counted * precision).sum() / hits[-1] if hits[-1] else np.nan
    return found


def recall(labels: Labels, logits: Logits, weights: Floats, per_hour: float = FALSE_PER_HOUR) -> Floats:
    """Return the share of mixtures with a class in which it is heard, for each row of weights of the mixtures.

    The threshold is the lowest at which, in an hour of mixtures without the class, it is heard in `per_hour` at most.
    """
    with_class, without = loudest(labels, logits)
    there, absent = np.flatnonzero(np.isfinite(with_class)), np.flatnonzero(np.isfinite(without))
    if not len(there) or not len(absent):
        return np.full(len(weights), np.nan)
    absent = absent[np.argsort(-without[absent], kind="stable")]
    alarms = np.cumsum(weights[:, absent], axis=1)
    allowed = np.floor(per_hour * hours(1, labels.shape[1]) * alarms[:, -1:])
    # The first that is one too many: only what is louder is heard.
    limit = without[absent[np.argmax(alarms > allowed, axis=1)]]
    drawn = weights[:, there]
    with np.errstate(invalid="ignore"):
        heard: Floats = (drawn * (with_class[there] > limit[:, None])).sum(axis=1) / drawn.sum(axis=1)
    return heard


def loudest(labels: Labels, logits: Logits) -> tuple[Floats, Floats]:
    """Return each mixture's highest score where it holds the class, and that of mixtures that hold nothing of it.

    -inf where it is the other kind. What holds the class only where it is unsure is of neither kind.
    """
    there = np.where(labels == 1, logits, -np.inf).max(axis=1)
    absent = np.where((labels == 0).all(axis=1), logits.max(axis=1), -np.inf)
    return there.astype(np.float64), absent.astype(np.float64)


def hours(mixtures: int, steps: int) -> float:
    """Return how long so many mixtures of so many steps are."""
    return mixtures * steps * STEP / SAMPLE_RATE / 3600


def _mean(values: Floats) -> Floats:
    """Return the mean over the classes; NaN in a resample that misses one."""
    mean: Floats = values.mean(axis=1) if values.shape[1] else np.full(len(values), np.nan)
    return mean


def _figure(own: Floats, chosen: Floats) -> Figure:
    differences = own - chosen
    found = figure(float(differences[0]), differences[1:])
    return Figure(float(own[0]), found["value"], found["low"], found["high"])
