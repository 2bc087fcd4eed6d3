"""Figures of clips through the satellite's own detector: what is found, what is a false alarm, what is confused."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from echonet_satellite.protocol import Phase, Sensitivity, SoundClass

from ..datasets import BACKGROUND, CLASSES, OTHER, Clip
from ..listening import Probabilities, detections
from ..thresholds import SAFETY, is_negative
from . import IMITATION
from .intervals import rate, share
from .systems import Decisions

ALL_KINDS = "all"

Found = Mapping[str, Mapping[SoundClass, Sequence[float]]]


def detect(
    clips: Sequence[Clip], heard: Mapping[str, Probabilities], decisions: Decisions, level: Sensitivity
) -> dict[str, dict[SoundClass, list[float]]]:
    """Return per clip and class the onsets of what the satellite's detector starts."""
    found: dict[str, dict[SoundClass, list[float]]] = {}
    for clip in clips:
        onsets: dict[SoundClass, list[float]] = defaultdict(list)
        for event in detections(heard[clip.path], decisions, level):
            if event.phase is Phase.START:
                onsets[event.sound_class].append(event.onset_s)
        found[clip.path] = dict(onsets)
    return found


def measure(clips: Sequence[Clip], found: Found) -> dict[str, Any]:
    """Return recall and false alarms at one sensitivity.

    Recall is that of clips: the detector reports the class somewhere in the clip. Its interval is a 95 % bootstrap over
    recordings. False alarms are detections in clips that do not hold the class, per hour of sound; those of all safety
    classes together per 24 hours of background. Their intervals are exact for a Poisson process.
    """
    figures: dict[str, Any] = {"recall": {}, "false_alarms_per_hour": {}, "false_alarms_by_kind": {}}
    backgrounds = [clip for clip in clips if clip.label == BACKGROUND]
    for name in CLASSES:
        figures["recall"][str(name)] = _recall(
            [clip for clip in clips if clip.sound_class is name], found, name
        )
        imitations = [clip for clip in clips if clip.label == OTHER and name in clip.imitates]
        figures["false_alarms_per_hour"][str(name)] = {
            OTHER: _false_alarms([clip for clip in clips if clip.label == OTHER], found, name),
            BACKGROUND: _false_alarms(backgrounds, found, name),
            IMITATION: _false_alarms(imitations, found, name),
        }
    kinds = {kind: [clip for clip in backgrounds if clip.sublabel == kind] for kind in _kinds(backgrounds)}
    figures["false_alarms_by_kind"] = {
        kind: {str(name): _false_alarms(of_kind, found, name) for name in CLASSES}
        for kind, of_kind in kinds.items()
    }
    figures["safety_per_day"] = {
        kind: _safety(of_kind, found) for kind, of_kind in {ALL_KINDS: backgrounds, **kinds}.items()
    }
    return figures


def confusion(clips: Sequence[Clip], found: Found) -> dict[str, dict[str, float]]:
    """Return the share of the clips of each label in which each class is detected."""
    return {
        label: {
            str(name): round(float(np.mean([name in found[clip.path] for clip in own])), 4)
            for name in CLASSES
        }
        for label, own in _by_label(clips).items()
    }


def mean_confidence(clips: Sequence[Clip], heard: Mapping[str, Probabilities]) -> dict[str, dict[str, float]]:
    """Return the mean of the highest probability of each class in the clips of each label (threshold matrix)."""
    return {
        label: dict(
            zip(
                map(str, CLASSES),
                np.mean([heard[clip.path].max(axis=0) for clip in own], axis=0).round(4).tolist(),
                strict=True,
            )
        )
        for label, own in _by_label(clips).items()
    }


def _by_label(clips: Sequence[Clip]) -> dict[str, list[Clip]]:
    grouped: dict[str, list[Clip]] = {str(label): [] for label in (*CLASSES, OTHER, BACKGROUND)}
    for clip in clips:
        grouped[clip.label].append(clip)
    return {label: own for label, own in grouped.items() if own}


def _kinds(backgrounds: Sequence[Clip]) -> list[str]:
    return sorted({clip.sublabel for clip in backgrounds})


def _recall(clips: Sequence[Clip], found: Found, name: SoundClass) -> dict[str, float]:
    hits: dict[str, list[bool]] = defaultdict(list)
    for clip in clips:
        hits[clip.origin].append(name in found[clip.path])
    recall = share([sum(own) for own in hits.values()], [len(own) for own in hits.values()])
    return {**recall, "clips": len(clips), "recordings": len(hits)}


def _false_alarms(clips: Sequence[Clip], found: Found, name: SoundClass) -> dict[str, Any]:
    negatives = [clip for clip in clips if is_negative(clip, name)]
    count = sum(len(found[clip.path].get(name, ())) for clip in negatives)
    return rate(count, sum(clip.duration_s for clip in negatives) / 3600)


def _safety(clips: Sequence[Clip], found: Found) -> dict[str, Any]:
    """Return the alarms of all safety classes together; a clip that may hold one of them is left out."""
    negatives = [clip for clip in clips if all(is_negative(clip, name) for name in SAFETY)]
    count = sum(len(found[clip.path].get(name, ())) for clip in negatives for name in SAFETY)
    hours = sum(clip.duration_s for clip in negatives) / 3600
    return rate(count, hours, per_hours=24, name="per_day")
