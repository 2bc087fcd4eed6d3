"""Measures a training on strangers, beside its teachers as they are, and keeps the figures in its folder."""

from dataclasses import asdict
import json
from pathlib import Path
from typing import Any

import numpy as np

from echonet_satellite.decision import Decision

from ..data.kept import store_rows
from ..data.library import Library
from ..data.manifest import CLASSES
from ..errors import ModelsError
from ..network.export import convert
from ..training.run import trained
from .bench import Bench, Rules
from .decisions import LEVELS
from .figures import detection_figures, ranking, scene_figures, summary
from .peers import PEERS, hear_peers
from .strangers import hear_strangers

FIGURES_FILE = "figures.json"
MODEL_FILE = "model.tflite"
POOLED_FILE = "pooled.npz"
_SECOND = 6


def evaluate_run(run: Path, library: Library, teachers: Path) -> dict[str, Any]:
    """Return all figures of a training, and write them into its folder.

    Raises:
        ModelsError: it has not been trained to its end.
    """
    strangers = hear_strangers(run, library, teachers)
    bench = Bench(library, strangers)
    figures: dict[str, Any] = {"ranking": {"echonet": ranking(library.clips, strangers.clips, _SECOND)}}
    for name, peer in hear_peers(library, teachers, run).items():
        figures["ranking"][name] = ranking(library.clips, peer, PEERS[name])
    figures["summary"] = {name: summary(own) for name, own in figures["ranking"].items()}
    figures["levels"] = {
        str(level): detection_figures(bench, level) | {"scenes": scene_figures(bench, level)}
        for level in LEVELS
    }
    figures["curves"] = bench.curves()
    figures["rules"] = rules_to_json(bench.released())
    # What the fold that never heard it says of each clip, a row for every 160 ms.
    heard = {
        clip.path: bench.rules(clip.path).calibration.probabilities(bench.streams[clip.path].logits)
        for clip in bench.clips
    }
    store_rows(run / POOLED_FILE, {path: {"probabilities": rows} for path, rows in heard.items()})
    slopes, offsets = (np.array(figures["rules"][key], np.float32) for key in ("slopes", "offsets"))
    conversion = convert(trained(run, teachers, None), slopes, offsets)
    (run / MODEL_FILE).write_bytes(conversion.content)
    figures["file"] = {
        "sha256": conversion.sha256,
        "tensors": conversion.tensors,
        "embedding_size": conversion.embedding_size,
        "largest_difference": round(conversion.largest_difference, 5),
    }
    path = run / FIGURES_FILE
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return figures


def read_figures(run: Path) -> dict[str, Any]:
    """Return the figures of a training.

    Raises:
        ModelsError: it has not been evaluated.
    """
    path = run / FIGURES_FILE
    if not path.is_file():
        raise ModelsError(f"{run} has no {FIGURES_FILE}: run `echonet-models evaluate --run {run}` first")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def rules_to_json(rules: Rules) -> dict[str, Any]:
    """Return calibration and decisions as the card has them."""
    return {
        "slopes": [round(float(value), 5) for value in rules.calibration.slopes],
        "offsets": [round(float(value), 5) for value in rules.calibration.offsets],
        "decision": {str(name): _decision(rules.decisions[name]) for name in CLASSES},
    }


def _decision(decision: Decision) -> dict[str, Any]:
    stored = asdict(decision)
    stored["thresholds"] = {str(level): round(value, 4) for level, value in decision.thresholds.items()}
    stored["confirm"] = list(decision.confirm)
    for part in ("lasting", "at_once", "scene"):
        if stored[part] is None:
            del stored[part]
    return stored
