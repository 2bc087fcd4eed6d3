"""What an evaluation describes, known by a SHA-256: the network of a training, or the file of a released model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
import json
from pathlib import Path
from typing import Any

import numpy as np

from echonet_satellite.detector import Decision
from echonet_satellite.protocol import Sensitivity, SoundClass

from ..calibration import calibrate, read_calibration
from ..datasets import Clip
from ..export import CARD_FILE, MODEL_FILE
from ..listening import Probabilities
from ..material import Material
from ..training import fingerprint, load_network, pools_learned
from .clips import detect
from .listeners import Listener, Released, Trained


@dataclass(frozen=True, slots=True)
class Subject:
    """The listener that is measured, which model that is, and its decisions where they are given already."""

    listener: Listener
    model: dict[str, Any]
    decisions: Mapping[SoundClass, Decision] | None = None


def calibrated(run: Path, material: Material) -> None:
    """Calibrate the network of a training on the tune split, unless its best state has been."""
    network = load_network(run, calibrated=False)
    of, standing = fingerprint(run), read_calibration(run)
    if standing is None or standing.network != of:
        replace(calibrate(network, material), network=of).store(run)


def trained(run: Path, material: Material) -> Subject:
    """Return the network of a training, calibrated; its thresholds are yet to be chosen."""
    calibrated(run, material)
    listener = Trained(run)
    # Not that of a .tflite: the converter gives the same network another file each time.
    return Subject(listener, {"kind": "trained", "sha256": listener.fingerprint, "pools": pools_learned(run)})


def released(directory: Path) -> Subject:
    """Return a released model, with the thresholds of its card."""
    listener = Released(directory)
    card = listener.card
    return Subject(
        listener,
        {
            "kind": "released",
            "name": card.name,
            "version": card.version,
            "sha256": card.sha256,
            "bytes": (directory / MODEL_FILE).stat().st_size,
            "pools": _pools_of_release(directory),
        },
        card.decisions,
    )


def _pools_of_release(directory: Path) -> int | None:
    """Return from how many pools a release learned, those before its training among them; None if its card lacks it."""
    data = json.loads((directory / CARD_FILE).read_text(encoding="utf-8"))["data"]
    return data["training"]["pools_before"] + data["training"]["released_pool"] if data else None


def agreement(
    clips: Sequence[Clip],
    one: Mapping[str, Probabilities],
    other: Mapping[str, Probabilities],
    decisions: Mapping[SoundClass, Decision],
) -> dict[str, Any]:
    """Return how far two listeners are apart, and in what share of the clips they detect the same at medium."""
    apart, same = [], []
    found = detect(clips, one, decisions, Sensitivity.MEDIUM)
    others = detect(clips, other, decisions, Sensitivity.MEDIUM)
    for clip in clips:
        steps = min(len(one[clip.path]), len(other[clip.path]))
        apart.append(float(np.abs(one[clip.path][:steps] - other[clip.path][:steps]).max()))
        same.append(set(found[clip.path]) == set(others[clip.path]))
    return {
        "clips": len(clips),
        "median_difference": round(float(np.median(apart)), 5),
        "largest_difference": round(max(apart), 5),
        "same_detections": round(float(np.mean(same)), 4),
    }
