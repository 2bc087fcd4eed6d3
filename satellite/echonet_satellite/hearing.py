"""Frontend, classifier, alarm patterns and detector in one: samples in, detections out. No clock, no I/O."""

from collections import deque
from collections.abc import Callable, Mapping
import math
from typing import Final

import numpy as np

from .classifier import Classifier
from .detector import Detector, StreamEvent
from .frontend import Floats, StreamingLogMel
from .patterns import AlarmPatterns
from .protocol import AlarmPattern, Sensitivity, SoundClass

# What ends with the stream is heard only after the network has seen a little beyond it.
PADDING_S: Final = 0.5
SILENCE_DBFS: Final = -120.0
_PATTERN_STEPS: Final = 5
# Once an alarm is known to be one of these, it stays that: the pattern is exact, and people act on it.
_CERTAIN: Final = frozenset({AlarmPattern.T3, AlarmPattern.T4})


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
        self._rate = card.frontend.sample_rate
        self._log_mel = StreamingLogMel(card.frontend)
        self._frames = np.empty((0, card.frontend.n_mels), np.float32)
        overlap = card.frontend.n_fft - card.frontend.hop_length
        self._levels = _PeakLevels(card.output_samples, card.output_samples + overlap)
        self._patterns = AlarmPatterns(card.frontend)
        self._pattern = AlarmPattern.UNKNOWN
        self._until_pattern = 0
        self._detector = Detector(
            card.classes, card.decisions, sensitivity, step_s=card.output_samples / self._rate
        )

    def push(self, samples: Floats) -> list[StreamEvent]:
        """Hear the next samples, of any number."""
        events: list[StreamEvent] = []
        self._levels.push(samples)
        frames = self._log_mel.push(samples)
        self._frames = np.concatenate((self._frames, frames)) if len(self._frames) else frames
        size = self._classifier.card.step_frames
        while len(self._frames) >= size:
            step, self._frames = self._frames[:size], self._frames[size:]
            events += self._step(step)
        return events

    def configure(self, sensitivity: Mapping[SoundClass, Sensitivity]) -> list[StreamEvent]:
        """Change sensitivities; what is turned off ends now."""
        return self._detector.configure(sensitivity)

    def flush(self) -> list[StreamEvent]:
        """End what is heard: the stream is interrupted."""
        return self._detector.flush()

    def finish(self) -> list[StreamEvent]:
        """Hear the last moment of a stream that is over, and end what is heard."""
        size = self._classifier.card.step_samples
        steps = -(-round(PADDING_S * self._rate) // size)
        events = self.push(np.zeros((steps - 1) * size, np.float32))
        self._until_pattern = 0
        events += self.push(np.zeros(size, np.float32))
        return events + self.flush()

    def _step(self, frames: Floats) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        probabilities = self._classifier.step(frames)
        self._patterns.push(frames)
        self._recognise()
        if self._on_probabilities is not None:
            self._on_probabilities(probabilities)
        for row in probabilities.tolist():
            events += self._detector.push(row, self._levels.pop(), self._pattern)
        return events

    def _recognise(self) -> None:
        """Look for the pattern of an alarm that is heard, and not in every step: it takes seconds anyway."""
        if SoundClass.ALARM not in self._detector.active:
            self._pattern = AlarmPattern.UNKNOWN
            self._until_pattern = 0
            return
        if self._pattern in _CERTAIN:
            return
        if self._until_pattern > 0:
            self._until_pattern -= 1
            return
        self._until_pattern = _PATTERN_STEPS
        found = self._patterns.recognise()
        if found is not AlarmPattern.UNKNOWN:
            self._pattern = found


class _PeakLevels:
    """The loudest sample of all that the frames of one row of probabilities have seen, in dB below full scale."""

    def __init__(self, hop: int, length: int) -> None:
        self._hop = hop
        self._length = length
        self._rest = np.empty(0, np.float32)
        self._levels: deque[float] = deque()

    def push(self, samples: Floats) -> None:
        loudness = np.concatenate((self._rest, np.abs(samples)))
        first = 0
        while first + self._length <= len(loudness):
            self._levels.append(dbfs(float(loudness[first : first + self._length].max())))
            first += self._hop
        self._rest = loudness[first:]

    def pop(self) -> float:
        return self._levels.popleft()


def dbfs(amplitude: float) -> float:
    """Return an amplitude in dB below full scale, no lower than silence."""
    return max(SILENCE_DBFS, 20 * math.log10(amplitude)) if amplitude > 0 else SILENCE_DBFS
