"""The training loop: steps, checkpoints, progress with the time left; stopped at any time, it goes on where it was."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
import json
from pathlib import Path
import sys
import time

import keras
import numpy as np
from numpy.typing import NDArray
import tensorflow as tf

from ..errors import ModelsError
from ..network.ears import Ears, load_weights, save_weights
from ..progress import duration
from .feed import Batch
from .losses import class_loss, distillation_loss

WEIGHTS_FILE = "weights.npz"
_EMA = 0.995
_SAVE_EVERY = 100
_SAY_EVERY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long, how fast, and how much each loss counts.

    Rates are those at the top; they rise for `warm_up` steps and fall as a cosine.
    """

    steps: int
    batch: int = 64
    body_rate: float = 3e-4
    head_rate: float = 2e-3
    warm_up: int = 100
    classes: float = 1.0
    distillation: float = 0.5
    weight_decay: float = 1e-3
    seed: int = 0

    def factor(self, step: int) -> float:
        """Return how much of the top rate a step has."""
        if step < self.warm_up:
            return (step + 1) / self.warm_up
        return (
            0.5 * (1 + float(np.cos(np.pi * (step - self.warm_up) / max(1, self.steps - self.warm_up))))
            + 1e-3
        )


def train(
    ears: Ears,
    schedule: Schedule,
    feed: Callable[..., Iterator[Batch]],
    weights: NDArray[np.float32],
    run: Path,
    name: str,
    regression: Callable[[tf.Tensor], tf.Tensor],
) -> None:
    """Train the network, then leave it and `weights.npz` in `run` with the average of its last weights.

    Args:
        ears: what is trained.
        schedule: how.
        feed: gives the batches from a step on.
        weights: of AudioSet's classes in distillation, [527].
        run: folder of this training; a training that lies there is gone on with.
        name: what is said beside the progress.
        regression: makes logits of our classes [n, 8] of the teachers' [n, 527], as advice.

    Raises:
        ModelsError: the folder holds a training of another schedule.
    """
    run.mkdir(parents=True, exist_ok=True)
    if (run / WEIGHTS_FILE).is_file():
        load_weights(run / WEIGHTS_FILE, ears.model)
        return
    plan = run / "schedule.json"
    if plan.is_file() and json.loads(plan.read_text(encoding="utf-8")) != asdict(schedule):
        raise ModelsError(f"{run} holds a training of another schedule; choose another folder or delete it")
    plan.write_text(json.dumps(asdict(schedule), indent=2) + "\n", encoding="utf-8")
    body = keras.optimizers.AdamW(schedule.body_rate, weight_decay=schedule.weight_decay)
    head = keras.optimizers.AdamW(schedule.head_rate, weight_decay=schedule.weight_decay)
    body.build(ears.body_variables)
    head.build(ears.head.trainable_variables)
    average = [tf.Variable(variable.value) for variable in ears.model.trainable_variables]
    done = tf.Variable(0, dtype=tf.int64)
    kept = tf.train.Checkpoint(
        done=done,
        average=average,
        model=[v.value for v in ears.model.variables],
        body=[v.value for v in body.variables],
        head=[v.value for v in head.variables],
    )
    manager = tf.train.CheckpointManager(kept, str(run / "checkpoints"), max_to_keep=1)
    if manager.latest_checkpoint:
        kept.restore(manager.latest_checkpoint).expect_partial()
    step = _step(ears, schedule, body, head, average, weights, regression)
    began, first = time.monotonic(), int(done.numpy())
    losses: list[tuple[float, float]] = []
    for number, batch in enumerate(feed(first=first), first):
        factor = schedule.factor(number)
        body.learning_rate.assign(schedule.body_rate * factor)
        head.learning_rate.assign(schedule.head_rate * factor)
        told = step(
            *(tf.constant(part) for part in batch), tf.constant(min(_EMA, (1 + number) / (10 + number)))
        )
        losses.append((float(told[0]), float(told[1])))
        done.assign(number + 1)
        if (number + 1) % _SAVE_EVERY == 0:
            manager.save()
            _log(run, number + 1, losses[-_SAVE_EVERY:])
        if (number + 1) % _SAY_EVERY == 0:
            pace = (time.monotonic() - began) / (number + 1 - first)
            recent = np.mean(losses[-50:], axis=0)
            print(
                f"\r{name}: step {number + 1}/{schedule.steps}, classes {recent[0]:.3f}, teachers {recent[1]:.3f}, "
                f"{duration(pace * (schedule.steps - number - 1))} left   ",
                end="",
                file=sys.stderr,
                flush=True,
            )
    print(file=sys.stderr)
    for variable, mean in zip(ears.model.trainable_variables, average, strict=True):
        variable.assign(mean)
    save_weights(run / WEIGHTS_FILE, ears.model)


def _step(
    ears: Ears,
    schedule: Schedule,
    body: keras.optimizers.Optimizer,
    head: keras.optimizers.Optimizer,
    average: list[tf.Variable],
    weights: NDArray[np.float32],
    regression: Callable[[tf.Tensor], tf.Tensor],
) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
    body_variables, head_variables = ears.body_variables, ears.head.trainable_variables
    count = len(body_variables)

    def step(
        log_mel: tf.Tensor, labels: tf.Tensor, teacher: tf.Tensor, keep: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            logits, audioset, _ = ears.model(_masked(tf.cast(log_mel, tf.float32)), training=True)
            heard = tf.cast(teacher, tf.float32)
            classes = class_loss(labels, tf.sigmoid(regression(heard)), logits)
            teachers = distillation_loss(heard, audioset, weights)
            loss = schedule.classes * classes + schedule.distillation * teachers
        gradients = tape.gradient(
            loss, [v.value for v in (*body_variables, *head_variables)], unconnected_gradients="zero"
        )
        gradients, _ = tf.clip_by_global_norm(gradients, 5.0)
        body.apply_gradients(zip(gradients[:count], body_variables, strict=True))
        head.apply_gradients(zip(gradients[count:], head_variables, strict=True))
        for mean, variable in zip(average, ears.model.trainable_variables, strict=True):
            mean.assign(keep * mean + (1 - keep) * variable.value)
        return classes, teachers

    compiled: Callable[..., tuple[tf.Tensor, tf.Tensor]] = tf.function(step)
    return compiled


def _masked(log_mel: tf.Tensor) -> tf.Tensor:
    """Return windows [n, frames, bands], a stretch of bands of some of them muted (SpecAugment, Park et al. 2019)."""
    shape = tf.shape(log_mel)
    width = tf.random.uniform((shape[0], 1), 0, 16)
    low = tf.random.uniform((shape[0], 1), 0, tf.cast(shape[2], tf.float32) - 16)
    band = tf.range(shape[2], dtype=tf.float32)[None, :]
    muted = (band >= low) & (band < low + width) & (tf.random.uniform((shape[0], 1)) < 0.4)
    floor = tf.reduce_min(log_mel, axis=1, keepdims=True)
    return tf.where(muted[:, None, :], floor, log_mel)


def _log(run: Path, step: int, losses: list[tuple[float, float]]) -> None:
    mean = np.mean(losses, axis=0)
    with (run / "log.csv").open("a", encoding="utf-8") as stream:
        stream.write(f"{step},{mean[0]:.5f},{mean[1]:.5f}\n")
