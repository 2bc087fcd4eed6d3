"""Where in a clip its sound really is: a five-second clip of a dog holds half a second of barking.

A frame sounds where it is loud enough against its clip and, where the teachers hear the class anywhere in the clip, in
a stretch in which they do.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.protocol import SoundClass

from .manifest import BACKGROUND, CLASSES, UNLABELLED, Clip
from .recordings import Samples
from .teachers import STRETCH, ClassMap, Lesson

HOP = 160
SOUNDS, SILENT, UNSURE = 1, 0, -1
Labels = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Dynamics:
    """How far below the loudest moment a class still sounds: `active_db`, and from where it surely does not."""

    active_db: float
    silent_db: float


# Impulses are told from their echo; a fire crackles over a floor that belongs to it.
DYNAMICS = {
    SoundClass.GUNSHOT: Dynamics(18, 40),
    SoundClass.GLASS_BREAK: Dynamics(25, 45),
    SoundClass.BABY_CRY: Dynamics(22, 40),
    SoundClass.ALARM: Dynamics(20, 40),
    SoundClass.FIRE: Dynamics(45, 80),
    SoundClass.DOG: Dynamics(22, 40),
    SoundClass.PRESENCE: Dynamics(25, 45),
    SoundClass.SCREAM: Dynamics(20, 40),
}
IMPULSES = frozenset({SoundClass.GUNSHOT, SoundClass.GLASS_BREAK})
# So many sounding frames make a window of its class, unless the whole sound is shorter.
LEAST_FRAMES = {name: 4 if name in IMPULSES else 25 for name in CLASSES} | {SoundClass.PRESENCE: 8}
# Fewer unsure frames than this are the swing of a noise.
DOUBT_FRAMES = 8
_FLAT_DB = 10.0
_SURE_LOGIT = 0.0
# So much less than the clip's best stretch, in logits, and the teachers no longer hear the class.
_DEAF_LOGITS = 3.5


def frame_levels(samples: Samples) -> NDArray[np.float32]:
    """Return the level of each 10 ms in dB, after a first difference that takes rumble away."""
    sharpened = np.diff(samples, prepend=samples[:1])
    frames = max(1, -(-len(samples) // HOP))
    padded = np.pad(sharpened, (0, frames * HOP - len(sharpened)))
    power = np.square(padded).reshape(frames, HOP).mean(axis=1)
    levels: NDArray[np.float32] = 10 * np.log10(power + 1e-12)
    return levels


def label_frames(clip: Clip, samples: Samples, lesson: Lesson, class_map: ClassMap) -> Labels:
    """Return 1 (sounds), 0 (does not) or -1 (unsure: not learned from) per frame and class, [frames, 8]."""
    levels = frame_levels(samples)
    labels = np.zeros((len(levels), len(CLASSES)), np.int8)
    if clip.label == UNLABELLED:
        labels[:] = UNSURE
        return labels
    for column, name in enumerate(CLASSES):
        core = _along(lesson, class_map.core[name], len(levels))
        perhaps = np.maximum(core, _along(lesson, class_map.weak[name], len(levels)))
        if name is clip.sound_class:
            labels[:, column] = _own(name, levels, perhaps)
        elif name is SoundClass.PRESENCE and clip.label == BACKGROUND:
            # Talk in a background is somebody.
            labels[perhaps > -3, column] = UNSURE
            labels[core > _SURE_LOGIT, column] = SOUNDS
        elif name in clip.may_contain or (core.max() > _SURE_LOGIT and name not in clip.imitates):
            labels[perhaps > -3, column] = UNSURE
    return labels


def holds(labels: Labels, first: int, last: int) -> Labels:
    """Return per class whether the window of the frames `first` to `last` (which may lie outside) holds it, [8]."""
    inside = labels[max(0, first) : max(0, last)]
    sounding = (inside == SOUNDS).sum(axis=0)
    whole = (labels == SOUNDS).sum(axis=0)
    least = np.minimum([LEAST_FRAMES[name] for name in CLASSES], np.maximum(1, whole * 2 // 3))
    doubtful = (sounding > 0) | ((inside == UNSURE).sum(axis=0) >= DOUBT_FRAMES)
    return np.where(sounding >= least, SOUNDS, np.where(doubtful, UNSURE, SILENT)).astype(np.int8)


def _own(name: SoundClass, levels: NDArray[np.float32], heard: NDArray[np.float32]) -> Labels:
    dynamics = DYNAMICS[name]
    peak, floor = float(levels.max()), float(np.percentile(levels, 10))
    if peak - floor < _FLAT_DB:
        labels = np.full(len(levels), SOUNDS, np.int8)
    else:
        labels = np.full(len(levels), UNSURE, np.int8)
        labels[levels >= max(peak - dynamics.active_db, floor + 4)] = SOUNDS
        labels[levels < max(peak - dynamics.silent_db, min(floor + 2, peak - dynamics.active_db))] = SILENT
    if heard.max() > -3:
        labels[(heard < heard.max() - _DEAF_LOGITS) & (labels == SOUNDS)] = UNSURE
    return labels


def _along(lesson: Lesson, columns: list[int], frames: int) -> NDArray[np.float32]:
    """Return the highest of these logits for each frame, the best of the stretches that it lies in."""
    heard = np.full(frames, -20, np.float32)
    if columns:
        for start, logit in zip(lesson.starts, lesson.logits[:, columns].max(axis=1), strict=True):
            stretch = heard[start // HOP : (start + STRETCH) // HOP + 1]
            np.maximum(stretch, logit, out=stretch)
    return heard
