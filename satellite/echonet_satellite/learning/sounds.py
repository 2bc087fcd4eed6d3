"""Sounds that a home has taught: a few examples make a class, told from the everyday sounds of the reference set. Pure.

Chosen by measure among other ways to learn from few examples, see docs/models.md: a logistic regression in the space of
the reference set, its examples weighed against everything else that a home hears.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..frontend import Floats
from ..protocol import Phase
from .reference import Reference

# How sure it must be: the more recordings, the wider is what they make, and the surer. Chosen on sounds that were left
# out of the choice, see docs/models.md.
_THRESHOLD: Final = 0.75
_MORE: Final = 0.05
_MOST: Final = 0.85
# A sound begins when so many steps in a row hear it, and ends when none has for a while.
CONFIRM: Final = 2
HOLD_S: Final = 2.0
_RIDGE: Final = 1e-2
_ROUNDS: Final = 30

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
    own = reference.place(np.concatenate(examples)).astype(np.float64)
    other = reference.everyday.astype(np.float64)
    # Each recording counts as much as any other, and all of them as much as everything else.
    lengths = [len(example) for example in examples]
    weights = np.concatenate(
        [np.full(length, 0.5 / len(lengths) / length) for length in lengths]
        + [np.full(len(other), 0.5 / len(other))]
    )
    points = np.concatenate((own, other))
    points = np.concatenate((points, np.ones((len(points), 1))), axis=1)
    labels = np.concatenate((np.ones(len(own)), np.zeros(len(other))))
    solution = _regress(points, labels, weights)
    threshold = min(_MOST, _THRESHOLD + _MORE * max(0, len(examples) - NEEDED))
    return Sound(
        id=sound_id,
        name=name,
        weights=solution[:-1].astype(np.float32),
        bias=float(solution[-1]) - threshold,
    )


def _regress(points: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weights of a ridge logistic regression, by Newton's method."""
    ridge = _RIDGE * np.eye(points.shape[1])
    ridge[-1, -1] = 1e-6
    solution = np.zeros(points.shape[1])
    for _ in range(_ROUNDS):
        odds = 1 / (1 + np.exp(-np.clip(points @ solution, -30, 30)))
        gradient = points.T @ (weights * (odds - labels)) + ridge @ solution
        bend = (points * (weights * odds * (1 - odds) + 1e-9)[:, None]).T @ points + ridge
        change = np.linalg.solve(bend, gradient)
        solution -= change
        if np.abs(change).max() < 1e-4:
            break
    return solution


class Listening:
    """Follows taught sounds through the steps of one stream."""

    def __init__(self, step_s: float) -> None:
        """Begin with nothing heard."""
        self._hold = round(HOLD_S / step_s)
        self._above: dict[str, int] = {}
        self._active: dict[str, tuple[int, float]] = {}  # steps since it was last heard, and the best score

    @property
    def active(self) -> bool:
        """Whether any is heard now."""
        return bool(self._active)

    def push(self, sounds: Sequence[Sound], direction: Floats) -> list[TaughtEvent]:
        """Take the next step, and return what begins and ends with it; what is no longer taught ends."""
        known = {sound.id for sound in sounds}
        ended = [self._end(item) for item in tuple(self._active) if item not in known]
        found = [self._follow(sound.id, float(sound.score(direction))) for sound in sounds]
        return ended + [event for event in found if event is not None]

    def flush(self) -> list[TaughtEvent]:
        """End what is heard: the stream is interrupted."""
        self._above.clear()
        return [self._end(sound_id) for sound_id in tuple(self._active)]

    def _follow(self, sound_id: str, score: float) -> TaughtEvent | None:
        heard = score >= 0
        above = self._above[sound_id] = self._above.get(sound_id, 0) + 1 if heard else 0
        if sound_id not in self._active:
            if above < CONFIRM:
                return None
            self._active[sound_id] = (0, score)
            return TaughtEvent(
                sound_id=sound_id, phase=Phase.START, confidence=_confidence(score), steps=above - 1
            )
        since, best = self._active[sound_id]
        self._active[sound_id] = (0 if heard else since + 1, max(best, score))
        return self._end(sound_id) if since >= self._hold else None

    def _end(self, sound_id: str) -> TaughtEvent:
        since, best = self._active.pop(sound_id)
        return TaughtEvent(sound_id=sound_id, phase=Phase.END, confidence=_confidence(best), steps=since)


def _confidence(score: float) -> float:
    return float(1 / (1 + np.exp(-score)))
