"""Measures a training on strangers, beside its teachers as they are, and keeps the figures in its folder."""

from collections.abc import Mapping
from dataclasses import asdict
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.card import MODEL_FILE, SECOND_LOOK_FILE
from echonet_satellite.decision import Decision

from ..data.kept import store_rows
from ..data.library import Library
from ..data.manifest import CLASSES
from ..errors import ModelsError
from ..network.export import Conversion, convert, convert_second_look
from ..training.run import SECOND, trained
from .bench import Bench, Rules
from .decisions import LEVELS
from .figures import detection_figures, ranking, scene_figures, summary
from .peers import PEERS, hear_peers
from .replay import Calibration
from .strangers import hear_strangers

FIGURES_FILE = "figures.json"
POOLED_FILE = "pooled.npz"
# So many steps are about a second.
_SECOND_STEPS = 6


def evaluate_run(run: Path, library: Library, teachers: Path) -> dict[str, Any]:
    """Return all figures of a training, and write them into its folder.

    Raises:
        ModelsError: it has not been trained to its end.
    """
    strangers = hear_strangers(run, library, teachers)
    bench = Bench(library, strangers)
    figures: dict[str, Any] = {"ranking": {"echonet": ranking(library.clips, strangers.clips, _SECOND_STEPS)}}
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
    rules = figures["rules"]
    figures["files"] = {
        MODEL_FILE: _written(run / MODEL_FILE, convert(trained(run, teachers, None), *_calibration(rules))),
        SECOND_LOOK_FILE: _written(
            run / SECOND_LOOK_FILE,
            convert_second_look(trained(run, teachers, None, SECOND), *_calibration(rules["second_look"])),
        ),
    }
    path = run / FIGURES_FILE
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return figures


def _calibration(rules: Mapping[str, Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return np.array(rules["slopes"], np.float32), np.array(rules["offsets"], np.float32)


def _written(path: Path, conversion: Conversion) -> dict[str, Any]:
    """Write a network, and return what its card says of it."""
    path.write_bytes(conversion.content)
    return {
        "sha256": conversion.sha256,
        "tensors": conversion.tensors,
        "embedding_size": conversion.embedding_size,
        "largest_difference": round(conversion.largest_difference, 5),
    }


def calibration_of(rules: Mapping[str, Any]) -> Calibration:
    """Return the calibration of rules as they are kept."""
    return Calibration(*_calibration(rules), _calibration(rules["second_look"]))


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
        "second_look": {
            key: [round(float(value), 5) for value in values]
            for key, values in zip(("slopes", "offsets"), rules.calibration.second, strict=True)
        },
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
