"""What an approach is to the comparison: something that learns from windows and says what others hold."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.protocol import SoundClass

from ..material import Material
from .windows import Windows

Scores = NDArray[np.float32]
Progress = Callable[[float], None]
"""Told how much of the work is done, 0 to 1."""


class Approach(Protocol):
    """One system of the literature.

    Attributes:
        name: unique, and the name of its file: lower case, digits and hyphens.
        paper: the paper that it is from, "A" to "E"; "" for what is compared besides.
        purpose: one line, what it is for.
    """

    name: str
    paper: str
    purpose: str

    def fit(self, train: Windows, tune: Windows, *, seed: int, quick: bool, progress: Progress) -> None:
        """Learn from `train`; choose (when to stop, how strict to be) by `tune`. `quick` takes seconds."""
        ...

    def predict(self, windows: Windows) -> Scores:
        """Return the probability of each class and of everyday sound, float32 [N, 9]; rows sum to 1."""
        ...

    def size_bytes(self) -> int:
        """Return the size of what it learned, as stored."""
        ...


@runtime_checkable
class OneClass(Protocol):
    """An approach that tells one class from everything else; it is scored on that question alone.

    Its `predict` fills the column of `target` and the last one.
    """

    target: SoundClass


@runtime_checkable
class WithContext(Protocol):
    """An approach that hears more of a clip than the window, so that its cost is that of what it heard."""

    def heard_s(self, windows: Windows) -> float:
        """Return how many seconds of sound `predict` processes for these windows."""
        ...


@runtime_checkable
class Costly(Protocol):
    """An approach that is scored on a part of the windows, so that the comparison takes minutes."""

    most_windows: int
    """Of each class."""


@runtime_checkable
class Released(Protocol):
    """An approach that was trained elsewhere; its figures are measured anew when it changes."""

    version: str


@runtime_checkable
class WithExtra(Protocol):
    """An approach that answers more than which class a window holds."""

    def extra(self, material: Material, *, seed: int, quick: bool, progress: Progress) -> dict[str, Any]:
        """Return a further table, as JSON: `{"title": str, "note": str, "columns": [str], "rows": [[str | float]]}`.

        Called after `fit`. Figures are numbers, and are rounded by the page.
        """
        ...


Factory = Callable[[Material], Approach]
"""Makes an approach that has learned nothing yet; cheap."""
