"""From probabilities to detections: when a sound began, how sure it is, when it ended. No clock, no I/O.

The network sees the last window at once, so a probability stays up until a short sound has left it: two shots a second
apart are one detection that goes on. When a sound began and ended within the window, the level says.
"""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Final

from .decision import Decision, StreamEvent, Tone
from .frontend import Floats
from .protocol import AlarmPattern, Sensitivity, SoundClass
from .track import Clock, Track

__all__ = ["FRAME_S", "STEP_S", "WINDOW_S", "Decision", "Detector", "StreamEvent"]

STEP_S: Final = 0.16
WINDOW_S: Final = 1.6
FRAME_S: Final = 0.01


class Detector:
    """Takes one row of probabilities per step, gives what starts, changes and ends with it."""

    def __init__(
        self,
        classes: Sequence[SoundClass],
        decisions: Mapping[SoundClass, Decision],
        sensitivity: Mapping[SoundClass, Sensitivity],
        *,
        step_s: float = STEP_S,
        window_s: float = WINDOW_S,
        frame_s: float = FRAME_S,
        settling_s: float = 0.0,
    ) -> None:
        """Listen for `classes`, in the order of the probabilities; one that is not in `sensitivity` is off.

        In the first `settling_s`, a click or a rise may be that of a microphone that is switched on.
        """
        self._clock = Clock(step_s, window_s, frame_s, settling_s)
        self._tracks = [Track(name, decisions[name], self._clock) for name in classes]
        self._numbers = count(1)
        self.configure(sensitivity)

    def hears(self, sound_class: SoundClass) -> bool:
        """Return whether a class is heard now."""
        return any(track.active is not None for track in self._tracks if track.sound_class is sound_class)

    def lead_in(self, levels: Floats) -> None:
        """Learn how loud the frames before the stream were; without them, as loud as its first."""
        self._clock.levels.lead_in(levels)

    def push(
        self,
        probabilities: Sequence[float],
        levels: Floats,
        peak_dbfs: float,
        pattern: AlarmPattern | None = None,
        tone: Tone = Tone.NONE,
    ) -> list[StreamEvent]:
        """Take the next step: probabilities, level of each frame, loudest sample; pattern and tone that are known.

        The probability of a scene is that of its evidence; the levels are `frame_levels` of the step's frames.
        """
        self._clock.push(levels)
        events: list[StreamEvent] = []
        for track, probability in zip(self._tracks, probabilities, strict=True):
            known = pattern if track.sound_class is SoundClass.ALARM else None
            event = track.push(probability, peak_dbfs, known, self._numbers, tone)
            if event is not None:
                events.append(event)
        return events

    def chirp(self, first: int, last: int) -> list[StreamEvent]:
        """Tell of an alarm that only says that its battery is low, from frame `first` to before `last`, as over."""
        alarms = [track for track in self._tracks if track.sound_class is SoundClass.ALARM]
        return [event for track in alarms for event in track.chirp(first, last, self._numbers)]

    def configure(self, sensitivity: Mapping[SoundClass, Sensitivity]) -> list[StreamEvent]:
        """Change sensitivities; what is turned off ends now."""
        events: list[StreamEvent] = []
        for track in self._tracks:
            level = sensitivity.get(track.sound_class, Sensitivity.OFF)
            if event := track.configure(level):
                events.append(event)
        return events

    def flush(self) -> list[StreamEvent]:
        """End what is active and forget what was heard: the stream is over or interrupted."""
        return [event for track in self._tracks if (event := track.reset())]
