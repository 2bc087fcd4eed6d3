"""What approaches have in common: rows of nine that sum to one, and the size of what they learned."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelsError
from .approach import Progress, Scores
from .windows import LABELS

BYTES_PER_NUMBER = 4
"""Parameters are counted as if stored in single precision, like those of a network."""


def in_columns(probabilities: NDArray[np.floating], classes: NDArray[np.integer]) -> Scores:
    """Return rows of nine from those of the labels that were seen while learning: [N, seen] -> [N, 9]."""
    scores = np.zeros((len(probabilities), len(LABELS)), np.float32)
    scores[:, classes] = probabilities
    return scores


def softmax(logits: NDArray[np.floating]) -> Scores:
    """Return the rows as probabilities."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores: Scores = (raised / raised.sum(axis=1, keepdims=True)).astype(np.float32)
    return scores


def stored_bytes(arrays: Iterable[NDArray[np.generic]]) -> int:
    """Return how many bytes the numbers of these arrays take."""
    return BYTES_PER_NUMBER * sum(np.size(array) for array in arrays)


def part_of(progress: Progress, first: float, last: float) -> Progress:
    """Return the progress of a part that takes a task from `first` to `last`."""
    return lambda done: progress(first + (last - first) * done)


def untrained(name: str) -> ModelsError:
    """Return the error of an approach that is asked before it learned."""
    return ModelsError(f"{name} has learned nothing yet: call fit first")
