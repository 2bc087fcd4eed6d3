"""Where in a clip its sound really is: a five-second clip of a dog holds half a second of barking.

A frame sounds where it is loud enough against its clip and, where the teachers hear the class anywhere in the clip, in
a stretch in which they do.
"""

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.protocol import SoundClass

from .manifest import BACKGROUND, CLASSES, UNLABELLED, Clip
from .recordings import Samples
from .teachers import STRETCH, ClassMap, Lesson

HOP = 160
SOUNDS, SILENT, UNSURE = 1, 0, -1
# Not even advice on our classes is learned from.
UNASKED = -2
Labels = NDArray[np.int8]
# How far below its loudest moment a class still sounds, and from where it surely does not, in dB.
# Impulses are told from their echo; a fire crackles over a floor that belongs to it.
DYNAMICS = {
    SoundClass.GUNSHOT: (18, 40),
    SoundClass.GLASS_BREAK: (25, 45),
    SoundClass.BABY_CRY: (22, 40),
    SoundClass.ALARM: (20, 40),
    SoundClass.FIRE: (45, 80),
    SoundClass.DOG: (22, 40),
    SoundClass.PRESENCE: (25, 45),
    SoundClass.SCREAM: (20, 40),
}
IMPULSES = frozenset({SoundClass.GUNSHOT, SoundClass.GLASS_BREAK})
# So many sounding frames make a window of its class, unless the whole sound is shorter.
LEAST_FRAMES = {name: 4 if name in IMPULSES else 25 for name in CLASSES} | {SoundClass.PRESENCE: 8}
# Fewer unsure frames than this are the swing of a noise.
DOUBT_FRAMES = 8
# A sound begins where it comes so near to its loudest moment: a breath before the cry, or the click of a bolt before
# the shot, is in the labels but drowns in any background.
NEAR_PEAK_DB = 12.0
# Sounding frames that are no further apart than this belong to one event: a pause for breath is longer.
LONGEST_PAUSE_FRAMES = 40
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
    return np.asarray(10 * np.log10(power + 1e-12))


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


def loudest_event(clip: Clip, samples: Samples, labels: Labels) -> tuple[int, int] | None:
    """Return from which sample to which the loudest event of a clip's class lasts, or None without one.

    What is before and after it is another event. Its decay belongs to it, as far as the labels leave open whether it
    still sounds: by its echo a shot is told from a knock.
    """
    if clip.sound_class is None:
        return None
    own = labels[:, CLASSES.index(clip.sound_class)]
    active: NDArray[np.bool_] = own == SOUNDS
    if not active.any():
        return None
    levels = np.where(active, frame_levels(samples)[: len(active)], -np.inf)
    sounding = np.flatnonzero(active)
    breaks = np.flatnonzero(np.diff(sounding) > LONGEST_PAUSE_FRAMES) + 1
    run = next(part for part in np.split(sounding, breaks) if int(levels.argmax()) in part)
    near = run[levels[run] >= levels.max() - NEAR_PEAK_DB]
    decay = int(np.argmax(np.append(own[int(run[-1]) + 1 :], 0) != UNSURE))
    return int(near[0]) * HOP, min(len(samples), (int(run[-1]) + 1 + decay) * HOP)


def _own(name: SoundClass, levels: NDArray[np.float32], heard: NDArray[np.float32]) -> Labels:
    active_db, silent_db = DYNAMICS[name]
    peak, floor = float(levels.max()), float(np.percentile(levels, 10))
    if peak - floor < _FLAT_DB:
        labels = np.full(len(levels), SOUNDS, np.int8)
    else:
        labels = np.full(len(levels), UNSURE, np.int8)
        labels[levels >= max(peak - active_db, floor + 4)] = SOUNDS
        labels[levels < max(peak - silent_db, min(floor + 2, peak - active_db))] = SILENT
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
