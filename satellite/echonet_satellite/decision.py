"""How probabilities of a class become detections, and what is told of one. No clock, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .frontend import Floats
from .presence import Scene
from .protocol import AlarmPattern, Phase, Sensitivity, SoundClass

_Probability = TypeVar("_Probability", float, NDArray[np.float64])


def weigh(probability: _Probability, odds: float) -> _Probability:
    """Return the probability whose odds are so many times those of this one, or of each of an array."""
    return probability * odds / (1.0 - probability + probability * odds)


class Tone(IntEnum):
    """What is heard of one clear tone (see `insistence`); a number, so that arrays can hold it."""

    NONE = 0
    """It is not the only thing that is heard."""
    BEEPS = 1
    """Nothing else is heard."""
    INSISTS = 2
    """It beeps on and on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """What goes on for `steps` without a break needs less: the odds of its mean count `odds` times."""

    steps: int
    odds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How the probabilities of one class become detections; numbers of steps are outputs of the model.

    Attributes:
        thresholds: probability at which a detection may start, for each sensitivity but `off`.
        leave_ratio: a detection lasts while the probability is above this part of its threshold.
        confirm: (k, n): a detection starts when k of the last n steps are above the threshold.
        smoothing_steps: how many steps the moving average takes in.
        hold_s: a detection ends after so long below the leaving threshold.
        refractory_s: how long after an end the next detection cannot start.
        rise_db: by how much the level must rise at some moment of the window; only bangs are asked for it.
        lasting: how much less is needed of what goes on for long; where None, nothing is.
        at_once: a single step whose odds are so many times the threshold's needs no other, and no average; where None,
            none does.
        insistence: how many times the odds count while a tone insists,
        beeps: and how many times less while one only beeps.
        scene: how evidence adds up where a single moment says little, instead of `smoothing_steps` and `hold_s`.
    """

    thresholds: Mapping[Sensitivity, float]
    leave_ratio: float
    confirm: tuple[int, int]
    smoothing_steps: int
    hold_s: float
    refractory_s: float
    rise_db: float = 0.0
    lasting: Lasting | None = None
    at_once: float | None = None
    insistence: float = 1.0
    beeps: float = 1.0
    scene: Scene | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """A detection starts, is updated or ends; times are seconds from the start of the stream.

    `number` is the same for all events of one detection. `at_s` is the end of the step that decided it, `heard_s` when
    the sound was last heard: the end of the sound, once the phase is `end`. `embeddings` [moments, size] are its most
    telling moments; only starts and ends have them.
    """

    number: int
    sound_class: SoundClass
    phase: Phase
    onset_s: float
    at_s: float
    heard_s: float
    confidence: float
    peak_dbfs: float
    pattern: AlarmPattern | None = None
    embeddings: Floats | None = field(default=None, compare=False, repr=False)
