"""Networks that stand beside the approaches: YAMNet, mn04, and the classifier that EchoNet releases.

They give eight independent probabilities and not one answer. What they say of a window is the class that is furthest
above its threshold, and everyday sound where none is. Thresholds are as each is used (one half; those of the released
model's card), or chosen per class on the tune split.
"""

from collections import defaultdict
from collections.abc import Callable
from functools import cached_property
from typing import Protocol

import numpy as np
from sklearn.metrics import precision_recall_curve

from echonet_satellite.card import MODEL_FILE as RELEASED_FILE, read_card
from echonet_satellite.classifier import PACKAGED_MODEL, load_classifier
from echonet_satellite.protocol import Sensitivity

from ..activity import STEP, WINDOW_STEPS
from ..datasets import CLASSES
from ..listening import stream
from ..material import Material
from ..recordings import SAMPLE_RATE
from ..teachers import MODEL_FILE, WINDOW as YAMNET_WINDOW, Yamnet, read_class_map, teachers_directory
from .approach import Factory, Progress, Scores
from .windows import WINDOW, Windows

MN04_WINDOW = 10 * SAMPLE_RATE
HALF = np.full(len(CLASSES), 0.5, np.float32)
LEAST_THRESHOLD = 1e-6
# What is decided in a window is known a little later: a network sees the end of a sound in the steps behind it.
STEPS_BEHIND = 2


class Ear(Protocol):
    """Gives independent probabilities."""

    def hear(self, windows: Windows, progress: Progress) -> Scores:
        """Return the probability of each class in each window, [N, 8]."""

    def heard_s(self, windows: Windows) -> float:
        """Return how many seconds of sound that takes."""

    def size_bytes(self) -> int:
        """Return the size of its file."""


class Reference:
    """An ear and its thresholds; without any, they are chosen on the tune split for the best F1 of each class."""

    paper = ""

    def __init__(
        self, name: str, purpose: str, ear: Callable[[], Ear], thresholds: Callable[[], Scores] | None
    ) -> None:
        """Describe it; the ear is opened when it is needed."""
        self.name, self.purpose = name, purpose
        self._open, self._given = ear, thresholds
        self._thresholds = HALF

    def fit(self, train: Windows, tune: Windows, *, seed: int, quick: bool, progress: Progress) -> None:
        """Take the thresholds, or choose them; nothing else is learned."""
        del train, seed, quick
        if self._given is not None:
            self._thresholds = self._given()
        else:
            self._thresholds = best_thresholds(self._ear.hear(tune, progress), tune)
        progress(1.0)

    def predict(self, windows: Windows) -> Scores:
        """Return how far each class is above its threshold, everyday sound being as far as the threshold."""
        raised = self._ear.hear(windows, lambda _: None) / self._thresholds
        rows = np.concatenate([raised, np.ones((len(raised), 1), np.float32)], axis=1)
        rows /= rows.sum(axis=1, keepdims=True)
        scores: Scores = rows.astype(np.float32)
        return scores

    def heard_s(self, windows: Windows) -> float:
        """Return how many seconds of sound the ear hears for these windows."""
        return self._ear.heard_s(windows)

    def size_bytes(self) -> int:
        """Return the size of the network's file."""
        return self._ear.size_bytes()

    @cached_property
    def _ear(self) -> Ear:
        return self._open()


class YamnetEar:
    """YAMNet on its 0.975 s, which begin with the window."""

    def __init__(self, material: Material) -> None:
        """Load the network."""
        self._recordings = material.recordings
        directory = teachers_directory()
        self._network, self._map = Yamnet(directory), read_class_map(directory)
        self._size = (directory / MODEL_FILE).stat().st_size

    def hear(self, windows: Windows, progress: Progress) -> Scores:
        """Return the highest score of the AudioSet classes that surely mean ours."""
        rows = np.zeros((len(windows), len(CLASSES)), np.float32)
        for number, (path, start) in enumerate(zip(windows.clips, windows.starts, strict=True)):
            cut = self._recordings[path][start : start + YAMNET_WINDOW]
            rows[number] = self._map.scores(self._network.scores(cut))[0][0]
            progress(number / len(windows))
        return rows

    def heard_s(self, windows: Windows) -> float:
        """Return the length of the windows: they are heard once each."""
        return len(windows) * WINDOW / SAMPLE_RATE

    def size_bytes(self) -> int:
        """Return the size of the file."""
        return self._size


class EchonetEar:
    """The classifier that the satellite ships, which hears every clip from its beginning as a stream."""

    def __init__(self, material: Material) -> None:
        """Load the network."""
        self._recordings = material.recordings
        self._classifier = load_classifier()

    def hear(self, windows: Windows, progress: Progress) -> Scores:
        """Return the highest probability of the steps that lie in each window, and of the two behind it."""
        rows = np.zeros((len(windows), len(CLASSES)), np.float32)
        by_clip: dict[str, list[int]] = defaultdict(list)
        for number, path in enumerate(windows.clips):
            by_clip[path].append(number)
        for done, (path, numbers) in enumerate(by_clip.items()):
            steps = _steps_needed(windows, numbers)
            probabilities = self._stream(path, steps)
            for number in numbers:
                first = windows.starts[number] // STEP
                rows[number] = probabilities[first : first + WINDOW_STEPS + STEPS_BEHIND].max(axis=0)
            progress(done / len(by_clip))
        return rows

    def heard_s(self, windows: Windows) -> float:
        """Return the length of the clips up to the last window in each."""
        by_clip: dict[str, list[int]] = defaultdict(list)
        for number, path in enumerate(windows.clips):
            by_clip[path].append(number)
        return sum(_steps_needed(windows, numbers) for numbers in by_clip.values()) * STEP / SAMPLE_RATE

    def size_bytes(self) -> int:
        """Return the size of the file."""
        return (PACKAGED_MODEL / RELEASED_FILE).stat().st_size

    def _stream(self, path: str, steps: int) -> Scores:
        samples = self._recordings[path][: steps * STEP]
        heard: Scores = stream(self._classifier, np.pad(samples, (0, steps * STEP - len(samples))))
        return heard[:steps]


def _steps_needed(windows: Windows, numbers: list[int]) -> int:
    return max(windows.starts[number] for number in numbers) // STEP + WINDOW_STEPS + STEPS_BEHIND


def best_thresholds(heard: Scores, tune: Windows) -> Scores:
    """Return per class the threshold with the highest F1 on these windows; one half for a class that is not there."""
    thresholds = HALF.copy()
    for column in range(len(CLASSES)):
        truth = tune.labels == column
        if truth.any():
            precision, recall, candidates = precision_recall_curve(truth, heard[:, column])
            f1 = 2 * precision * recall / np.maximum(precision + recall, LEAST_THRESHOLD)
            thresholds[column] = max(LEAST_THRESHOLD, candidates[int(np.argmax(f1[:-1]))])
    return thresholds


def shipped_thresholds() -> Scores:
    """Return the released model's thresholds at medium sensitivity."""
    decisions = read_card(PACKAGED_MODEL).decisions
    return np.array([decisions[name].thresholds[Sensitivity.MEDIUM] for name in CLASSES], np.float32)


class ReleasedModel(Reference):
    """EchoNet's own model: its figures change with its file."""

    def __init__(
        self,
        name: str,
        purpose: str,
        material: Material,
        thresholds: Callable[[], Scores] | None,
    ) -> None:
        """Describe it."""
        super().__init__(name, purpose, lambda: EchonetEar(material), thresholds)
        self.version = read_card(PACKAGED_MODEL).sha256


class Mn04Reference(Reference):
    """mn04, which takes a tenth of a second for a window."""

    most_windows = 40

    def __init__(self, name: str, purpose: str, material: Material) -> None:
        """Describe it."""
        super().__init__(name, purpose, lambda: Mn04Ear(material), None)


class Mn04Ear:
    """mn04 on the ten seconds of the clip that end with the window: shorter ones it cannot make sense of."""

    def __init__(self, material: Material) -> None:
        """Load the network."""
        from ..mn04 import MODEL_FILE as FILE, Mn04, yamnet_columns  # noqa: PLC0415 - TensorFlow loads for seconds

        self._recordings = material.recordings
        directory = teachers_directory()
        self._network, self._columns = Mn04(directory, threads=1), yamnet_columns(directory)
        self._map = read_class_map(directory)
        self._size = (directory / FILE).stat().st_size

    def hear(self, windows: Windows, progress: Progress) -> Scores:
        """Return the highest score of the AudioSet classes that surely mean ours."""
        rows = np.zeros((len(windows), len(CLASSES)), np.float32)
        for number, (path, start) in enumerate(zip(windows.clips, windows.starts, strict=True)):
            end = start + WINDOW
            logits = self._network.logits([self._recordings[path][max(0, end - MN04_WINDOW) : end]])
            scores = np.where(self._columns >= 0, 1 / (1 + np.exp(-logits[:, self._columns])), 0)
            rows[number] = self._map.scores(scores.astype(np.float32))[0][0]
            progress(number / len(windows))
        return rows

    def heard_s(self, windows: Windows) -> float:
        """Return the length of the windows: a stream would ask once for each."""
        return len(windows) * WINDOW / SAMPLE_RATE

    def size_bytes(self) -> int:
        """Return the size of the file."""
        return self._size


APPROACHES: tuple[Factory, ...] = (
    lambda material: ReleasedModel(
        "echonet", "what EchoNet ships, at medium sensitivity", material, shipped_thresholds
    ),
    lambda material: ReleasedModel(
        "echonet-tuned", "the same, thresholds chosen for these windows", material, None
    ),
    lambda material: Reference(
        "yamnet", "what Frigate runs, a threshold of one half", lambda: YamnetEar(material), lambda: HALF
    ),
    lambda material: Reference(
        "yamnet-tuned", "the same, thresholds chosen for these windows", lambda: YamnetEar(material), None
    ),
    lambda material: Mn04Reference("mn04-tuned", "a large network that hears ten seconds at once", material),
)
