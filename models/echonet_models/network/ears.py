"""EchoNet's networks: what `mn04` knows, heard in windows of 1.6 s or 4.8 s, and our classes read from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from ..data.teachers import MN04_FILE
from ..errors import ModelsError
from .checkpoints import read_state
from .mobilenet import build_backbone, load_state
from .regression import Regression, features

WINDOW_FRAMES = 160
SECOND_LOOK_FRAMES = 480
BANDS = 104
CLASSES = 8
_DROPOUT = 0.2

layers = keras.layers


@dataclass(frozen=True, slots=True)
class Ears:
    """The network in the form that is trained.

    `model` takes log-mel windows [n, frames, 104] and gives logits: of our classes [n, 8], of AudioSet's [n, 527], and
    the embedding [n, 384].
    """

    model: keras.Model
    head: keras.layers.Dense

    def begin_with(self, regression: Regression) -> None:
        """Let the head say what the regression says, until it is trained."""
        kernel = np.zeros(self.head.kernel.shape, np.float32)
        kernel[: len(regression.kernel)] = regression.kernel
        self.head.set_weights([kernel, regression.bias])

    @property
    def body_variables(self) -> list[keras.Variable]:
        """What came from mn04 and is trained on."""
        own = {id(variable) for variable in self.head.trainable_variables}
        return [variable for variable in self.model.trainable_variables if id(variable) not in own]


def pretrained(teachers: Path, meanings: Sequence[Sequence[int]], frames: int = WINDOW_FRAMES) -> Ears:
    """Return the network for windows of so many frames with the weights of mn04; the head waits for `begin_with`.

    `meanings` are for each of our classes the AudioSet classes that mean it.
    """
    state = read_state(teachers / MN04_FILE)
    log_mel = keras.Input((frames, BANDS), name="log_mel")
    pixels = layers.Permute((2, 1))(log_mel)
    pixels = layers.Reshape((BANDS, frames, 1))(pixels)
    embedding, audioset = build_backbone(pixels, state)
    known = features(audioset, meanings)
    head = layers.Dense(CLASSES, kernel_initializer="zeros", name="head")
    logits = head(layers.Concatenate()([known, layers.Dropout(_DROPOUT)(embedding)]))
    model = keras.Model(log_mel, [logits, audioset, embedding])
    load_state(model, state)
    return Ears(model, head)


def save_weights(path: Path, model: keras.Model) -> None:
    """Write all weights, in 32 bits, by position."""
    with path.open("wb") as stream:
        np.savez(stream, **{f"{number:03d}": value for number, value in enumerate(model.get_weights())})


def load_weights(path: Path, model: keras.Model) -> None:
    """Fill a network with stored weights.

    Raises:
        ModelsError: they are not there, or are another network's.
    """
    try:
        with np.load(path) as stored:
            values = [stored[name].astype(np.float32) for name in sorted(stored.files)]
        model.set_weights(values)
    except (OSError, ValueError) as error:
        raise ModelsError(f"cannot take weights from {path}: {error}") from None
