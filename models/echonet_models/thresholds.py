"""Thresholds of the three sensitivities, chosen on the tune split: the best trade of recall and false alarms."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.detector import Decision
from echonet_satellite.protocol import Sensitivity, SoundClass

from .datasets import BACKGROUND, CLASSES, OTHER, Clip
from .listening import Probabilities, firing_scores, logit

Floats = NDArray[np.float64]

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


# What an alert may wake a family for.
SAFETY = (
    SoundClass.GUNSHOT,
    SoundClass.GLASS_BREAK,
    SoundClass.BABY_CRY,
    SoundClass.ALARM,
    SoundClass.FIRE,
    SoundClass.SCREAM,
)


@dataclass(frozen=True, slots=True)
class Aim:
    """What a sensitivity is for.

    Every class's threshold falls as long as each further false alarm a day buys at least `price` of recall: so false
    alarms are spent where they buy most. But a safety class that hears nothing is useless however quiet: each that can
    reach `recall` falls at least to it. None, whatever it would buy, falls to more than `bearable_per_day`. So the
    others, which are for comfort, are precise rather than complete.
    """

    price: float
    recall: float
    bearable_per_day: float


AIMS: Mapping[Sensitivity, Aim] = {
    Sensitivity.LOW: Aim(0.02, 0.3, 80),
    Sensitivity.MEDIUM: Aim(0.004, 0.6, 130),
    Sensitivity.HIGH: Aim(0.0008, 0.85, 200),
}

# Beyond it a recall measured on so few recordings says nothing.
ENOUGH = 0.97

# A day at home holds talk, music and noises (`background`), and about so large a share of what the hand-picked clips of
# other sounds hold, which are nothing but events: half an hour of them.
EVENTFUL_SHARE = 0.02

CANDIDATES = np.round(1 / (1 + np.exp(-np.arange(-3.2, 5.3, 0.05))), 4)
# A minute: what goes on for longer is told once.
BLOCK_STEPS = 750
# Of this many of the highest blocks the tail is made, beyond which false alarms are rarer than the recordings can show.
TAIL_BLOCKS = 24
LEAST_DECAY = 0.15
SURE = 1e-5


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


@dataclass(frozen=True, slots=True)
class Trade:
    """What each of the candidates for a threshold would bring a class: candidates rise, both of these fall."""

    recall: Floats
    per_day: Floats
    safety: bool = True

    def best(self, aim: Aim) -> int:
        """Return which candidate an aim takes."""
        hearing = np.flatnonzero((self.recall >= aim.recall) & self.safety)
        bearable = np.flatnonzero(self.per_day <= aim.bearable_per_day)
        worth = np.minimum(self.recall, ENOUGH) - aim.price * self.per_day
        last = len(CANDIDATES) - 1
        highest = int(hearing[-1]) if len(hearing) else last
        lowest = int(bearable[0]) if len(bearable) else last
        return max(lowest, int(np.argmax(worth[: highest + 1])))

    def thresholds(self) -> dict[Sensitivity, float]:
        """Return those of all sensitivities; a higher one never hears less, though its own aim be out of reach."""
        places = np.minimum.accumulate([self.best(aim) for aim in AIMS.values()])
        return {
            sensitivity: float(CANDIDATES[place]) for sensitivity, place in zip(AIMS, places, strict=True)
        }


def choose(
    clips: Sequence[Clip], heard: Mapping[str, Probabilities], decisions: Mapping[SoundClass, Decision]
) -> dict[SoundClass, Decision]:
    """Return the decisions with thresholds chosen on these clips (the tune split), see `Aim`."""
    chosen = {}
    for column, name in enumerate(CLASSES):
        trade = Trade(
            recall_at(recording_scores(clips, heard, decisions[name], column), CANDIDATES),
            false_alarms_per_day(clips, heard, decisions[name], column, CANDIDATES),
            name in SAFETY,
        )
        chosen[name] = replace(decisions[name], thresholds=trade.thresholds())
    return chosen


def recall_at(recordings: Sequence[Floats], thresholds: Floats) -> Floats:
    """Return the share of clips that each threshold finds, every recording counting once.

    Takes the firing scores of the clips of every recording. Smoothed over half a unit of logit: of five recordings the
    share would jump at each.
    """
    if not recordings:
        return np.zeros(len(thresholds))
    shares = []
    for scores in recordings:
        distance = (logit(scores, SURE)[None, :] - logit(thresholds, SURE)[:, None]) / 0.25
        shares.append((1 / (1 + np.exp(-np.clip(distance, -60, 60)))).mean(axis=1))
    recall: Floats = np.mean(shares, axis=0)
    return recall


def false_alarms_per_day(
    clips: Sequence[Clip],
    heard: Mapping[str, Probabilities],
    decision: Decision,
    column: int,
    thresholds: Floats,
) -> Floats:
    """Return how many false alarms of a class a day at home would bring at each threshold."""
    background = [clip for clip in clips if clip.label == BACKGROUND]
    events = [clip for clip in clips if clip.label != BACKGROUND]
    quiet, eventful = (
        exceedances_per_hour(*everyday_blocks(group, heard, decision, column), thresholds)
        for group in (background, events)
    )
    per_day: Floats = 24 * ((1 - EVENTFUL_SHARE) * quiet + EVENTFUL_SHARE * eventful)
    return per_day


def exceedances_per_hour(scores: NDArray[np.float32], hours: float, thresholds: Floats) -> Floats:
    """Return how often an hour the firing score of a block passes each threshold.

    Counted as far as there is something to count. Beyond, the logits of the highest blocks are taken to fall off
    exponentially (peaks over a threshold; Pickands, 1975), since an hour of sound cannot show what happens once a day.
    """
    if not len(scores):
        return np.zeros(len(thresholds))
    peaks, wanted = np.sort(logit(scores, SURE))[::-1], logit(thresholds, SURE)
    counted = (peaks[None, :] >= wanted[:, None]).sum(axis=1).astype(float)
    tail = peaks[: max(1, min(TAIL_BLOCKS, len(peaks) // 3))]
    decay = max(LEAST_DECAY, float((tail - tail[-1]).mean()))
    beyond = len(tail) * np.exp(-np.maximum(wanted - tail[-1], 0) / decay)
    rates: Floats = np.where(wanted <= tail[-1], counted, beyond) / hours
    return rates


def everyday_blocks(
    clips: Sequence[Clip], heard: Mapping[str, Probabilities], decision: Decision, column: int
) -> tuple[NDArray[np.float32], float]:
    """Return the highest firing score of every minute of everyday sound, and how many hours that is.

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
) -> list[Floats]:
    """Return the firing scores of the clips of every recording of the class."""
    scores: dict[str, list[float]] = defaultdict(list)
    for clip in clips:
        if clip.sound_class is CLASSES[column]:
            scores[clip.origin].append(float(firing_scores(heard[clip.path], decision, column).max()))
    return [np.array(values) for values in scores.values()]


def is_negative(clip: Clip, name: SoundClass) -> bool:
    """Whether a detection of the class in this clip is a false alarm."""
    if clip.label not in (OTHER, BACKGROUND) or name in clip.may_contain:
        return False
    # Talk and steps are presence: speech in a background is no false alarm of it.
    return not (name is SoundClass.PRESENCE and clip.label == BACKGROUND)
