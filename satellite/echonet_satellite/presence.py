"""Somebody is there: a scene that adds up over seconds, not a single step. No clock, no I/O."""

from dataclasses import dataclass
from math import exp
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

# The first of AudioSet's classes.
SPEECH: Final = 0
# Added to what is divided by, which may be 0.
_LEAST: Final = 1e-12

_Probability = TypeVar("_Probability", float, NDArray[np.floating])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """How evidence of a scene adds up.

    Attributes:
        build_up_s: about how long evidence must last until it counts in full.
        linger_s: how long the scene lasts after the last evidence.
    """

    build_up_s: float
    linger_s: float


def evidence(presence: _Probability, speech: _Probability) -> _Probability:
    """Return how likely somebody is heard, from the probabilities of presence and of AudioSet's speech, or of arrays.

    What speaks for somebody adds up as independent evidence does: the odds multiply. Pets and appliances sound like
    steps and doors, and do not talk.
    """
    somebody = presence * speech
    nobody = (1 - presence) * (1 - speech)
    return somebody / (somebody + nobody + _LEAST)


class BuildUp:
    """Adds up evidence that leaks away: towards 1 while it lasts, towards 0 when there is none."""

    def __init__(self, scene: Scene, step_s: float) -> None:
        """Begin without any."""
        self._kept = exp(-step_s / scene.build_up_s)
        self._level = 0.0

    def push(self, probability: float) -> float:
        """Take the evidence of the next step, and return how much there is."""
        self._level = self._kept * self._level + (1.0 - self._kept) * probability
        return self._level

    def forget(self) -> None:
        """Begin anew."""
        self._level = 0.0
