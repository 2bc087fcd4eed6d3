"""What an evaluation describes: the network of a training or a released model, known by the SHA-256 of its .tflite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from echonet_satellite.detector import Decision
from echonet_satellite.protocol import Sensitivity, SoundClass

from ..datasets import Clip
from ..export import to_tflite
from ..listening import Probabilities
from ..training import load_network
from .clips import detect
from .listeners import Listener, Released, Trained


@dataclass(frozen=True, slots=True)
class Subject:
    """The listener that is measured, which model that is, and its decisions where they are given already."""

    listener: Listener
    model: dict[str, Any]
    decisions: Mapping[SoundClass, Decision] | None = None


def trained(run: Path) -> Subject:
    """Return the network of a training; its thresholds are yet to be chosen."""
    model = to_tflite(load_network(run).build_step())
    return Subject(
        Trained(run),
        {"kind": "trained", "sha256": hashlib.sha256(model).hexdigest(), "bytes": len(model)},
    )


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
            "bytes": (directory / "model.tflite").stat().st_size,
        },
        card.decisions,
    )


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
