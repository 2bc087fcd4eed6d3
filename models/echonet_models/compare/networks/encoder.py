"""Encoder and classifier (paper B): a public network's embedding, never trained here, and a head that is."""

from functools import cache, partial

import keras
import numpy as np
from tensorflow.lite.tools import flatbuffer_utils

from ...data.teachers import YAMNET_FILE, YAMNET_WINDOW, teachers_directory
from ...errors import ModelsError
from ...network.litert import Runner
from ..approach import Factory
from ..windows import LABELS, WINDOW, Floats, Remembered
from .training import Network

EMBEDDING_SIZE = 1024
HIDDEN = 128
_TENSOR = "tower0/network/layer28/reduce_mean"


@Remembered
def embeddings(samples: Floats) -> Floats:
    """Return YAMNet's embeddings of windows, [N, 1024], what its layer before the scores says.

    Raises:
        ModelsError: the file is not the YAMNet that this knows.
    """
    encoder = _encoder()
    scale, zero = encoder.outputs[-1]["quantization"]
    padded = np.pad(samples, ((0, 0), (0, YAMNET_WINDOW - WINDOW)))
    rows = np.stack([encoder(window)[-1].reshape(EMBEDDING_SIZE) for window in padded])
    return np.asarray((rows.astype(np.float32) - zero) * scale)


@cache
def _encoder() -> Runner:
    path = teachers_directory() / YAMNET_FILE
    model = flatbuffer_utils.read_model(str(path))
    graph = model.subgraphs[0]
    names = [tensor.name.decode() for tensor in graph.tensors]
    if names.count(_TENSOR) != 1:
        raise ModelsError(f"{path} is not the YAMNet that its notes name")
    # One more output: asked to keep all tensors instead, the runtime would be half as fast.
    graph.outputs = [*graph.outputs, names.index(_TENSOR)]
    return Runner(bytes(flatbuffer_utils.convert_object_to_bytearray(model)))


class EncoderClassifier(Network):
    """A fully connected softmax classifier on frozen embeddings."""

    def size_bytes(self) -> int:
        """Return the size of the encoder's file (it is stored as integers) and of the head."""
        return (teachers_directory() / YAMNET_FILE).stat().st_size + super().size_bytes()


def build_head(dropout: float) -> keras.Model:
    """Return a network from embeddings [N, 1024, 1] to the probabilities of the classes.

    `dropout` is the share of embedding and hidden layer dropped while learning.
    """
    layers = [
        keras.layers.Flatten(),
        keras.layers.Dropout(dropout),
        keras.layers.Dense(HIDDEN, activation="relu"),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.Dropout(dropout),
        keras.layers.Dense(len(LABELS), activation="softmax"),
    ]
    return keras.Sequential([keras.Input((EMBEDDING_SIZE, 1)), *layers])


BEST = "the best of paper B: what a large network hears, and a small head"
DROPPED = "the same with dropout, for few recordings"
APPROACHES: tuple[Factory, ...] = (
    partial(EncoderClassifier, "encoder-classifier", "B", BEST, partial(build_head, 0.0), embeddings),
    partial(
        EncoderClassifier, "encoder-classifier-dropout", "B", DROPPED, partial(build_head, 0.4), embeddings
    ),
)
