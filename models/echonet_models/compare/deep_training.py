"""How every network of the comparison learns: Adam, class weights, and the epoch in which the tune split was best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
import logging
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from .approach import Progress
from .shared import BYTES_PER_NUMBER
from .windows import Windows

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

LEARNING_RATE = 0.001
"""Of papers B and D."""

# It warns of many small functions; a comparison of many small networks has them.
logging.getLogger("tensorflow").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much a network may learn from, and for how long.

    Attributes:
        per_class: windows of a class at most, so that all networks together take minutes on one core.
        epochs: at most; fewer when `patience` epochs in a row were no better on the tune split.
        patience: see `epochs`.
        batch: windows per step.
    """

    per_class: int = 250
    epochs: int = 18
    patience: int = 4
    batch: int = 32

    def wider(self, times: float) -> "Effort":
        """Return the same effort where a window gives so many examples: larger batches, as many steps."""
        return replace(self, batch=round(self.batch * times))

    def limit(self, windows: Windows, seed: int) -> Windows:
        """Return at most `per_class` windows of each label, in random order.

        The first ones: recordings take turns in them, see `windows_of`.
        """
        chosen = [
            np.flatnonzero(windows.labels == label)[: self.per_class] for label in np.unique(windows.labels)
        ]
        return windows.take(np.random.default_rng(seed).permutation(np.concatenate(chosen)))


FULL = Effort()
QUICK = Effort(per_class=30, epochs=10, patience=10, batch=16)


def effort_for(*, quick: bool) -> Effort:
    """Return how long to learn."""
    return QUICK if quick else FULL


def class_weights(labels: Integers) -> Floats:
    """Return a weight per example, mean 1, with which every class counts as much as any other."""
    _, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights: Floats = (len(labels) / (len(counts) * counts))[place].astype(np.float32)
    return weights


def fit_classifier(
    network: keras.Model,
    learn: tuple[Floats, Integers],
    tune: tuple[Floats, Integers],
    effort: Effort,
    progress: Progress,
    *,
    weights: Floats | None = None,
    rate: float | keras.optimizers.schedules.LearningRateSchedule = LEARNING_RATE,
) -> None:
    """Train a softmax network on (inputs, labels); it ends as it was in its best epoch on `tune`.

    Each example counts by `weights`, else so that all classes count alike; `rate` is that of Adam.
    """
    network.compile(
        optimizer=keras.optimizers.Adam(rate, clipnorm=1.0),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        # Compiling to machine code takes longer than a small network learns.
        jit_compile=False,
    )
    network.fit(
        *learn,
        sample_weight=class_weights(learn[1]) if weights is None else weights,
        validation_data=(*tune, class_weights(tune[1])),
        epochs=effort.epochs,
        batch_size=effort.batch,
        callbacks=callbacks(effort, progress),
        verbose=0,
    )


def callbacks(effort: Effort, progress: Progress) -> list[keras.callbacks.Callback]:
    """Return what stops a training early, takes its best epoch, and says how far it is."""
    return [
        keras.callbacks.EarlyStopping("val_loss", patience=effort.patience, restore_best_weights=True),
        _Reporter(effort.epochs, progress),
    ]


def scores(network: keras.Model, inputs: Any, batch: int = 64) -> Floats:
    """Return the outputs of a network, in batches of one shape as far as possible."""
    predicted: Floats = network.predict(inputs, batch_size=batch, verbose=0)
    return predicted


def parameter_bytes(networks: Sequence[keras.Model]) -> int:
    """Return the size of the networks' parameters, stored as float32."""
    return BYTES_PER_NUMBER * sum(int(network.count_params()) for network in networks)


def seeded(build: Callable[[], keras.Model], seed: int) -> keras.Model:
    """Return a network whose first weights, order of examples and dropout all follow from the seed."""
    keras.utils.set_random_seed(seed)
    return build()


class _Reporter(keras.callbacks.Callback):  # type: ignore[misc]
    """Tells how many epochs are done; a training that stops early jumps to the end."""

    def __init__(self, epochs: int, progress: Progress) -> None:
        super().__init__()
        self._epochs, self._progress = epochs, progress

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        del logs
        self._progress((epoch + 1) / self._epochs)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        del logs
        self._progress(1.0)
