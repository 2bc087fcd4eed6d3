"""Our classes by regression on what the teachers make of a sound: where the network begins, and what it is held to.

Logistic regression of the AudioSet logits of stretches of 1.6 s, which the teachers together gave. It knows the sounds
of more places than our recordings hold, so it says of strangers what a fine-tuned network forgets.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from echonet_satellite.protocol import SoundClass

from ..data.manifest import BACKGROUND, CLASSES, UNLABELLED, Clip
from ..data.teachers import AUDIOSET_CLASSES, LOWEST_LOGIT, ClassMap, Lesson

ops = keras.ops
Floats = NDArray[np.float32]
# Logits lie between about -8 and 4; so scaled they are of the size of an embedding.
LOGIT_SCALE = 0.2
# A class is, as long as nothing speaks against it, what the AudioSet classes say that mean it.
_TRUST = 1.0
_PENALTY = 3e-4
# A stretch in which the teachers hear so much less of a clip's class than in its best holds it perhaps.
_DOUBT_LOGITS = 3.0
_POSITIVE_WEIGHT = 0.3
_ITERATIONS = 200


@dataclass(frozen=True, slots=True)
class Regression:
    """Logits of our classes are `features @ kernel + bias`: kernel [535, 8], bias [8]."""

    kernel: Floats
    bias: Floats

    def halfway(self) -> "Regression":
        """Return what lies half-way to what the AudioSet classes say that mean ours: few recordings teach too much."""
        half = np.float32(0.5)
        return Regression(half * (self.kernel + _prior()), half * self.bias)


def features(audioset: Any, meanings: Sequence[Sequence[int]]) -> Any:
    """Return what the regression looks at, [n, 535]: AudioSet logits [n, 527], and together those that mean a class.

    It takes what `keras.ops` takes: arrays, tensors, parts of a network.
    """
    bounded = ops.maximum(audioset, LOWEST_LOGIT)
    members = np.zeros((AUDIOSET_CLASSES, len(meanings)), np.float32)
    for column, own in enumerate(meanings):
        members[list(own), column] = 1
    # Logits are small enough for plain exponentials, and one product costs a satellite less than eight sums.
    meant = ops.log(ops.matmul(ops.exp(bounded), members))
    return ops.concatenate([bounded, meant], axis=-1) * LOGIT_SCALE


def fit(clips: Sequence[Clip], lessons: Mapping[str, Lesson], class_map: ClassMap) -> Regression:
    """Return the regression of clips: a source counts by the root of its clips, a clip by that of its stretches."""
    own = [clip for clip in clips if clip.label != UNLABELLED and not clip.unsure]
    heard = np.concatenate([lessons[clip.path].logits for clip in own])
    seen = np.asarray(features(heard, class_map.meanings), np.float32)
    told = [_labels(clip, lessons[clip.path], class_map) for clip in own]
    truth = np.concatenate([labels for labels, _ in told])
    weights = np.concatenate([sure for _, sure in told])
    sources = Counter((clip.label, clip.source) for clip in own)
    weights *= np.concatenate(
        [
            np.full((len(labels), 1), (sources[clip.label, clip.source] * len(labels)) ** -0.5)
            for clip, (labels, _) in zip(own, told, strict=True)
        ]
    ).astype(np.float32)
    for column in range(len(CLASSES)):
        positive = weights[:, column] * truth[:, column]
        negative = weights[:, column] * (1 - truth[:, column])
        weights[:, column] = (
            _POSITIVE_WEIGHT * positive / positive.sum() + (1 - _POSITIVE_WEIGHT) * negative / negative.sum()
        )
    return _minimise(seen, truth, weights)


def _labels(clip: Clip, lesson: Lesson, class_map: ClassMap) -> tuple[Floats, Floats]:
    """Return for each stretch of a clip its labels, and for which it may be asked, [stretches, 8] each."""
    labels = np.zeros((len(lesson.starts), len(CLASSES)), np.float32)
    sure = np.ones_like(labels)
    for column, name in enumerate(CLASSES):
        if name in clip.may_contain or (clip.label == BACKGROUND and name is SoundClass.PRESENCE):
            sure[:, column] = 0
    if clip.sound_class is not None:
        column = CLASSES.index(clip.sound_class)
        meaning = class_map.core[clip.sound_class] + class_map.weak[clip.sound_class]
        heard = lesson.logits[:, meaning].max(axis=1)
        labels[:, column] = 1
        sure[heard < heard.max() - _DOUBT_LOGITS, column] = 0
    return labels, sure


def _prior() -> Floats:
    prior = np.zeros((AUDIOSET_CLASSES + len(CLASSES), len(CLASSES)), np.float32)
    prior[AUDIOSET_CLASSES:] = _TRUST / LOGIT_SCALE * np.eye(len(CLASSES))
    return prior


def _minimise(seen: Floats, truth: Floats, weights: Floats) -> Regression:
    mean = seen.mean(axis=0)
    centred = np.concatenate((seen - mean, np.ones((len(seen), 1), np.float32)), axis=1)
    shape = (centred.shape[1], len(CLASSES))
    prior = np.concatenate((_prior(), np.zeros((1, len(CLASSES)), np.float32)))

    def cost(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        kernel = values.reshape(shape).astype(np.float32)
        logits = centred @ kernel
        away = (kernel - prior)[:-1]
        loss = float(
            (weights * (np.logaddexp(0, logits) - truth * logits)).sum() + _PENALTY * (away**2).sum()
        )
        slope = centred.T @ (weights * (expit(logits) - truth))
        slope[:-1] += 2 * _PENALTY * away
        return loss, slope.ravel().astype(np.float64)

    found = minimize(
        cost, prior.ravel().astype(np.float64), jac=True, method="L-BFGS-B", options={"maxiter": _ITERATIONS}
    )
    best = found.x.reshape(shape).astype(np.float32)
    return Regression(best[:-1], best[-1] - mean @ best[:-1])
