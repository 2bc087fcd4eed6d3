"""The released form of the networks: probabilities out, weights in 16 bits, and which tensor of the file is which."""

from collections.abc import Mapping
from dataclasses import dataclass
import hashlib

import keras
import numpy as np
from numpy.typing import NDArray

from ..errors import ModelsError
from .ears import Ears
from .litert import Runner, to_tflite

# How far a probability of the file may be from the network's: 16-bit weights cost less.
AGREEMENT = 0.02


@dataclass(frozen=True, slots=True)
class Conversion:
    """A converted network: the file, what its tensors are called, and the largest difference that was found."""

    content: bytes
    tensors: dict[str, str]
    embedding_size: int
    largest_difference: float

    @property
    def sha256(self) -> str:
        """The hash of the file."""
        return hashlib.sha256(self.content).hexdigest()


def convert(ears: Ears, slopes: NDArray[np.float32], offsets: NDArray[np.float32]) -> Conversion:
    """Return the network as a LiteRT file that gives calibrated probabilities: sigmoid(slope * logit + offset).

    Raises:
        ModelsError: the file computes something else than the network.
    """
    window = keras.Input(ears.model.input_shape[1:], batch_size=1, name="log_mel")
    logits, audioset, embedding = ears.model(window)
    calibrated = logits * slopes[None] + offsets[None]
    outputs = {
        "probabilities": keras.ops.sigmoid(calibrated),
        "audioset": keras.ops.sigmoid(audioset),
        "embedding": embedding,
    }
    return _converted(window, outputs)


def convert_second_look(ears: Ears, slopes: NDArray[np.float32], offsets: NDArray[np.float32]) -> Conversion:
    """Return the network as a LiteRT file that gives calibrated logits: slope * logit + offset.

    Raises:
        ModelsError: the file computes something else than the network.
    """
    window = keras.Input(ears.model.input_shape[1:], batch_size=1, name="log_mel")
    return _converted(window, {"logits": ears.model(window)[0] * slopes[None] + offsets[None]})


def _converted(window: keras.KerasTensor, outputs: Mapping[str, keras.KerasTensor]) -> Conversion:
    inference = keras.Model(window, list(outputs.values()))
    content = to_tflite(inference, half=True)
    file = Runner(content)
    names = {int(output["shape"][-1]): str(output["name"]) for output in file.outputs}
    worst = 0.0
    generator = np.random.default_rng(0)
    for _ in range(8):
        given = generator.normal(-0.5, 0.5, (1, *inference.input_shape[1:])).astype(np.float32)
        found = {len(values): values for values in file(given)}
        told = inference(given, training=False)
        for name, expected in zip(outputs, told if len(outputs) > 1 else [told], strict=True):
            if name != "embedding":  # it has no scale of its own
                pair = np.stack((found[expected.shape[-1]], np.asarray(expected)[0]))
                pair = 1 / (1 + np.exp(-pair)) if name == "logits" else pair
                worst = max(worst, float(np.abs(pair[0] - pair[1]).max()))
    if worst > AGREEMENT:
        raise ModelsError(
            f"the converted file is {worst:.3f} off the network: the converter has changed, look at litert.py"
        )
    tensors = {"input": str(file.input["name"])}
    tensors |= {name: names[int(tensor.shape[-1])] for name, tensor in outputs.items()}
    embedding_size = int(outputs["embedding"].shape[-1]) if "embedding" in outputs else 0
    return Conversion(content, tensors, embedding_size, worst)
