"""Residual networks on mel images (papers C and E), from random weights; and networks that start from public ones."""

import keras

from echonet_satellite.protocol import SoundClass

from ...data.teachers import teachers_directory
from ..approach import Factory
from ..features.images import FRAMES, PATCH, log_mel_patches, yamnet_patches
from ..folds import Fold
from ..windows import LABELS, Floats, Windows
from .pretrained import read_yamnet_layers
from .training import BATCH, EPOCHS, Network, fit_classifier, outputs, parameter_bytes, seeded

CHANNELS = (16, 32, 64)
FINE_TUNE_RATE, WARM_UP = 3e-4, 0.3
# Unfrozen, an epoch costs much more.
FINE_TUNE_EPOCHS = EPOCHS // 3


def build_resnet() -> keras.Model:
    """Return a small residual network (He et al., 2016): a stem, then two blocks of each width."""
    inputs = keras.Input((FRAMES, PATCH.bands, 1))
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


class Transfer(Network):
    """YAMNet's first layers with a new head: first the head alone learns, then all of it, slowly (paper C)."""

    def __init__(self, name: str, paper: str, purpose: str, target: SoundClass | None = None) -> None:
        """Describe it, see `Approach`."""
        super().__init__(name, paper, purpose, _build_head, yamnet_patches, target)

    def fit(self, fold: Fold) -> None:
        """Train in two stages; each ends with its best epoch on the tune windows.

        Raises:
            ModelsError: the public weights are not there.
        """
        backbone = read_yamnet_layers(teachers_directory())
        parts = [(self.inputs(part), part.labels) for part in (fold.train, fold.tune)]
        head = seeded(self._build, fold.seed)
        learn, tune = ((outputs(backbone, patches), labels) for patches, labels in parts)
        fit_classifier(head, learn, tune, fold)
        inputs = keras.Input((FRAMES, PATCH.bands, 1))
        # As if for use: the statistics of its batch norms come from far more sound than is here.
        self.network = keras.Model(inputs, head(backbone(inputs, training=False)))
        # A rate that rises and falls once (Smith, 2018), as the fine-tuning of paper C has it.
        steps = FINE_TUNE_EPOCHS * -(-len(fold.train) // BATCH)
        rising = int(WARM_UP * steps) + 1
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, steps - rising + 1, warmup_target=FINE_TUNE_RATE, warmup_steps=rising
        )
        fit_classifier(self.network, parts[0], parts[1], fold, rate=rate, epochs=FINE_TUNE_EPOCHS)

    def inputs(self, windows: Windows) -> Floats:
        """Return patches as YAMNet knows them."""
        return self._look(windows)[..., None]

    def size_bytes(self) -> int:
        """Return the size of backbone and head."""
        return parameter_bytes(self.network)


def _build_head() -> keras.Model:
    layers = [
        keras.layers.Dropout(0.3),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(len(LABELS), activation="softmax"),
    ]
    return keras.Sequential([keras.Input((256,)), *layers])


APPROACHES: tuple[Factory, ...] = (
    lambda _: Network(
        "resnet", "E", "a deeper network on mel images, from random weights", build_resnet, log_mel_patches
    ),
    lambda _: Transfer("transfer-yamnet", "E", "a network that has heard much before, unfrozen in stages"),
    lambda _: Transfer(
        "gun-or-not", "C", "one question only: a gunshot or anything else", SoundClass.GUNSHOT
    ),
)
