"""The 2D CNNs of papers A, B and E on patches of 96 x 64, and the support vector machine on their features."""

from functools import partial

import keras
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ..approach import BYTES_PER_NUMBER, Factory, in_columns
from ..features.images import FRAMES, PATCH, log_mel_patches
from ..folds import Fold
from ..windows import LABELS, Floats, Windows
from .training import Network, convolved, outputs, parameter_bytes

FEATURES = "features"
# Height (time) and width (mels) of each layer. Long in time first, then wide in frequency: beeps and cries are lines,
# impulses are columns.
SQUARE, LONG_THEN_WIDE = ((3, 3),) * 4, ((9, 1), (1, 9), (5, 3), (3, 3))
# What paper B leaves open is the usual.
CHANNELS = (16, 32, 64, 96)


def build_cnn(
    kernels: tuple[tuple[int, int], ...] = SQUARE, *, dropout: float = 0.0, l2: float = 0.0
) -> keras.Model:
    """Return a network of convolution, batch normalisation, ReLU and pooling, then a softmax.

    `dropout` is the share of the features dropped while learning, `l2` the weight of the squared weights in the loss.
    """
    penalty = keras.regularizers.L2(l2) if l2 else None
    inputs = x = keras.Input((FRAMES, PATCH.bands, 1))
    for layer, (kernel, channels) in enumerate(zip(kernels, CHANNELS, strict=True)):
        # The first steps by two, as in YAMNet: a quarter of the cost of all that follows.
        x = convolved(x, channels, kernel, strides=1 if layer else 2, penalty=penalty)
        x = keras.layers.MaxPooling2D(2)(x) if layer < len(CHANNELS) - 1 else x
    # The mean says what goes on, the maximum what happened once.
    x = keras.layers.Concatenate(name=FEATURES)(
        [keras.layers.GlobalAveragePooling2D()(x), keras.layers.GlobalMaxPooling2D()(x)]
    )
    x = keras.layers.Dense(64, activation="relu", kernel_regularizer=penalty)(
        keras.layers.Dropout(dropout)(x)
    )
    x = keras.layers.Dropout(dropout)(x)
    x = keras.layers.Dense(len(LABELS), activation="softmax", kernel_regularizer=penalty)(x)
    return keras.Model(inputs, x)


class CnnSvm(Network):
    """A support vector machine on the features that a CNN has learned (paper A)."""

    _extractor: keras.Model
    _machine: Pipeline

    def fit(self, fold: Fold) -> None:
        """Train the CNN, then the machine on its features; the tune windows turn margins into probabilities."""
        super().fit(fold)
        self._extractor = keras.Model(self.network.input, self.network.get_layer(FEATURES).output)
        self._machine = make_pipeline(StandardScaler(), SVC(C=4.0, class_weight="balanced"))
        self._machine.fit(self._features(fold.train), fold.train.labels)
        self._calibration = LogisticRegression(C=1.0, max_iter=500, class_weight="balanced")
        self._calibration.fit(self._machine.decision_function(self._features(fold.tune)), fold.tune.labels)

    def predict(self, windows: Windows) -> Floats:
        """Return the calibrated margins."""
        margins = self._machine.decision_function(self._features(windows))
        return in_columns(self._calibration.predict_proba(margins), self._calibration.classes_)

    def size_bytes(self) -> int:
        """Return the size of the CNN up to its features, and of the machine's support vectors."""
        machine = self._machine[-1]
        numbers = machine.support_vectors_.size + machine.dual_coef_.size + self._calibration.coef_.size
        return int(parameter_bytes(self._extractor) + numbers * BYTES_PER_NUMBER)

    def _features(self, windows: Windows) -> Floats:
        return outputs(self._extractor, self.inputs(windows))


def _cnn(name: str, paper: str, purpose: str, *kernels: tuple[int, int], **options: float) -> Factory:
    build = partial(build_cnn, kernels, **options)
    return partial(Network, name, paper, purpose, build, log_mel_patches)


APPROACHES: tuple[Factory, ...] = (
    _cnn("cnn-1", "B", "the plain network on mel images", *SQUARE),
    _cnn("cnn-2", "B", "the same with dropout, for few recordings", *SQUARE, dropout=0.4),
    _cnn("cnn-3", "B", "the same with long and wide kernels", *LONG_THEN_WIDE),
    _cnn("cnn-1-regularised", "E", "the first with L2 and dropout", *SQUARE, dropout=0.4, l2=1e-3),
    _cnn("cnn-3-regularised", "E", "the third with L2 and dropout", *LONG_THEN_WIDE, dropout=0.4, l2=1e-3),
    partial(
        CnnSvm,
        *("cnn-svm", "A", "a margin classifier on learned features, for few examples"),
        *(partial(build_cnn, dropout=0.3, l2=1e-4), log_mel_patches),
    ),
)
