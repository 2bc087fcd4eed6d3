"""Sounds that nobody recorded, kept with their labels and with what the teachers hear in them."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from .activity import IGNORE, TEACHER_DEAF, Labels, windows_of_steps
from .datasets import CLASSES
from .knowledge import Knowledge
from .recordings import Recordings, Samples
from .teachers import Taught

# From here on a sound that is meant to be none of a class may be one after all.
PERHAPS = 0.2


class Sound(NamedTuple):
    """A sound of a bank."""

    samples: Samples
    labels: Labels
    """[steps, 8]."""
    path: str
    """What `Bank.knowledge` knows it by."""


class Kept(NamedTuple):
    """Where a sound is kept, and its labels."""

    recordings: Recordings
    path: str
    labels: Labels


class Bank:
    """Sounds to draw from, by what they stand for: a class, `other`, or the path of the clip that was bent."""

    def __init__(self, sounds: Mapping[str, Sequence[Kept]], knowledge: Knowledge) -> None:
        """Take the sounds and what the teachers hear in them."""
        self.sounds = sounds
        self.knowledge = knowledge

    def joined(self, other: "Bank") -> "Bank":
        """Return the sounds of both."""
        keys = {*self.sounds, *other.sounds}
        both = {key: [*self.sounds.get(key, ()), *other.sounds.get(key, ())] for key in keys}
        return Bank(both, self.knowledge.joined(other.knowledge))

    def count(self, key: str) -> int:
        """Return how many sounds there are."""
        return len(self.sounds.get(key, ()))

    def draw(self, key: str, generator: np.random.Generator) -> Sound | None:
        """Return a sound; None where there is none."""
        if not self.count(key):
            return None
        kept = self.sounds[key][int(generator.integers(self.count(key)))]
        return Sound(kept.recordings[kept.path], kept.labels, kept.path)


def doubt(labels: Labels, taught: Taught, known: Collection[int] = ()) -> Labels:
    """Return labels that are unsure of every class that the teacher hears perhaps, but for those known, by column.

    Args:
        labels: [steps, 8].
        taught: [windows, 2, 8], see `teachers.teach`.
        known: the columns that stay as they are.
    """
    doubted = labels.copy()
    for column in range(len(CLASSES)):
        if column not in known and taught[:, 0, column].max() >= PERHAPS:
            window = windows_of_steps(len(labels), len(taught))
            doubted[taught[window, 1, column] >= TEACHER_DEAF, column] = IGNORE
    return doubted
