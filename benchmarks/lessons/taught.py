"""How well sounds are known again that a home taught from few examples."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
import zlib

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.lessons.home import QUIET_REPEATS, Fold, Stretch
from echonet_models.data.manifest import OTHER, Clip
from echonet_models.evaluation.pooled import STEP_S
from echonet_models.evaluation.reference import among
from echonet_models.progress import track
from echonet_satellite.frontend import Floats
from echonet_satellite.learning.sounds import MEAN_S, teach

_KINDS: Final = frozenset(
    (  # noqa: SIM905  # thirty words are read more easily as a text
        "air_conditioner app_ringtone beep beep2 bell bicycle_bell bicycle_horn car_horn cash_register cat chainsaw "
        "church_bell church_bells clock_tick cow doorbell doorbell_02 doorbell_03 drilling engine_idling guitar "
        "hammer helicopter home_noise jackhammer notification_chime person_sneeze phone_ring phone_ringtone rain "
        "rooster sheep snoring thunderstorm train_whistle ui_beep whistle"
    ).split()
)
_THINGS: Final = 22
_OF_A_KIND: Final = 8
EXAMPLES: Final = (1, 3, 5)
_BLOCK: Final = 62  # steps: two false alarms within ten seconds are one

Score = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Scores:
    """How much each further repeat of a thing is like it, each ten seconds of background, and each other clip."""

    own: Floats
    background: Floats
    hours: float
    other: Floats
    other_hours: float


def things_to_teach(judged: Iterable[Clip]) -> list[str]:
    """Return a clip of some recordings of what somebody might teach, not too many of a kind."""
    origins: set[str] = set()
    of_kind: Counter[str] = Counter()
    found = []
    for clip in judged:
        kind = _kind(clip)
        if clip.label != OTHER or kind not in _KINDS or clip.duration_s <= 0.3:
            continue
        if clip.origin not in origins and of_kind[kind] < _OF_A_KIND:
            origins.add(clip.origin)
            of_kind[kind] += 1
            found.append(clip.path)
    return sorted(found, key=lambda path: zlib.crc32(path.encode()))[:_THINGS]


def _kind(clip: Clip) -> str:
    """Return what a clip is by its own source, without the name of the collection."""
    return clip.sublabel.split(":")[-1]


def taught_figures(folds: Sequence[Fold]) -> dict[str, Any]:
    """Return recall and false alarms an hour, by way of learning and number of examples, pooled over things."""
    pooled: dict[str, list[list[Scores]]] = defaultdict(lambda: [[] for _ in folds])
    for number, fold in enumerate(folds):
        for repeats in track(fold.things, f"fold {number + 1} is taught"):
            for count in EXAMPLES:
                for name, score in _ways(fold, repeats, count).items():
                    pooled[f"{name}/{count}"][number].append(_scores(fold, repeats, score))
    return {key: _at_own_threshold(found) for key, found in pooled.items()}


def _ways(fold: Fold, repeats: Sequence[Stretch], count: int) -> dict[str, Score]:
    """Return ways to learn a thing from its first repeats: each says of directions how much they are like it."""
    examples = [one.embeddings[one.sounding] for one in repeats if one.repeat < QUIET_REPEATS][:count]
    # A home's own sound is not among the sounds of every day that came with the network.
    everyday, origins = fold.everyday
    reference = among(fold.reference, everyday[origins != fold.clips[repeats[0].path].origin])
    prototype = reference.place(np.concatenate(examples)).mean(axis=0)
    return {
        "linear discriminant": teach(reference, "1", "thing", examples).score,
        "prototype": lambda directions: directions @ prototype / np.linalg.norm(prototype),
    }


def _scores(fold: Fold, repeats: Sequence[Stretch], score: Score) -> Scores:
    thing = fold.clips[repeats[0].path]
    further = [fold.reference.place(one.embeddings) for one in repeats if one.repeat >= QUIET_REPEATS]
    other = [own for clip, own in fold.other if clip.origin != thing.origin and _kind(clip) != _kind(thing)]
    blocks = [
        part for own in fold.background for part in np.split(score(own), range(_BLOCK, len(own), _BLOCK))
    ]
    return Scores(
        own=_highest(map(score, further)),
        background=_highest(blocks),
        hours=sum(map(len, fold.background)) * STEP_S / 3600,
        other=_highest(map(score, other)),
        other_hours=sum(len(own) for _, own in fold.other) * STEP_S / 3600,
    )


def _highest(sounds: Iterable[Floats]) -> Floats:
    """Return of each sound the highest mean score of about a second, as a satellite asks it."""
    steps = round(MEAN_S / STEP_S)
    return np.array([sliding_window_view(own, min(steps, len(own))).mean(axis=1).max() for own in sounds])


def _at_own_threshold(found: Sequence[Sequence[Scores]]) -> dict[str, float]:
    """Return the figures of each fold at the threshold that the other folds choose: one false alarm in an hour."""
    judged: list[tuple[Scores, float]] = []
    for number, part in enumerate(found):
        threshold = _threshold([own for other in (*found[:number], *found[number + 1 :]) for own in other])
        judged += [(own, threshold) for own in part]

    def per_hour(what: str, hours: str) -> float:
        alarms = sum((getattr(own, what) > at).sum() for own, at in judged)
        return float(alarms / sum(getattr(own, hours) for own, _ in judged))

    return {
        "recall": float(np.mean([(own.own > at).mean() for own, at in judged])),
        "background": per_hour("background", "hours"),
        "other": per_hour("other", "other_hours"),
        "threshold": _threshold([own for own, _ in judged]),
        "things": len(judged),
    }


def _threshold(found: Sequence[Scores]) -> float:
    everything = np.sort(np.concatenate([own.background for own in found]))[::-1]
    # A little less than one in an hour, so that the folds that did not choose it keep to it as well.
    count = int(0.9 * sum(own.hours for own in found))
    return float(everything[min(count, len(everything) - 1)])
