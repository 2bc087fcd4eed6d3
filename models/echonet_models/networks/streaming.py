"""The streaming network: causal convolutions and a recurrent layer, built once for sequences and once for steps.

The two forms share their layers. The sequence form sees whole recordings (training, fast evaluation); the step form
sees 16 new log-mel frames and the states of the step before (the satellite). Fed the same sound they agree.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras
from keras import layers

from ..teachers import HOP, TEACHER_CLASSES, WINDOW

# A batch holds 30,000 frames: its statistics need little averaging, and a short training must not keep its first.
MOMENTUM = 0.9

# A teacher of hundreds of classes hears nearly none of them at a time; starting there keeps its first loss small.
RARELY = -5.0

# The teacher's window k ends in output 12 + 6 k, counted in the 80 ms of the outputs.
OUTPUT_SAMPLES = 1280
FIRST_TAUGHT_OUTPUT = WINDOW // OUTPUT_SAMPLES
TAUGHT_OUTPUTS = HOP // OUTPUT_SAMPLES


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamingShape:
    """Sizes of the network.

    `channels` and `time_pools` describe one convolution block each: a 3 x 3 convolution that is causal in time and
    halves frequency, then max pooling over so many frames. The product of `time_pools` is the number of frames an
    output covers.
    """

    n_mels: int = 64
    step_frames: int = 16
    channels: tuple[int, ...] = (16, 32, 64, 96)
    time_pools: tuple[int, ...] = (2, 2, 2, 1)
    bottleneck: int = 128
    recurrent: int = 128
    dropout: float = 0.2
    classes: int = 8
    teacher_classes: int = TEACHER_CLASSES

    def to_json(self) -> dict[str, object]:
        """Return the sizes as plain values."""
        return asdict(self)


class StreamingNetwork:
    """The layers of the network and its two forms."""

    def __init__(self, shape: StreamingShape) -> None:
        """Create the layers, with random weights."""
        self.shape = shape
        self._normalise = layers.BatchNormalization(
            axis=2, momentum=MOMENTUM, center=False, scale=False, name="normalise"
        )
        self._convolutions = [
            layers.Conv2D(channels, 3, strides=(1, 2), padding="valid", use_bias=False, name=f"conv{number}")
            for number, channels in enumerate(shape.channels)
        ]
        self._norms = [
            layers.BatchNormalization(momentum=MOMENTUM, name=f"norm{number}")
            for number in range(len(shape.channels))
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
        self.sequence, self.pupil = self._build_sequence()

    def _build_sequence(self) -> tuple[keras.Model, keras.Model]:
        """Return the form over whole sequences, alone and with what it learns from the teacher.

        The first: log-mel [B, T, mels] -> logits [B, T / frames per output, classes]. The second gives besides
        logits [B, windows, teacher's classes], each at the output at which the teacher's window has passed.
        """
        log_mel = keras.Input((None, self.shape.n_mels), name="log_mel")
        x = layers.Reshape((-1, self.shape.n_mels, 1))(self._normalise(log_mel))
        for convolution, norm, pool in zip(
            self._convolutions, self._norms, self.shape.time_pools, strict=True
        ):
            # Two frames of the past and none of the future: what makes streaming possible.
            x = convolution(layers.ZeroPadding2D(((2, 0), (1, 1)))(x))
            x = self._activate(norm(x), pool)
        x = self._dense(layers.Dropout(self.shape.dropout)(self._flatten(x)))
        x = self._gru(layers.Dropout(self.shape.dropout)(x))
        logits = self._head(layers.Dropout(self.shape.dropout)(x))
        taught = self._pupil(x[:, FIRST_TAUGHT_OUTPUT::TAUGHT_OUTPUTS])
        sequence = keras.Model(log_mel, logits, name="sequence")
        return sequence, keras.Model(
            log_mel, {"classes": logits, "taught": taught}, name="pupil_and_sequence"
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
        following = []
        x = layers.Reshape((self.shape.step_frames, self.shape.n_mels, 1))(self._normalise(log_mel))
        for number, (convolution, norm, pool) in enumerate(
            zip(self._convolutions, self._norms, self.shape.time_pools, strict=True)
        ):
            x = layers.Concatenate(axis=1)([states[number], x])
            following.append(x[:, -2:])
            x = self._activate(norm(convolution(layers.ZeroPadding2D(((0, 0), (1, 1)))(x))), pool)
        x = self._dense(self._flatten(x))
        x, state = self._step_gru(x, initial_state=states[-1])
        self._step_gru.set_weights(self._gru.get_weights())
        following.append(state)
        probabilities = layers.Activation("sigmoid", name="probabilities")(self._head(x))
        return keras.Model([log_mel, *states], [probabilities, *following], name="step")

    def state_shapes(self) -> list[tuple[int, ...]]:
        """Return the shapes of the states: two frames before each convolution, then the recurrent state."""
        shapes: list[tuple[int, ...]] = []
        mels, channels = self.shape.n_mels, 1
        for following in self.shape.channels:
            shapes.append((1, 2, mels, channels))
            mels, channels = mels // 2, following
        return [*shapes, (1, self.shape.recurrent)]

    @staticmethod
    def _activate(x: Any, pool: int) -> Any:
        x = layers.ReLU()(x)
        return layers.MaxPooling2D((pool, 1))(x) if pool > 1 else x

    @staticmethod
    def _flatten(x: Any) -> Any:
        frames, mels, channels = x.shape[1:]
        return layers.Reshape((-1 if frames is None else frames, mels * channels))(x)


def frames_per_output(time_pools: Sequence[int]) -> int:
    """Return how many log-mel frames one output covers."""
    product = 1
    for pool in time_pools:
        product *= pool
    return product
