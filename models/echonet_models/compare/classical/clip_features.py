"""Paper E's baselines on the 17 clip features, and paper C's question (gun or not) asked of the same features."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_sample_weight

from echonet_satellite.protocol import SoundClass

from ..approach import Approach, Factory, in_columns, stored_bytes
from ..features.handmade import clip_features
from ..folds import Fold
from ..windows import Floats, Integers, Windows

# Of scikit-learn, which has no types.
Machine = Any
Learn = Callable[[Floats, Integers, int], list[Machine]]
"""Rows, labels and a seed: machines that learned them, of which the best on the tune windows is kept."""


def support_vectors(
    penalties: Sequence[float], rows: Floats, labels: Integers, _seed: int, *, weighted: bool = True
) -> list[Machine]:
    """Return support vector machines with a Gaussian kernel, one for each penalty of errors."""
    balance = "balanced" if weighted else None
    return [SVC(C=penalty, class_weight=balance, cache_size=500).fit(rows, labels) for penalty in penalties]


def feed_forward(
    epochs: Sequence[int], rows: Floats, labels: Integers, seed: int, *, weighted: bool = True
) -> list[Machine]:
    """Return networks with two hidden layers, one for each number of epochs; Adam, a small weight decay."""
    weights = class_weights(labels) if weighted else np.ones(len(labels))
    chosen = {"alpha": 1e-3, "batch_size": min(64, len(rows)), "random_state": seed}
    with warnings.catch_warnings(action="ignore"):
        # That it has not converged is what the epochs are for.
        networks = [MLPClassifier((128, 64), max_iter=count, **chosen) for count in epochs]
        return [network.fit(rows, labels, sample_weight=weights) for network in networks]


class ClipFeatures(Approach):
    """A machine on the clip features of windows."""

    _machine: Machine

    def __init__(
        self, name: str, paper: str, purpose: str, learn: Learn, target: SoundClass | None = None
    ) -> None:
        """Describe it, see `Approach`."""
        self.name, self.paper, self.purpose, self.target = name, paper, purpose, target
        self._learn, self._scaler = learn, StandardScaler()

    def fit(self, fold: Fold) -> None:
        """Learn in several ways and keep the best by balanced accuracy."""
        machines = self._learn(
            self._scaler.fit_transform(clip_features(fold.train)), fold.train.labels, fold.seed
        )
        rows = self._scaler.transform(clip_features(fold.tune))
        self._machine = max(
            machines, key=lambda machine: balanced_accuracy(fold.tune.labels, machine.predict(rows))
        )

    def predict(self, windows: Windows) -> Floats:
        """Return probabilities; those of support vectors are the softmax of their margins, and not calibrated."""
        rows, machine = self._scaler.transform(clip_features(windows)), self._machine
        if isinstance(machine, MLPClassifier):
            return in_columns(machine.predict_proba(rows), machine.classes_)
        margins = machine.decision_function(rows)
        # Of two labels there is one margin, for the second.
        margins = margins if margins.ndim > 1 else np.stack([-margins, margins], axis=1)
        return in_columns(softmax(margins, axis=1), machine.classes_)

    def size_bytes(self) -> int:
        """Return the size of the weights, or of the support vectors and theirs, and of the scaling."""
        machine, scaling = self._machine, (self._scaler.mean_, self._scaler.scale_)
        if isinstance(machine, MLPClassifier):
            return stored_bytes([*machine.coefs_, *machine.intercepts_, *scaling])
        return stored_bytes([machine.support_vectors_, machine.dual_coef_, machine.intercept_, *scaling])


def class_weights(labels: Integers) -> Floats:
    """Return a weight per example, mean 1, with which every class counts as much as any other."""
    return np.asarray(compute_sample_weight("balanced", labels), np.float32)


def balanced_accuracy(labels: Integers, guessed: NDArray[np.integer]) -> float:
    """Return the mean recall over the labels there are."""
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        # A guess that is none of the labels counts as wrong, which is all that the warning says.
        return float(balanced_accuracy_score(labels, guessed))


SVM, FNN = partial(support_vectors, (0.1, 0.5, 2.0, 10.0)), partial(feed_forward, (10, 20, 40))

APPROACHES: tuple[Factory, ...] = (
    partial(ClipFeatures, "svm", "E", "few examples, no accelerator, trained in a minute", SVM),
    partial(ClipFeatures, "fnn", "E", "the smallest network; needs features made by hand", FNN),
    partial(
        ClipFeatures,
        *("gun-svm", "C", "gun or not gun: the baseline of the image network"),
        SVM,
        SoundClass.GUNSHOT,
    ),
)
