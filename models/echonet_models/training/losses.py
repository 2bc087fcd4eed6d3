"""What a batch of answers costs."""

import numpy as np
from numpy.typing import NDArray
import tensorflow as tf

from ..data.activity import UNASKED

# What lies below is "surely not" to teacher and pupil alike, and how surely is nobody's business.
_FLOOR_LOGIT = -7.0
_SOFT = 1e-2
# How much the regression's advice counts beside a label.
_ADVICE = 0.2


def class_loss(labels: tf.Tensor, advice: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the mean binary cross-entropy of our classes, `logits` [n, 8].

    Args:
        labels: 1, 0, -1 (unsure) or -2 (not asked), [n, 8].
        advice: probabilities that the regression gives (soft targets: Hinton et al., 2015), NaN where there are none,
            [n, 8]. They count a little beside what is sure, and alone where nothing is.
        logits: what the network says.
    """
    sure = labels >= 0
    advised = ~tf.math.is_nan(advice) & (labels != UNASKED)
    told = tf.clip_by_value(tf.cast(labels, tf.float32), _SOFT / 2, 1 - _SOFT / 2)
    advice = tf.where(advised, advice, 0.0)
    targets = tf.where(sure, tf.where(advised, (1 - _ADVICE) * told + _ADVICE * advice, told), advice)
    counted = tf.cast(sure | advised, tf.float32)
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)
    return tf.reduce_sum(entropy * counted) / (tf.reduce_sum(counted) + 1.0)


def distillation_loss(teacher: tf.Tensor, logits: tf.Tensor, weights: NDArray[np.float32]) -> tf.Tensor:
    """Return how far AudioSet logits [n, 527] are from the teachers', NaN where nobody was asked.

    Huber's distance of the logits above a floor: a class at .02 that should be at .05 matters as much as one at .2.
    """
    asked = tf.cast(~tf.math.is_nan(teacher[:, :1]), tf.float32)
    target = tf.maximum(tf.where(tf.math.is_nan(teacher), _FLOOR_LOGIT, teacher), _FLOOR_LOGIT)
    distance = tf.maximum(logits, _FLOOR_LOGIT) - target
    # Below the floor there must be a slope that leads up, where the teacher hears something.
    distance = tf.where(logits < _FLOOR_LOGIT, logits - target, distance)
    distance = tf.where((logits < _FLOOR_LOGIT) & (target <= _FLOOR_LOGIT), 0.0, distance)
    size = tf.abs(distance)
    huber = tf.where(size < 1, 0.5 * size * size, size - 0.5) * weights * asked
    return tf.reduce_sum(huber) / (tf.reduce_sum(asked) * float(weights.sum()) + 1.0)
