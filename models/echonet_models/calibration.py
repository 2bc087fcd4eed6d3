"""Probabilities that mean what they say: of the windows called 80 % sure, about 80 % hold the class.

Platt scaling per class (J. Platt, 1999; the temperature of Guo et al., 2017, is its slope): sigmoid(a x + b) of the
network's logit x, fitted on the tune split and folded into the network's last layer, so that it costs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from .activity import IGNORE, WINDOW_STEPS
from .datasets import CLASSES, Clip, Split
from .heeding import choose_heeds
from .listening import Probabilities, listen, logit
from .material import Material
from .networks.streaming import StreamingNetwork

CALIBRATION_FILE = "calibration.json"

# So many imagined windows agree with the network as it is: a class of two recordings is not bent by them.
PRIOR_WINDOWS = 5.0
SURE = 1e-6


@dataclass(frozen=True, slots=True)
class Calibration:
    """What each class's logit is multiplied by and what is added to it, once it has heeded the assistant."""

    slopes: tuple[float, ...]
    offsets: tuple[float, ...]
    network: str = ""
    """SHA-256 of what it was fitted for."""
    heeds: tuple[float, ...] = ()
    """How much each class heeds the assistant, see `heeding`; empty: not at all."""

    def apply(self, probabilities: Probabilities) -> Probabilities:
        """Return calibrated probabilities, [..., classes]."""
        calibrated = 1 / (1 + np.exp(-(logit(probabilities, SURE) * self.slopes + self.offsets)))
        return calibrated.astype(np.float32)

    def fold_into(self, network: StreamingNetwork) -> None:
        """Change the network's last layer so that its own probabilities are calibrated."""
        if self.heeds:
            network.heed(self.heeds)
        network.scale_logits(self.slopes, self.offsets)

    def store(self, run: Path) -> None:
        """Write it into the folder of a training."""
        (run / CALIBRATION_FILE).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def read_calibration(run: Path) -> Calibration | None:
    """Return the calibration of a training, if it has been calibrated."""
    path = run / CALIBRATION_FILE
    if not path.is_file():
        return None
    stored = json.loads(path.read_text(encoding="utf-8"))
    slopes, offsets, heeds = (tuple(stored[name]) for name in ("slopes", "offsets", "heeds"))
    return Calibration(slopes, offsets, stored["network"], heeds)


def calibrate(network: StreamingNetwork, material: Material) -> Calibration:
    """Choose on the tune split how much the network heeds the assistant, which it then does, and fit what it says."""
    heeds = choose_heeds(network, material)
    network.heed(heeds)
    clips = [clip for clip in material.of(Split.TUNE) if not clip.unsure]
    heard = listen(network, material.recordings, clips, "calibrating")
    return replace(fit(clips, heard, material), heeds=heeds)


def fit(clips: Sequence[Clip], heard: Mapping[str, Probabilities], material: Material) -> Calibration:
    """Return the calibration that windows of 0.96 s of these clips ask for."""
    scores: list[NDArray[np.float64]] = []
    labels: list[NDArray[np.int8]] = []
    for clip in clips:
        own = material.label(clip)
        count = min(len(own), len(heard[clip.path])) // WINDOW_STEPS
        if not count:
            continue
        shape = (count, WINDOW_STEPS, len(CLASSES))
        scores.append(logit(heard[clip.path][: count * WINDOW_STEPS], SURE).reshape(shape).max(axis=1))
        cut = own[: count * WINDOW_STEPS].reshape(shape)
        unsure = (cut == IGNORE).any(axis=1) & ~(cut == 1).any(axis=1)
        labels.append(np.where(unsure, IGNORE, (cut == 1).any(axis=1)).astype(np.int8))
    return fit_windows(np.concatenate(scores), np.concatenate(labels))


def fit_windows(scores: NDArray[np.float64], labels: NDArray[np.int8]) -> Calibration:
    """Return the calibration for logits and labels (1, 0, -1 unsure), both [windows, classes]."""
    slopes, offsets = [], []
    for column in range(scores.shape[1]):
        sure = labels[:, column] != IGNORE
        slope, offset = _platt(scores[sure, column], labels[sure, column] == 1)
        slopes.append(round(slope, 4))
        offsets.append(round(offset, 4))
    return Calibration(tuple(slopes), tuple(offsets))


def _platt(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> tuple[float, float]:
    sign = np.where(truth, -1.0, 1.0)

    def cost(values: NDArray[np.float64]) -> float:
        slope, offset = np.exp(values[0]), values[1]
        fitted = np.logaddexp(0, sign * (slope * scores + offset)).sum()
        return float(fitted + PRIOR_WINDOWS * (values[0] ** 2 + (offset / 2) ** 2))

    best = minimize(cost, np.zeros(2), method="Nelder-Mead").x
    return float(np.exp(best[0])), float(best[1])
