"""What an approach is to the comparison: something that learns from windows and says what others hold."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.protocol import SoundClass

from .folds import Fold
from .windows import LABELS, Floats, Windows

BYTES_PER_NUMBER = 4
"""Parameters are counted as if stored in single precision, like those of a network."""


class Approach(ABC):
    """One system of the literature.

    Attributes:
        name: unique, and the name of its file: lower case, digits and hyphens.
        paper: the paper that it is from, "A" to "E"; "" for what is compared besides.
        purpose: one line, what it is for.
        target: the class that it tells from everything else; None where it names all.
        version: of what it looks up instead of hearing it here; "" where it hears.
        thresholds: by what the scores of each class are divided, if `fit` chose that, [9]. Folds choose differently:
            it is undone where the scores of all folds are ranked.
    """

    name: str
    paper: str
    purpose: str
    target: SoundClass | None = None
    version = ""
    thresholds: Floats = np.ones(len(LABELS), np.float32)

    @abstractmethod
    def fit(self, fold: Fold) -> None:
        """Learn from `fold.train`; choose (when to stop, how strict to be) by `fold.tune`."""

    @abstractmethod
    def predict(self, windows: Windows) -> Floats:
        """Return a score for each class and for everyday sound, [N, 9]: the highest of a window is the answer.

        Those of one class say of which windows it is surer.
        """

    @abstractmethod
    def size_bytes(self) -> int:
        """Return the size of what it learned, as stored."""

    def experiment(self, fold: Fold) -> Any:
        """Return what came of a further experiment in one fold, as JSON, if there is one; called after `fit`."""
        del fold

    def report(self, outcomes: Sequence[Any]) -> dict[str, Any]:
        """Return the table of all folds: `{"title": str, "note": str, "columns": [str], "rows": [[str | float]]}`."""
        raise NotImplementedError


Factory = Callable[[], Approach]
"""Makes an approach that has learned nothing yet; cheap."""


def in_columns(probabilities: NDArray[np.floating], labels: NDArray[np.integer]) -> Floats:
    """Return rows of nine from those of the labels that were seen while learning: [N, seen] -> [N, 9]."""
    scores = np.zeros((len(probabilities), len(LABELS)), np.float32)
    scores[:, labels] = probabilities
    return scores


def stored_bytes(arrays: Iterable[NDArray[np.generic]]) -> int:
    """Return how many bytes the numbers of these arrays take."""
    return BYTES_PER_NUMBER * sum(np.size(array) for array in arrays)
