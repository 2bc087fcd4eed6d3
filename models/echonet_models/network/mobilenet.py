"""MobileNetV3 of EfficientAT (`mn04_as`), as a Keras network that can be trained on, at any number of bands and frames.

F. Schmid, K. Koutini, G. Widmer: "Efficient large-scale audio tagging via transformer-to-CNN knowledge distillation",
ICASSP 2023; A. Howard et al.: "Searching for MobileNetV3", ICCV 2019. The topology is read off the checkpoint.
"""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from .checkpoints import State

AUDIOSET_CLASSES = 527

_STRIDED_BLOCKS = frozenset({2, 4, 7, 13})
_FIRST_HARD_SWISH_BLOCK = 7
_LAST_BLOCK = 15
_EPSILON = 1e-3
_MEAN = "-mean"

layers = keras.layers


class _Normalization(keras.layers.BatchNormalization):  # type: ignore[misc] # Keras is not typed
    """Batch normalisation by what mn04 found in AudioSet, in training too: a batch of ours knows less of sounds."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        del training
        return super().call(inputs, training=False, mask=mask)


def build_backbone(log_mel: keras.KerasTensor, state: State) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Build the network over `log_mel` [n, bands, frames, 1] with the shapes that `state` has weights for.

    Returns the embedding [n, 384] and AudioSet's logits [n, 527]. Layers are named after the checkpoint's, so that
    `load_state` can fill them.
    """
    x = _convolve(log_mel, state, "features.0", stride=2, activation="hard_swish")
    for block in range(1, _LAST_BLOCK + 1):
        x = _residual_block(x, state, block)
    x = _convolve(x, state, f"features.{_LAST_BLOCK + 1}", activation="hard_swish")
    embedding = _mean(x, "classifier.2")
    hidden = _dense(embedding, state, "classifier.2", activation="hard_swish")
    return embedding, _dense(hidden, state, "classifier.5")


def means(network: keras.Model) -> Iterator[tuple[keras.layers.Layer, keras.layers.Dense]]:
    """Yield each layer that takes the mean over a window, in order, and the layer that it is given to."""
    for layer in network.layers:
        if layer.name.endswith(_MEAN):
            yield layer, network.get_layer(layer.name.removesuffix(_MEAN))


def load_state(network: keras.Model, state: State) -> None:
    """Fill the layers of a backbone with the weights of a checkpoint."""
    for layer in network.layers:
        name = layer.name.replace("-", ".")
        if isinstance(layer, layers.BatchNormalization):
            parts = ("weight", "bias", "running_mean", "running_var")
            layer.set_weights([state[f"{name}.{part}"] for part in parts])
        elif isinstance(layer, layers.DepthwiseConv2D):
            layer.set_weights([np.transpose(state[f"{name}.weight"], (2, 3, 0, 1))])
        elif isinstance(layer, layers.Conv2D):
            layer.set_weights([np.transpose(state[f"{name}.weight"], (2, 3, 1, 0))])
        elif isinstance(layer, layers.Dense) and f"{name}.weight" in state:
            layer.set_weights([state[f"{name}.weight"].T, state[f"{name}.bias"]])


def _residual_block(inputs: keras.KerasTensor, state: State, block: int) -> keras.KerasTensor:
    activation = "hard_swish" if block >= _FIRST_HARD_SWISH_BLOCK else "relu"
    name = f"features.{block}.block"
    stride = 2 if block in _STRIDED_BLOCKS else 1
    convolutions = [f"{name}.{index}" for index in range(4) if f"{name}.{index}.0.weight" in state]
    x = inputs
    for layer in convolutions[:-1]:
        wide = state[f"{layer}.0.weight"].shape[-1] > 1
        x = _convolve(x, state, layer, stride=stride if wide else 1, activation=activation)
    excitation = f"{name}.{len(convolutions) - 1}.conc_se_layers.0"
    if f"{excitation}.fc1.weight" in state:
        squeezed = _mean(x, f"{excitation}.fc1", keepdims=True)
        squeezed = _dense(squeezed, state, f"{excitation}.fc1", activation="relu")
        x = layers.Multiply()([x, _dense(squeezed, state, f"{excitation}.fc2", activation="sigmoid")])
    x = _convolve(x, state, convolutions[-1])
    return layers.Add()([x, inputs]) if stride == 1 and x.shape[-1] == inputs.shape[-1] else x


def _convolve(
    x: keras.KerasTensor, state: State, name: str, *, stride: int = 1, activation: str | None = None
) -> keras.KerasTensor:
    """Apply a convolution, padded evenly on both sides as PyTorch does, and its batch normalisation."""
    outputs, own_inputs, size, _ = state[f"{name}.0.weight"].shape
    if size > 1:
        x = layers.ZeroPadding2D(size // 2)(x)
    own = name.replace(".", "-")
    if own_inputs == 1 and x.shape[-1] > 1:
        x = layers.DepthwiseConv2D(size, strides=stride, use_bias=False, name=f"{own}-0")(x)
    else:
        x = layers.Conv2D(outputs, size, strides=stride, use_bias=False, name=f"{own}-0")(x)
    x = _Normalization(epsilon=_EPSILON, name=f"{own}-1")(x)
    return layers.Activation(activation)(x) if activation else x


def _dense(x: keras.KerasTensor, state: State, name: str, activation: str | None = None) -> keras.KerasTensor:
    return layers.Dense(len(state[f"{name}.bias"]), activation=activation, name=name.replace(".", "-"))(x)


def _mean(x: keras.KerasTensor, taker: str, *, keepdims: bool = False) -> keras.KerasTensor:
    name = taker.replace(".", "-") + _MEAN
    return layers.GlobalAveragePooling2D(keepdims=keepdims, name=name)(x)
