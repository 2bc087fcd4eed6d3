"""How well clips are told apart: average precision, and recall at a stated number of false alarms an hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from echonet_satellite.protocol import SoundClass

from ..data.manifest import BACKGROUND, CLASSES, OTHER, UNLABELLED, Clip
from .intervals import Floats, figure, resamples
from .pooled import Logits

FALSE_ALARMS_PER_HOUR = 5.0


def highest_mean(logits: Logits, steps: int) -> NDArray[np.float32]:
    """Return the score of a clip for each class: the highest mean of its logits over so many steps, [8].

    What sounds is in several overlapping windows, what only seems to sound is in few.
    """
    own = logits[:, : len(CLASSES)]
    steps = min(steps, len(own))
    means: NDArray[np.float32] = np.lib.stride_tricks.sliding_window_view(own, steps, axis=0).mean(axis=-1)
    best: NDArray[np.float32] = means.max(axis=0)
    return best


@dataclass(frozen=True, slots=True)
class Judged:
    """The clips that a class is judged on: those of it, and all others that surely do not hold it."""

    name: SoundClass
    clips: Sequence[Clip]
    truth: NDArray[np.bool_]
    scores: NDArray[np.float32]


def judge(name: SoundClass, clips: Sequence[Clip], logits: Mapping[str, Logits], steps: int = 1) -> Judged:
    """Return a class's clips with their scores; clips of doubtful label and backgrounds are left out."""
    column = CLASSES.index(name)
    own = [
        clip
        for clip in clips
        if clip.label not in (BACKGROUND, UNLABELLED)
        and not clip.unsure
        and name not in clip.may_contain
        and clip.path in logits
    ]
    scores = np.array([highest_mean(logits[clip.path], steps)[column] for clip in own], np.float32)
    return Judged(name, own, np.array([clip.sound_class is name for clip in own]), scores)


def average_precision(judged: Judged, *, interval: bool = False) -> dict[str, float]:
    """Return the average precision, with an interval over recordings where one is asked for."""
    value = _precision(judged.truth, judged.scores)
    if not interval:
        return {"value": value}
    origins = sorted({clip.origin for clip in judged.clips})
    place = {origin: number for number, origin in enumerate(origins)}
    rows = np.array([place[clip.origin] for clip in judged.clips])
    strata = [False] * len(origins)
    for clip, truth in zip(judged.clips, judged.truth, strict=True):
        strata[place[clip.origin]] |= bool(truth)
    drawn = resamples(strata, times=200)
    return figure(
        value, np.array([_precision(judged.truth, judged.scores, weights[rows]) for weights in drawn])
    )


def recall_at(judged: Judged, per_hour: float = FALSE_ALARMS_PER_HOUR) -> tuple[float, float]:
    """Return the recall at which other sounds (`other`) give so many false alarms an hour, and the threshold."""
    others = np.array([clip.label == OTHER for clip in judged.clips])
    hours = sum(clip.duration_s for clip, other in zip(judged.clips, others, strict=True) if other) / 3600
    allowed = int(per_hour * hours)
    wrong = np.sort(judged.scores[others])[::-1]
    threshold = float(wrong[allowed]) if allowed < len(wrong) else float("-inf")
    return float((judged.scores[judged.truth] > threshold).mean()), threshold


def _precision(truth: NDArray[np.bool_], scores: NDArray[np.float32], weights: Floats | None = None) -> float:
    return float(average_precision_score(truth, scores, sample_weight=weights))
