"""When a bang begins, to the millisecond: in a frame of 10 ms, sound crosses a room. No clock, no I/O."""

from collections import deque
from dataclasses import replace
from typing import Final

import numpy as np

from .decision import StreamEvent
from .frontend import Floats
from .onset import ATTACKS, Attack
from .protocol import Phase

# A bang begins so near to the frame that it was found in.
BESIDE_S: Final = 0.06
# While a microphone settles, its click may lie within this of a bang (seconds).
SETTLING_BESIDE_S: Final = 0.03
# What comes through walls comes early and faint. Where the bang itself arrives is within this of its loudest moment.
NEARLY_DB: Final = 3.0
# How long after a bang the detector may still become sure of it (seconds).
REMEMBERED_S: Final = 4.0


class Bangs:
    """Remembers the last sound of a stream, and gives bangs the onset that theirs has."""

    def __init__(self, rate: int, ahead: int, settling_s: float = 0.0) -> None:
        """Begin; at the end of a step, so many samples `ahead` of it are known."""
        self._rate = rate
        self._settling_s = settling_s
        self._ahead = ahead
        self._capacity = round(REMEMBERED_S * rate)
        self._past: deque[Floats] = deque([np.zeros(self._capacity, np.float32)])
        self._length = self._capacity
        self._onsets: dict[int, float] = {}

    def push(self, samples: Floats) -> None:
        """Take the next samples, those that come with a step."""
        self._past.append(samples)
        self._length += len(samples)
        while self._length - len(self._past[0]) >= self._capacity:
            self._length -= len(self._past.popleft())

    def on_time(self, event: StreamEvent) -> StreamEvent:
        """Return what a step has told, a bang with the onset of its sound: the same until it ends."""
        if ATTACKS[event.sound_class] is not Attack.BANG:
            return event
        if event.phase is Phase.START:
            self._onsets[event.number] = self._find(event)
        onset_s = self._onsets[event.number]
        if event.phase is Phase.END:
            del self._onsets[event.number]
        return replace(event, onset_s=onset_s, heard_s=max(onset_s, event.heard_s))

    def _find(self, event: StreamEvent) -> float:
        # Samples are counted from the start of the stream, as seconds are.
        oldest = round(event.at_s * self._rate) + self._ahead - self._length
        before_s = SETTLING_BESIDE_S if event.onset_s < self._settling_s else BESIDE_S
        first = max(0, oldest, round((event.onset_s - before_s) * self._rate))
        last = round((event.onset_s + BESIDE_S) * self._rate)
        samples = np.concatenate(self._past)[first - oldest : max(0, last - oldest)]
        return (first + find_onset(samples)) / self._rate if samples.any() else event.onset_s


def find_onset(samples: Floats) -> int:
    """Return where the loudest bang in these samples begins, as an index."""
    loudness = np.abs(samples)
    return int(np.argmax(loudness >= loudness.max() * 10 ** (-NEARLY_DB / 20)))
