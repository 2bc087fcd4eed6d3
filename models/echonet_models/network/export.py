"""The released form of the network: probabilities out, weights in 16 bits, and which tensor of the file is which."""

from dataclasses import dataclass
import hashlib

import keras
import numpy as np
from numpy.typing import NDArray

from ..errors import ModelsError
from .ears import BANDS, WINDOW_FRAMES, Ears
from .litert import Runner, to_tflite

# How far a probability of the file may be from the network's: 16-bit weights cost less.
AGREEMENT = 0.02
OUTPUTS = ("probabilities", "audioset", "embedding")


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
    inference = _inference(ears, slopes, offsets)
    content = to_tflite(inference, half=True)
    file = Runner(content)
    sizes = {name: tensor.shape[-1] for name, tensor in zip(OUTPUTS, inference.outputs, strict=True)}
    names = {int(output["shape"][-1]): str(output["name"]) for output in file.outputs}
    worst = 0.0
    generator = np.random.default_rng(0)
    for _ in range(8):
        window = generator.normal(-0.5, 0.5, (1, WINDOW_FRAMES, BANDS)).astype(np.float32)
        found = {len(values): values for values in file(window)}
        for expected in inference(window, training=False)[:2]:
            worst = max(worst, float(np.abs(found[expected.shape[-1]] - np.asarray(expected)[0]).max()))
    if worst > AGREEMENT:
        raise ModelsError(
            f"the converted file is {worst:.3f} off the network: the converter has changed, look at litert.py"
        )
    tensors = {"input": str(file.input["name"])} | {name: names[size] for name, size in sizes.items()}
    return Conversion(content, tensors, sizes["embedding"], worst)


def _inference(ears: Ears, slopes: NDArray[np.float32], offsets: NDArray[np.float32]) -> keras.Model:
    """Return the network for one window, with calibrated probabilities for logits."""
    window = keras.Input((WINDOW_FRAMES, BANDS), batch_size=1, name="log_mel")
    logits, audioset, embedding = ears.model(window)
    calibrated = logits * slopes[None] + offsets[None]
    return keras.Model(window, [keras.ops.sigmoid(calibrated), keras.ops.sigmoid(audioset), embedding])
