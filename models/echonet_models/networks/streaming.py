"""The streaming network: causal convolutions and a recurrent layer, built once for sequences and once for steps.

The two forms share their layers. The sequence form sees whole recordings (training, fast evaluation); the step form
sees 16 new log-mel frames and the states of the step before (the satellite). Fed the same sound they agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
import math
from typing import Any, NamedTuple

import keras
from keras import layers
import numpy as np

from ..embeddings import EMBEDDING_SIZE
from ..portraits import MN04_OUTPUTS, MN04_SIZE, YAMNET_OUTPUTS
from ..teachers import FIRST_TAUGHT_OUTPUT, TAUGHT_OUTPUTS, TEACHER_CLASSES
from .contrast import Contrast, contrast

# A batch holds 30,000 frames: its statistics need little averaging, and a short training must not keep its first.
MOMENTUM = 0.9

# A teacher of hundreds of classes hears nearly none of them at a time; starting there keeps its first loss small.
RARELY = -5.0

KERNEL = 3


class Convolution(NamedTuple):
    """A 3 x 3 convolution, causal in time: its channels, its strides, and whether it adds to what it was given."""

    channels: int
    time_stride: int
    frequency_stride: int
    residual: bool = False

    @property
    def past(self) -> int:
        """How many frames of the past it keeps from step to step."""
        return KERNEL - self.time_stride


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamingShape:
    """Sizes of the network.

    `convolutions` follow one another from the log-mel frames to one row per output. The product of their strides in
    time is the number of frames an output covers. Strides come first: most of the cost of a network that hears every
    10 ms lies where it still has all frames and bands.
    """

    n_mels: int = 64
    step_frames: int = 16
    convolutions: tuple[Convolution, ...] = (
        Convolution(24, 2, 2),
        Convolution(40, 2, 2),
        Convolution(72, 2, 2),
        Convolution(112, 1, 2),
        Convolution(112, 1, 1, residual=True),
        Convolution(112, 1, 1, residual=True),
    )
    bottleneck: int = 160
    recurrent: int = 224
    dropout: float = 0.2
    classes: int = 8
    teacher_classes: int = TEACHER_CLASSES

    @property
    def outputs_per_step(self) -> int:
        """How many outputs the frames of a step give."""
        return self.step_frames // self.frames_per_output

    @property
    def frames_per_output(self) -> int:
        """How many frames an output covers."""
        return math.prod(convolution.time_stride for convolution in self.convolutions)

    def to_json(self) -> dict[str, object]:
        """Return the sizes as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, sizes: Mapping[str, Any]) -> "StreamingShape":
        """Return the shape that `to_json` wrote."""
        convolutions = tuple(Convolution(*values) for values in sizes["convolutions"])
        return cls(**{**sizes, "convolutions": convolutions})


class StreamingNetwork:
    """The layers of the network and its two forms."""

    def __init__(self, shape: StreamingShape) -> None:
        """Create the layers, with random weights."""
        self.shape = shape
        self._normalise = layers.BatchNormalization(
            axis=2, momentum=MOMENTUM, center=False, scale=False, name="normalise"
        )
        self._contrast = Contrast(shape.frames_per_output, name="contrast")
        self._convolutions = [
            layers.Conv2D(
                convolution.channels,
                KERNEL,
                strides=(convolution.time_stride, convolution.frequency_stride),
                padding="valid",
                use_bias=False,
                name=f"conv{number}",
            )
            for number, convolution in enumerate(shape.convolutions)
        ]
        self._norms = [
            layers.BatchNormalization(momentum=MOMENTUM, name=f"norm{number}")
            for number in range(len(shape.convolutions))
        ]
        self._dense = layers.Dense(shape.bottleneck, activation="relu", name="bottleneck")
        self._gru = layers.GRU(shape.recurrent, return_sequences=True, name="gru")
        self._step_gru = layers.GRU(
            shape.recurrent, return_sequences=True, return_state=True, unroll=True, name="step_gru"
        )
        self._head = layers.Dense(shape.classes, name="head")
        self._pupil = layers.Dense(
            shape.teacher_classes, bias_initializer=keras.initializers.Constant(RARELY), name="pupil"
        )
        self._yamnet = layers.Dense(EMBEDDING_SIZE, name="yamnet")
        self._mn04 = layers.Dense(MN04_SIZE, name="mn04")
        # Until an assistant has been learned from, to heed it changes nothing.
        self._assisted = layers.Dense(shape.classes, kernel_initializer="zeros", name="assisted")
        self.sequence, self.pupil = self._build_sequence()

    def _build_sequence(self) -> tuple[keras.Model, keras.Model]:
        """Return the form over whole sequences, alone and with what it learns from the teacher.

        The first: log-mel [B, T, mels] -> logits [B, T / frames per output, classes]. The second gives besides
        logits [B, windows, teacher's classes], each at the output at which the teacher's window has passed, and what
        it all sounds like to each teacher, see `Portraits`, and what the assistant makes of that.
        """
        log_mel = keras.Input((None, self.shape.n_mels), name="log_mel")
        x = self._contrast(self._normalise(log_mel))
        for number, convolution in enumerate(self.shape.convolutions):
            # Frames of the past and none of the future: what makes streaming possible.
            x = self._convolve(number, x, layers.ZeroPadding2D(((convolution.past, 0), (1, 1)))(x))
        x = self._dense(layers.Dropout(self.shape.dropout)(self._flatten(x)))
        x = self._gru(layers.Dropout(self.shape.dropout)(x))
        logits = self._head(layers.Dropout(self.shape.dropout)(x))
        outputs = {
            "classes": logits,
            "taught": self._pupil(x[:, FIRST_TAUGHT_OUTPUT::TAUGHT_OUTPUTS]),
            "yamnet": self._yamnet(x[:, YAMNET_OUTPUTS]),
            "mn04": self._mn04(x[:, MN04_OUTPUTS]),
            "assisted": self._assisted(x),
        }
        return (
            keras.Model(log_mel, logits, name="sequence"),
            keras.Model(log_mel, outputs, name="pupil_and_sequence"),
        )

    def build_step(self) -> keras.Model:
        """Return the form for one step, with the weights of now.

        Inputs are log-mel [1, step frames, mels] and the states; outputs are the probabilities
        [1, outputs per step, classes] and the next states, in the order of `state_shapes`.
        """
        log_mel = keras.Input((self.shape.step_frames, self.shape.n_mels), batch_size=1, name="log_mel")
        states = [
            keras.Input(shape[1:], batch_size=1, name=f"state{number}")
            for number, shape in enumerate(self.state_shapes())
        ]
        x, mean = contrast(self._normalise(log_mel), states[0], self.shape.frames_per_output)
        following = [mean]
        for number, convolution in enumerate(self.shape.convolutions):
            past = layers.Concatenate(axis=1)([states[number + 1], x])
            following.append(past[:, -convolution.past :])
            x = self._convolve(number, x, layers.ZeroPadding2D(((0, 0), (1, 1)))(past))
        x = self._dense(self._flatten(x))
        x, state = self._step_gru(x, initial_state=states[-1])
        self._step_gru.set_weights(self._gru.get_weights())
        following.append(state)
        probabilities = layers.Activation("sigmoid", name="probabilities")(self._head(x))
        return keras.Model([log_mel, *states], [probabilities, *following], name="step")

    def heed(self, shares: Sequence[float]) -> None:
        """Add to each class's logit so much of what the assistant would say of it, in the weights of the last layer."""
        share = np.asarray(shares, np.float32)
        own, assistant = self._head.get_weights(), self._assisted.get_weights()
        self._head.set_weights([value + share * other for value, other in zip(own, assistant, strict=True)])

    def scale_logits(self, slopes: Sequence[float], offsets: Sequence[float]) -> None:
        """Multiply each class's logit and add to it, in the weights of the last layer."""
        kernel, bias = self._head.get_weights()
        slope = np.asarray(slopes, np.float32)
        self._head.set_weights([kernel * slope, bias * slope + np.asarray(offsets, np.float32)])

    def state_shapes(self) -> list[tuple[int, ...]]:
        """Return the shapes of the states: the mean, the past of each convolution, the recurrent state."""
        mels, channels = self.shape.n_mels, 2
        shapes: list[tuple[int, ...]] = [(1, mels)]
        for convolution in self.shape.convolutions:
            shapes.append((1, convolution.past, mels, channels))
            mels, channels = mels // convolution.frequency_stride, convolution.channels
        return [*shapes, (1, self.shape.recurrent)]

    def _convolve(self, number: int, x: Any, padded: Any) -> Any:
        convolved = layers.ReLU()(self._norms[number](self._convolutions[number](padded)))
        return layers.Add()([x, convolved]) if self.shape.convolutions[number].residual else convolved

    @staticmethod
    def _flatten(x: Any) -> Any:
        frames, mels, channels = x.shape[1:]
        return layers.Reshape((-1 if frames is None else frames, mels * channels))(x)
