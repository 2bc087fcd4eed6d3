"""Networks that stand beside the approaches: YAMNet, mn04, and the network that EchoNet releases.

They give eight independent probabilities and not one answer. What they say of a window is the class that is furthest
above its threshold, and everyday sound where none is. Thresholds are one half, or chosen per class on the tune windows.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from sklearn.metrics import precision_recall_curve

from ..data.kept import read_rows
from ..data.manifest import CLASSES
from ..data.recordings import SAMPLE_RATE, Recordings
from ..data.teachers import (
    MN04_FILE,
    YAMNET_FILE,
    YAMNET_WINDOW,
    Mn04,
    Yamnet,
    read_class_map,
    teachers_directory,
)
from ..evaluation.peers import best
from .approach import Approach, Factory
from .folds import Fold
from .windows import WINDOW, Floats, Integers, Remembered, Windows

MN04_SECONDS = 10
STEP = 2560
LEAST_THRESHOLD = 1e-6


class Reference(Approach):
    """A network and its thresholds: one half, or with `tuned` those of the best F1 of each class on the tune windows.

    `hear` returns the probabilities of the classes, [N, 8]; `files` are its networks'.
    """

    def __init__(
        self,
        name: str,
        purpose: str,
        hear: Callable[[Windows], Floats],
        files: Sequence[Path | str],
        version: str = "",
        *,
        tuned: bool = False,
    ) -> None:
        """Describe it, see `Approach`; a file's name alone is that of a teacher."""
        self.name, self.paper, self.purpose = name, "", purpose
        self._hear, self._files, self._tuned, self.version = hear, files, tuned, version
        self.thresholds = np.append(np.full(len(CLASSES), 0.5, np.float32), np.float32(1))

    def fit(self, fold: Fold) -> None:
        """Choose the thresholds, if that is asked for; nothing else is learned."""
        if self._tuned:
            self.thresholds[:-1] = best_thresholds(self._hear(fold.tune), fold.tune.labels)

    def predict(self, windows: Windows) -> Floats:
        """Return how far each class is above its threshold, everyday sound being as far as the threshold."""
        heard = self._hear(windows)
        return np.asarray(
            np.concatenate([heard, np.ones((len(heard), 1), np.float32)], axis=1) / self.thresholds
        )

    def size_bytes(self) -> int:
        """Return the size of the networks' files."""
        return sum((teachers_directory() / file).stat().st_size for file in self._files)


@Remembered
def hear_yamnet(samples: Floats) -> Floats:
    """Return YAMNet's highest score of the AudioSet classes that surely mean ours, [N, 8].

    Its 0.975 s begin with the window and end with silence.
    """
    padded = np.pad(samples, ((0, 0), (0, YAMNET_WINDOW - WINDOW)))
    scores = np.concatenate([_yamnet().scores(row, YAMNET_WINDOW) for row in padded])
    return best(np.where(_class_map().yamnet >= 0, scores[:, _class_map().yamnet], 0), _class_map())


class Mn04Reference(Reference):
    """mn04 on the ten seconds of the clip that end with the window: shorter ones it cannot make sense of."""

    _recordings: Recordings

    def __init__(self) -> None:
        purpose = "a large network that hears ten seconds at once"
        super().__init__("mn04-tuned", purpose, self._with_context, [MN04_FILE], tuned=True)

    def fit(self, fold: Fold) -> None:
        """Know the clips, and choose the thresholds."""
        self._recordings = fold.library.recordings
        super().fit(fold)

    def _with_context(self, windows: Windows) -> Floats:
        logits = []
        for path, start in zip(windows.clips, windows.starts.tolist(), strict=True):
            first = max(0, start + WINDOW - MN04_SECONDS * SAMPLE_RATE)
            logits.append(_mn04().logits(self._recordings[path][first : start + WINDOW]))
        return best(1 / (1 + np.exp(-np.stack(logits))), _class_map())


class PooledEar:
    """EchoNet's own network: what those of its folds said, each of the clips that it never heard.

    The file holds a row for each step of 160 ms of a clip: `probabilities` [rows, 8] of the 1.6 s that end with it.
    """

    def __init__(self, pooled: Path) -> None:
        self._said = {path: rows["probabilities"] for path, rows in read_rows(pooled).items()}
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


_yamnet = cache(lambda: Yamnet(teachers_directory()))
_mn04 = cache(lambda: Mn04(teachers_directory()))
_class_map = cache(lambda: read_class_map(teachers_directory()))


HALF, TUNED = "what Frigate runs, a threshold of one half", "the same, thresholds chosen for these windows"
APPROACHES: tuple[Factory, ...] = (
    partial(Reference, "yamnet", HALF, hear_yamnet, [YAMNET_FILE]),
    partial(Reference, "yamnet-tuned", TUNED, hear_yamnet, [YAMNET_FILE], tuned=True),
    Mn04Reference,
)


def released(pooled: Path, networks: Sequence[Path]) -> tuple[Factory, ...]:
    """Return EchoNet's own rows, whose figures change with the file of what it said; `networks` are what is shipped."""
    ear = PooledEar(pooled)
    ours = "what EchoNet ships, a threshold of one half"
    return (
        partial(Reference, "echonet", ours, ear, networks, ear.version),
        partial(Reference, "echonet-tuned", TUNED, ear, networks, ear.version, tuned=True),
    )
