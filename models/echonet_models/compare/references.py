"""Networks that stand beside the approaches: YAMNet, mn04, and the network that EchoNet releases.

They give eight independent probabilities and not one answer. What they say of a window is the class that is furthest
above its threshold, and everyday sound where none is. Thresholds are one half, or chosen per class on the tune windows.
"""

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

from ..data.manifest import CLASSES
from ..data.recordings import SAMPLE_RATE
from ..data.teachers import (
    MN04_FILE,
    YAMNET_FILE,
    YAMNET_WINDOW,
    ClassMap,
    Mn04,
    Yamnet,
    read_class_map,
    teachers_directory,
)
from .approach import Approach, Factory
from .folds import Fold
from .windows import WINDOW, Floats, Integers, Material, Remembered, Windows

MN04_SECONDS = 10
STEP = 2560
LEAST_THRESHOLD = 1e-6


class Reference(Approach):
    """A network and its thresholds: one half, or with `tuned` those of the best F1 of each class on the tune windows.

    `hear` returns the probabilities of the classes, [N, 8]; `file` is the network's.
    """

    def __init__(
        self,
        name: str,
        purpose: str,
        hear: Callable[[Windows], Floats],
        file: Path | str,
        version: str = "",
        *,
        tuned: bool = False,
    ) -> None:
        """Describe it, see `Approach`; a file's name alone is that of a teacher."""
        super().__init__(name, "", purpose)
        self._hear, self._file, self._tuned, self.version = hear, file, tuned, version
        self.thresholds = np.append(np.full(len(CLASSES), 0.5, np.float32), np.float32(1))

    def fit(self, fold: Fold) -> None:
        """Choose the thresholds, if that is asked for; nothing else is learned."""
        if self._tuned:
            self.thresholds[:-1] = best_thresholds(self._hear(fold.tune), fold.tune.labels)

    def predict(self, windows: Windows) -> Floats:
        """Return how far each class is above its threshold, everyday sound being as far as the threshold."""
        heard = self._hear(windows)
        above: Floats = (
            np.concatenate([heard, np.ones((len(heard), 1), np.float32)], axis=1) / self.thresholds
        )
        return above

    def size_bytes(self) -> int:
        """Return the size of the network's file."""
        return (teachers_directory() / self._file).stat().st_size


@Remembered
def hear_yamnet(samples: Floats) -> Floats:
    """Return YAMNet's highest score of the AudioSet classes that surely mean ours, [N, 8].

    Its 0.975 s begin with the window and end with silence.
    """
    padded = np.pad(samples, ((0, 0), (0, YAMNET_WINDOW - WINDOW)))
    scores = np.concatenate([_yamnet().scores(row, YAMNET_WINDOW) for row in padded])
    return _highest(np.where(_class_map().yamnet >= 0, scores[:, _class_map().yamnet], 0))


class Mn04Ear:
    """mn04 on the ten seconds of the clip that end with the window: shorter ones it cannot make sense of."""

    def __init__(self, material: Material) -> None:
        """Know the clips."""
        self._recordings = material.recordings

    def __call__(self, windows: Windows) -> Floats:
        """Return the highest probability of the AudioSet classes that surely mean ours."""
        logits = []
        for path, start in zip(windows.clips, windows.starts.tolist(), strict=True):
            first = max(0, start + WINDOW - MN04_SECONDS * SAMPLE_RATE)
            logits.append(_mn04().logits(self._recordings[path][first : start + WINDOW]))
        return _highest(1 / (1 + np.exp(-np.stack(logits))))


class PooledEar:
    """EchoNet's own network: what those of its folds said, each of the clips that it never heard.

    The file holds a row for each step of 160 ms of a clip: `paths`, `steps` and `probabilities` [rows, 8], of the 1.6 s
    that end with the step.
    """

    def __init__(self, pooled: Path) -> None:
        """Read what was said."""
        with np.load(pooled) as stored:
            paths, steps, rows = stored["paths"], stored["steps"], stored["probabilities"]
        order = np.lexsort((steps, paths))
        names, first = np.unique(paths[order], return_index=True)
        self._said = dict(zip(names.tolist(), np.split(rows[order], first[1:]), strict=True))
        self.version = sha256(pooled.read_bytes()).hexdigest()[:16]

    def __call__(self, windows: Windows) -> Floats:
        """Return the highest probability of the steps that end in each window, and of the one behind it."""
        heard = []
        for path, first in zip(windows.clips.tolist(), (windows.starts // STEP).tolist(), strict=True):
            said = self._said[path]
            heard.append(said[min(first, len(said) - 1) : first + WINDOW // STEP + 1].max(axis=0))
        return np.stack(heard).astype(np.float32)


def best_thresholds(heard: Floats, labels: Integers) -> Floats:
    """Return per class the threshold with the highest F1 on these windows; one half for a class that is not there."""
    thresholds = np.full(len(CLASSES), 0.5, np.float32)
    for column in range(len(CLASSES)):
        truth = labels == column
        if truth.any():
            precision, recall, candidates = precision_recall_curve(truth, heard[:, column])
            f1 = 2 * precision * recall / np.maximum(precision + recall, LEAST_THRESHOLD)
            thresholds[column] = max(LEAST_THRESHOLD, candidates[int(np.argmax(f1[:-1]))])
    return thresholds


@cache
def _yamnet() -> Yamnet:
    return Yamnet(teachers_directory())


@cache
def _mn04() -> Mn04:
    return Mn04(teachers_directory())


@cache
def _class_map() -> ClassMap:
    return read_class_map(teachers_directory())


def _highest(scores: NDArray[np.floating]) -> Floats:
    """Return the highest score among the AudioSet classes that surely mean ours, [N, 527] -> [N, 8]."""
    columns = _class_map().core
    return np.stack([scores[:, columns[name]].max(axis=1) for name in CLASSES], axis=1).astype(np.float32)


TUNED = "the same, thresholds chosen for these windows"
APPROACHES: tuple[Factory, ...] = (
    lambda _: Reference("yamnet", "what Frigate runs, a threshold of one half", hear_yamnet, YAMNET_FILE),
    lambda _: Reference("yamnet-tuned", TUNED, hear_yamnet, YAMNET_FILE, tuned=True),
    lambda material: Reference(
        "mn04-tuned",
        "a large network that hears ten seconds at once",
        Mn04Ear(material),
        MN04_FILE,
        tuned=True,
    ),
)


def released(pooled: Path, network: Path) -> tuple[Factory, ...]:
    """Return EchoNet's own rows, whose figures change with the file of what it said; `network` is what is shipped."""
    ear = PooledEar(pooled)
    return (
        lambda _: Reference(
            "echonet", "what EchoNet ships, a threshold of one half", ear, network, ear.version
        ),
        lambda _: Reference("echonet-tuned", TUNED, ear, network, ear.version, tuned=True),
    )
