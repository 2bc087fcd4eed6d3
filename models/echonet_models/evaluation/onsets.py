"""Where the sound of a clip begins and ends, to ten milliseconds: what onsets are measured against."""

from dataclasses import dataclass

import numpy as np

from ..activity import STEP, Labels
from ..datasets import CLASSES, Clip
from ..recordings import SAMPLE_RATE, Samples

FRAME = SAMPLE_RATE // 100
# The rise of a sound within its first step: the first 10 ms that are nearly as loud as its loudest 10 ms.
RISE_DB = 10.0


@dataclass(frozen=True, slots=True)
class Extent:
    """From which sample to which a clip holds its class."""

    start: int
    stop: int


def extent(clip: Clip, samples: Samples, labels: Labels) -> Extent | None:
    """Return where the clip's class sounds, or None where no step surely holds it.

    The first active step of its labels [steps, 8] begins it; within that step the first 10 ms frame that comes within
    `RISE_DB` of the step's loudest does.
    """
    if clip.sound_class is None:
        return None
    active = np.flatnonzero(labels[:, CLASSES.index(clip.sound_class)] == 1)
    if not len(active):
        return None
    first = int(active[0]) * STEP
    step = samples[first : first + STEP]
    step = np.pad(step, (0, STEP - len(step)))
    # A first difference takes rumble away, as in the labels.
    power = np.square(np.diff(step, prepend=step[:1])).reshape(-1, FRAME).mean(axis=1)
    rise = int(np.flatnonzero(power >= power.max() * 10 ** (-RISE_DB / 10))[0])
    return Extent(first + rise * FRAME, min(len(samples), (int(active[-1]) + 1) * STEP))


def faded(samples: Samples, rise: int, fall: int) -> Samples:
    """Return samples that rise from nothing and fall to nothing within so many samples: a cut without a click."""
    shape = np.ones(len(samples), np.float32)
    rise, fall = min(rise, len(samples)), min(fall, len(samples))
    shape[:rise] = np.linspace(0, 1, rise, dtype=np.float32)
    if fall:
        shape[-fall:] *= np.linspace(1, 0, fall, dtype=np.float32)
    return samples * shape
