"""Made-up sounds that a teacher takes for what they are meant to be, and others.

They are made once, by the hundred. A sound is of its class where YAMNet hears it as surely as in a recording. Where it
does not, nobody knows whether it is of that class; it is none of the others. What the teachers hear in each is learned
like that of recordings.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
import hashlib
import inspect
import json
from pathlib import Path
from types import ModuleType

import numpy as np

from echonet_satellite.protocol import SoundClass

from ..activity import IGNORE, TEACHER_SURE, Labels, label_clip
from ..bank import Bank, Kept, doubt
from ..datasets import CLASSES, OTHER, Clip
from ..knowledge import open_knowledge
from ..recordings import Samples, keep_samples
from ..teachers import Taught, teach
from . import bursts, knocks, sirens, sounds, tunes, voices
from .sounds import Maker

MAKERS: Mapping[str, Maker] = {
    SoundClass.GUNSHOT: bursts.gunshot,
    SoundClass.GLASS_BREAK: bursts.glass_break,
    SoundClass.BABY_CRY: voices.baby_cry,
    SoundClass.ALARM: sirens.alarm,
    SoundClass.SCREAM: voices.scream,
}
# Sounds of no class: what is like shots and glass, what is like alarms.
OTHERS: Mapping[str, Maker] = {"knock": knocks.knock, "tune": tunes.tune}
KINDS = (*map(str, CLASSES), *OTHERS)
EACH = 600
SOURCE = "synthetic"


def open_made_up(teachers: Path, cache: Path, *, each: int = EACH) -> Bank:
    """Make so many sounds of each class and of no class and have them judged, once per cache and version of makers."""
    of_classes = _open(teachers, cache, MAKERS, (sounds, bursts, sirens, voices), each)
    return of_classes.joined(_open(teachers, cache, OTHERS, (sounds, knocks, tunes), each))


def _open(
    teachers: Path, cache: Path, makers: Mapping[str, Maker], modules: tuple[ModuleType, ...], each: int
) -> Bank:
    folder = cache / f"synthetic-{_fingerprint(each, modules)}"
    meant = {f"{SOURCE}/{name}/{number:04d}": (name, number) for name in makers for number in range(each)}
    clips = [
        Clip(path=path, label=_label(name), origin=path, source=SOURCE) for path, (name, _) in meant.items()
    ]

    def make(path: str) -> Samples:
        name, number = meant[path]
        return makers[name](np.random.default_rng((KINDS.index(name), number)))

    recordings = keep_samples(folder, list(meant), make, "making sounds up")
    taught = teach(teachers, recordings, clips, folder)
    kept: dict[str, list[Kept]] = defaultdict(list)
    for clip in clips:
        label, labels = judge(clip, recordings[clip.path], taught[clip.path])
        kept[label].append(Kept(recordings, clip.path, labels))
    return Bank(kept, open_knowledge(teachers, recordings, clips, folder))


def judge(clip: Clip, samples: Samples, taught: Taught) -> tuple[str, Labels]:
    """Return what a made-up sound is, `other` where it is not what it was meant to be, and its labels.

    Args:
        clip: what it was meant to be.
        samples: the sound.
        taught: what the teacher hears in it, [windows, 2, 8], see `teachers.teach`.
    """
    own = clip.sound_class
    if own is None:
        return OTHER, doubt(label_clip(clip, samples, taught), taught)
    column = CLASSES.index(own)
    if taught[:, 0, column].max() >= TEACHER_SURE:
        return clip.label, label_clip(clip, samples, taught)
    labels = doubt(label_clip(replace(clip, label=OTHER), samples, taught), taught)
    # A shot that the teacher does not take for one: nobody knows.
    labels[:, column] = IGNORE
    return OTHER, labels


def _label(name: str) -> str:
    return name if name in CLASSES else OTHER


def _fingerprint(each: int, modules: tuple[ModuleType, ...]) -> str:
    """Name what the sounds depend on: their makers' code, and how many are made."""
    codes = [inspect.getsource(module) for module in modules]
    return hashlib.sha256(json.dumps([each, *codes]).encode()).hexdigest()[:16]
