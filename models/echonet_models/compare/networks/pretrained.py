"""Public weights to start from: the first layers of the Keras YAMNet, which can be trained further."""

import json
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from ...errors import ModelsError
from ..features.images import FRAMES, PATCH

WEIGHTS_FILE = "st_yamnet_256_f32.h5"
# What a layer of each kind is told, and the names of its weights in the order in which Keras takes them.
_SHAPE = ("kernel_size", "strides", "padding", "use_bias")
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Conv2D": (("filters", *_SHAPE), ("kernel",)),
    "DepthwiseConv2D": (_SHAPE, ("depthwise_kernel",)),
    "BatchNormalization": (("momentum", "epsilon", "scale"), ("beta", "moving_mean", "moving_variance")),
    "ReLU": ((), ()),
}


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
