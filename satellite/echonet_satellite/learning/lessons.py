"""What was no alarm makes none again: from a verdict to a lesson, and from lessons to a quieter row. Pure.

A lesson silences the class while what is heard lies far enough along the way from true recordings of the class (0)
to the false alarm (1), or is similar enough to one of its moments. How much that is, the reference set decides: true
recordings of the class must stay outside, all but `MOST_LOST` of them, whatever was learned before, and every moment of
a smoke or carbon monoxide alarm.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np

from ..frontend import Floats
from ..protocol import AlarmPattern, SoundClass
from .reference import Reference

# The share of a class's true recordings that all lessons together may silence.
MOST_LOST: Final = 0.02
# What is less is another sound. Chosen by measure, see docs/models.md.
LEAST: Final = 0.4
LEAST_SIMILARITY: Final = 0.5
# With higher thresholds than this, a lesson would not match its own sound again.
MOST: Final = 0.97
# So far outside the next true recording stays.
MARGIN: Final = 0.01
MAX_LESSONS: Final = 64
# Of fewer values nothing can be said of another.
_FEWEST: Final = 3
NEVER_SILENCED: Final = frozenset({AlarmPattern.T3, AlarmPattern.T4})


class Refusal(StrEnum):
    """Why nothing is learned of a verdict."""

    SMOKE_OR_CO = "smoke_or_co"
    TOO_SIMILAR = "too_similar"
    NOT_KEPT = "not_kept"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesson:
    """A false alarm.

    Attributes:
        weights: a direction [size] whose product with them is at least `least` is it,
        directions: and one whose product with any of these moments [moments, size] is at least `similarity`.
    """

    detection_id: str
    sound_class: SoundClass
    weights: Floats
    least: float
    directions: Floats
    similarity: float

    def knows(self, directions: Floats) -> np.ndarray:
        """Return of each direction [..., size] whether it is the same sound."""
        along = directions @ self.weights >= self.least
        known: np.ndarray = along | ((directions @ self.directions.T).max(axis=-1) >= self.similarity)
        return known


def learn(
    reference: Reference,
    learned: Iterable[Lesson],
    detection_id: str,
    sound_class: SoundClass,
    pattern: AlarmPattern | None,
    embeddings: Floats,
) -> Lesson | Refusal:
    """Return what a false alarm teaches beside what was learned before, or why it may teach nothing."""
    if pattern in NEVER_SILENCED:
        return Refusal.SMOKE_OR_CO
    if not len(embeddings):
        return Refusal.NOT_KEPT
    directions = reference.place(embeddings)
    true = reference.sounds[sound_class]
    begin = true.mean(axis=(0, 1)) if len(true) else reference.usual
    weights, start = reference.way(begin, directions.mean(axis=0))
    # Of each recording that no other lesson silences, the moment that lies furthest, and the most similar one.
    heard = true[~silenced(reference, sound_class, learned)]
    along, near = (heard @ weights).max(axis=1) - start, (heard @ directions.T).max(axis=(1, 2))
    room = allowed(len(true)) - (len(true) - len(heard))
    if room < 0:
        return Refusal.TOO_SIMILAR
    least = _outside(along, room, LEAST)
    smoke = reference.smoke if sound_class is SoundClass.ALARM else reference.smoke[:0]
    least = _outside(smoke @ weights - start, 0, least)
    lost = along >= least
    similarity = _outside(near[~lost], room - int(lost.sum()), LEAST_SIMILARITY)
    similarity = _outside((smoke @ directions.T).ravel(), 0, similarity)
    if least > MOST and similarity > MOST:
        return Refusal.TOO_SIMILAR
    return Lesson(
        detection_id=detection_id,
        sound_class=sound_class,
        weights=weights,
        least=least + start,
        directions=directions,
        similarity=similarity,
    )


def _outside(values: Floats, room: int, least: float) -> float:
    """Return what is more than all but so many values, and than another is likely to be, and no less than `least`."""
    beyond = np.sort(values)[::-1][room:]
    return max(least, float(beyond[0]) + MARGIN, _unlikely(values)) if len(beyond) else least


def _unlikely(values: Floats) -> float:
    """Return what another value exceeds once in `1 / MOST_LOST` times: where few recordings are known, more is.

    The upper prediction bound of a normal distribution; Student's t by the expansion of Cornish and Fisher.
    """
    count = len(values)
    if count < _FEWEST:
        return float(values.max())
    z, free = NormalDist().inv_cdf(1 - MOST_LOST), count - 1
    t = z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
    return float(values.mean() + t * sqrt(1 + 1 / count) * values.std(ddof=1))


def allowed(recordings: int) -> int:
    """Return how many of so many true recordings lessons may silence."""
    return floor(MOST_LOST * recordings)


def silenced(reference: Reference, sound_class: SoundClass, learned: Iterable[Lesson]) -> np.ndarray:
    """Return of each true recording of a class whether some lesson silences any of its telling moments."""
    true = reference.sounds[sound_class]
    lost = np.zeros(len(true), np.bool_)
    for lesson in learned:
        if lesson.sound_class is sound_class:
            lost |= lesson.knows(true).any(axis=-1)
    return lost


class Quiet:
    """The lessons of a home as the hearing asks them; `row` is what the network says of each class in one step."""

    def __init__(
        self, reference: Reference, classes: Sequence[SoundClass], lessons: Sequence[Lesson]
    ) -> None:
        """Take the lessons; one of a class that the network does not know says nothing."""
        self._reference = reference
        self._alarm = classes.index(SoundClass.ALARM)
        self._own = [
            (place, own)
            for place, name in enumerate(classes)
            if (own := [lesson for lesson in lessons if lesson.sound_class is name])
        ]

    def silences(self, row: Sequence[float], embedding: Floats, least: float) -> list[int]:
        """Return the places in the row that hear only what was no alarm, of those that hear at least so much."""
        asked = [(place, own) for place, own in self._own if row[place] >= least]
        if not asked:
            return []
        direction = self._reference.place(embedding)
        return [place for place, own in asked if any(lesson.knows(direction) for lesson in own)]

    def knows_alarm(self, embeddings: Sequence[Floats]) -> bool:
        """Tell whether any of these embeddings is an alarm that was none."""
        own = [lesson for place, lessons in self._own if place == self._alarm for lesson in lessons]
        if not own or not embeddings:
            return False
        directions = self._reference.place(np.stack(embeddings))
        return any(lesson.knows(directions).any() for lesson in own)
