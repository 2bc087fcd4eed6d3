"""Paper E's baselines on the 17 clip features, and paper C's question (gun or not) asked of the same features."""

from collections.abc import Callable

import numpy as np

from echonet_satellite.protocol import SoundClass

from ..datasets import CLASSES
from .approach import Factory, Progress, Scores
from .feature_models import Examples, FeatureModel, Fnn, Labels, Svm
from .features import clip_features
from .shared import in_columns, part_of
from .windows import OTHER_LABEL, Windows


class ClipFeatures:
    """A model on the clip features of windows."""

    def __init__(self, name: str, paper: str, purpose: str, model: Callable[[], FeatureModel]) -> None:
        """Describe it; `model` makes one that has learned nothing."""
        self.name, self.paper, self.purpose = name, paper, purpose
        self._model = model()

    def fit(self, train: Windows, tune: Windows, *, seed: int, quick: bool, progress: Progress) -> None:
        """Compute the features and learn."""
        rows = clip_features(train.samples, part_of(progress, 0.0, 0.4))
        tune_rows = clip_features(tune.samples, part_of(progress, 0.4, 0.5))
        examples = Examples(rows, self._asked(train.labels), tune_rows, self._asked(tune.labels))
        self._model.fit(examples, seed=seed, quick=quick, progress=part_of(progress, 0.5, 1.0))

    def predict(self, windows: Windows) -> Scores:
        """Return what the model makes of the features."""
        rows = clip_features(windows.samples)
        return in_columns(self._model.probabilities(rows), self._model.labels())

    def size_bytes(self) -> int:
        """Return the size of the model."""
        return self._model.size_bytes()

    def _asked(self, labels: Labels) -> Labels:
        """Return the labels that it is to learn."""
        return labels


class OneClassFeatures(ClipFeatures):
    """The same for one class against everything else."""

    def __init__(
        self, target: SoundClass, name: str, paper: str, purpose: str, model: Callable[[], FeatureModel]
    ) -> None:
        """Describe it, and the class."""
        super().__init__(name, paper, purpose, model)
        self.target = target

    def _asked(self, labels: Labels) -> Labels:
        return one_class(labels, self.target)


def one_class(labels: Labels, target: SoundClass) -> Labels:
    """Return the labels with every other class made everyday sound."""
    column = CLASSES.index(target)
    return np.where(labels == column, column, OTHER_LABEL)


APPROACHES: tuple[Factory, ...] = (
    lambda _material: ClipFeatures("svm", "E", "few examples, no accelerator, trained in a minute", Svm),
    lambda _material: ClipFeatures("fnn", "E", "the smallest network; needs features made by hand", Fnn),
    lambda _material: OneClassFeatures(
        SoundClass.GUNSHOT, "gun-svm", "C", "gun or not gun: the baseline of the image network", Svm
    ),
)
