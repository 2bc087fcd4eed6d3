"""Thresholds of the three sensitivities, chosen on the tune split for stated false alarms and recall."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Aim:
    """What a sensitivity is for: at most so many false alarms an hour, and at least so much recall.

    Where both cannot be had, recall comes first, until the false alarms reach `bearable_per_hour`.
    """

    false_alarms_per_hour: float
    recall: float
    bearable_per_hour: float


# Both are measured on the tune split. It holds about an hour of everyday sound, so less than one false alarm per hour
# cannot be told apart there, and a class that hears nothing would be useless however quiet.
AIMS = {
    Sensitivity.LOW: Aim(0.0, 0.6, 6.0),
    Sensitivity.MEDIUM: Aim(4.0, 0.875, 30.0),
    Sensitivity.HIGH: Aim(12.0, 0.95, 120.0),
}
LOWEST, HIGHEST = 0.2, 0.97
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


def decisions_to_json(decisions: Mapping[SoundClass, Decision]) -> dict[str, Any]:
    """Return decisions as the model card holds them."""
    return {
        str(name): {**asdict(decision), "confirm": list(decision.confirm)}
        for name, decision in decisions.items()
    }


def choose(
    clips: Sequence[Clip], heard: Mapping[str, Probabilities], decisions: Mapping[SoundClass, Decision]
) -> dict[SoundClass, Decision]:
    """Return the decisions with thresholds chosen on these clips (the tune split), by `AIMS`.

    Per class and sensitivity: the lowest threshold that keeps to the false alarms, or, where that would miss too
    much, the highest that keeps to the recall, unless that is unbearable.
    """
    chosen = {}
    for column, name in enumerate(CLASSES):
        blocks, hours = everyday_blocks(clips, heard, decisions[name], column)
        hits = recording_scores(clips, heard, decisions[name], column)
        thresholds = {
            sensitivity: round(_threshold(aim, np.sort(blocks)[::-1], hours, np.sort(hits)), 3)
            for sensitivity, aim in AIMS.items()
        }
        chosen[name] = replace(decisions[name], thresholds=thresholds)
    return chosen


def everyday_blocks(
    clips: Sequence[Clip], heard: Mapping[str, Probabilities], decision: Decision, column: int
) -> tuple[NDArray[np.float32], float]:
    """Return the highest firing score of every 10 s of everyday sound, and how many hours that is.

    Everyday is what neither holds nor imitates the class; a barking dog is everyday sound to all other classes.
    """
    blocks: list[float] = []
    steps = 0
    for clip in clips:
        name = CLASSES[column]
        other_class = clip.sound_class not in (None, name) and name is not SoundClass.PRESENCE
        if name in clip.imitates or not (other_class or is_negative(clip, name)):
            continue
        scores = firing_scores(heard[clip.path], decision, column)
        steps += len(scores)
        blocks.extend(
            float(scores[start : start + BLOCK_STEPS].max()) for start in range(0, len(scores), BLOCK_STEPS)
        )
    return np.array(blocks, np.float32), steps * 0.08 / 3600


def recording_scores(
    clips: Sequence[Clip], heard: Mapping[str, Probabilities], decision: Decision, column: int
) -> NDArray[np.float32]:
    """Return the firing score of every recording of the class: the median of its clips."""
    scores: dict[str, list[float]] = defaultdict(list)
    for clip in clips:
        if clip.sound_class is CLASSES[column]:
            scores[clip.origin].append(float(firing_scores(heard[clip.path], decision, column).max()))
    return np.array([np.median(values) for values in scores.values()], np.float32)


def _threshold(aim: Aim, alarms: NDArray[np.float32], hours: float, hits: NDArray[np.float32]) -> float:
    """Return the threshold for an aim; `alarms` fall, `hits` rise."""
    quiet, bearable = (
        float(alarms[allowed]) + 0.005 if (allowed := int(rate * hours)) < len(alarms) else LOWEST
        for rate in (aim.false_alarms_per_hour, aim.bearable_per_hour)
    )
    # Of a handful of recordings no share is exact: the nearest number of them may be missed.
    hearing = float(hits[round((1 - aim.recall) * len(hits))]) - 0.005 if len(hits) else HIGHEST
    return min(max(min(quiet, hearing), bearable, LOWEST), HIGHEST)


def is_negative(clip: Clip, name: SoundClass) -> bool:
    """Whether a detection of the class in this clip is a false alarm."""
    if clip.label not in (OTHER, BACKGROUND) or name in clip.may_contain:
        return False
    # Talk and steps are presence: speech in a background is no false alarm of it.
    return not (name is SoundClass.PRESENCE and clip.label == BACKGROUND)
