"""What is heard of one class from step to step: when it starts, goes on and ends. No clock, no I/O."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final

from .decision import Decision, StreamEvent, Tone, weigh
from .frontend import Floats
from .onset import ATTACKS, SETTLING_RISE_DB, Attack, Levels, Onset
from .presence import BuildUp
from .protocol import AlarmPattern, Phase, Sensitivity, SoundClass

# A frame is centred half a Fourier window after its first sample.
FRAME_CENTRE_S: Final = 0.016
# A sound may rise slowly before it is sure; its onset is looked for so far before the window that it is first heard in.
LOOK_BACK_S: Final = 0.64
# The classifier hears a bang soon after it: its onset is looked for in these last seconds, then in the whole window.
BANG_S: Final = 0.8
# Where the level shows no onset, it is assumed so many seconds before the end of the window that first heard it.
LAG_S: Final = 0.4
# Each update is written to the journal and sent, so it must carry news, and comes at most this often.
UPDATE_S: Final = 1.0
CONFIDENCE_NEWS: Final = 0.05
PEAK_NEWS_DB: Final = 3.0
# The rhythm of a smoke or CO alarm is like nothing else in a home: it needs no threshold, and is sure by itself.
CERTAIN_PATTERNS: Final = frozenset({AlarmPattern.T3, AlarmPattern.T4})
CERTAIN: Final = 0.99
# Below this nobody would suspect an alarm: no pattern is looked for, and one that was found has ended.
SUSPICION: Final = 0.05
# The pause of T4 lasts 5 s: a suspicion outlives it.
UNSUSPECTED_S: Final = 6.4


class Clock:
    """What all classes share: how far the stream is, and how loud it was."""

    def __init__(self, step_s: float, window_s: float, frame_s: float, settling_s: float) -> None:
        self.step = -1
        self.step_s = step_s
        self.frame_s = frame_s
        self.step_frames = round(step_s / frame_s)
        self.window = round(window_s / frame_s)
        self.reach = self.window + round(LOOK_BACK_S / frame_s)
        self.settled = ceil(settling_s / frame_s)
        # A detection may start some steps after the sound was first heard.
        self.levels = Levels(self.reach + self.window, self.settled)

    def push(self, levels: Floats) -> None:
        """Take the levels of the next step's frames."""
        self.step += 1
        self.levels.push(levels)

    def end(self, step: int) -> int:
        """Return the frame after the last of a step."""
        return (step + 1) * self.step_frames

    def seconds(self, frame: int) -> float:
        """Return when a frame hears best, as far as the stream is."""
        return min(frame * self.frame_s + FRAME_CENTRE_S, (self.step + 1) * self.step_s)


# A step: its probability smoothed, its probability, its loudest sample.
_Heard = tuple[float, float, float]


@dataclass(slots=True)
class _Active:
    """A detection that has started and not ended; `lasts` says in which frames it is heard, where the level can."""

    number: int
    onset_s: float
    heard: int
    heard_s: float
    confidence: float
    peak_dbfs: float
    pattern: AlarmPattern | None
    lasts: Onset | None
    told_step: int = 0
    told_confidence: float = 0.0
    told_peak_dbfs: float = 0.0


class Track:
    """What is heard of one class."""

    def __init__(self, sound_class: SoundClass, decision: Decision, clock: Clock) -> None:
        self.sound_class = sound_class
        self.active: _Active | None = None
        self._decision = decision
        self._clock = clock
        self._attack = Attack.SCENE if decision.scene else ATTACKS[sound_class]
        self._needed, self._window = decision.confirm
        hold_s = decision.scene.linger_s if decision.scene else decision.hold_s
        self._hold = round(hold_s / clock.step_s)
        self._refractory = round(decision.refractory_s / clock.step_s)
        self._update = ceil(UPDATE_S / clock.step_s)
        self._raw: deque[float] = deque(maxlen=decision.smoothing_steps)
        self._long: deque[float] = deque(maxlen=decision.lasting.steps if decision.lasting else 1)
        self._build_up = BuildUp(decision.scene, clock.step_s) if decision.scene else None
        # The newest step comes last; older steps do not belong to the sound that starts now.
        slow_s = decision.scene.build_up_s if decision.scene else LOOK_BACK_S
        self._slow = self._window + round(slow_s / clock.step_s)
        reach = ceil(clock.reach / clock.step_frames)
        self._recent: deque[_Heard] = deque(maxlen=self._slow + reach)
        self._free_from = 0
        self._unsuspected = round(UNSUSPECTED_S / clock.step_s)
        self._suspected_from = self._suspected_last = -self._unsuspected
        self._enter: float | None = None
        self._leave = 0.0

    def configure(self, level: Sensitivity) -> StreamEvent | None:
        """Change the sensitivity; what is turned off ends now."""
        if level is not Sensitivity.OFF:
            self._enter = self._decision.thresholds[level]
            self._leave = self._enter * self._decision.leave_ratio
            return None
        self._enter = None
        return self._end()

    def reset(self) -> StreamEvent | None:
        """Forget what was heard, and end what is active."""
        self._raw.clear()
        self._long.clear()
        self._recent.clear()
        if self._build_up is not None:
            self._build_up.forget()
        return self._end()

    def push(
        self,
        probability: float,
        peak_dbfs: float,
        pattern: AlarmPattern | None,
        numbers: Iterator[int],
        tone: Tone = Tone.NONE,
    ) -> StreamEvent | None:
        """Take the next step, which the clock has taken already."""
        self._suspect(probability)
        if tone is Tone.BEEPS:
            probability = weigh(probability, 1 / self._decision.beeps)
        smooth = self._smooth(probability)
        if tone is Tone.INSISTS:
            smooth = weigh(smooth, self._decision.insistence)
        self._recent.append((smooth, probability, peak_dbfs))
        if self.active is not None:
            return self._continue(self.active, peak_dbfs, pattern)
        if self._enter is None or self._clock.step < self._free_from:
            return None
        certain = pattern in CERTAIN_PATTERNS
        at_once = self._at_once(probability, self._enter)
        if smooth < self._enter and not at_once and not certain:
            return None
        event = self._try_start(self._enter, pattern, numbers, at_once=at_once)
        if event is None and certain:
            # An alarm that is known by its rhythm alone began seconds ago, when it was first suspected.
            event = self._start(max(self._suspected_from, self._free_from), None, pattern, numbers)
        return event

    def chirp(self, first: int, last: int, numbers: Iterator[int]) -> list[StreamEvent]:
        """Tell of a chirp, from frame `first` to before `last`, as begun and over."""
        if self._enter is None or self.active is not None or self._clock.step < self._free_from:
            return []
        peaks = [peak for _, _, peak in self._since(first // self._clock.step_frames)]
        chirp = _Active(
            number=next(numbers),
            onset_s=self._clock.seconds(first),
            heard=self._clock.step,
            heard_s=self._clock.seconds(last),
            confidence=CERTAIN,
            peak_dbfs=max(peaks),
            pattern=AlarmPattern.CHIRP,
            lasts=None,
        )
        return [self._tell(chirp, Phase.START), self._tell(chirp, Phase.END)]

    def _smooth(self, probability: float) -> float:
        if self._build_up is not None:
            return self._build_up.push(probability)
        self._raw.append(probability)
        smooth = probability if self._raw.maxlen == 1 else sum(self._raw) / len(self._raw)
        lasting = self._decision.lasting
        if lasting is None:
            return smooth
        self._long.append(probability)
        if len(self._long) < lasting.steps:
            return smooth
        return max(smooth, weigh(sum(self._long) / len(self._long), lasting.odds))

    def _at_once(self, probability: float, enter: float) -> bool:
        """Return whether a step is so sure that it needs no other."""
        odds = self._decision.at_once
        return odds is not None and weigh(probability, 1 / odds) >= enter

    def _since(self, step: int) -> list[_Heard]:
        """Return the steps from one on, as far as they are remembered."""
        return list(self._recent)[-(self._clock.step - step + 1) :]

    def _suspect(self, probability: float) -> None:
        """Note since when the class may have been sounding."""
        step = self._clock.step
        if probability >= SUSPICION:
            if step - self._suspected_last > self._unsuspected:
                self._suspected_from = step
            self._suspected_last = step
        elif step - self._suspected_last > self._unsuspected:
            self._suspected_from = step

    def _try_start(
        self, enter: float, pattern: AlarmPattern | None, numbers: Iterator[int], *, at_once: bool
    ) -> StreamEvent | None:
        now = self._clock.step
        recent = self._since(max(self._free_from, now - self._slow + 1))
        oldest = max(0, len(recent) - self._window)
        above = [index for index in range(oldest, len(recent)) if recent[index][0] >= enter]
        if len(above) < self._needed and not at_once:
            return None
        first = above[0] if above else len(recent) - 1
        while first > 0 and recent[first - 1][0] >= self._leave:
            first -= 1
        step = now - len(recent) + 1 + first
        if self._attack is not Attack.BANG:
            return self._start(step, self._lasting(step), pattern, numbers)
        if not self._bangs():
            return None
        return self._start(step, self._bang(step), pattern, numbers)

    def _bangs(self) -> bool:
        """Return whether the level rises as a bang's does, somewhere in the window."""
        clock = self._clock
        end = clock.end(clock.step)
        first = end - clock.window
        needed_db = self._decision.rise_db
        if first < clock.settled:
            needed_db = max(needed_db, SETTLING_RISE_DB)
        return needed_db <= 0 or clock.levels.rise_db(first, end) >= needed_db

    def _bang(self, step: int) -> Onset | None:
        clock = self._clock
        # While a microphone settles, the first step that hears a bang may only have heard that.
        settling = clock.end(step) - clock.window < clock.settled
        end = clock.end(clock.step if settling else step)
        for reach in (round(BANG_S / clock.frame_s), clock.window):
            first = max(self._earliest(), end - reach)
            if found := clock.levels.bang(first, end - 1):
                return found
        return None

    def _lasting(self, step: int) -> Onset | None:
        if self._attack is Attack.SCENE:
            return None
        end = self._clock.end(step)
        return self._clock.levels.lasting(max(self._earliest(), end - self._clock.reach), end - 1)

    def _earliest(self) -> int:
        """Return the first frame that can belong to a sound: none of the one before does."""
        return self._free_from * self._clock.step_frames

    def _start(
        self, step: int, onset: Onset | None, pattern: AlarmPattern | None, numbers: Iterator[int]
    ) -> StreamEvent:
        """Start a detection that was first heard in a step."""
        clock = self._clock
        if onset is not None:
            begins_s = clock.seconds(onset.frame)
        elif self._attack is Attack.SCENE:
            begins_s = step * clock.step_s
        else:
            begins_s = max(self._free_from * clock.step_s, (step + 1) * clock.step_s - LAG_S)
        heard = self._since(max(self._free_from, min(step, int(begins_s / clock.step_s))))
        least = CERTAIN if pattern in CERTAIN_PATTERNS else 0.0
        self.active = active = _Active(
            number=next(numbers),
            onset_s=max(0.0, begins_s),
            heard=clock.step,
            heard_s=0.0,
            confidence=min(1.0, max(least, *(raw for _, raw, _ in heard))),
            peak_dbfs=max(peak for _, _, peak in heard),
            pattern=pattern,
            lasts=onset,
        )
        self._hear(active, onset.frame if onset is not None else clock.end(clock.step - 1))
        return self._tell(active, Phase.START)

    def _hear(self, active: _Active, first: int) -> None:
        """Note until when a sound is heard, of frames from `first` on."""
        clock = self._clock
        active.heard = clock.step
        if active.lasts is None:
            active.heard_s = (clock.step + 1) * clock.step_s
        elif (last := clock.levels.last_above(active.lasts, first)) is not None:
            active.heard_s = max(active.heard_s, clock.seconds(last))
        active.heard_s = max(active.heard_s, active.onset_s)

    def _continue(
        self, active: _Active, peak_dbfs: float, pattern: AlarmPattern | None
    ) -> StreamEvent | None:
        step = self._clock.step
        smooth, raw, _ = self._recent[-1]
        certain = CERTAIN_PATTERNS & {pattern, active.pattern}
        if certain:
            active.confidence = max(active.confidence, CERTAIN)
        # An alarm that is known by its rhythm goes on while it may be sounding at all; what lasts needs less to begin,
        # but a quiet room is never three times as likely an alarm.
        if smooth >= self._leave or (certain and self._suspected_last == step):
            self._hear(active, self._clock.end(step - 1))
            active.confidence = min(1.0, max(active.confidence, raw))
            active.peak_dbfs = max(active.peak_dbfs, peak_dbfs)
        elif step - active.heard >= self._hold:
            return self._end()
        if pattern is not None and pattern is not active.pattern:
            # What kind of alarm it is cannot wait.
            active.pattern = pattern
            return self._tell(active, Phase.UPDATE)
        news = (
            active.confidence >= active.told_confidence + CONFIDENCE_NEWS
            or active.peak_dbfs >= active.told_peak_dbfs + PEAK_NEWS_DB
        )
        if news and step - active.told_step >= self._update:
            return self._tell(active, Phase.UPDATE)
        return None

    def _end(self) -> StreamEvent | None:
        if self.active is None:
            return None
        active, self.active = self.active, None
        self._free_from = self._clock.step + 1 + self._refractory
        return self._tell(active, Phase.END)

    def _tell(self, active: _Active, phase: Phase) -> StreamEvent:
        active.told_step = self._clock.step
        active.told_confidence = active.confidence
        active.told_peak_dbfs = active.peak_dbfs
        return StreamEvent(
            number=active.number,
            sound_class=self.sound_class,
            phase=phase,
            onset_s=active.onset_s,
            at_s=(self._clock.step + 1) * self._clock.step_s,
            heard_s=active.heard_s,
            confidence=active.confidence,
            peak_dbfs=active.peak_dbfs,
            pattern=active.pattern,
        )
