"""What a detection sounded like: embeddings of its most telling moments, for a verdict that may come later. Pure."""

from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np

from ..decision import StreamEvent
from ..frontend import Floats
from ..protocol import AlarmPattern, Phase, SoundClass

MOMENTS: Final = 12
# What is below this says nothing of the class.
TELLING: Final = 0.05
# A detection may start so many steps after its sound was first heard.
_BEFORE: Final = 16

_Moment = tuple[float, Floats]


class Traces:
    """Follows the steps of one stream; an event that passes through gets the trace of its detection."""

    def __init__(self, classes: Sequence[SoundClass]) -> None:
        """Begin with nothing heard."""
        self._classes = tuple(classes)
        self._recent: deque[tuple[Sequence[float], Floats]] = deque(maxlen=_BEFORE)
        self._open: dict[int, tuple[int, list[_Moment]]] = {}

    @property
    def recent(self) -> list[Floats]:
        """The embeddings of the last steps, the newest last."""
        return [embedding for _, embedding in self._recent]

    def push(self, row: Sequence[float], embedding: Floats) -> None:
        """Take what the network says of each class in the next step, and the embedding of that step."""
        self._recent.append((row, embedding))
        for place, moments in self._open.values():
            _note(moments, (row[place], embedding))

    def of(self, event: StreamEvent) -> Floats:
        """Return the embeddings [moments, size] of a detection as far as it was heard; its end forgets them."""
        if event.number not in self._open:
            place = self._classes.index(event.sound_class)
            moments: list[_Moment] = []
            for row, embedding in self._recent:
                # A chirp is known by its shape, whatever the network says of it.
                telling = 1.0 if event.pattern is AlarmPattern.CHIRP else row[place]
                _note(moments, (telling, embedding))
            self._open[event.number] = (place, moments)
        _, moments = self._open[event.number]
        if event.phase is Phase.END:
            del self._open[event.number]
        if not moments:
            return np.zeros((0, 0), np.float32)
        return np.stack([embedding for _, embedding in moments])


def _note(moments: list[_Moment], moment: _Moment) -> None:
    """Keep a moment if it is one of the most telling."""
    if moment[0] < TELLING:
        return
    if len(moments) >= MOMENTS:
        least = min(range(len(moments)), key=lambda number: moments[number][0])
        if moments[least][0] >= moment[0]:
            return
        del moments[least]
    moments.append(moment)
