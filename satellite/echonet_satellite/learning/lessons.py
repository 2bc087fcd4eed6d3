"""What was no alarm makes none again: from a verdict to a lesson, and from lessons to a quieter row. Pure.

A lesson silences a class while what is heard is as similar to a false alarm as the lesson asks for. How much that is,
the reference set decides: true recordings of the class must stay outside, all but `MOST_LOST` of them, whatever was
learned before, and every moment of a smoke or carbon monoxide alarm.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor
from typing import Final

import numpy as np

from ..frontend import Floats
from ..protocol import AlarmPattern, SoundClass
from .reference import Reference

# The share of a class's true recordings that all lessons together may silence.
MOST_LOST: Final = 0.02
# What is less similar than this is another sound.
LEAST_SIMILARITY: Final = 0.5
# With a higher similarity threshold than this, a lesson would not match its own sound again.
MOST_SIMILARITY: Final = 0.97
# So far outside the next true recording stays.
MARGIN: Final = 0.01
MAX_LESSONS: Final = 64
NEVER_SILENCED: Final = frozenset({AlarmPattern.T3, AlarmPattern.T4})


class Refusal(StrEnum):
    """Why nothing is learned of a verdict."""

    SMOKE_OR_CO = "smoke_or_co"
    TOO_SIMILAR = "too_similar"
    NOT_KEPT = "not_kept"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesson:
    """A false alarm: `directions` [moments, size] in the reference's space, and how similar is the same."""

    detection_id: str
    sound_class: SoundClass
    directions: Floats
    similarity: float

    def knows(self, directions: Floats) -> np.ndarray:
        """Return of each direction [..., size] whether it is the same sound."""
        known: np.ndarray = (directions @ self.directions.T).max(axis=-1) >= self.similarity
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
    similar = np.sort(_nearest(true, directions)[~silenced(reference, sound_class, learned)])[::-1]
    room = allowed(len(true)) - (len(true) - len(similar))
    least = LEAST_SIMILARITY
    if room < len(similar):
        least = max(least, float(similar[max(room, 0)]) + MARGIN)
    if sound_class is SoundClass.ALARM and len(reference.smoke):
        least = max(least, float((reference.smoke @ directions.T).max()) + MARGIN)
    if room < 0 or least > MOST_SIMILARITY:
        return Refusal.TOO_SIMILAR
    return Lesson(detection_id=detection_id, sound_class=sound_class, directions=directions, similarity=least)


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


def _nearest(true: Floats, directions: Floats) -> Floats:
    """Return of each recording how similar its nearest moment is to the nearest of some directions."""
    if not len(true):
        return np.zeros(0, np.float32)
    nearest: Floats = (true @ directions.T).max(axis=(1, 2))
    return nearest


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
