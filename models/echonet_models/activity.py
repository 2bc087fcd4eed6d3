"""Where in a clip its sound really is: labels per output step, cleaned by level and by the teacher.

A five-second clip of a dog holds half a second of barking. Learning from the silence as "dog" is what the literature's
class cleaning removes (distance of a window's embedding to its class); here a window keeps its label where it is loud
enough against its clip and where the teacher hears the class or, at least, nothing else.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.protocol import SoundClass

from .datasets import BACKGROUND, CLASSES, Clip
from .recordings import SAMPLE_RATE, Samples
from .teachers import HOP, Taught

STEP = 1280
IGNORE = -1

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
FLAT_DB = 10.0
TEACHER_SURE = 0.5
TEACHER_DEAF = 0.03

# A window as the literature and YAMNet have it, 0.96 s. A shot is over within a step; of what lasts, a quarter of a
# window must sound.
WINDOW_STEPS = 12
IMPULSES = frozenset({SoundClass.GUNSHOT, SoundClass.GLASS_BREAK})
LEAST_STEPS = {name: 1 if name in IMPULSES else WINDOW_STEPS // 4 for name in CLASSES}


def step_levels(samples: Samples) -> NDArray[np.float32]:
    """Return the loudest 10 ms of every step, in dB, after a first difference that takes rumble away."""
    sharpened = np.diff(samples, prepend=samples[:1])
    steps = max(1, -(-len(samples) // STEP))
    padded = np.pad(sharpened, (0, steps * STEP - len(sharpened)))
    power = np.square(padded).reshape(steps, STEP // 160, 160).mean(axis=2).max(axis=1)
    levels: NDArray[np.float32] = 10 * np.log10(power + 1e-12)
    return levels


def windows_of_steps(steps: int, windows: int) -> NDArray[np.int64]:
    """Return for each step of a clip which of the teacher's windows it lies in, of so many, [steps]."""
    window: NDArray[np.int64] = np.minimum(np.arange(steps) * STEP // HOP, windows - 1)
    return window


def label_clip(
    clip: Clip, samples: Samples, taught: Taught, verdict: NDArray[np.int8] | None = None
) -> Labels:
    """Return 1 (sounds), 0 (does not) or -1 (unsure: not learned from) per step and class, [steps, 8].

    Args:
        clip: what the manifest says.
        samples: the clip.
        taught: the teacher's scores, [windows, 2, 8], see `teachers.teach`.
        verdict: what cleaning says of its own class (1 keep, -1 doubtful, 0 drop), [steps], see `cleaning.verdicts`.
    """
    levels = step_levels(samples)
    labels = np.zeros((len(levels), len(CLASSES)), np.int8)
    window = windows_of_steps(len(levels), len(taught))
    core, perhaps = taught[window, 0], taught[window, 1]
    for column, name in enumerate(CLASSES):
        if name in clip.may_contain or (core[:, column].max() >= TEACHER_SURE and name not in clip.imitates):
            labels[perhaps[:, column] >= TEACHER_DEAF, column] = IGNORE
    own = clip.sound_class
    if own is not None:
        column = CLASSES.index(own)
        labels[:, column] = _own_labels(own, levels, core, perhaps)
        if verdict is not None:
            active = labels[:, column] == 1
            labels[active & (verdict == IGNORE), column] = IGNORE
            labels[active & (verdict == 0), column] = 0
    elif clip.label == BACKGROUND:
        column = CLASSES.index(SoundClass.PRESENCE)
        labels[core[:, column] >= TEACHER_SURE, column] = 1
    return labels


def _own_labels(
    own: SoundClass, levels: NDArray[np.float32], core: NDArray[np.float32], perhaps: NDArray[np.float32]
) -> Labels:
    dynamics, column = DYNAMICS[own], CLASSES.index(own)
    peak, floor = float(levels.max()), float(np.percentile(levels, 10))
    if peak - floor < FLAT_DB:
        labels = np.ones(len(levels), np.int8)
    else:
        labels = np.full(len(levels), IGNORE, np.int8)
        labels[levels >= max(peak - dynamics.active_db, floor + 4)] = 1
        labels[levels < max(peak - dynamics.silent_db, min(floor + 2, peak - dynamics.active_db))] = 0
    if perhaps[:, column].max() >= 0.3:
        # The teacher hears the class somewhere in this clip, so it is worth asking where it does not.
        elsewhere = core.copy()
        elsewhere[:, column] = 0
        doubtful = (perhaps[:, column] < TEACHER_DEAF) & (elsewhere.max(axis=1) >= TEACHER_SURE)
        labels[doubtful & (labels == 1)] = IGNORE
    return labels


def windows_hold(cut: Labels) -> Labels:
    """Return per window and class 1 (holds it), 0 or -1 (unsure), [.., 8]; `cut` are its steps, [.., steps, 8]."""
    least = np.array([LEAST_STEPS[name] for name in CLASSES])
    sounding = (cut == 1).sum(axis=-2)
    # Neither sure that it sounds nor sure that it does not: some steps unsure, or too few of them active.
    truth = np.where((sounding > 0) | (cut == IGNORE).any(axis=-2), IGNORE, 0)
    return np.where(sounding >= least, 1, truth).astype(np.int8)


def seconds(steps: int) -> float:
    """Return how long so many steps are."""
    return steps * STEP / SAMPLE_RATE
