"""Measures a training on strangers, beside its teachers as they are, and keeps the figures in its folder."""

from collections.abc import Mapping
from dataclasses import asdict
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.decision import Decision

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
    for name, heard in hear_peers(library, teachers, run).items():
        figures["ranking"][name] = ranking(library.clips, heard, PEERS[name])
    figures["summary"] = {name: summary(own) for name, own in figures["ranking"].items()}
    figures["levels"] = {
        str(level): detection_figures(bench, level) | {"scenes": scene_figures(bench, level)}
        for level in LEVELS
    }
    figures["curves"] = bench.curves()
    figures["rules"] = rules_to_json(bench.released())
    store_probabilities(run / POOLED_FILE, bench)
    conversion = convert(trained(run, teachers, None), *calibration_of(figures["rules"]))
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


def store_probabilities(path: Path, bench: Bench) -> None:
    """Write what the fold that never heard it says of each clip: a row for every 160 ms, `paths`, `steps`, [n, 8]."""
    rows = {
        clip.path: bench.rules(clip.path).calibration.probabilities(bench.streams[clip.path].logits)
        for clip in bench.clips
    }
    np.savez_compressed(
        path,
        paths=np.repeat(list(rows), [len(own) for own in rows.values()]),
        steps=np.concatenate([np.arange(len(own)) for own in rows.values()]),
        probabilities=np.concatenate(list(rows.values())),
    )


def read_figures(run: Path) -> dict[str, Any]:
    """Return the figures of a training.

    Raises:
        ModelsError: it has not been evaluated.
    """
    path = run / FIGURES_FILE
    if not path.is_file():
        raise ModelsError(f"{run} has no {FIGURES_FILE}: run `echonet-models evaluate --run {run}` first")
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return figures


def rules_to_json(rules: Rules) -> dict[str, Any]:
    """Return calibration and decisions as the card has them."""
    return {
        "slopes": [round(float(value), 5) for value in rules.calibration.slopes],
        "offsets": [round(float(value), 5) for value in rules.calibration.offsets],
        "decision": {str(name): _decision(rules.decisions[name]) for name in CLASSES},
    }


def calibration_of(rules: Mapping[str, Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return slopes and offsets of the released network's calibration, [8] each."""
    return np.array(rules["slopes"], np.float32), np.array(rules["offsets"], np.float32)


def _decision(decision: Decision) -> dict[str, Any]:
    stored = asdict(decision)
    stored["thresholds"] = {str(level): round(value, 4) for level, value in decision.thresholds.items()}
    stored["confirm"] = list(decision.confirm)
    for part in ("lasting", "at_once", "scene"):
        if stored[part] is None:
            del stored[part]
    return stored
