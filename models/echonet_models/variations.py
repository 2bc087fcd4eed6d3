"""Recordings bent far, and judged anew by the teachers: a dozen guns where one was recorded.

What becomes of a recorded shot that is slowed down, overloaded and sent through a wall, no rule says. A teacher that
knows thousands of shots does: the class stays where it still hears it, and elsewhere it says what is heard instead.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
import hashlib
import inspect
from pathlib import Path
import zlib

import numpy as np

from echonet_satellite.protocol import SoundClass

from . import augment, bends
from .activity import Labels, label_clip
from .bank import Bank, Kept, doubt
from .datasets import CLASSES, OTHER, Clip
from .knowledge import open_knowledge
from .recordings import Recordings, Samples, keep_samples
from .teachers import Taught, teach

# How many of each clip: the fewer recordings a class has, the more. The teachers do not know fire and steps well
# enough to judge them, and cries are many.
OF_EACH = {
    SoundClass.GUNSHOT: 15,
    SoundClass.GLASS_BREAK: 30,
    SoundClass.ALARM: 12,
    SoundClass.DOG: 2,
    SoundClass.SCREAM: 24,
}
OF_IMITATIONS = 5
# What an alarm and a voice are known by is their pitch.
OCTAVES = {SoundClass.ALARM: 0.3, SoundClass.BABY_CRY: 0.3, SoundClass.SCREAM: 0.35}
WIDE_OCTAVES = 0.7

# A bent sound is still of its class where the teacher hears it so surely, and so much as surely as before.
HEARD, HEARD_OF_BEFORE = 0.15, 0.6


def open_variations(
    teachers: Path,
    clips: Sequence[Clip],
    recordings: Recordings,
    taught: Mapping[str, Taught],
    rooms: Sequence[Samples],
    cache: Path,
) -> Bank:
    """Bend the recordings and ask the teachers, once per cache; return what came of each clip, by its path.

    Args:
        teachers: their folder.
        clips: of all splits; a training draws only from the clips that it learns from.
        recordings: their samples.
        taught: what the teacher hears in them, see `teachers.teach`.
        rooms: measured responses.
        cache: where results are kept.
    """
    originals = {_path(clip, number): clip for clip in clips for number in range(_count(clip))}
    folder = cache / f"variations-{_fingerprint(list(originals), rooms)}"

    def bend(path: str) -> Samples:
        clip = originals[path]
        octaves = OCTAVES.get(clip.sound_class, WIDE_OCTAVES) if clip.sound_class else WIDE_OCTAVES
        generator = np.random.default_rng(zlib.crc32(path.encode()))
        return bends.bend_far(recordings[clip.path], generator, rooms, octaves)

    bent = keep_samples(folder, list(originals), bend, "bending recordings")
    varied = [replace(clip, path=path) for path, clip in originals.items()]
    heard = teach(teachers, bent, varied, folder)
    sounds: dict[str, list[Kept]] = defaultdict(list)
    for clip in varied:
        original = originals[clip.path]
        labels = judge(clip, bent[clip.path], heard[clip.path], taught[original.path])
        if labels is not None:
            sounds[original.path].append(Kept(bent, clip.path, labels))
    return Bank(sounds, open_knowledge(teachers, bent, varied, folder))


def judge(clip: Clip, samples: Samples, heard: Taught, before: Taught) -> Labels | None:
    """Return the labels of a bent clip, None where nobody can say whether it is still what it was.

    Args:
        clip: what it was.
        samples: what it is now.
        heard: what the teacher hears in it, [windows, 2, 8], see `teachers.teach`.
        before: what it heard before it was bent.
    """
    labels = label_clip(clip, samples, heard)
    imitated = [CLASSES.index(SoundClass(name)) for name in clip.imitates if name in CLASSES]
    own = clip.sound_class
    if own is None:
        # What fooled the teacher before may do so now.
        known = [column for column in imitated if heard[:, 0, column].max() <= before[:, 0, column].max()]
        return doubt(labels, heard, known)
    column = CLASSES.index(own)
    now, then = float(heard[:, 0, column].max()), float(before[:, 0, column].max())
    if now < max(HEARD, HEARD_OF_BEFORE * then) or not (labels[:, column] == 1).any():
        return None
    return doubt(labels, heard, [column])


def _count(clip: Clip) -> int:
    if clip.sound_class is not None:
        return OF_EACH.get(clip.sound_class, 0)
    return OF_IMITATIONS if clip.label == OTHER and clip.imitates else 0


def _path(clip: Clip, number: int) -> str:
    return f"bent/{number}/{clip.path}"


def _fingerprint(paths: Sequence[str], rooms: Sequence[Samples]) -> str:
    """Name what the sounds depend on: which recordings, which rooms, and the code that bends them."""
    codes = [inspect.getsource(module) for module in (bends, augment)]
    return hashlib.sha256("\n".join([*paths, str(len(rooms)), *codes]).encode()).hexdigest()[:16]
