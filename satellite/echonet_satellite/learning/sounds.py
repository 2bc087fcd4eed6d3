"""Sounds that a home has taught: a few examples make a class, told from the everyday sounds of the reference set. Pure.

Chosen by measure among other ways to learn from few examples, see docs/models.md: a linear discriminant in the space of
the reference set, from everything else that a home hears to the middle of the recordings.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

import numpy as np

from ..frontend import Floats
from ..protocol import Phase
from .reference import Reference

# How much like its recordings it must be, between the sounds of every day (0) and the recordings themselves (1), in the
# mean of about a second. Chosen on sounds that were left out of the choice, see docs/models.md.
_THRESHOLD: Final = 0.6
MEAN_S: Final = 0.96
# A sound ends when it has not been heard for a while.
HOLD_S: Final = 2.0

NEEDED: Final = 3
MAX_SOUNDS: Final = 16
MAX_EXAMPLES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sound:
    """A class of its own: a direction [size] is it where its product with `weights` and `bias` are no less than 0."""

    id: str
    name: str
    weights: Floats
    bias: float

    def score(self, directions: Floats) -> Floats:
        """Return how much directions [..., size] are like the sound; 0 is enough."""
        scores: Floats = directions @ self.weights + np.float32(self.bias)
        return scores


@dataclass(frozen=True, slots=True, kw_only=True)
class TaughtEvent:
    """A taught sound begins or ends; `steps` ago it was first heard."""

    sound_id: str
    phase: Phase
    confidence: float
    steps: int


def teach(reference: Reference, sound_id: str, name: str, examples: Sequence[Floats]) -> Sound:
    """Return the class that examples make; each is the embeddings [moments, size] of one recording."""
    weights, start = reference.way(reference.usual, _middle(reference, examples))
    return Sound(id=sound_id, name=name, weights=weights, bias=-start - _THRESHOLD)


def alike(reference: Reference, one: Floats, others: Sequence[Floats]) -> float:
    """Return how similar a recording is to others, each given as its embeddings: 1 is the same."""
    own, middle = _middle(reference, [one]), _middle(reference, others)
    return float(own @ middle / (np.linalg.norm(own) * np.linalg.norm(middle) + 1e-9))


def _middle(reference: Reference, examples: Sequence[Floats]) -> Floats:
    """Return the mean of the directions of recordings, each of which counts as much as any other."""
    middle: Floats = np.mean([reference.place(own).mean(axis=0) for own in examples], axis=0)
    return middle


class Listening:
    """Follows taught sounds through the steps of one stream."""

    def __init__(self, step_s: float) -> None:
        """Begin with nothing heard."""
        self._hold = round(HOLD_S / step_s)
        self._steps = round(MEAN_S / step_s)
        self._recent: dict[str, deque[float]] = {}
        self._active: dict[str, tuple[int, float]] = {}  # steps since it was last heard, and the best mean

    @property
    def active(self) -> bool:
        """Whether any is heard now."""
        return bool(self._active)

    def push(self, sounds: Sequence[Sound], direction: Floats) -> list[TaughtEvent]:
        """Take the next step, and return what begins and ends with it; what is no longer taught ends."""
        known = {sound.id for sound in sounds}
        self._recent = {item: own for item, own in self._recent.items() if item in known}
        ended = [self._end(item) for item in tuple(self._active) if item not in known]
        found = [self._follow(sound.id, float(sound.score(direction))) for sound in sounds]
        return ended + [event for event in found if event is not None]

    def flush(self) -> list[TaughtEvent]:
        """End what is heard: the stream is interrupted."""
        self._recent.clear()
        return [self._end(sound_id) for sound_id in tuple(self._active)]

    def _follow(self, sound_id: str, score: float) -> TaughtEvent | None:
        recent = self._recent.setdefault(sound_id, deque(maxlen=self._steps))
        recent.append(score)
        mean = fmean(recent)
        heard = len(recent) == self._steps and mean >= 0
        if sound_id not in self._active:
            if not heard:
                return None
            self._active[sound_id] = (0, mean)
            first = next(place for place, own in enumerate(recent) if own >= 0)
            steps = len(recent) - 1 - first
            return TaughtEvent(
                sound_id=sound_id, phase=Phase.START, confidence=_confidence(mean), steps=steps
            )
        since, best = self._active[sound_id]
        self._active[sound_id] = (0 if heard else since + 1, max(best, mean))
        return self._end(sound_id) if since >= self._hold else None

    def _end(self, sound_id: str) -> TaughtEvent:
        since, best = self._active.pop(sound_id)
        return TaughtEvent(sound_id=sound_id, phase=Phase.END, confidence=_confidence(best), steps=since)


def _confidence(score: float) -> float:
    return min(1.0, max(0.0, score + _THRESHOLD))
