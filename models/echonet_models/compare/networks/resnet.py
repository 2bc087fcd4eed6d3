"""Residual networks on mel images (papers C and E), from random weights; and networks that start from public ones."""

from functools import partial
import json
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from echonet_satellite.protocol import SoundClass

from ...data.teachers import teachers_directory
from ...errors import ModelsError
from ..approach import Factory
from ..features.images import FRAMES, PATCH, log_mel_patches, yamnet_patches
from ..folds import Fold
from ..windows import LABELS, Floats, Windows
from .training import (
    BATCH,
    EPOCHS,
    Network,
    convolved,
    fit_classifier,
    outputs,
    parameter_bytes,
    seeded,
    softmax_head,
)

CHANNELS = (16, 32, 64)
WEIGHTS_FILE = "st_yamnet_256_f32.h5"
# What a layer of each kind is told, and the names of its weights in the order in which Keras takes them.
_SHAPE = ("kernel_size", "strides", "padding", "use_bias")
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Conv2D": (("filters", *_SHAPE), ("kernel",)),
    "DepthwiseConv2D": (_SHAPE, ("depthwise_kernel",)),
    "BatchNormalization": (("momentum", "epsilon", "scale"), ("beta", "moving_mean", "moving_variance")),
    "ReLU": ((), ()),
}
FINE_TUNE_RATE, WARM_UP = 3e-4, 0.3
# Unfrozen, an epoch costs much more.
FINE_TUNE_EPOCHS = EPOCHS // 3


def build_resnet() -> keras.Model:
    """Return a small residual network (He et al., 2016): a stem, then two blocks of each width."""
    inputs = keras.Input((FRAMES, PATCH.bands, 1))
    x = keras.layers.MaxPooling2D(2)(convolved(inputs, CHANNELS[0], 5, strides=2))
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
    x = convolved(x, channels, 3, strides=stride)
    x = keras.layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    return keras.layers.ReLU()(keras.layers.Add()([past, x]))


class Transfer(Network):
    """YAMNet's first layers with a new head: first the head alone learns, then all of it, slowly (paper C)."""

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
    embedding = keras.Input((256,))
    return keras.Model(embedding, softmax_head(embedding))


def read_yamnet_layers(directory: Path) -> keras.Model:
    """Return YAMNet's first layers: patches [N, 96, 64, 1] of its front end to embeddings [N, 256].

    The file is of Keras 2, whose configuration Keras 3 does not read; it is a chain of layers, rebuilt here one by one.

    Raises:
        ModelsError: the file is not there or not the chain that this knows.
    """
    path = directory / WEIGHTS_FILE
    if not path.is_file():
        raise ModelsError(
            f"no {WEIGHTS_FILE} in {directory}: set ECHONET_TEACHERS to the folder that holds it"
        )
    try:
        with h5py.File(path) as stored:
            config = json.loads(stored.attrs["model_config"])
            return _build(
                config["config"]["layers"][1]["config"]["layers"], _weights(stored["model_weights"])
            )
    except (OSError, KeyError, IndexError, ValueError) as error:
        raise ModelsError(f"{path} is not the network that its notes describe: {error}") from None


def _weights(group: h5py.Group) -> dict[str, np.ndarray]:
    """Return every array by its path below the model, as in `layer1/conv/kernel:0`."""
    found: dict[str, np.ndarray] = {}

    def keep(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            found[name.split("/", 1)[1]] = np.asarray(item)

    group.visititems(keep)
    return found


def _build(layers: list[dict[str, Any]], weights: dict[str, np.ndarray]) -> keras.Model:
    """Return the chain between the input and the pooling."""
    inputs = x = keras.Input((FRAMES, PATCH.bands, 1))
    made = []
    for described in layers:
        kind, config = described["class_name"], described["config"]
        if kind == "InputLayer":
            continue
        told, names = KINDS[kind]
        layer = getattr(keras.layers, kind)(**{key: config[key] for key in told})
        x = layer(x)
        made.append((layer, [weights[f"{config['name']}/{name}:0"] for name in names]))
    network = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))
    for layer, values in made:
        layer.set_weights(values)
    return network


TRANSFER = "a network that has heard much before, unfrozen in stages"
GUN = "one question only: a gunshot or anything else"
DEEPER = "a deeper network on mel images, from random weights"
APPROACHES: tuple[Factory, ...] = (
    partial(Network, "resnet", "E", DEEPER, build_resnet, log_mel_patches),
    partial(Transfer, "transfer-yamnet", "E", TRANSFER, _build_head, yamnet_patches),
    partial(Transfer, "gun-or-not", "C", GUN, _build_head, yamnet_patches, SoundClass.GUNSHOT),
)
