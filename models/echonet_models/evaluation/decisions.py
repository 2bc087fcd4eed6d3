"""How probabilities become detections: calibration and thresholds, chosen on what networks said of strangers.

At medium every further false alarm a day must buy a stated amount of recall; low and high differ from it by a stated
factor of false alarms.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from echonet_satellite.decision import Decision, Lasting
from echonet_satellite.presence import Scene
from echonet_satellite.protocol import Sensitivity, SoundClass

from ..data.manifest import BACKGROUND, CLASSES, UNLABELLED, Clip
from .pooled import Logits
from .replay import Calibration

# What an alert may wake a family for.
SAFETY = (
    SoundClass.GUNSHOT,
    SoundClass.GLASS_BREAK,
    SoundClass.BABY_CRY,
    SoundClass.ALARM,
    SoundClass.FIRE,
    SoundClass.SCREAM,
)
Scores = NDArray[np.float64]
LEVELS = (Sensitivity.LOW, Sensitivity.MEDIUM, Sensitivity.HIGH)


# How much recall one more false alarm a day must buy at medium. A missed alarm is worse than a false one; dogs and
# people are for comfort, and wake nobody.
PRICES: Mapping[SoundClass, float] = MappingProxyType(
    dict.fromkeys(SAFETY, 0.015)
    | {SoundClass.ALARM: 0.01, SoundClass.GUNSHOT: 0.01, SoundClass.DOG: 0.005, SoundClass.PRESENCE: 0.0025}
)
# Low has so many times fewer false alarms than medium, high so many times more.
FEWER = 4.0
MORE = 2.5
# So much of a day a home is full of nothing but sounds that are chosen to be mistaken.
OTHERS_HOURS = 0.5


@dataclass(frozen=True, slots=True)
class Shape:
    """How a class is decided, thresholds aside; seconds and steps of 160 ms."""

    confirm: tuple[int, int]
    smoothing_steps: int
    hold_s: float
    refractory_s: float
    rise_db: float = 0.0
    lasting: Lasting | None = None
    at_once: float | None = None
    insistence: float = 1.0
    scene: Scene | None = None


# A shot is in ten windows, what only seems to be one in few: three of six must agree, or one that is very sure. Glass
# is told at once; of what goes on, the mean of half a second to a second tells most. An alarm is held over a pause of
# 5 s (T4); one that sounds for three seconds needs less, and much less where one tone beeps on and on. Chosen on pooled
# predictions, among means of 1 to 10 steps, votes of 2 in 3 and 3 in 6, odds at once of 10, 20 and 40, and of
# insistence from 30 to 400.
SHAPES: Mapping[SoundClass, Shape] = MappingProxyType(
    {
        SoundClass.GUNSHOT: Shape((3, 6), 1, 1.0, 0.5, rise_db=6.0, at_once=20.0),
        SoundClass.GLASS_BREAK: Shape((1, 1), 2, 1.0, 1.0, rise_db=6.0, at_once=10.0),
        SoundClass.BABY_CRY: Shape((1, 1), 3, 3.0, 1.0, at_once=10.0),
        SoundClass.ALARM: Shape(
            (1, 1), 4, 6.4, 0.0, lasting=Lasting(steps=20, odds=3.0), at_once=10.0, insistence=200.0
        ),
        SoundClass.FIRE: Shape((1, 1), 8, 5.0, 2.0, at_once=10.0),
        SoundClass.DOG: Shape((1, 1), 1, 2.0, 1.0),
        SoundClass.PRESENCE: Shape((1, 1), 1, 5.0, 2.0, scene=Scene(build_up_s=5.0, linger_s=60.0)),
        SoundClass.SCREAM: Shape((1, 1), 3, 1.5, 1.0),
    }
)
LEAVE_RATIO = 0.5


def decision(name: SoundClass, thresholds: Mapping[Sensitivity, float]) -> Decision:
    """Return how a class is decided with these thresholds."""
    shape = SHAPES[name]
    return Decision(
        thresholds=thresholds,
        leave_ratio=LEAVE_RATIO,
        confirm=shape.confirm,
        smoothing_steps=shape.smoothing_steps,
        hold_s=shape.hold_s,
        refractory_s=shape.refractory_s,
        rise_db=shape.rise_db,
        lasting=shape.lasting,
        at_once=shape.at_once,
        insistence=shape.insistence,
        scene=shape.scene,
    )


def certain_clips(name: SoundClass, clips: Sequence[Clip], logits: Mapping[str, Logits]) -> list[Clip]:
    """Return the clips that a class is judged on: those of it, and all others that surely do not hold it."""
    return [
        clip
        for clip in clips
        if clip.label not in (BACKGROUND, UNLABELLED)
        and not clip.unsure
        and name not in clip.may_contain
        and clip.path in logits
    ]


def calibrate(clips: Sequence[Clip], logits: Mapping[str, Logits]) -> Calibration:
    """Return the calibration (Platt, 1999) that the highest logits of clips ask for, each recording counted once."""
    found = []
    for column, name in enumerate(CLASSES):
        own = certain_clips(name, clips, logits)
        scores = np.array([logits[clip.path][:, column].max() for clip in own], np.float64)
        truth = np.array([clip.sound_class is name for clip in own])
        counts = Counter(clip.origin for clip in own)
        found.append(_platt(scores, truth, np.array([1 / counts[clip.origin] for clip in own])))
    slopes, offsets = np.array(found, np.float32).T
    return Calibration(slopes, offsets)


def _platt(scores: Scores, truth: NDArray[np.bool_], weights: Scores) -> tuple[float, float]:
    sign = np.where(truth, -1.0, 1.0)
    # Both answers weigh the same: how many clips of a class there are says nothing of a home.
    weights = weights * np.where(truth, 1 / weights[truth].sum(), 1 / weights[~truth].sum())

    def cost(values: Scores) -> float:
        fitted = (weights * np.logaddexp(0, sign * (np.exp(values[0]) * scores + values[1]))).sum()
        return float(fitted + 0.02 * values[0] ** 2)

    best = minimize(cost, np.zeros(2), method="Nelder-Mead").x
    return float(np.exp(best[0])), float(best[1])


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a class's thresholds are chosen by: the highest score that each sound could fire with, in logits.

    Attributes:
        own: of its clips, [n].
        weights: of these, each recording counted once, [n].
        background: of stretches of background, [n], in so many hours.
        background_hours: see there.
        others: of clips of other sounds, [n], in so many hours.
        others_hours: see there.
    """

    own: Scores
    weights: Scores
    background: Scores
    background_hours: float
    others: Scores
    others_hours: float

    def recall(self, threshold: float) -> float:
        """Return the share of recordings that are over a threshold."""
        return float((self.weights * (self.own >= threshold)).sum() / self.weights.sum())

    def cost(self, threshold: float) -> float:
        """Return the false alarms in a day: of 24 hours of background, and of the other sounds that a home has."""
        background = (self.background >= threshold).sum() / max(self.background_hours, 1e-9)
        others = (self.others >= threshold).sum() / max(self.others_hours, 1e-9)
        return float(24 * background + OTHERS_HOURS * others)

    def best(self, price: float) -> float:
        """Return the threshold at which each false alarm a day still buys more recall than its price."""
        grid = np.unique(np.round(self.own, 2))
        worth = np.array([self.recall(one) - price * self.cost(one) for one in grid])
        # Of those that are worth as much, as far as so few recordings tell, the one that hears most.
        return float(grid[np.flatnonzero(worth >= worth.max() - _AS_GOOD)[0]])

    def apart(self, threshold: float, factor: float) -> float:
        """Return the threshold at which there are so many times the false alarms, as the highest scores fall off.

        Where nothing can be counted any more, scores grow rare exponentially (Hill's estimator).
        """
        wrong = np.sort(np.concatenate((self.background, self.others)))[::-1]
        count = int((wrong >= threshold).sum())
        wanted = factor * max(count, 1)
        if factor > 1:
            return min(threshold, float(wrong[min(round(wanted), len(wrong) - 1)]))
        if wanted >= 1:
            apart = float(wrong[round(wanted) - 1])
        else:
            top = wrong[: min(_TAIL, len(wrong))]
            scale = max(float((top - top[-1])[:-1].mean()), 1e-3) if len(top) > 1 else 1.0
            apart = max(threshold, float(top[0])) - scale * float(np.log(wanted))
        # Quiet, but not deaf.
        least = _LEAST_AT_LOW * self.recall(threshold)
        heard = max(
            (float(one) for one in np.unique(self.own) if self.recall(one) >= least), default=threshold
        )
        return max(threshold, min(apart, heard))


_AS_GOOD = 0.01
_TAIL = 15
_LEAST_AT_LOW = 0.6


def choose(evidence: Mapping[SoundClass, Evidence]) -> dict[SoundClass, Decision]:
    """Return the decisions of all classes: medium by its price, low and high by their factor of false alarms."""
    chosen = {}
    for name in CLASSES:
        medium = float(np.clip(evidence[name].best(PRICES[name]), *_MEDIUM))
        logits = {
            Sensitivity.LOW: min(evidence[name].apart(medium, 1 / FEWER) + _STEP, _MEDIUM[1] + 0.5),
            Sensitivity.MEDIUM: medium,
            Sensitivity.HIGH: max(evidence[name].apart(medium, MORE) - _STEP, _MEDIUM[0] - 0.5),
        }
        thresholds = {level: float(1 / (1 + np.exp(-logit))) for level, logit in logits.items()}
        chosen[name] = decision(name, thresholds)
    return chosen


# Thresholds of two sensitivities are never the same, and all are probabilities that can be reached.
_STEP = 0.05
_MEDIUM = (-3.0, 5.5)
