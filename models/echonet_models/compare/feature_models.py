"""Support vector machine and feed-forward network on rows of features, with and without weights for rare classes."""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Protocol
import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import balanced_accuracy_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from .approach import Progress, Scores
from .features import Floats
from .shared import softmax, stored_bytes

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows of features and their labels, to learn from and to choose by."""

    rows: Floats
    labels: Labels
    tune_rows: Floats
    tune_labels: Labels


class FeatureModel(Protocol):
    """Learns labels from rows of features."""

    weighted: bool

    def fit(self, examples: Examples, *, seed: int, quick: bool, progress: Progress) -> None:
        """Learn; `quick` takes a second."""

    def probabilities(self, rows: Floats) -> Scores:
        """Return the probability of each label of `labels()`, [N, seen]."""

    def labels(self) -> Labels:
        """Return the labels that were seen while learning, in order."""

    def size_bytes(self) -> int:
        """Return the size of what was learned."""


@dataclass
class Svm:
    """Support vector machine with a Gaussian kernel; the penalty of errors is chosen on the tune split.

    Its probabilities are the softmax of its margins: in the right order, and not calibrated.
    """

    weighted: bool = True
    penalties: tuple[float, ...] = (0.1, 0.5, 2.0, 10.0)
    _scaler: StandardScaler = field(default_factory=StandardScaler)
    # Of scikit-learn, which has no types.
    _machine: Any = None

    def fit(self, examples: Examples, *, seed: int, quick: bool, progress: Progress) -> None:
        """Learn once for each penalty and keep the best by balanced accuracy."""
        rows = self._scaler.fit_transform(examples.rows)
        best = -1.0
        penalties = self.penalties[::2] if quick else self.penalties
        for number, penalty in enumerate(penalties, 1):
            machine = SVC(
                C=penalty,
                class_weight="balanced" if self.weighted else None,
                cache_size=500,
                random_state=seed,
            )
            machine.fit(rows, examples.labels)
            reached = 0.0
            if len(penalties) > 1:
                guessed = machine.predict(self._scaler.transform(examples.tune_rows))
                reached = balanced_accuracy(examples.tune_labels, guessed)
            if reached > best:
                best, self._machine = reached, machine
            progress(number / len(penalties))

    def probabilities(self, rows: Floats) -> Scores:
        """Return the softmax of the margins."""
        margins = self._machine.decision_function(self._scaler.transform(rows))
        # Of two labels there is one margin, for the second.
        return softmax(margins if margins.ndim > 1 else np.stack([-margins, margins], axis=1))

    def labels(self) -> Labels:
        """Return the labels of the columns."""
        seen: Labels = self._machine.classes_
        return seen

    def size_bytes(self) -> int:
        """Return the size of the support vectors, their weights and the scaling."""
        machine = self._machine
        arrays = (machine.support_vectors_, machine.dual_coef_, machine.intercept_)
        return stored_bytes([*arrays, self._scaler.mean_, self._scaler.scale_])


@dataclass
class Fnn:
    """Feed-forward network with two hidden layers; it ends in the epoch that was best on the tune split."""

    weighted: bool = True
    hidden: tuple[int, ...] = (128, 64)
    epochs: int = 40
    _scaler: StandardScaler = field(default_factory=StandardScaler)
    _network: Any = None

    def fit(self, examples: Examples, *, seed: int, quick: bool, progress: Progress) -> None:
        """Learn with Adam, batches of 64, and a small weight decay."""
        rows = self._scaler.fit_transform(examples.rows)
        tune_rows = self._scaler.transform(examples.tune_rows)
        network = MLPClassifier(self.hidden, alpha=1e-3, batch_size=min(64, len(rows)), random_state=seed)
        weights = class_weights(examples.labels) if self.weighted else np.ones(len(rows))
        seen, best = np.unique(examples.labels), -1.0
        for epoch in range(self.epochs // 2 if quick else self.epochs):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                network.partial_fit(rows, examples.labels, classes=seen, sample_weight=weights)
            reached = balanced_accuracy(examples.tune_labels, network.predict(tune_rows))
            if reached > best:
                best, self._network = reached, deepcopy(network)
            progress((epoch + 1) / self.epochs)

    def probabilities(self, rows: Floats) -> Scores:
        """Return the network's softmax."""
        scores: Scores = self._network.predict_proba(self._scaler.transform(rows)).astype(np.float32)
        return scores

    def labels(self) -> Labels:
        """Return the labels of the columns."""
        seen: Labels = self._network.classes_
        return seen

    def size_bytes(self) -> int:
        """Return the size of the weights and of the scaling."""
        network = self._network
        return stored_bytes([*network.coefs_, *network.intercepts_, self._scaler.mean_, self._scaler.scale_])


def class_weights(labels: Labels) -> NDArray[np.float64]:
    """Return a weight per example, mean 1, with which every class counts as much as any other."""
    _, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights: NDArray[np.float64] = len(labels) / (len(counts) * counts[place])
    return weights


def balanced_accuracy(labels: Labels, guessed: Labels) -> float:
    """Return the mean recall over the labels there are."""
    with warnings.catch_warnings():
        # A guess that is none of the labels counts as wrong, which is all that the warning says.
        warnings.simplefilter("ignore", UserWarning)
        return float(balanced_accuracy_score(labels, guessed))
