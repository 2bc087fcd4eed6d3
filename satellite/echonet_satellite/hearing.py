"""Frontend, classifier, alarm patterns and detector in one: samples in, detections out. No clock, no I/O."""

from collections.abc import Callable, Mapping
from dataclasses import replace
import math
from typing import Final

import numpy as np

from .classifier import LEAD_IN_FRAMES, Classifier, quiet_room
from .detector import CERTAIN_PATTERNS, SUSPICION, WINDOW_CENTRE_S, Detector, StreamEvent
from .frontend import Floats, log_mel
from .onsets import find_onset
from .patterns import AlarmPatterns
from .protocol import AlarmPattern, Phase, Sensitivity, SoundClass

# What ends with the stream is heard only after the network has seen a little beyond it.
PADDING_S: Final = 0.5
SILENCE_DBFS: Final = -120.0
_PATTERN_STEPS: Final = 5
# The pause of T3 lasts 1.5 s: a suspicion outlives it.
_SUSPECTED_STEPS: Final = 15
# What begins at once has an onset to the millisecond; the network says when only to a step or two.
BANGS: Final = frozenset({SoundClass.GUNSHOT, SoundClass.GLASS_BREAK})
_BEFORE_BANG_S: Final = 0.24
_REMEMBERED_S: Final = 2.0


class Hearing:
    """Hears one uninterrupted stream of sound; times are seconds from its start."""

    def __init__(
        self,
        classifier: Classifier,
        sensitivity: Mapping[SoundClass, Sensitivity],
        *,
        on_probabilities: Callable[[Floats], None] | None = None,
    ) -> None:
        """Start anew with a classifier; `on_probabilities` is given the rows [n, classes] of each step."""
        card = classifier.card
        classifier.reset()
        self._classifier = classifier
        self._on_probabilities = on_probabilities
        # The room was quiet before, up to the very first sample: every onset is seen by frames that hold the end of the
        # quiet and the beginning of the sound, and so must be one that begins a stream.
        heard_already = LEAD_IN_FRAMES * card.frontend.hop_length
        self._samples = quiet_room(heard_already + card.step_samples)[heard_already:]
        self._leading = True
        self._alarm = card.classes.index(SoundClass.ALARM)
        self._overlap = card.frontend.n_fft - card.frontend.hop_length
        # The sound of the last steps as far as their frames have seen, and which sample of the stream is its first.
        self._past = np.zeros(0, np.float32)
        self._past_from = 0
        self._bangs: dict[int, float] = {}
        self._patterns = AlarmPatterns(card.frontend)
        self._pattern = AlarmPattern.UNKNOWN
        self._until_pattern = 0
        self._suspected = 0
        self._detector = Detector(
            card.classes,
            card.decisions,
            sensitivity,
            step_s=card.output_samples / card.frontend.sample_rate,
        )

    def push(self, samples: Floats) -> list[StreamEvent]:
        """Hear the next samples, of any number."""
        card = self._classifier.card
        self._samples = np.concatenate((self._samples, samples), dtype=np.float32)
        # Many frames at once cost less than a few at a time, and nothing is known before a step is full.
        steps = max(0, len(self._samples) - self._overlap) // card.step_samples
        if steps == 0:
            return []
        length = steps * card.step_samples
        heard, self._samples = self._samples[: length + self._overlap], self._samples[length:]
        frames = log_mel(heard, card.frontend)
        peaks = self._peaks(heard)
        events: list[StreamEvent] = []
        if not self._leading:
            self._past = np.concatenate((self._past[: len(self._past) - self._overlap], heard))
        for number in range(steps):
            rows = slice(number * card.outputs_per_step, (number + 1) * card.outputs_per_step)
            step = frames[number * card.step_frames : (number + 1) * card.step_frames]
            if self._leading:
                self._leading = False
                self._classifier.step(step)
                self._past = heard[card.step_samples :]
            else:
                events += [self._on_time(event) for event in self._step(step, peaks[rows])]
        forgotten = max(0, len(self._past) - round(_REMEMBERED_S * card.frontend.sample_rate))
        self._past = self._past[forgotten:]
        self._past_from += forgotten
        return events

    def configure(self, sensitivity: Mapping[SoundClass, Sensitivity]) -> list[StreamEvent]:
        """Change sensitivities; what is turned off ends now."""
        return [self._on_time(event) for event in self._ended(self._detector.configure(sensitivity))]

    def flush(self) -> list[StreamEvent]:
        """End what is heard: the stream is interrupted."""
        return [self._on_time(event) for event in self._ended(self._detector.flush())]

    def finish(self) -> list[StreamEvent]:
        """Hear the last moment of a stream that is over, and end what is heard."""
        card = self._classifier.card
        size = card.step_samples
        steps = -(-round(PADDING_S * card.frontend.sample_rate) // size)
        events = self.push(np.zeros((steps - 1) * size, np.float32))
        self._until_pattern = 0
        events += self.push(np.zeros(size, np.float32))
        return events + self.flush()

    def _step(self, frames: Floats, peaks_dbfs: list[float]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        probabilities = self._classifier.step(frames)
        self._patterns.push(frames)
        self._recognise(float(probabilities[:, self._alarm].max()))
        if self._on_probabilities is not None:
            self._on_probabilities(probabilities)
        for row, peak_dbfs in zip(probabilities.tolist(), peaks_dbfs, strict=True):
            events += self._ended(self._detector.push(row, peak_dbfs, self._pattern))
        return events

    def _on_time(self, event: StreamEvent) -> StreamEvent:
        """Give a bang the onset that its sound has."""
        if event.sound_class not in BANGS:
            return event
        if event.phase is Phase.START:
            self._bangs[event.number] = self._find_bang(event)
        onset_s = self._bangs[event.number]
        if event.phase is Phase.END:
            del self._bangs[event.number]
        return replace(event, onset_s=onset_s)

    def _find_bang(self, event: StreamEvent) -> float:
        rate = self._classifier.card.frontend.sample_rate
        begun_s = event.onset_s - WINDOW_CENTRE_S
        first = max(0, round((begun_s - _BEFORE_BANG_S) * rate) - self._past_from)
        last = round(event.at_s * rate) + self._overlap - self._past_from
        return (self._past_from + first + find_onset(self._past[first:last])) / rate

    def _ended(self, events: list[StreamEvent]) -> list[StreamEvent]:
        """Forget the rhythm of an alarm that has ended: the next has its own."""
        if any(event.sound_class is SoundClass.ALARM and event.phase is Phase.END for event in events):
            self._patterns.forget()
            self._pattern = AlarmPattern.UNKNOWN
        return events

    def _peaks(self, heard: Floats) -> list[float]:
        """Return the loudest sample that the frames of each row of probabilities have seen, in dB below full scale."""
        hop = self._classifier.card.output_samples
        loudness = np.abs(heard)
        starts = range(0, len(heard) - self._overlap, hop)
        return [dbfs(float(loudness[start : start + hop + self._overlap].max())) for start in starts]

    def _recognise(self, alarm: float) -> None:
        """Look for the pattern of an alarm that is heard or suspected; not in every step: it takes seconds anyway."""
        active = SoundClass.ALARM in self._detector.active
        self._suspected = _SUSPECTED_STEPS if alarm >= SUSPICION else max(0, self._suspected - 1)
        if not active and not self._suspected:
            self._pattern = AlarmPattern.UNKNOWN
            self._until_pattern = 0
            return
        # Once an alarm is known to be one of these, it stays that: the pattern is exact, and people act on it.
        if active and self._pattern in CERTAIN_PATTERNS:
            return
        if self._until_pattern > 0:
            self._until_pattern -= 1
            return
        self._until_pattern = _PATTERN_STEPS
        found = self._patterns.recognise()
        if active:
            self._pattern = self._pattern if found is AlarmPattern.UNKNOWN else found
        else:
            self._pattern = found if found in CERTAIN_PATTERNS else AlarmPattern.UNKNOWN


def dbfs(amplitude: float) -> float:
    """Return an amplitude in dB below full scale, no lower than silence."""
    return max(SILENCE_DBFS, 20 * math.log10(amplitude)) if amplitude > 0 else SILENCE_DBFS
