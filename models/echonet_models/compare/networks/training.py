"""How every network of the comparison learns: Adam, class weights, and the best epoch on the tune windows."""

from collections.abc import Callable
import logging
from typing import Any

import keras

from echonet_satellite.protocol import SoundClass

from ..approach import BYTES_PER_NUMBER, Approach
from ..classical.clip_features import class_weights
from ..features.images import Scaling
from ..folds import Fold
from ..windows import LABELS, Floats, Integers, Windows

LEARNING_RATE = 0.001
"""Of papers B and D."""
EPOCHS, PATIENCE, BATCH = 14, 4, 32
QUICK_EPOCHS, QUICK_BATCH = 10, 16

# It warns of many small functions; a comparison of many small networks has them.
logging.getLogger("tensorflow").setLevel(logging.ERROR)


class Network(Approach):
    """A softmax network on what is made of windows."""

    network: keras.Model
    _scaling: Scaling

    def __init__(
        self,
        name: str,
        paper: str,
        purpose: str,
        build: Callable[[], keras.Model],
        look: Callable[[Windows], Floats],
        target: SoundClass | None = None,
    ) -> None:
        """Describe it, see `Approach`; `build` makes a network from what `look` returns to probabilities [N, 9]."""
        self.name, self.paper, self.purpose, self.target = name, paper, purpose, target
        self._build, self._look = build, look

    def fit(self, fold: Fold) -> None:
        """Train until the tune windows get no better."""
        self._scaling = Scaling.of(self._look(fold.train))
        self.network = seeded(self._build, fold.seed)
        learn, tune = ((self.inputs(part), part.labels) for part in (fold.train, fold.tune))
        fit_classifier(self.network, learn, tune, fold)

    def predict(self, windows: Windows) -> Floats:
        """Return the network's softmax."""
        return outputs(self.network, self.inputs(windows))

    def inputs(self, windows: Windows) -> Floats:
        """Return what the network is fed."""
        return self._scaling.apply(self._look(windows))

    def size_bytes(self) -> int:
        """Return the size of the network and of its scaling."""
        return parameter_bytes(self.network) + self._scaling.size_bytes()


def fit_classifier(
    network: keras.Model,
    learn: tuple[Floats, Integers],
    tune: tuple[Floats, Integers],
    fold: Fold,
    *,
    weights: Floats | None = None,
    rate: float | keras.optimizers.schedules.LearningRateSchedule = LEARNING_RATE,
    epochs: int | None = None,
) -> None:
    """Train a softmax network on (inputs, labels); it ends as it was in its best epoch on `tune`.

    Each example counts by `weights`, else so that all classes count alike; `rate` is that of Adam. Where a window gives
    several examples, batches are larger by as much.
    """
    fit_best(
        network,
        keras.losses.SparseCategoricalCrossentropy(),
        (*learn, class_weights(learn[1]) if weights is None else weights),
        (*tune, class_weights(tune[1])),
        rate=rate,
        epochs=epochs or (QUICK_EPOCHS if fold.quick else EPOCHS),
        batch_size=(QUICK_BATCH if fold.quick else BATCH) * len(learn[1]) // len(fold.train),
        patience=QUICK_EPOCHS if fold.quick else PATIENCE,
    )


def fit_best(
    network: keras.Model,
    loss: Any,
    learn: tuple[Any, Any, Any],
    tune: tuple[Any, ...],
    *,
    rate: float | keras.optimizers.schedules.LearningRateSchedule,
    patience: int,
    **options: int,
) -> None:
    """Train a network on (inputs, labels, weights); it ends as it was in its best epoch on `tune`."""
    # Compiling to machine code takes longer than a small network learns.
    network.compile(keras.optimizers.Adam(rate, clipnorm=1.0), loss, jit_compile=False)
    best = keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True)
    inputs, labels, weights = learn
    asked = {"sample_weight": weights, "validation_data": tune, "callbacks": [best], "verbose": 0}
    network.fit(inputs, labels, **asked, **options)


def convolved(
    x: keras.KerasTensor, channels: int, kernel: Any, *, strides: int = 1, penalty: Any = None
) -> keras.KerasTensor:
    """Return a convolution, its batch normalisation and a ReLU."""
    x = keras.layers.Conv2D(
        channels, kernel, strides=strides, padding="same", use_bias=False, kernel_regularizer=penalty
    )(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))


def softmax_head(x: keras.KerasTensor) -> keras.KerasTensor:
    """Return the probabilities of the classes, from a hidden layer."""
    x = keras.layers.Dropout(0.3)(x)
    x = keras.layers.Dense(64, activation="relu")(x)
    x = keras.layers.Dropout(0.3)(x)
    return keras.layers.Dense(len(LABELS), activation="softmax")(x)


def outputs(network: keras.Model, inputs: Any, batch: int = 64) -> Floats:
    """Return the outputs of a network, in batches of one shape as far as possible."""
    predicted: Floats = network.predict(inputs, batch_size=batch, verbose=0)
    return predicted


def parameter_bytes(*networks: keras.Model) -> int:
    """Return the size of the networks' parameters, stored as float32."""
    return BYTES_PER_NUMBER * sum(int(network.count_params()) for network in networks)


def seeded(build: Callable[[], keras.Model], seed: int) -> keras.Model:
    """Return a network whose first weights, order of examples and dropout all follow from the seed."""
    keras.utils.set_random_seed(seed)
    return build()
