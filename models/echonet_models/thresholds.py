"""Thresholds of the three sensitivities, chosen on the tune split for a stated rate of false alarms."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.detector import Decision
from echonet_satellite.protocol import Sensitivity, SoundClass

from .datasets import BACKGROUND, CLASSES, OTHER, Clip
from .listening import Probabilities, firing_scores

# How a class is decided, thresholds aside. Impulses count at once; what lasts must last; an alarm is held over its
# pattern's longest pause (5 s in T4).
_DECISIONS: Mapping[SoundClass, tuple[tuple[int, int], float, float]] = {
    SoundClass.GUNSHOT: ((1, 1), 1.0, 0.4),
    SoundClass.GLASS_BREAK: ((1, 1), 1.0, 1.0),
    SoundClass.BABY_CRY: ((3, 5), 3.0, 1.0),
    SoundClass.ALARM: ((3, 6), 6.4, 0.0),
    SoundClass.FIRE: ((6, 10), 5.0, 2.0),
    SoundClass.DOG: ((2, 4), 2.0, 1.0),
    SoundClass.PRESENCE: ((2, 5), 5.0, 2.0),
    SoundClass.SCREAM: ((2, 4), 1.5, 1.0),
}

# False alarms per hour of everyday sound that each sensitivity may cost in the tune split. It lasts about an hour and
# a half, so less than one per hour cannot be told apart: low asks for none at all, with room to spare.
FALSE_ALARMS_PER_HOUR = {Sensitivity.LOW: 0.0, Sensitivity.MEDIUM: 1.0, Sensitivity.HIGH: 6.0}
LOWEST, HIGHEST = 0.2, 0.97
LOW_MARGIN = 0.1
BLOCK_STEPS = 125


def undecided() -> dict[SoundClass, Decision]:
    """Return how each class is decided, with thresholds of one half."""
    half = dict.fromkeys((Sensitivity.LOW, Sensitivity.MEDIUM, Sensitivity.HIGH), 0.5)
    return {
        name: Decision(
            thresholds=half,
            leave_ratio=0.5,
            confirm=confirm,
            smoothing_steps=1,
            hold_s=hold_s,
            refractory_s=refractory_s,
        )
        for name, (confirm, hold_s, refractory_s) in _DECISIONS.items()
    }


def choose(
    clips: Sequence[Clip], heard: Mapping[str, Probabilities], decisions: Mapping[SoundClass, Decision]
) -> dict[SoundClass, Decision]:
    """Return the decisions with thresholds chosen on these clips (the tune split).

    Per class and sensitivity: the lowest threshold whose false alarms on `other` and `background` clips stay within
    `FALSE_ALARMS_PER_HOUR`, between `LOWEST` and `HIGHEST`.
    """
    chosen = {}
    for column, name in enumerate(CLASSES):
        blocks, hours = false_alarm_blocks(clips, heard, decisions[name], column)
        loudest = np.sort(blocks)[::-1]
        thresholds = {}
        for sensitivity, rate in FALSE_ALARMS_PER_HOUR.items():
            allowed = int(rate * hours)
            threshold = float(loudest[allowed]) + 0.005 if allowed < len(loudest) else LOWEST
            if sensitivity is Sensitivity.LOW:
                threshold += LOW_MARGIN * (1 - threshold)
            thresholds[sensitivity] = round(min(max(threshold, LOWEST), HIGHEST), 3)
        chosen[name] = replace(decisions[name], thresholds=thresholds)
    return chosen


def false_alarm_blocks(
    clips: Sequence[Clip], heard: Mapping[str, Probabilities], decision: Decision, column: int
) -> tuple[NDArray[np.float32], float]:
    """Return the highest firing score of every 10 s without the class, and how many hours that is."""
    blocks: list[float] = []
    steps = 0
    for clip in clips:
        if not is_negative(clip, CLASSES[column]):
            continue
        scores = firing_scores(heard[clip.path], decision, column)
        steps += len(scores)
        blocks.extend(
            float(scores[start : start + BLOCK_STEPS].max()) for start in range(0, len(scores), BLOCK_STEPS)
        )
    return np.array(blocks, np.float32), steps * 0.08 / 3600


def is_negative(clip: Clip, name: SoundClass) -> bool:
    """Whether a detection of the class in this clip is a false alarm."""
    if clip.label not in (OTHER, BACKGROUND) or name in clip.may_contain:
        return False
    # Talk and steps are presence: speech in a background is no false alarm of it.
    return not (name is SoundClass.PRESENCE and clip.label == BACKGROUND)
