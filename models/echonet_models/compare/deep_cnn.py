"""The 2D CNNs of papers A, B and E on patches of 96 x 64, and the support vector machine on their features."""

from dataclasses import dataclass
from functools import partial

import keras
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from .approach import Factory, Progress, Scores
from .deep_network import Build, PatchNetwork
from .deep_patches import FRAMES, PATCH
from .deep_training import effort_for, scores
from .shared import BYTES_PER_NUMBER, in_columns, part_of, untrained
from .windows import LABELS, Windows

FEATURES = "features"


@dataclass(frozen=True, slots=True, kw_only=True)
class CnnShape:
    """A network of paper B; what it leaves open (channels, rates) is the usual.

    Attributes:
        kernels: height (time) and width (mels) of the kernel of each layer.
        channels: of each layer.
        pools: pooling after each layer, time x mels.
        dropout: share of the features dropped while learning.
        l2: weight of the squared weights in the loss.
    """

    kernels: tuple[tuple[int, int], ...] = ((3, 3),) * 4
    channels: tuple[int, ...] = (16, 32, 64, 96)
    pools: tuple[tuple[int, int], ...] = ((2, 2), (2, 2), (2, 2), (1, 1))
    dropout: float = 0.0
    l2: float = 0.0


# Long in time first, then wide in frequency: beeps and cries are lines, impulses are columns.
LONG_THEN_WIDE = ((9, 1), (1, 9), (5, 3), (3, 3))


def build_cnn(shape: CnnShape) -> keras.Model:
    """Return a network of convolution, batch normalisation, ReLU and pooling, then a softmax."""
    penalty = keras.regularizers.L2(shape.l2) if shape.l2 else None
    inputs = keras.Input((FRAMES, PATCH.n_mels, 1))
    # Steps of two, as in YAMNet: a quarter of the cost of all that follows.
    strides = (2, 2)
    x = inputs
    for kernel, channels, pool in zip(shape.kernels, shape.channels, shape.pools, strict=True):
        x = keras.layers.Conv2D(
            channels, kernel, strides=strides, padding="same", use_bias=False, kernel_regularizer=penalty
        )(x)
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.ReLU()(x)
        x = keras.layers.MaxPooling2D(pool)(x) if pool != (1, 1) else x
        strides = (1, 1)
    # The mean says what goes on, the maximum what happened once.
    x = keras.layers.Concatenate(name=FEATURES)(
        [keras.layers.GlobalAveragePooling2D()(x), keras.layers.GlobalMaxPooling2D()(x)]
    )
    x = keras.layers.Dropout(shape.dropout)(x) if shape.dropout else x
    x = keras.layers.Dense(64, activation="relu", kernel_regularizer=penalty)(x)
    x = keras.layers.Dropout(shape.dropout)(x) if shape.dropout else x
    outputs = keras.layers.Dense(len(LABELS), activation="softmax", kernel_regularizer=penalty)(x)
    return keras.Model(inputs, outputs)


class CnnSvm:
    """A support vector machine on the features that a CNN has learned (paper A)."""

    name, paper = "cnn-svm", "A"
    purpose = "a margin classifier on learned features, for few examples"

    def __init__(self) -> None:
        """Know nothing yet."""
        self._cnn = PatchNetwork(
            self.name, self.paper, self.purpose, _builder(CnnShape(dropout=0.3, l2=1e-4))
        )
        self._extractor: keras.Model | None = None
        self._machine: Pipeline | None = None
        self._calibration = LogisticRegression(C=1.0, max_iter=500, class_weight="balanced")

    def fit(self, train: Windows, tune: Windows, *, seed: int, quick: bool, progress: Progress) -> None:
        """Train the CNN, then the machine on its features; `tune` turns margins into probabilities."""
        effort = effort_for(quick=quick)
        self._cnn.fit(train, tune, seed=seed, quick=quick, progress=part_of(progress, 0, 0.9))
        network = self._cnn.network
        self._extractor = keras.Model(network.input, network.get_layer(FEATURES).output)
        train, tune = effort.limit(train, seed), effort.limit(tune, seed)
        self._machine = make_pipeline(StandardScaler(), SVC(C=4.0, class_weight="balanced"))
        self._machine.fit(self._features(train), train.labels)
        self._calibration.fit(self._machine.decision_function(self._features(tune)), tune.labels)
        progress(1.0)

    def predict(self, windows: Windows) -> Scores:
        """Return the calibrated margins."""
        margins = self._trained().decision_function(self._features(windows))
        return in_columns(self._calibration.predict_proba(margins), self._calibration.classes_)

    def size_bytes(self) -> int:
        """Return the size of the CNN up to its features, and of the machine's support vectors."""
        extractor = 0 if self._extractor is None else self._extractor.count_params() * BYTES_PER_NUMBER
        machine = self._trained()[-1]
        numbers = machine.support_vectors_.size + machine.dual_coef_.size + self._calibration.coef_.size
        return int(extractor + numbers * BYTES_PER_NUMBER)

    def _features(self, windows: Windows) -> Scores:
        return scores(self._extractor, self._cnn.inputs(windows))

    def _trained(self) -> Pipeline:
        if self._machine is None:
            raise untrained(self.name)
        return self._machine


def _builder(shape: CnnShape) -> Build:
    return partial(build_cnn, shape)


def _cnn(name: str, paper: str, purpose: str, shape: CnnShape) -> Factory:
    return lambda _material: PatchNetwork(name, paper, purpose, _builder(shape))


APPROACHES: tuple[Factory, ...] = (
    _cnn("cnn-1", "B", "the plain network on mel images", CnnShape()),
    _cnn("cnn-2", "B", "the same with dropout, for few recordings", CnnShape(dropout=0.4)),
    _cnn("cnn-3", "B", "the same with long and wide kernels", CnnShape(kernels=LONG_THEN_WIDE)),
    _cnn("cnn-1-regularised", "E", "the first with L2 and dropout", CnnShape(dropout=0.4, l2=1e-3)),
    _cnn(
        "cnn-3-regularised",
        "E",
        "the third with L2 and dropout",
        CnnShape(kernels=LONG_THEN_WIDE, dropout=0.4, l2=1e-3),
    ),
    lambda _material: CnnSvm(),
)
