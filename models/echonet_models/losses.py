"""What a training minimises: the cost of each step's classes, and of the teachers' scores."""

import math
from typing import Any

from keras import ops
import numpy as np
from numpy.typing import ArrayLike, NDArray

from .activity import IGNORE, Labels
from .portraits import YAMNET_STEPS, Numbers
from .schedule import Weighting
from .teachers import TEACHER_CLASSES, ClassMap
from .thresholds import SAFETY

MOST_BY_ROOT, MOST_BY_FULL = 6.0, 100.0
# How much more those of the teachers' classes count by which ours are told from what is like them.
TELLING = 10.0
# Of a teacher's numbers those that vary hardly at all, against the one that varies most, are mostly rounding.
LEAST_SPREAD = 0.05
# Of the assistant: how softened its answers are, how much more the surest step of a window counts than the others.
TEMPERATURE, SHARPNESS = 2.0, 2.0
FOCUS = 2
"""Gamma of the focal loss, the value that its authors recommend."""


def positive_weights(labels: Labels, weighting: Weighting = Weighting.ROOT) -> list[float]:
    """Return how much more a step with the class counts than one without.

    `ROOT` is half the square root of the ratio of the two, between 1 and 6: enough that rare classes are learned,
    without the flood of false alarms that `FULL` balancing, the ratio itself, brings.
    """
    positive = (labels == 1).mean(axis=(0, 1)) + 1e-6
    ratio = (1 - positive) / positive
    match weighting:
        case Weighting.ROOT:
            counted = np.clip(0.5 * np.sqrt(ratio), 1, MOST_BY_ROOT)
        case Weighting.FULL:
            counted = np.clip(ratio, 1, MOST_BY_FULL)
        case Weighting.NONE | Weighting.FOCAL:
            counted = np.ones_like(ratio)
    weights: list[float] = counted.round(2).tolist()
    return weights


def class_loss(weighting: Weighting, weights: NDArray[np.float32]) -> Any:
    """Return the loss of the classes; `weights` are those of `positive_weights`."""
    return focal_loss if weighting is Weighting.FOCAL else masked_loss(weights)


def masked_loss(weights: NDArray[np.float32]) -> Any:
    """Return binary cross-entropy on logits that weighs positive steps and leaves out unsure ones."""

    def loss(labels: Any, logits: Any) -> Any:
        known = ops.cast(ops.not_equal(labels, float(IGNORE)), "float32")
        positive = ops.cast(ops.equal(labels, 1.0), "float32")
        cost = ops.softplus(-logits) * positive * weights + ops.softplus(logits) * (1 - positive)
        return ops.sum(cost * known) / (ops.sum(known) + 1.0)

    return loss


def focal_loss(labels: Any, logits: Any) -> Any:
    """Return binary cross-entropy in which a step counts the less the surer the network is of the right answer.

    (1 - p)^2 times the cross-entropy, p being the probability of the right answer (Lin, Goyal, Girshick, He and
    Dollár, "Focal loss for dense object detection", ICCV 2017, equation 4); unsure steps are left out.
    """
    known = ops.cast(ops.not_equal(labels, float(IGNORE)), "float32")
    wrong = ops.where(ops.equal(labels, 1.0), -logits, logits)
    cost = ops.sigmoid(wrong) ** FOCUS * ops.softplus(wrong)
    return ops.sum(cost * known) / (ops.sum(known) + 1.0)


def taught_weights(class_map: ClassMap | None) -> NDArray[np.float32]:
    """Return how much each of the teachers' classes counts, [521].

    Of five hundred, a dozen say how a shot differs from a firework. All of one weight, they would be lost.
    """
    weights = np.ones(TEACHER_CLASSES, np.float32)
    if class_map:
        for name in SAFETY:
            weights[[*class_map.core.get(name, []), *class_map.weak.get(name, [])]] = TELLING
    return weights


def taught_loss(weights: NDArray[np.float32]) -> Any:
    """Return binary cross-entropy against the teachers' scores, where they were asked: a weighted sum over classes."""

    def loss(scores: Any, logits: Any) -> Any:
        known = ops.cast(ops.less_equal(scores, 1.0), "float32")
        cost = (ops.softplus(logits) - scores * logits) * weights
        return ops.sum(cost * known) / (ops.sum(known) / TEACHER_CLASSES + 1.0)

    return loss


def standard(portraits: Numbers) -> dict[str, list[float]]:
    """Return the mean of each number of a teacher's portraits and how far it varies, or a little if hardly at all."""
    known = portraits[np.isfinite(portraits[..., 0])].astype(np.float32)
    if not len(known):
        numbers = portraits.shape[-1]
        return {"mean": [0.0] * numbers, "spread": [1.0] * numbers}
    varies = known.std(axis=0)
    spread = np.maximum(varies, LEAST_SPREAD * varies.max())
    return {"mean": known.mean(axis=0).round(5).tolist(), "spread": spread.round(5).tolist()}


def portrait_loss(mean: ArrayLike, spread: ArrayLike) -> Any:
    """Return the mean squared distance from a teacher's portraits, in units of their spread, where it was asked.

    What is found is in those units too, counted from the mean. In the teacher's own one step of learning would move the
    many numbers that hardly vary by several times what they vary, and drown all else that is to be learned.
    """
    middle, unit = np.asarray(mean, np.float32), np.asarray(spread, np.float32)

    def loss(portraits: Any, found: Any) -> Any:
        known = ops.isfinite(portraits)
        distance = (ops.where(known, portraits, middle) - middle) / unit - found
        squared = ops.where(known, ops.square(distance), 0.0)
        return ops.sum(squared) / (ops.sum(ops.cast(known, "float32")) + 1.0)

    return loss


def assisted_loss(judged: Any, logits: Any) -> Any:
    """Return how far logits [.., steps, classes] are from the assistant's of windows [.., windows, classes].

    A window holds what any of its steps holds (a smooth maximum over them), so that the network may say when. Then the
    cross-entropy, less what even the right answer costs, softened: what is certain still says how certain (G. Hinton,
    O. Vinyals and J. Dean, "Distilling the knowledge in a neural network", 2015). NaN is not asked.
    """
    windows, steps = YAMNET_STEPS.shape
    held = ops.reshape(ops.take(logits, YAMNET_STEPS.ravel(), axis=1), (-1, windows, steps, logits.shape[-1]))
    found = (ops.logsumexp(SHARPNESS * held, axis=2) - math.log(steps)) / SHARPNESS / TEMPERATURE
    known = ops.isfinite(judged)
    taught = ops.where(known, judged, 0.0) / TEMPERATURE
    right = ops.sigmoid(taught)
    cost = ops.softplus(found) - ops.softplus(taught) - right * (found - taught)
    # Gradients shrink with the square of the temperature.
    counted = ops.where(known, cost, 0.0) * TEMPERATURE**2
    return ops.sum(counted) / (ops.sum(ops.cast(known, "float32")) + 1.0)
