"""Encoder and classifier (paper B): a public network's embedding, never trained here, and a head that is."""

from functools import cache, partial

from ai_edge_litert.interpreter import Interpreter
import keras
import numpy as np
from tensorflow.lite.tools import flatbuffer_utils

from ...data.teachers import YAMNET_FILE, YAMNET_WINDOW, teachers_directory
from ...errors import ModelsError
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
    found = encoder.get_output_details()[-1]
    scale, zero = found["quantization"]
    padded = np.pad(samples, ((0, 0), (0, YAMNET_WINDOW - WINDOW)))
    rows = np.empty((len(samples), EMBEDDING_SIZE), np.float32)
    for row, window in zip(rows, padded, strict=True):
        encoder.set_tensor(encoder.get_input_details()[0]["index"], window)
        encoder.invoke()
        row[:] = (
            encoder.get_tensor(found["index"]).reshape(EMBEDDING_SIZE).astype(np.float32) - zero
        ) * scale
    return rows


@cache
def _encoder() -> Interpreter:
    path = teachers_directory() / YAMNET_FILE
    model = flatbuffer_utils.read_model(str(path))
    graph = model.subgraphs[0]
    names = [tensor.name.decode() for tensor in graph.tensors]
    if names.count(_TENSOR) != 1:
        raise ModelsError(f"{path} is not the YAMNet that its notes name")
    # One more output: asked to keep all tensors instead, the runtime would be half as fast.
    graph.outputs = [*graph.outputs, names.index(_TENSOR)]
    content = bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter


class EncoderClassifier(Network):
    """A fully connected softmax classifier on frozen embeddings."""

    def __init__(self, name: str, purpose: str, dropout: float) -> None:
        """Describe it; `dropout` is the share of embedding and hidden layer dropped while learning."""
        super().__init__(name, "B", purpose, partial(build_head, dropout), embeddings)

    def size_bytes(self) -> int:
        """Return the size of the encoder's file (it is stored as integers) and of the head."""
        return (teachers_directory() / YAMNET_FILE).stat().st_size + super().size_bytes()


def build_head(dropout: float) -> keras.Model:
    """Return a network from embeddings [N, 1024, 1] to the probabilities of the classes."""
    layers = [
        keras.layers.Flatten(),
        keras.layers.Dropout(dropout),
        keras.layers.Dense(HIDDEN, activation="relu"),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.Dropout(dropout),
        keras.layers.Dense(len(LABELS), activation="softmax"),
    ]
    return keras.Sequential([keras.Input((EMBEDDING_SIZE, 1)), *layers])


APPROACHES: tuple[Factory, ...] = (
    lambda _: EncoderClassifier(
        "encoder-classifier", "the best of paper B: what a large network hears, and a small head", 0.0
    ),
    lambda _: EncoderClassifier(
        "encoder-classifier-dropout", "the same with dropout, for few recordings", 0.4
    ),
)
