"""Where the sound of a clip begins and ends, to ten milliseconds: what onsets are measured against."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.protocol import SoundClass

from ..activity import IGNORE, STEP, Labels, step_levels
from ..datasets import CLASSES, Clip
from ..recordings import SAMPLE_RATE, Samples

FRAME = SAMPLE_RATE // 100
# A sound begins where it comes so near to its loudest moment: a breath before the cry, or the click of a bolt before
# the shot, is in the labels but drowns in any background.
NEAR_PEAK_DB = 12.0
# Active steps that are no further apart than this belong to one event: a pause for breath is longer.
LONGEST_PAUSE_STEPS = 5


@dataclass(frozen=True, slots=True)
class Extent:
    """From which sample to which a clip holds a sound."""

    start: int
    stop: int


def first_onset(clip: Clip, samples: Samples, labels: Labels) -> int | None:
    """Return the sample at which the clip's class is first nearly as loud as it gets, or None where it never surely is.

    Args:
        clip: whose class is meant.
        samples: of the clip.
        labels: of its steps, [steps, 8].
    """
    active = _active(clip, labels)
    if not active.any():
        return None
    levels = np.where(active, step_levels(samples)[: len(active)], -np.inf)
    return _rise(samples, int(np.flatnonzero(levels >= levels.max() - NEAR_PEAK_DB)[0]))


def loudest_event(clip: Clip, samples: Samples, labels: Labels) -> Extent | None:
    """Return the loudest event of the clip's class, apart from what is before and after it, or None without one.

    Its decay belongs to it, as far as the labels leave open whether it still sounds: by its echo a shot is told from a
    knock.
    """
    active = _active(clip, labels)
    if not active.any():
        return None
    levels = np.where(active, step_levels(samples)[: len(active)], -np.inf)
    sounding = np.flatnonzero(active)
    breaks = np.flatnonzero(np.diff(sounding) > LONGEST_PAUSE_STEPS) + 1
    run = next(own for own in np.split(sounding, breaks) if int(levels.argmax()) in own)
    near = run[levels[run] >= levels.max() - NEAR_PEAK_DB]
    own = labels[int(run[-1]) + 1 :, CLASSES.index(SoundClass(clip.label))]
    decay = int(np.argmax(np.append(own, 0) != IGNORE))
    return Extent(_rise(samples, int(near[0])), min(len(samples), (int(run[-1]) + 1 + decay) * STEP))


def faded(samples: Samples, rise: int, fall: int) -> Samples:
    """Return samples that rise from nothing and fall to nothing within so many samples: a cut without a click."""
    shape = np.ones(len(samples), np.float32)
    rise, fall = min(rise, len(samples)), min(fall, len(samples))
    shape[:rise] = np.linspace(0, 1, rise, dtype=np.float32)
    if fall:
        shape[-fall:] *= np.linspace(1, 0, fall, dtype=np.float32)
    return samples * shape


def _active(clip: Clip, labels: Labels) -> NDArray[np.bool_]:
    if clip.sound_class is None:
        return np.zeros(len(labels), np.bool_)
    active: NDArray[np.bool_] = labels[:, CLASSES.index(clip.sound_class)] == 1
    return active


def _rise(samples: Samples, step: int) -> int:
    """Return the first sample of the first 10 ms of a step that are nearly as loud as its loudest."""
    first = step * STEP
    own = samples[first : first + STEP]
    own = np.pad(own, (0, STEP - len(own)))
    # A first difference takes rumble away, as in the labels.
    power = np.square(np.diff(own, prepend=own[:1])).reshape(-1, FRAME).mean(axis=1)
    near = power >= power.max() * 10 ** (-NEAR_PEAK_DB / 10)
    return first + int(np.flatnonzero(near)[0]) * FRAME
