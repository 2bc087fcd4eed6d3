"""Frontend, classifier, alarm patterns and detector in one: samples in, detections out. No clock, no I/O."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
import math
from typing import Final

import numpy as np

from .bang import Bangs
from .chirps import Chirps
from .classifier import Classifier, Heard, quiet_room
from .decision import StreamEvent, Tone
from .detector import Detector
from .frontend import Floats, decibels, log_mel
from .learning.learned import Learned
from .learning.sounds import Listening, TaughtEvent
from .learning.traces import Traces
from .onset import frame_levels
from .patterns import AlarmPatterns
from .presence import SPEECH, evidence
from .protocol import AlarmPattern, Phase, Sensitivity, SoundClass
from .track import CERTAIN_PATTERNS, SUSPICION

# What ends with the stream is heard only after the network has seen a little beyond it.
PADDING_S: Final = 0.5
SILENCE_DBFS: Final = -120.0
_PATTERN_STEPS: Final = 5
# The pause of T3 lasts 1.5 s: a suspicion outlives it.
_SUSPECTED_STEPS: Final = 15


class Hearing:
    """Hears one uninterrupted stream of sound; times are seconds from its start."""

    def __init__(
        self,
        classifier: Classifier,
        sensitivity: Mapping[SoundClass, Sensitivity],
        *,
        on_heard: Callable[[Heard], None] | None = None,
        on_step: Callable[[Sequence[float], Floats], None] | None = None,
        learned: Learned | None = None,
        on_sound: Callable[[TaughtEvent], None] | None = None,
        settling_s: float = 0.0,
    ) -> None:
        """Start anew with a classifier; `on_heard` is given what the network hears in each step, `on_step`
        what the detector decides by, with the step's frames.

        `learned` is what the home has taught, and may change at any time; `on_sound` is told of taught sounds.
        In the first `settling_s`, a click or a rise may be that of a microphone that is switched on.
        """
        card = classifier.card
        classifier.reset()
        self._classifier = classifier
        self._frontend = card.frontend
        self._step_frames = card.step_frames
        self._step_samples = card.step_samples
        self._on_heard = on_heard
        self._on_step = on_step
        self._learned = learned or Learned()
        self._on_sound = on_sound
        self._listening = Listening(card.step_s)
        self._traces = Traces(card.classes)
        # The room was quiet before, up to the very first sample: every onset is seen by frames that hold the end of the
        # quiet and the beginning of the sound, and so must be one that begins a stream.
        heard_already = card.window_frames * card.frontend.hop_length
        self._samples = [quiet_room(heard_already + card.step_samples)[heard_already:]]
        self._count = card.step_samples
        self._leading = True
        self._alarm = card.classes.index(SoundClass.ALARM)
        # An alarm that is half as likely as one that goes on makes none, beeps or not.
        rule = card.decisions[SoundClass.ALARM]
        self._likely = min(rule.thresholds.values()) * rule.leave_ratio / 2
        self._presence = card.classes.index(SoundClass.PRESENCE)
        self._window_frames = card.window_frames
        self._overlap = card.frontend.n_fft - card.frontend.hop_length
        self._bangs = Bangs(card.frontend.sample_rate, self._overlap, settling_s)
        self._patterns = AlarmPatterns(card.frontend)
        self._chirps = Chirps(card.frontend, card.window_frames)
        self._pattern = AlarmPattern.UNKNOWN
        self._insistent = False
        self._until_pattern = 0
        self._suspected = 0
        self._detector = Detector(
            card.classes,
            card.decisions,
            sensitivity,
            step_s=card.step_s,
            window_s=card.window_frames * card.frame_s,
            frame_s=card.frame_s,
            settling_s=settling_s,
        )

    def push(self, samples: Floats) -> list[StreamEvent]:
        """Hear the next samples, of any number."""
        # Many frames at once cost less than a few at a time, and nothing is known before a step is full.
        self._count += len(samples)
        steps = max(0, self._count - self._overlap) // self._step_samples
        if steps == 0:
            # The next block of a microphone may come in the same place.
            self._samples.append(np.array(samples, np.float32))
            return []
        length = steps * self._step_samples
        waiting = np.concatenate((*self._samples, samples), dtype=np.float32)
        heard, self._samples = waiting[: length + self._overlap], [waiting[length:]]
        self._count -= length
        frames = log_mel(heard, self._frontend)
        peaks = self._peaks(heard)
        events: list[StreamEvent] = []
        for number in range(steps):
            step = frames[number * self._step_frames : (number + 1) * self._step_frames]
            begins = number * self._step_samples + self._overlap
            self._bangs.push(heard[begins : begins + self._step_samples])
            if self._leading:
                self._leading = False
                self._classifier.step(step)
                self._detector.lead_in(frame_levels(step, self._frontend))
            else:
                events += self._step(step, peaks[number])
        return events

    def configure(self, sensitivity: Mapping[SoundClass, Sensitivity]) -> list[StreamEvent]:
        """Change sensitivities; what is turned off ends now."""
        return self._told(self._detector.configure(sensitivity))

    def flush(self) -> list[StreamEvent]:
        """End what is heard: the stream is interrupted."""
        self._tell_sounds(self._listening.flush())
        return self._told(self._detector.flush())

    def finish(self) -> list[StreamEvent]:
        """Hear the last moment of a stream that is over, and end what is heard."""
        card = self._classifier.card
        size = card.step_samples
        steps = -(-round(PADDING_S * card.frontend.sample_rate) // size)
        events = self.push(np.zeros((steps - 1) * size, np.float32))
        self._until_pattern = 0
        events += self.push(np.zeros(size, np.float32))
        return events + self.flush()

    def _step(self, frames: Floats, peak_dbfs: float) -> list[StreamEvent]:
        # Before the network, which takes the processor's caches for itself: after it, all of this costs twice as much.
        levels_db = decibels(frames, self._frontend)
        levels = frame_levels(frames, self._frontend)
        self._patterns.push(levels_db)
        chirp = self._chirps.push(levels_db)
        heard = self._classifier.step(frames)
        if self._on_heard is not None:
            self._on_heard(heard)
        row = heard.probabilities.tolist()
        row[self._presence] = evidence(row[self._presence], float(heard.audioset[SPEECH]))
        self._traces.push(tuple(row), heard.embedding)
        self._tell_sounds(self._learned.recognise(self._listening, heard.embedding))
        if row[self._alarm] >= SUSPICION and self._chirps.explains():
            # One beep makes no alarm; if it is one, the next follows before the first has left the window.
            row[self._alarm] = 0.0
        self._recognise(row[self._alarm])
        self._silence(row, heard.embedding)
        if self._on_step is not None:
            self._on_step(row, frames)
        events = self._told(
            self._detector.push(
                row,
                levels,
                peak_dbfs,
                self._pattern,
                self._tone(row[self._alarm]),
            )
        )
        if chirp is None or self._learned.no_chirp(self._traces.recent):
            return events
        return events + self._traced(self._detector.chirp(chirp.first, chirp.last))

    def _tone(self, alarm: float) -> Tone:
        """Return what is heard of one tone, where that matters."""
        if self._insistent:
            return Tone.INSISTS
        if self._pattern in CERTAIN_PATTERNS:
            return Tone.NONE
        beeps = alarm >= self._likely and self._patterns.only_beeps(self._window_frames)
        return Tone.BEEPS if beeps else Tone.NONE

    def _tell_sounds(self, events: list[TaughtEvent]) -> None:
        if self._on_sound is not None:
            for event in events:
                self._on_sound(event)

    def _silence(self, row: list[float], embedding: Floats) -> None:
        """Leave out what was no alarm before. No lesson counts against the rhythm of a smoke or CO alarm."""
        for place in self._learned.silences(row, embedding):
            if place != self._alarm:
                row[place] = 0.0
            elif self._pattern not in CERTAIN_PATTERNS:
                # It stays suspected, so that a rhythm that is found later is told from its beginning.
                row[place] = min(row[place], SUSPICION)

    def _told(self, events: list[StreamEvent]) -> list[StreamEvent]:
        """Tell bangs on time, and forget the rhythm of an alarm that has ended: the next has its own."""
        if not events:
            return events
        if any(event.sound_class is SoundClass.ALARM and event.phase is Phase.END for event in events):
            self._patterns.forget()
            self._pattern, self._insistent = AlarmPattern.UNKNOWN, False
        return self._traced([self._bangs.on_time(event) for event in events])

    def _traced(self, events: list[StreamEvent]) -> list[StreamEvent]:
        return [
            event if event.phase is Phase.UPDATE else replace(event, embeddings=self._traces.of(event))
            for event in events
        ]

    def _peaks(self, heard: Floats) -> list[float]:
        """Return the loudest sample that the frames of each step have seen, in dB below full scale."""
        hop = self._step_samples
        starts = range(0, len(heard) - self._overlap, hop)
        steps = [heard[start : start + hop + self._overlap] for start in starts]
        return [dbfs(float(max(step.max(), -step.min()))) for step in steps]

    def _recognise(self, alarm: float) -> None:
        """Look for the pattern of an alarm that is heard or suspected; not in every step: it takes seconds anyway."""
        active = self._detector.hears(SoundClass.ALARM)
        self._suspected = _SUSPECTED_STEPS if alarm >= SUSPICION else max(0, self._suspected - 1)
        if not active and not self._suspected:
            self._pattern, self._insistent = AlarmPattern.UNKNOWN, False
            self._until_pattern = 0
            return
        # Once an alarm is known to be one of these, it stays that: the pattern is exact, and people act on it.
        if active and self._pattern in CERTAIN_PATTERNS:
            return
        if self._until_pattern > 0:
            self._until_pattern -= 1
            return
        self._until_pattern = _PATTERN_STEPS
        self._insistent = self._patterns.insists()
        found = self._patterns.recognise()
        if active:
            self._pattern = self._pattern if found is AlarmPattern.UNKNOWN else found
        else:
            self._pattern = found if found in CERTAIN_PATTERNS else AlarmPattern.UNKNOWN


def dbfs(amplitude: float) -> float:
    """Return an amplitude in dB below full scale, no lower than silence."""
    return max(SILENCE_DBFS, 20 * math.log10(amplitude)) if amplitude > 0 else SILENCE_DBFS
