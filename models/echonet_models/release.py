"""A release: the model, its card, and the card's text for people."""

from collections import Counter, defaultdict
from collections.abc import Mapping
import json
from pathlib import Path
from typing import Any

from .datasets import BACKGROUND, CLASSES, OTHER, Split
from .errors import ModelsError
from .evaluation import EVALUATION_FILE, LEVELS
from .export import write_release
from .material import Material
from .training import STATE_FILE, load_network

MODEL_CARD_FILE = "MODEL_CARD.md"


def release_run(run: Path, directory: Path, *, version: str, material: Material) -> Path:
    """Write the trained network of `run` with its measured figures into `directory`.

    Raises:
        ModelsError: it has not been evaluated.
    """
    path = run / EVALUATION_FILE
    if not path.is_file():
        raise ModelsError(f"{run} has no {EVALUATION_FILE}: run `echonet-models evaluate --run {run}` first")
    figures = json.loads(path.read_text(encoding="utf-8"))
    state = json.loads((run / STATE_FILE).read_text(encoding="utf-8"))
    data = {"trained_pools": state["pool"], "recordings": _recordings(material)}
    card = write_release(
        directory,
        load_network(run),
        name="echonet",
        version=version,
        decision=figures["decision"],
        metrics={"split": figures["split"], "sensitivity": figures["sensitivity"]},
        data=data,
    )
    (directory / MODEL_CARD_FILE).write_text(model_card(json.loads(card.read_text(encoding="utf-8"))), encoding="utf-8")
    return directory


def model_card(card: Mapping[str, Any]) -> str:
    """Return the text of a card."""
    return "\n".join([*_introduction(card), *_figures(card), *_data(card), *_limits(), ""])


def _introduction(card: Mapping[str, Any]) -> list[str]:
    return [
        f"# {card['name']} {card['version']}",
        "",
        "A streaming sound classifier for eight classes, trained from random weights by `echonet-models train`.",
        "Every 160 ms it takes 16 log-mel frames and its states, and gives two rows of independent probabilities.",
        "",
        f"- File: `model.tflite`, float16 weights, SHA-256 `{card['sha256']}`",
        f"- Convolutions with {', '.join(map(str, card['network']['channels']))} channels, causal in time; a recurrent"
        f" layer of {card['network']['recurrent']}",
        "",
    ]


def _figures(card: Mapping[str, Any]) -> list[str]:
    lines = [
        "## Figures",
        "",
        "Measured by `echonet-models evaluate` on the validation split; thresholds come from the tune split; the three",
        "splits share no recording. Recall is that of clips, through the satellite's own detector, with a 95 % interval",
        "over recordings. False alarms are detections per hour of clips that do not hold the class: `other` clips are",
        "short and many of them imitate a class on purpose, background is music, talk, ambience and effects.",
        "",
    ]
    for level in map(str, LEVELS):
        measured = card["metrics"]["sensitivity"][level]
        lines += [
            f"### Sensitivity {level}",
            "",
            "| class | threshold | recall | clips (recordings) | false alarms / h, other | false alarms / h, background |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for name in card["classes"]:
            recall, alarms = measured["recall"][name], measured["false_alarms_per_hour"][name]
            lines.append(
                f"| {name} | {card['decision'][name]['thresholds'][level]:.2f}"
                f" | {recall['value']:.2f} ({recall['low']:.2f}-{recall['high']:.2f})"
                f" | {recall['clips']} ({recall['recordings']})"
                f" | {alarms[OTHER]['per_hour']:.1f} in {alarms[OTHER]['hours']:.2f} h"
                f" | {alarms[BACKGROUND]['per_hour']:.1f} in {alarms[BACKGROUND]['hours']:.2f} h |"
            )
        lines.append("")
    return lines


def _data(card: Mapping[str, Any]) -> list[str]:
    lines = [
        "## What it learned from",
        "",
        f"{card['data']['trained_pools']} pools of 10 s mixtures of the recordings below (train split), by licence:",
        "",
        "| label | recordings | clips by licence |",
        "| --- | --- | --- |",
    ]
    for label, counted in card["data"]["recordings"].items():
        licences = ", ".join(f"{name} {count}" for name, count in counted["licences"].items())
        lines.append(f"| {label} | {counted['recordings']} | {licences} |")
    return [
        *lines,
        "",
        "Half-synthetic: smoke and CO alarms (T3, T4) are also generated. Where a clip holds its class was judged by its",
        "level and by YAMNet; nothing of YAMNet's weights is in this model.",
        "",
    ]


def _limits() -> list[str]:
    return [
        "## Where it fails",
        "",
        "- Few recordings: see the intervals. Other microphones and rooms do worse than the validation split.",
        "- Screams and many gunshots come from games; few smoke alarms are real recordings.",
        "- Talk and music are few voices and styles, and there is no long recording of one home: the false alarms",
        "  measured here flatter.",
        "",
        "It is no certified alarm. Keep smoke and CO alarms, and whoever watches over a child.",
    ]


def _recordings(material: Material) -> dict[str, Any]:
    origins: dict[str, set[str]] = defaultdict(set)
    licences: dict[str, Counter[str]] = defaultdict(Counter)
    for clip in material.of(Split.TRAIN):
        origins[clip.label].add(clip.origin)
        licences[clip.label][clip.licence_class] += 1
    return {
        str(label): {"recordings": len(origins[label]), "licences": dict(sorted(licences[label].items()))}
        for label in (*CLASSES, OTHER, BACKGROUND)
    }
