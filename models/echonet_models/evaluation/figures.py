"""The figures: how clips are told apart, what the detector finds and how often it is wrong, and when it knows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from echonet_satellite.detector import StreamEvent
from echonet_satellite.protocol import Sensitivity, SoundClass

from ..data.activity import label_frames
from ..data.manifest import BACKGROUND, CLASSES, OTHER, Clip
from ..progress import track
from .bench import Bench
from .decisions import SAFETY
from .intervals import rate, share
from .onsets import loudest_event
from .pooled import Logits
from .ranking import average_precision, judge, recall_at
from .scenes import EBR_DB, RARE_CLASSES

COLLAR_S = 0.5


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
            "average_precision": average_precision(judged, interval=True),
            "recall_at_5_per_hour": round(recall, 4),
            "clips": len(own),
            "recordings": len({clip.origin for clip in own}),
            "sources": len({clip.source for clip in own}),
        }
    return figures


def summary(figures: Mapping[str, Any]) -> dict[str, float]:
    """Return the means over classes: of average precision over all, of recall over all but presence."""
    recalls = [own["recall_at_5_per_hour"] for name, own in figures.items() if name != SoundClass.PRESENCE]
    return {
        "mean_average_precision": round(
            float(np.mean([own["average_precision"]["value"] for own in figures.values()])), 4
        ),
        "mean_recall_at_5_per_hour": round(float(np.mean(recalls)), 4),
    }


def detection_figures(bench: Bench, level: Sensitivity) -> dict[str, Any]:
    """Return per class what the detector finds of clips, and how often it is wrong."""
    hits: dict[SoundClass, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    wrong: dict[tuple[SoundClass, str], int] = defaultdict(int)
    hours: dict[tuple[SoundClass, str], float] = defaultdict(float)
    delays: dict[SoundClass, list[float]] = defaultdict(list)
    kinds: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for clip in track(bench.clips, f"detections at {level}"):
        found = bench.find(clip.path, level)
        names = {event.sound_class for event in found}
        own = clip.sound_class
        if own is not None:
            counted = hits[own][clip.origin]
            counted[0] += own in names
            counted[1] += 1
            if own is SoundClass.ALARM:
                kinds[alarm_kind(clip)][0] += own in names
                kinds[alarm_kind(clip)][1] += 1
            delays[own] += _delay(bench, clip, [event for event in found if event.sound_class is own])
        for name in CLASSES:
            if name is own or bench.may_hold(clip, name):
                continue
            for kind in _kinds(clip, name):
                wrong[name, kind] += sum(event.sound_class is name for event in found)
                hours[name, kind] += clip.duration_s / 3600
    figures: dict[str, Any] = {"classes": {}, "alarm_kinds": {}}
    for name in CLASSES:
        recordings = list(hits[name].values())
        figures["classes"][str(name)] = {
            "recall": share([hit for hit, _ in recordings], [size for _, size in recordings]),
            "clips": sum(size for _, size in recordings),
            "recordings": len(recordings),
            "other": rate(wrong[name, OTHER], hours[name, OTHER]),
            "imitations": rate(wrong[name, _IMITATION], hours[name, _IMITATION]),
            "background": rate(
                wrong[name, BACKGROUND], hours[name, BACKGROUND], per_hours=24.0, name="per_day"
            ),
            "delay_s": _percentiles(delays[name]),
        }
    figures["alarm_kinds"] = {
        kind: {"heard": hit, "clips": size} for kind, (hit, size) in sorted(kinds.items())
    }
    safety = sum(wrong[name, BACKGROUND] for name in SAFETY)
    figures["safety_background"] = rate(
        safety, hours[SoundClass.GUNSHOT, BACKGROUND], per_hours=24.0, name="per_day"
    )
    return figures


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


def _delay(bench: Bench, clip: Clip, found: Sequence[StreamEvent]) -> list[float]:
    """Return how long after its onset a clip's sound is known; nothing where it is not, or was before."""
    library = bench.library
    samples = library.recordings[clip.path]
    labels = label_frames(clip, samples, library.lessons[clip.path], library.class_map)
    extent = loudest_event(clip, samples, labels)
    if extent is None or not found:
        return []
    delay = min(event.at_s for event in found) - extent.start / 16000
    return [delay] if delay > 0 else []


def _percentiles(delays: Sequence[float]) -> dict[str, float]:
    if not delays:
        return {}
    median, late = np.percentile(delays, (50, 95))
    return {"median": round(float(median), 3), "p95": round(float(late), 3), "sounds": len(delays)}


def scene_figures(bench: Bench, level: Sensitivity) -> dict[str, Any]:
    """Return the event error rate of rare events by class and ratio, and how well somebody is told from nobody."""
    misses: dict[tuple[SoundClass, float], int] = defaultdict(int)
    extra: dict[tuple[SoundClass, float], int] = defaultdict(int)
    events: dict[tuple[SoundClass, float], int] = defaultdict(int)
    somebody, nobody, wrong = [0, 0], 0, 0
    for scene, _ in track(list(bench.strangers.made), f"scenes at {level}"):
        found = bench.find(scene.key, level)
        if SoundClass.PRESENCE in scene.classes:
            heard = sum(event.sound_class is SoundClass.PRESENCE for event in found)
            if scene.sound_class is None:
                nobody += 1
                wrong += heard
            else:
                somebody[0] += heard > 0
                somebody[1] += 1
            continue
        for name in scene.classes:
            onsets = [event.onset_s for event in found if event.sound_class is name]
            key = (name, scene.ebr_db)
            hit = False
            if scene.sound_class is name:
                assert scene.onset_s is not None
                events[key] += 1
                hit = any(abs(onset - scene.onset_s) <= COLLAR_S for onset in onsets)
                misses[key] += not hit
            extra[key] += len(onsets) - hit
    rare: dict[str, Any] = {}
    for name in RARE_CLASSES:
        by_ratio = {}
        for ebr_db in EBR_DB:
            key = (name, ebr_db)
            by_ratio[f"{ebr_db:+.0f} dB"] = round((misses[key] + extra[key]) / max(1, events[key]), 3)
        total = sum(events[name, ebr_db] for ebr_db in EBR_DB)
        lost, added = (sum(part[name, ebr_db] for ebr_db in EBR_DB) for part in (misses, extra))
        rare[str(name)] = {
            "error_rate": round((lost + added) / max(1, total), 3),
            "missed": lost,
            "inserted": added,
            "events": total,
            "by_ratio": by_ratio,
        }
    mean = round(float(np.mean([own["error_rate"] for own in rare.values()])), 3)
    presence = {
        "recall": share([somebody[0]], [somebody[1]]) | {"scenes": somebody[1]},
        "false": rate(wrong, nobody * 30 / 3600),
    }
    return {"rare_events": rare, "mean_error_rate": mean, "presence": presence}
