"""Made-up sounds that a teacher takes for what they are meant to be.

They are made once, by the hundred, and kept where YAMNet hears the class as surely as in a recording. What the teachers
hear in them besides is learned like that of recordings.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
import hashlib
import inspect
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from echonet_satellite.protocol import SoundClass

from ..activity import TEACHER_SURE, Labels, label_clip
from ..datasets import CLASSES, Clip
from ..knowledge import Knowledge, open_knowledge
from ..recordings import Recordings, Samples, keep_samples
from ..teachers import teach
from . import bursts, sirens, voices

MAKERS: Mapping[SoundClass, Callable[[np.random.Generator], Samples]] = {
    SoundClass.GUNSHOT: bursts.gunshot,
    SoundClass.GLASS_BREAK: bursts.glass_break,
    SoundClass.BABY_CRY: voices.baby_cry,
    SoundClass.ALARM: sirens.alarm,
    SoundClass.SCREAM: voices.scream,
}
EACH = 600
SOURCE = "synthetic"


class Sound(NamedTuple):
    """A made-up sound."""

    samples: Samples
    labels: Labels
    """[steps, 8]."""
    path: str
    """What `Bank.knowledge` knows it by."""


class Bank:
    """Sounds to draw from, by class."""

    def __init__(
        self, recordings: Recordings, labels: Mapping[SoundClass, Mapping[str, Labels]], knowledge: Knowledge
    ) -> None:
        """Take the sounds, the labels of those that are good, by path, and what the teachers hear in them."""
        self._recordings = recordings
        self._labels = {name: list(own.items()) for name, own in labels.items() if own}
        self.knowledge = knowledge

    def count(self, name: SoundClass) -> int:
        """Return how many sounds of a class there are."""
        return len(self._labels.get(name, ()))

    def draw(self, name: SoundClass, generator: np.random.Generator) -> Sound | None:
        """Return a sound of a class; None where there is none."""
        if not self.count(name):
            return None
        path, labels = self._labels[name][int(generator.integers(self.count(name)))]
        return Sound(self._recordings[path], labels, path)


def open_bank(teachers: Path, cache: Path, *, each: int = EACH) -> Bank:
    """Make so many sounds of each class and have them judged, once per cache and version of their makers."""
    folder = cache / f"synthetic-{_fingerprint(each)}"
    clips = [_clip(name, number) for name in MAKERS for number in range(each)]
    recordings = keep_samples(folder, [clip.path for clip in clips], _make, "making sounds up")
    taught = teach(teachers, recordings, clips, folder)
    labels: dict[SoundClass, dict[str, Labels]] = defaultdict(dict)
    for clip in clips:
        name = SoundClass(clip.label)
        if taught[clip.path][:, 0, CLASSES.index(name)].max() >= TEACHER_SURE:
            labels[name][clip.path] = label_clip(clip, recordings[clip.path], taught[clip.path])
    return Bank(recordings, labels, open_knowledge(teachers, recordings, clips, folder))


def _make(path: str) -> Samples:
    _, name, number = path.split("/")
    return MAKERS[SoundClass(name)](np.random.default_rng((CLASSES.index(SoundClass(name)), int(number))))


def _clip(name: SoundClass, number: int) -> Clip:
    path = f"{SOURCE}/{name}/{number:04d}"
    return Clip(path=path, label=str(name), origin=path, source=SOURCE)


def _fingerprint(each: int) -> str:
    """Name what the sounds depend on: their makers' code, and how many are made."""
    codes = [inspect.getsource(module) for module in (bursts, sirens, voices)]
    return hashlib.sha256(json.dumps([each, *codes]).encode()).hexdigest()[:16]
