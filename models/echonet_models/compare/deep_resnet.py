"""Residual networks on mel images (papers C and E), from random weights; and networks that start from public ones."""

from dataclasses import replace
from typing import ClassVar

import keras
import numpy as np
from numpy.typing import NDArray

from echonet_satellite.protocol import SoundClass

from ..datasets import CLASSES
from ..teachers import teachers_directory
from .approach import Factory, Progress, Scores
from .deep_network import PatchNetwork
from .deep_patches import FRAMES, PATCH, yamnet_patches
from .deep_pretrained import read_yamnet_layers
from .deep_training import Effort, effort_for, fit_classifier, parameter_bytes, scores, seeded
from .shared import part_of, untrained
from .windows import LABELS, OTHER_LABEL, Windows

CHANNELS = (16, 32, 64)
FINE_TUNE_RATE = 3e-4
FINE_TUNE_SHARE = 3
"""Unfrozen, an epoch costs much more: so many times fewer epochs."""
WARM_UP = 0.3


def build_resnet() -> keras.Model:
    """Return a small residual network (He et al., 2016): a stem, then two blocks of each width."""
    inputs = keras.Input((FRAMES, PATCH.n_mels, 1))
    x = keras.layers.Conv2D(CHANNELS[0], 5, strides=2, padding="same", use_bias=False)(inputs)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
    x = keras.layers.MaxPooling2D(2)(x)
    for place, channels in enumerate(CHANNELS):
        x = _block(x, channels, 1 if place == 0 else 2)
        x = _block(x, channels, 1)
    x = keras.layers.Dropout(0.3)(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, keras.layers.Dense(len(LABELS), activation="softmax")(x))


def _block(x: keras.KerasTensor, channels: int, stride: int) -> keras.KerasTensor:
    """Return two convolutions and what they are added to."""
    past = x
    if stride != 1 or x.shape[-1] != channels:
        past = keras.layers.Conv2D(channels, 1, strides=stride, use_bias=False)(x)
        past = keras.layers.BatchNormalization(momentum=0.9)(past)
    x = keras.layers.Conv2D(channels, 3, strides=stride, padding="same", use_bias=False)(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
    x = keras.layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    return keras.layers.ReLU()(keras.layers.Add()([past, x]))


class Transfer:
    """YAMNet's first layers with a new head: first the head alone learns, then all of it, slowly (paper C)."""

    name, paper = "transfer-yamnet", "E"
    purpose = "a network that has heard much before, unfrozen in stages"
    _classes = len(LABELS)

    def __init__(self) -> None:
        """Know nothing yet."""
        self._network: keras.Model | None = None

    def fit(self, train: Windows, tune: Windows, *, seed: int, quick: bool, progress: Progress) -> None:
        """Train in two stages; each ends with its best epoch on `tune`.

        Raises:
            ModelsError: the public weights are not there.
        """
        backbone = read_yamnet_layers(teachers_directory())
        effort = effort_for(quick=quick)
        train, tune = effort.limit(train, seed), effort.limit(tune, seed)
        learn_patches, learn_labels = _patches(train), self._targets(train.labels)
        tune_patches, tune_labels = _patches(tune), self._targets(tune.labels)
        head = seeded(lambda: _head(self._classes), seed)
        fit_classifier(
            head,
            (scores(backbone, learn_patches), learn_labels),
            (scores(backbone, tune_patches), tune_labels),
            effort,
            part_of(progress, 0.05, 0.2),
        )
        inputs = keras.Input((FRAMES, PATCH.n_mels, 1))
        # As if for use: the statistics of its batch norms come from far more sound than is here.
        self._network = keras.Model(inputs, head(backbone(inputs, training=False)))
        effort = replace(effort, epochs=max(2, effort.epochs // FINE_TUNE_SHARE), patience=3)
        fit_classifier(
            self._network,
            (learn_patches, learn_labels),
            (tune_patches, tune_labels),
            effort,
            part_of(progress, 0.2, 1),
            rate=_one_cycle(effort, len(train)),
        )

    def predict(self, windows: Windows) -> Scores:
        """Return the network's softmax."""
        return scores(self._trained(), _patches(windows))

    def size_bytes(self) -> int:
        """Return the size of backbone and head."""
        return parameter_bytes([self._trained()])

    def _targets(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        return labels

    def _trained(self) -> keras.Model:
        if self._network is None:
            raise untrained(self.name)
        return self._network


class GunOrNot(Transfer):
    """Paper C's question: a gunshot, or anything else."""

    name, paper = "gun-or-not", "C"
    purpose = "one question only: a gunshot or anything else"
    target: ClassVar[SoundClass] = SoundClass.GUNSHOT
    _classes = 2

    def predict(self, windows: Windows) -> Scores:
        """Return the probability of a gunshot in its column, and of anything else in the last one."""
        binary = super().predict(windows)
        found = np.zeros((len(windows), len(LABELS)), np.float32)
        found[:, [OTHER_LABEL, CLASSES.index(self.target)]] = binary
        return found

    def _targets(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        targets: NDArray[np.int64] = (labels == CLASSES.index(self.target)).astype(np.int64)
        return targets


def _head(classes: int) -> keras.Model:
    layers = [
        keras.layers.Dropout(0.3),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(classes, activation="softmax"),
    ]
    return keras.Sequential([keras.Input((256,)), *layers])


def _patches(windows: Windows) -> Scores:
    return yamnet_patches(windows.samples)[..., None]


def _one_cycle(effort: Effort, examples: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return a rate that rises and falls once (Smith, 2018), as the fine-tuning of paper C has it."""
    steps = effort.epochs * -(-examples // effort.batch)
    rising = max(1, int(WARM_UP * steps))
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - rising), warmup_target=FINE_TUNE_RATE, warmup_steps=rising
    )


APPROACHES: tuple[Factory, ...] = (
    lambda _material: PatchNetwork(
        "resnet", "E", "a deeper network on mel images, from random weights", build_resnet
    ),
    lambda _material: Transfer(),
    lambda _material: GunOrNot(),
)
