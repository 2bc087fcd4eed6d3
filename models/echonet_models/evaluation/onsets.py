"""Where the sound of a clip begins and ends, to ten milliseconds: what onsets are measured against."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.activity import HOP, SOUNDS, UNSURE, Labels, frame_levels
from ..data.manifest import CLASSES, Clip
from ..data.recordings import Samples

# A sound begins where it comes so near to its loudest moment: a breath before the cry, or the click of a bolt before
# the shot, is in the labels but drowns in any background.
NEAR_PEAK_DB = 12.0
# Sounding frames that are no further apart than this belong to one event: a pause for breath is longer.
LONGEST_PAUSE_FRAMES = 40


@dataclass(frozen=True, slots=True)
class Extent:
    """From which sample to which a clip holds a sound."""

    start: int
    stop: int


def loudest_event(clip: Clip, samples: Samples, labels: Labels) -> Extent | None:
    """Return the loudest event of the clip's class, apart from what is before and after it, or None without one.

    Its decay belongs to it, as far as the labels leave open whether it still sounds: by its echo a shot is told from a
    knock.
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
    return Extent(int(near[0]) * HOP, min(len(samples), (int(run[-1]) + 1 + decay) * HOP))


def faded(samples: Samples, rise: int, fall: int) -> Samples:
    """Return samples that rise from nothing and fall to nothing within so many samples: a cut without a click."""
    shape = np.ones(len(samples), np.float32)
    rise, fall = min(rise, len(samples)), min(fall, len(samples))
    shape[:rise] = np.linspace(0, 1, rise, dtype=np.float32)
    if fall:
        shape[-fall:] *= np.linspace(1, 0, fall, dtype=np.float32)
    return samples * shape
