"""Figures of a trained network: thresholds from the tune split, everything reported from the validation split."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
import json
from pathlib import Path
from typing import Any

import numpy as np

from echonet_satellite.detector import Decision
from echonet_satellite.protocol import Phase, Sensitivity, SoundClass

from .datasets import BACKGROUND, CLASSES, OTHER, Clip, Split
from .listening import Probabilities, detections, listen
from .material import Material
from .thresholds import choose, is_negative, undecided
from .training import load_network

EVALUATION_FILE = "evaluation.json"
IMITATION = "imitation"
LEVELS = (Sensitivity.LOW, Sensitivity.MEDIUM, Sensitivity.HIGH)
BOOTSTRAPS = 1000


def evaluate_run(run: Path, material: Material) -> str:
    """Choose thresholds, measure, write `evaluation.json` into the run, and return a table for a person."""
    network = load_network(run)
    tune = [clip for clip in material.of(Split.TUNE) if not clip.unsure]
    validation = [clip for clip in material.of(Split.VALIDATION) if not clip.unsure]
    decisions = choose(tune, listen(network, material.recordings, tune, "listening to tune"), undecided())
    heard = listen(network, material.recordings, validation, "listening to validation")
    figures = {
        "split": "validation (by recording)",
        "decision": decisions_to_json(decisions),
        "sensitivity": {str(level): measure(validation, heard, decisions, level) for level in LEVELS},
    }
    (run / EVALUATION_FILE).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return table(figures)


def decisions_to_json(decisions: Mapping[SoundClass, Decision]) -> dict[str, Any]:
    """Return decisions as the model card holds them."""
    return {
        str(name): {**asdict(decision), "confirm": list(decision.confirm)}
        for name, decision in decisions.items()
    }


def measure(
    clips: Sequence[Clip],
    heard: Mapping[str, Probabilities],
    decisions: Mapping[SoundClass, Decision],
    level: Sensitivity,
) -> dict[str, Any]:
    """Return recall and false alarms at one sensitivity.

    Recall is that of clips: the satellite's detector reports the class somewhere in the clip. Its interval is a 95 %
    bootstrap over recordings. False alarms are detections per hour in clips that do not hold the class.
    """
    found = {clip.path: _onsets(heard[clip.path], decisions, level) for clip in clips}
    figures: dict[str, Any] = {"recall": {}, "false_alarms_per_hour": {}, "false_alarms_by_kind": {}}
    for name in CLASSES:
        hits: dict[str, list[bool]] = defaultdict(list)
        for clip in clips:
            if clip.sound_class is name:
                hits[clip.origin].append(name in found[clip.path])
        figures["recall"][str(name)] = _recall(list(hits.values()))
        figures["false_alarms_per_hour"][str(name)] = {
            label: _false_alarms([clip for clip in clips if clip.label == label], found, heard, name)
            for label in (OTHER, BACKGROUND)
        }
        imitations = [clip for clip in clips if clip.label == OTHER and name in clip.imitates]
        figures["false_alarms_per_hour"][str(name)][IMITATION] = _false_alarms(imitations, found, heard, name)
    for kind in sorted({clip.sublabel for clip in clips if clip.label == BACKGROUND}):
        of_kind = [clip for clip in clips if clip.label == BACKGROUND and clip.sublabel == kind]
        figures["false_alarms_by_kind"][kind] = {
            str(name): _false_alarms(of_kind, found, heard, name) for name in CLASSES
        }
    return figures


def table(figures: Mapping[str, Any]) -> str:
    """Return the main figures as text."""
    lines = [
        f"{figures['split']}; recall of clips [95 % interval] and false alarms per hour on `other` / background clips",
        f"{'class':12}" + "".join(f"{level!s:>36}" for level in LEVELS),
    ]
    for name in map(str, CLASSES):
        cells = []
        for level in LEVELS:
            measured = figures["sensitivity"][str(level)]
            recall, alarms = measured["recall"][name], measured["false_alarms_per_hour"][name]
            cells.append(
                f"{recall['value']:.2f} [{recall['low']:.2f}-{recall['high']:.2f}]"
                f" {alarms[OTHER]['per_hour']:5.1f} /{alarms[BACKGROUND]['per_hour']:5.1f}"
                f" @{figures['decision'][name]['thresholds'][str(level)]:.2f}"
            )
        lines.append(f"{name:12}" + "".join(f"{cell:>36}" for cell in cells))
    return "\n".join(lines)


def _onsets(
    probabilities: Probabilities, decisions: Mapping[SoundClass, Decision], level: Sensitivity
) -> dict[SoundClass, list[float]]:
    onsets: dict[SoundClass, list[float]] = defaultdict(list)
    for event in detections(probabilities, decisions, level):
        if event.phase is Phase.START:
            onsets[event.sound_class].append(event.onset_s)
    return onsets


def _recall(recordings: Sequence[Sequence[bool]]) -> dict[str, float]:
    """Return recall over clips, with the interval that resampling recordings gives."""
    hits = np.array([sum(clips) for clips in recordings], float)
    sizes = np.array([len(clips) for clips in recordings], float)
    if not len(sizes):
        return {"value": float("nan"), "low": float("nan"), "high": float("nan"), "clips": 0, "recordings": 0}
    chosen = np.random.default_rng(0).integers(len(sizes), size=(BOOTSTRAPS, len(sizes)))
    low, high = np.percentile(hits[chosen].sum(axis=1) / sizes[chosen].sum(axis=1), [2.5, 97.5])
    return {
        "value": round(float(hits.sum() / sizes.sum()), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "clips": int(sizes.sum()),
        "recordings": len(sizes),
    }


def _false_alarms(
    clips: Sequence[Clip],
    found: Mapping[str, Mapping[SoundClass, Sequence[float]]],
    heard: Mapping[str, Probabilities],
    name: SoundClass,
) -> dict[str, float]:
    negatives = [clip for clip in clips if is_negative(clip, name)]
    hours = sum(len(heard[clip.path]) for clip in negatives) * 0.08 / 3600
    count = sum(len(found[clip.path].get(name, ())) for clip in negatives)
    return {"count": count, "hours": round(hours, 4), "per_hour": round(count / hours, 3) if hours else 0.0}
