"""Public weights to start from: the first layers of the Keras YAMNet, which can be trained further."""

import json
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from ..errors import ModelsError
from .deep_patches import FRAMES, PATCH

WEIGHTS_FILE = "st_yamnet_256_f32.h5"


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
            layers = _chain(json.loads(stored.attrs["model_config"]))
            weights = _weights(stored["model_weights"])
        return _build(layers, weights)
    except (OSError, KeyError, IndexError, ValueError) as error:
        raise ModelsError(f"{path} is not the network that its notes describe: {error}") from None


def _chain(config: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return class and configuration of every layer between the input and the pooling, in order."""
    inner = config["config"]["layers"][1]["config"]["layers"]
    return [(layer["class_name"], layer["config"]) for layer in inner if layer["class_name"] != "InputLayer"]


def _weights(group: h5py.Group) -> dict[str, np.ndarray]:
    """Return every array by its path below the model, as in `layer1/conv/kernel:0`."""
    found: dict[str, np.ndarray] = {}

    def keep(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            found[name.split("/", 1)[1]] = np.asarray(item)

    group.visititems(keep)
    return found


def _build(layers: list[tuple[str, dict[str, Any]]], weights: dict[str, np.ndarray]) -> keras.Model:
    inputs = keras.Input((FRAMES, PATCH.n_mels, 1))
    x, made = inputs, []
    for kind, config in layers:
        layer, names = _layer(kind, config)
        x = layer(x)
        made.append((layer, [weights[f"{config['name']}/{name}:0"] for name in names]))
    network = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))
    for layer, values in made:
        layer.set_weights(values)
    return network


def _layer(kind: str, config: dict[str, Any]) -> tuple[keras.layers.Layer, list[str]]:
    """Return a layer and the names of its weights, in the order in which Keras takes them."""
    if kind == "Conv2D":
        layer = keras.layers.Conv2D(
            config["filters"],
            config["kernel_size"],
            strides=config["strides"],
            padding=config["padding"],
            use_bias=False,
        )
        return layer, ["kernel"]
    if kind == "DepthwiseConv2D":
        layer = keras.layers.DepthwiseConv2D(
            config["kernel_size"], strides=config["strides"], padding=config["padding"], use_bias=False
        )
        return layer, ["depthwise_kernel"]
    if kind == "BatchNormalization":
        layer = keras.layers.BatchNormalization(
            momentum=config["momentum"], epsilon=config["epsilon"], scale=False
        )
        return layer, ["beta", "moving_mean", "moving_variance"]
    if kind == "ReLU":
        return keras.layers.ReLU(), []
    raise ValueError(f"a layer of kind {kind}")
