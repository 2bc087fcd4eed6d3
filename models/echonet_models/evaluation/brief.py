"""The short evaluation: thresholds from the tune split, recall and false alarms of clips on the validation split."""

from collections.abc import Mapping
import json
import math
from pathlib import Path
from typing import Any

from ..datasets import BACKGROUND, CLASSES, OTHER, Split
from ..listening import listen
from ..material import Material
from ..thresholds import choose, decisions_to_json, undecided
from ..training import load_network
from . import EVALUATION_FILE, LEVELS
from .clips import ALL_KINDS, detect, measure
from .subject import calibrated

SPLIT = "validation (by recording)"


def evaluate_clips(run: Path, material: Material) -> str:
    """Calibrate, choose thresholds, measure, write `evaluation.json` into the run, and return a table for a person."""
    calibrated(run, material)
    network = load_network(run)
    tune = [clip for clip in material.of(Split.TUNE) if not clip.unsure]
    validation = [clip for clip in material.of(Split.VALIDATION) if not clip.unsure]
    decisions = choose(tune, listen(network, material.recordings, tune, "listening to tune"), undecided())
    heard = listen(network, material.recordings, validation, "listening to validation")
    figures = {
        "split": SPLIT,
        "decision": decisions_to_json(decisions),
        "sensitivity": {
            str(level): measure(validation, detect(validation, heard, decisions, level)) for level in LEVELS
        },
    }
    write(run / EVALUATION_FILE, figures)
    return table(figures)


def write(path: Path, figures: Mapping[str, Any]) -> None:
    """Write figures so that a reader sees all of them or none; what is not a number is null, as JSON has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".partial")
    unfinished.write_text(json.dumps(_finite(figures), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    unfinished.replace(path)


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
            heard = (
                f"{recall['value']:.2f} [{recall['low']:.2f}-{recall['high']:.2f}]"
                if recall["clips"]
                else "no clips"
            )
            cells.append(
                f"{heard} {alarms[OTHER]['per_hour']:5.1f} /{alarms[BACKGROUND]['per_hour']:5.1f}"
                f" @{figures['decision'][name]['thresholds'][str(level)]:.2f}"
            )
        lines.append(f"{name:12}" + "".join(f"{cell:>36}" for cell in cells))
    safety = [figures["sensitivity"][str(level)]["safety_per_day"][ALL_KINDS] for level in LEVELS]
    cells = [f"{found['count']} in {found['hours']:.2f} h: {found['per_day']:.1f}" for found in safety]
    lines.append(f"{'safety':12}" + "".join(f"{cell:>36}" for cell in cells) + "   per 24 h of background")
    return "\n".join(lines)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
