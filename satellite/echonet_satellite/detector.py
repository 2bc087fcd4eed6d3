"""From probabilities to detections: when a sound began, how sure it is, when it ended. No clock, no I/O."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from math import ceil
from typing import Final

from .protocol import AlarmPattern, Phase, Sensitivity, SoundClass

STEP_S: Final = 0.16
# The first frame of a step is centred half a Fourier window after the start of the step.
WINDOW_CENTRE_S: Final = 0.016
# A sound may rise slowly before it is sure; its onset is looked for so far before the steps that confirm it.
LOOK_BACK_S: Final = 0.56
# Each update is written to the journal and sent, so it must carry news, and comes at most this often.
UPDATE_S: Final = 1.0
CONFIDENCE_NEWS: Final = 0.05
PEAK_NEWS_DB: Final = 3.0
# The rhythm of a smoke or CO alarm is like nothing else in a home: it needs no threshold, and is sure by itself.
CERTAIN_PATTERNS: Final = frozenset({AlarmPattern.T3, AlarmPattern.T4})
CERTAIN: Final = 0.99
# Below this nobody would suspect an alarm: no pattern is looked for, and one that was found has ended.
SUSPICION: Final = 0.05


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
        *,
        step_s: float = STEP_S,
    ) -> None:
        """Listen for `classes`, in the order of the probabilities; one that is not in `sensitivity` is off."""
        self._tracks = [_Track(name, decisions[name], step_s) for name in classes]
        self._numbers = count(1)
        self._step = -1
        self.configure(sensitivity)

    @property
    def active(self) -> frozenset[SoundClass]:
        """The classes that are heard now."""
        return frozenset(track.sound_class for track in self._tracks if track.active is not None)

    def push(
        self, probabilities: Sequence[float], peak_dbfs: float, pattern: AlarmPattern | None = None
    ) -> list[StreamEvent]:
        """Take the next step: its probabilities, its loudest sample, the alarm pattern known so far."""
        self._step += 1
        events: list[StreamEvent] = []
        for track, probability in zip(self._tracks, probabilities, strict=True):
            known = pattern if track.sound_class is SoundClass.ALARM else None
            if event := track.push(self._step, probability, peak_dbfs, known, self._numbers):
                events.append(event)
        return events

    def configure(self, sensitivity: Mapping[SoundClass, Sensitivity]) -> list[StreamEvent]:
        """Change sensitivities; what is turned off ends now."""
        events: list[StreamEvent] = []
        for track in self._tracks:
            level = sensitivity.get(track.sound_class, Sensitivity.OFF)
            if event := track.configure(level, self._step):
                events.append(event)
        return events

    def flush(self) -> list[StreamEvent]:
        """End what is active and forget what was heard: the stream is over or interrupted."""
        return [event for track in self._tracks if (event := track.reset(self._step))]


# A step: its probability smoothed, its probability, its loudest sample.
_Heard = tuple[float, float, float]


@dataclass(slots=True)
class _Active:
    """A detection that has started and not ended."""

    number: int
    onset: int
    heard: int
    confidence: float
    peak_dbfs: float
    pattern: AlarmPattern | None
    told_step: int
    told_confidence: float
    told_peak_dbfs: float


class _Track:
    """What is heard of one class."""

    def __init__(self, sound_class: SoundClass, decision: Decision, step_s: float) -> None:
        self.sound_class = sound_class
        self.active: _Active | None = None
        self._decision = decision
        self._step_s = step_s
        self._needed, self._window = decision.confirm
        self._hold = round(decision.hold_s / step_s)
        self._refractory = round(decision.refractory_s / step_s)
        self._update = ceil(UPDATE_S / step_s)
        self._raw: deque[float] = deque(maxlen=decision.smoothing_steps)
        # The newest step comes last; older than this, nothing belongs to the sound that starts now.
        history = self._window + round(LOOK_BACK_S / step_s)
        self._recent: deque[_Heard] = deque(maxlen=history)
        self._free_from = 0
        self._enter: float | None = None
        self._leave = 0.0

    def configure(self, level: Sensitivity, step: int) -> StreamEvent | None:
        if level is not Sensitivity.OFF:
            self._enter = self._decision.thresholds[level]
            self._leave = self._enter * self._decision.leave_ratio
            return None
        self._enter = None
        return self._end(step)

    def reset(self, step: int) -> StreamEvent | None:
        self._raw.clear()
        self._recent.clear()
        return self._end(step)

    def push(
        self,
        step: int,
        probability: float,
        peak_dbfs: float,
        pattern: AlarmPattern | None,
        numbers: Iterator[int],
    ) -> StreamEvent | None:
        self._raw.append(probability)
        smooth = probability if self._raw.maxlen == 1 else sum(self._raw) / len(self._raw)
        self._recent.append((smooth, probability, peak_dbfs))
        if self.active is not None:
            return self._continue(self.active, step, peak_dbfs, pattern)
        if self._enter is None or step < self._free_from:
            return None
        certain = pattern in CERTAIN_PATTERNS
        if smooth < self._enter and not certain:
            return None
        event = self._try_start(self._enter, step, pattern, numbers)
        if event is None and certain:
            # Of an alarm known by its rhythm alone, all that is remembered is part: it began seconds ago.
            event = self._start(self._since_free(step), step, pattern, numbers)
        return event

    def _since_free(self, step: int) -> list[_Heard]:
        return list(self._recent)[-(step - self._free_from + 1) :]

    def _try_start(
        self, enter: float, step: int, pattern: AlarmPattern | None, numbers: Iterator[int]
    ) -> StreamEvent | None:
        recent = self._since_free(step)
        oldest = max(0, len(recent) - self._window)
        above = [index for index in range(oldest, len(recent)) if recent[index][0] >= enter]
        if len(above) < self._needed:
            return None
        first = above[0]
        while first > 0 and recent[first - 1][0] >= self._leave:
            first -= 1
        return self._start(recent[first:], step, pattern, numbers)

    def _start(
        self, heard: list[_Heard], step: int, pattern: AlarmPattern | None, numbers: Iterator[int]
    ) -> StreamEvent:
        least = CERTAIN if pattern in CERTAIN_PATTERNS else 0.0
        self.active = active = _Active(
            number=next(numbers),
            onset=step - len(heard) + 1,
            heard=step,
            confidence=min(1.0, max(least, *(raw for _, raw, _ in heard))),
            peak_dbfs=max(peak for _, _, peak in heard),
            pattern=pattern,
            told_step=step,
            told_confidence=0.0,
            told_peak_dbfs=0.0,
        )
        return self._tell(active, Phase.START, step)

    def _continue(
        self, active: _Active, step: int, peak_dbfs: float, pattern: AlarmPattern | None
    ) -> StreamEvent | None:
        smooth, raw, _ = self._recent[-1]
        certain = CERTAIN_PATTERNS & {pattern, active.pattern}
        if certain:
            active.confidence = max(active.confidence, CERTAIN)
        if smooth >= (min(self._leave, SUSPICION) if certain else self._leave):
            active.heard = step
            active.confidence = min(1.0, max(active.confidence, raw))
            active.peak_dbfs = max(active.peak_dbfs, peak_dbfs)
        elif step - active.heard >= self._hold:
            return self._end(step)
        if pattern is not None and pattern is not active.pattern:
            # What kind of alarm it is cannot wait.
            active.pattern = pattern
            return self._tell(active, Phase.UPDATE, step)
        news = (
            active.confidence >= active.told_confidence + CONFIDENCE_NEWS
            or active.peak_dbfs >= active.told_peak_dbfs + PEAK_NEWS_DB
        )
        if news and step - active.told_step >= self._update:
            return self._tell(active, Phase.UPDATE, step)
        return None

    def _end(self, step: int) -> StreamEvent | None:
        if self.active is None:
            return None
        active, self.active = self.active, None
        self._free_from = step + 1 + self._refractory
        return self._tell(active, Phase.END, step)

    def _tell(self, active: _Active, phase: Phase, step: int) -> StreamEvent:
        active.told_step = step
        active.told_confidence = active.confidence
        active.told_peak_dbfs = active.peak_dbfs
        return StreamEvent(
            number=active.number,
            sound_class=self.sound_class,
            phase=phase,
            onset_s=active.onset * self._step_s + WINDOW_CENTRE_S,
            at_s=(step + 1) * self._step_s,
            heard_s=(active.heard + 1) * self._step_s,
            confidence=active.confidence,
            peak_dbfs=active.peak_dbfs,
            pattern=active.pattern,
        )
