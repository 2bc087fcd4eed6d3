"""From probabilities to detections: when a sound began, how sure it is, when it ended. No clock, no input or output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .protocol import AlarmPattern, Phase, Sensitivity, SoundClass

STEP_S: Final = 0.08


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
    """

    thresholds: Mapping[Sensitivity, float]
    leave_ratio: float
    confirm: tuple[int, int]
    smoothing_steps: int
    hold_s: float
    refractory_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """A detection starts, is updated or ends; times are seconds from the start of the stream.

    `number` is the same for all events of one detection. `at_s` is the end of the step that decided it, `heard_s`
    the end of the last step in which the sound was heard: the end of the sound, once the phase is `end`.
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


class Detector:
    """Takes one row of probabilities per step, gives what starts, changes and ends with it."""

    def __init__(
        self,
        classes: Sequence[SoundClass],
        decisions: Mapping[SoundClass, Decision],
        sensitivity: Mapping[SoundClass, Sensitivity],
    ) -> None:
        """Listen for `classes`, in the order in which the probabilities come."""
        raise NotImplementedError

    def push(
        self, probabilities: Sequence[float], peak_dbfs: float, pattern: AlarmPattern | None = None
    ) -> list[StreamEvent]:
        """Take the next step: its probabilities, its loudest sample, the alarm pattern known so far."""
        raise NotImplementedError

    def configure(self, sensitivity: Mapping[SoundClass, Sensitivity]) -> list[StreamEvent]:
        """Change sensitivities; what is turned off ends now."""
        raise NotImplementedError

    def flush(self) -> list[StreamEvent]:
        """End what is active: the stream is over or interrupted."""
        raise NotImplementedError
