"""An approach that is one network on log-mel patches: what the 2D CNNs and the ResNets of the papers share."""

from collections.abc import Callable

import keras
import numpy as np

from .approach import Progress, Scores
from .deep_patches import Scaling, log_mel_patches
from .deep_training import effort_for, fit_classifier, parameter_bytes, scores, seeded
from .shared import untrained
from .windows import Windows

Build = Callable[[], keras.Model]
"""Makes a network that learned nothing: a patch [96, 64, 1] to the probabilities of the classes."""


class PatchNetwork:
    """A softmax network on standardised log-mel patches."""

    def __init__(self, name: str, paper: str, purpose: str, build: Build) -> None:
        """Describe it, see `Approach`; `build` makes the network."""
        self.name, self.paper, self.purpose = name, paper, purpose
        self._build = build
        self._network: keras.Model | None = None
        self._scaling: Scaling | None = None

    def fit(self, train: Windows, tune: Windows, *, seed: int, quick: bool, progress: Progress) -> None:
        """Train until the tune split gets no better."""
        effort = effort_for(quick=quick)
        train, tune = effort.limit(train, seed), effort.limit(tune, seed)
        patches = log_mel_patches(train.samples)
        self._scaling = Scaling.of(patches)
        self._network = seeded(self._build, seed)
        learn = (self._scaling.apply(patches), train.labels)
        fit_classifier(self._network, learn, (self.inputs(tune), tune.labels), effort, progress)

    def predict(self, windows: Windows) -> Scores:
        """Return the network's softmax."""
        return scores(self.network, self.inputs(windows))

    def inputs(self, windows: Windows) -> Scores:
        """Return what the network is fed, [N, 96, 64, 1]."""
        if self._scaling is None:
            raise untrained(self.name)
        return self._scaling.apply(log_mel_patches(windows.samples))

    @property
    def network(self) -> keras.Model:
        """The trained network."""
        if self._network is None:
            raise untrained(self.name)
        return self._network

    def size_bytes(self) -> int:
        """Return the size of the network and of its scaling."""
        return parameter_bytes([self.network]) + (self._scaling.size_bytes() if self._scaling else 0)


def rows_to_one(weights: Scores) -> Scores:
    """Return non-negative rows [N, classes], each divided by its sum."""
    positive = np.maximum(weights, np.float32(1e-9))
    shares: Scores = (positive / positive.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares
