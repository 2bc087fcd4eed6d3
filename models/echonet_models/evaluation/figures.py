"""The figures: how clips are told apart, what the detector finds and how often it is wrong, and when it knows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.detector import StreamEvent
from echonet_satellite.protocol import Sensitivity, SoundClass

from ..data.activity import loudest_event
from ..data.library import Library
from ..data.manifest import BACKGROUND, CLASSES, OTHER, Clip
from ..data.recordings import SAMPLE_RATE
from ..progress import track
from .bench import Bench
from .decisions import SAFETY, certain_clips
from .intervals import average_precision, figure, rate, resamples, share
from .pooled import Logits, blended
from .scenes import EBR_DB, RARE_CLASSES, SECONDS

COLLAR_S = 0.5
FALSE_ALARMS_PER_HOUR = 5.0


@dataclass(frozen=True, slots=True)
class Judged:
    """The clips that a class is judged on: those of it, and all others that surely do not hold it."""

    clips: Sequence[Clip]
    truth: NDArray[np.bool_]
    scores: NDArray[np.float32]


def judge(name: SoundClass, clips: Sequence[Clip], logits: Mapping[str, Logits], steps: int = 1) -> Judged:
    """Return a class's clips, without those of doubtful label and backgrounds, with their scores.

    That is the highest mean of the logits over so many steps: what sounds is in several overlapping windows, what only
    seems to sound is in few.
    """
    column = CLASSES.index(name)

    def score(heard: Logits) -> float:
        own = blended(heard)[:, column]
        means = np.lib.stride_tricks.sliding_window_view(own, min(steps, len(own))).mean(axis=-1)
        return float(means.max())

    own = certain_clips(name, clips, logits)
    scores = np.array([score(logits[clip.path]) for clip in own], np.float32)
    return Judged(own, np.array([clip.sound_class is name for clip in own]), scores)


def precision(judged: Judged) -> dict[str, float]:
    """Return the average precision with its interval over recordings."""
    origins, place = np.unique([clip.origin for clip in judged.clips], return_inverse=True)
    strata = np.bincount(place, judged.truth) > 0
    weights = np.concatenate((np.ones((1, len(origins))), resamples(strata, times=200)))
    value, *drawn = average_precision(judged.scores, judged.truth, weights[:, place])
    return figure(value, np.array(drawn))


def recall_at(judged: Judged, per_hour: float = FALSE_ALARMS_PER_HOUR) -> tuple[float, float]:
    """Return the recall at which other sounds (`other`) give so many false alarms an hour, and the threshold."""
    others = np.array([clip.label == OTHER for clip in judged.clips])
    hours = sum(clip.duration_s for clip, other in zip(judged.clips, others, strict=True) if other) / 3600
    allowed = int(per_hour * hours)
    wrong = np.sort(judged.scores[others])[::-1]
    threshold = float(wrong[allowed]) if allowed < len(wrong) else float("-inf")
    return float((judged.scores[judged.truth] > threshold).mean()), threshold


def ranking(clips: Sequence[Clip], logits: Mapping[str, Logits], steps: int) -> dict[str, Any]:
    """Return per class the average precision and the recall at five false alarms an hour of other sounds.

    `steps` of a network's output are about a second.
    """
    figures: dict[str, Any] = {}
    for name in CLASSES:
        judged = judge(name, clips, logits, steps)
        recall, _ = recall_at(judged)
        own = [clip for clip, truth in zip(judged.clips, judged.truth, strict=True) if truth]
        figures[str(name)] = {
            "average_precision": precision(judged),
            "recall_at_5_per_hour": round(recall, 4),
            "clips": len(own),
            "recordings": len({clip.origin for clip in own}),
            "sources": len({clip.source for clip in own}),
        }
    return figures


def summary(figures: Mapping[str, Any]) -> dict[str, float]:
    """Return the means over classes: of average precision over all, of recall over all but presence."""
    precisions = [own["average_precision"]["value"] for own in figures.values()]
    recalls = [own["recall_at_5_per_hour"] for name, own in figures.items() if name != SoundClass.PRESENCE]
    return {
        "mean_average_precision": round(float(np.mean(precisions)), 4),
        "mean_recall_at_5_per_hour": round(float(np.mean(recalls)), 4),
    }


def detection_figures(bench: Bench, level: Sensitivity) -> dict[str, Any]:
    """Return per class what the detector finds of clips, and how often it is wrong."""
    hits: dict[SoundClass, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    kinds: dict[str, list[bool]] = defaultdict(list)
    wrong: dict[tuple[SoundClass, str], int] = defaultdict(int)
    hours: dict[tuple[SoundClass, str], float] = defaultdict(float)
    delays: dict[SoundClass, list[float]] = defaultdict(list)
    for clip in track(bench.clips, f"detections at {level}"):
        found = bench.find(clip.path, level)
        own = clip.sound_class
        if own is not None:
            right = [event for event in found if event.sound_class is own]
            hits[own][clip.origin].append(bool(right))
            delays[own] += _delay(bench.library, clip, right)
            if own is SoundClass.ALARM:
                kinds[alarm_kind(clip)].append(bool(right))
        for name in CLASSES:
            if name is own or bench.may_hold(clip, name):
                continue
            for kind in _kinds(clip, name):
                wrong[name, kind] += sum(event.sound_class is name for event in found)
                hours[name, kind] += clip.duration_s / 3600

    def a_day(alarms: int, name: SoundClass) -> dict[str, Any]:
        return rate(alarms, hours[name, BACKGROUND], per_hours=24.0, name="per_day")

    classes = {}
    for name in CLASSES:
        recordings = list(hits[name].values())
        classes[str(name)] = {
            "recall": share([sum(own) for own in recordings], [len(own) for own in recordings]),
            "clips": sum(map(len, recordings)),
            "recordings": len(recordings),
            "other": rate(wrong[name, OTHER], hours[name, OTHER]),
            "imitations": rate(wrong[name, _IMITATION], hours[name, _IMITATION]),
            "background": a_day(wrong[name, BACKGROUND], name),
            "delay_s": _percentiles(delays[name]),
        }
    return {
        "classes": classes,
        "alarm_kinds": {kind: {"heard": sum(own), "clips": len(own)} for kind, own in sorted(kinds.items())},
        "safety_background": a_day(sum(wrong[name, BACKGROUND] for name in SAFETY), SoundClass.GUNSHOT),
    }


_IMITATION = "imitation"
_SMOKE_WORDS = ("smoke", "fire_alarm")
_CLOCK_WORDS = ("clock", "timer")


def alarm_kind(clip: Clip) -> str:
    """Return which kind of alarm a clip is, after what its source calls it."""
    if any(word in clip.sublabel for word in _SMOKE_WORDS):
        return "smoke alarm"
    if any(word in clip.sublabel for word in _CLOCK_WORDS):
        return "alarm clock"
    if clip.sublabel == "alarm" or "machines/alarm" in clip.sublabel:
        return "other alarm"
    return "vehicle siren"


def _kinds(clip: Clip, name: SoundClass) -> Iterable[str]:
    if clip.label == BACKGROUND:
        yield BACKGROUND
    elif clip.label == OTHER:
        yield OTHER
        if name in clip.imitates:
            yield _IMITATION


def _delay(library: Library, clip: Clip, found: Sequence[StreamEvent]) -> list[float]:
    """Return how long after its onset a clip's sound is known; nothing where it is not, or was before."""
    event = loudest_event(clip, library.recordings[clip.path], library.labels(clip))
    if event is None or not found:
        return []
    delay = min(each.at_s for each in found) - event[0] / SAMPLE_RATE
    return [delay] if delay > 0 else []


def _percentiles(delays: Sequence[float]) -> dict[str, float]:
    if not delays:
        return {}
    median, late = np.percentile(delays, (50, 95))
    return {"median": round(float(median), 3), "p95": round(float(late), 3), "sounds": len(delays)}


def scene_figures(bench: Bench, level: Sensitivity) -> dict[str, Any]:
    """Return the event error rate of rare events by class and ratio, and how well somebody is told from nobody."""
    counts = {(name, ebr_db): np.zeros(3, int) for name in RARE_CLASSES for ebr_db in EBR_DB}
    somebody: list[bool] = []
    nobody: list[int] = []
    for scene, _ in track(list(bench.strangers.made), f"scenes at {level}"):
        found = bench.find(scene.key, level)
        if SoundClass.PRESENCE in scene.classes:
            heard = sum(event.sound_class is SoundClass.PRESENCE for event in found)
            if scene.sound_class is None:
                nobody.append(heard)
            else:
                somebody.append(heard > 0)
            continue
        for name in scene.classes:
            onsets = [event.onset_s for event in found if event.sound_class is name]
            there = scene.sound_class is name
            hit = there and any(abs(onset - (scene.onset_s or 0.0)) <= COLLAR_S for onset in onsets)
            counts[name, scene.ebr_db] += (there - hit, len(onsets) - hit, there)
    rare: dict[str, Any] = {}
    for name in RARE_CLASSES:
        missed, inserted, events = np.sum([counts[name, ebr_db] for ebr_db in EBR_DB], axis=0).tolist()
        rare[str(name)] = {
            "error_rate": _error_rate(missed, inserted, events),
            "missed": missed,
            "inserted": inserted,
            "events": events,
            "by_ratio": {f"{ebr_db:+.0f} dB": _error_rate(*counts[name, ebr_db]) for ebr_db in EBR_DB},
        }
    return {
        "rare_events": rare,
        "mean_error_rate": round(float(np.mean([own["error_rate"] for own in rare.values()])), 3),
        "presence": {
            "recall": share(somebody, [1] * len(somebody)) | {"scenes": len(somebody)},
            "false": rate(sum(nobody), len(nobody) * SECONDS / 3600),
        },
    }


def _error_rate(missed: int, inserted: int, events: int) -> float:
    return round((missed + inserted) / max(1, events), 3)
