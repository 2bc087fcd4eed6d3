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
from scipy.special import expit

from echonet_satellite.decision import Decision, Lasting
from echonet_satellite.presence import Scene
from echonet_satellite.protocol import Sensitivity, SoundClass
from echonet_satellite.second_look import UNLIKELY_LOGIT

from ..data.manifest import BACKGROUND, CLASSES, UNLABELLED, Clip
from .pooled import SECOND, Logits
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
    beeps: float = 1.0
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
            (1, 1),
            4,
            6.4,
            0.0,
            lasting=Lasting(steps=20, odds=3.0),
            at_once=10.0,
            insistence=200.0,
            beeps=30.0,
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
        beeps=shape.beeps,
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
        truth = np.array([clip.sound_class is name for clip in own])
        counts = Counter(clip.origin for clip in own)
        weights = np.array([1 / counts[clip.origin] for clip in own])
        for place in (column, SECOND.start + column):
            scores = np.array([logits[clip.path][:, place].max() for clip in own], np.float64)
            found.append(_platt(np.maximum(scores, UNLIKELY_LOGIT), truth, weights))
    slopes, offsets = np.array(found, np.float32).T
    return Calibration(slopes[::2], offsets[::2], (slopes[1::2], offsets[1::2]))


def _platt(scores: Scores, truth: NDArray[np.bool_], weights: Scores) -> tuple[float, float]:
    sign = np.where(truth, -1.0, 1.0)
    # Both answers weigh the same: how many clips of a class there are says nothing of a home.
    weights = weights * np.where(truth, 1 / weights[truth].sum(), 1 / weights[~truth].sum())

    def cost(values: Scores) -> float:
        fitted = (weights * np.logaddexp(0, sign * (np.exp(values[0]) * scores + values[1]))).sum()
        return float(fitted + 0.02 * values[0] ** 2)

    best = minimize(cost, np.zeros(2), method="Nelder-Mead").x
    return float(np.exp(best[0])), float(best[1])


# What is chosen on some networks is for another, and two trainings differ over one sound by more than a logit: each
# score counts as one that lies about there (a logistic of this scale). Rules chosen on two folds and tried on the third
# have fewer false alarms so, at nearly the same recall.
_SPREAD = 0.4


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

    def recall(self, thresholds: Scores) -> Scores:
        """Return the share of recordings that another network may be expected to score over each threshold, [n]."""
        found: Scores = (self.weights * _over(self.own, thresholds)).sum(axis=-1) / self.weights.sum()
        return found

    def cost(self, thresholds: Scores) -> Scores:
        """Return the false alarms to expect in a day: of 24 h of background, and of the other sounds of a home, [n]."""
        background = _over(self.background, thresholds).sum(axis=-1) / max(self.background_hours, 1e-9)
        others = _over(self.others, thresholds).sum(axis=-1) / max(self.others_hours, 1e-9)
        found: Scores = 24 * background + OTHERS_HOURS * others
        return found

    def choose(self, price: float) -> dict[Sensitivity, float]:
        """Return the thresholds: at medium each false alarm still buys its price; low is quiet, but not deaf."""
        recall, cost = self.recall(_GRID), self.cost(_GRID)
        medium = int(np.argmax(recall - price * cost))
        deaf = int(np.flatnonzero(recall >= _LEAST_AT_LOW * recall[medium])[-1])
        low, high = (
            int(np.argmin(np.abs(np.log(cost / (factor * cost[medium]))))) for factor in (1 / FEWER, MORE)
        )
        return {
            Sensitivity.LOW: float(_GRID[min(low, deaf)]) + _STEP,
            Sensitivity.MEDIUM: float(_GRID[medium]),
            Sensitivity.HIGH: float(_GRID[high]) - _STEP,
        }


def _over(scores: Scores, thresholds: Scores) -> Scores:
    over: Scores = expit((scores - thresholds[:, None]) / _SPREAD)
    return over


_LEAST_AT_LOW = 0.6
# Thresholds of two sensitivities are never the same, and all are probabilities that can be reached.
_STEP = 0.05
_GRID: Scores = np.arange(-3.0, 5.5, _STEP, np.float64)


def choose(evidence: Mapping[SoundClass, Evidence]) -> dict[SoundClass, Decision]:
    """Return the decisions of all classes: medium by its price, low and high by their factor of false alarms."""
    chosen = {}
    for name in CLASSES:
        logits = evidence[name].choose(PRICES[name])
        chosen[name] = decision(name, {level: float(expit(logit)) for level, logit in logits.items()})
    return chosen
