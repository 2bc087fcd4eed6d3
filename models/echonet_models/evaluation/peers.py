"""The peers: networks that others trained, listening causally to the same sounds as ours."""

from collections import defaultdict
from collections.abc import Sequence
import csv
import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.detector import STEP_S
from echonet_satellite.protocol import SoundClass

from ..activity import STEP, WINDOW_STEPS
from ..datasets import CLASSES
from ..listening import Probabilities
from ..mn04 import MODEL_FILE as MN04_FILE, Mn04
from ..recordings import SAMPLE_RATE, Samples
from ..teachers import CLASS_MAP_FILE, HOP, MODEL_FILE, WINDOW, Yamnet, read_class_map
from .listeners import hold, step_after

# It looks back so far, a little less than once a second; longer than any impulse, short enough for the house.
MN04_WINDOW = round(2.5 * SAMPLE_RATE)
MN04_HOP_STEPS = 12


class YamnetListener:
    """YAMNet (.tflite, as Frigate runs it): windows of 0.975 s every 0.48 s, the surest of a class's own labels."""

    name = "yamnet"
    title = "YAMNet"
    batch = 200

    def __init__(self, directory: Path) -> None:
        """Load it from the folder of teachers."""
        self._network, self._map = Yamnet(directory), read_class_map(directory)
        self.fingerprint = fingerprint(directory, MODEL_FILE, (WINDOW, HOP))
        self._first = step_after(WINDOW / SAMPLE_RATE)
        # A window of the table is its own window, which is known when it has ended.
        self.reach = (self._first, self._first + 1)

    def hear(self, sounds: Sequence[Samples]) -> list[Probabilities]:
        """Return the probabilities [steps, 8] of each sound."""
        return [self._hear(sound) for sound in sounds]

    def known_s(self, step: int) -> float:
        """Return the end of the window whose score is new in a row."""
        return (step + 1) * STEP_S - ((self._first + 1) * STEP_S - WINDOW / SAMPLE_RATE)

    def _hear(self, sound: Samples) -> Probabilities:
        windows = max(0, -(-(len(sound) - WINDOW) // HOP)) + 1
        length = (windows - 1) * HOP + WINDOW
        core, _ = self._map.scores(self._network.scores(np.pad(sound, (0, max(0, length - len(sound))))))
        return hold(core, self._first, HOP // STEP)


class Mn04Listener:
    """EfficientAT mn04: the last 2.5 s, padded to the 10 s that it was trained on, every 0.96 s."""

    name = "mn04"
    title = "mn04"
    batch = 20
    # It ends a window where each second window of the table ends, and the next a little later.
    reach = (WINDOW_STEPS - 1, WINDOW_STEPS + MN04_HOP_STEPS // 2)

    def __init__(self, directory: Path) -> None:
        """Load it from the folder of teachers."""
        self._network = Mn04(directory, threads=1)
        self._columns = core_columns(directory)
        self.fingerprint = fingerprint(directory, MN04_FILE, (MN04_WINDOW, MN04_HOP_STEPS))

    def hear(self, sounds: Sequence[Samples]) -> list[Probabilities]:
        """Return the probabilities [steps, 8] of each sound."""
        return [self._hear(sound) for sound in sounds]

    def known_s(self, step: int) -> float:
        """Return the end of a step: its windows end where steps do."""
        return (step + 1) * STEP_S

    def _hear(self, sound: Samples) -> Probabilities:
        hop = MN04_HOP_STEPS * STEP
        windows = max(1, -(-len(sound) // hop))
        padded = np.pad(sound, (MN04_WINDOW, windows * hop - len(sound)))
        ends = MN04_WINDOW + hop * np.arange(1, windows + 1)
        rows = self._network.logits([padded[end - MN04_WINDOW : end] for end in ends])
        logits = np.stack([rows[:, columns].max(axis=1) for columns in self._columns], axis=1)
        return hold(1 / (1 + np.exp(-logits)), MN04_HOP_STEPS - 1, MN04_HOP_STEPS)


def core_columns(directory: Path) -> list[NDArray[np.int64]]:
    """Return for each of our classes the outputs of AudioSet's 527 that surely mean it."""
    found: dict[SoundClass, list[int]] = defaultdict(list)
    with (directory / CLASS_MAP_FILE).open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if row["role"] == "core" and row["our_class"] in CLASSES:
                found[SoundClass(row["our_class"])].append(int(row["audioset_index_527"]))
    return [np.array(found[name]) for name in CLASSES]


def fingerprint(directory: Path, name: str, feeding: tuple[int, ...]) -> str:
    """Return the SHA-256 of a network, of the map of its classes to ours, and of how it is fed."""
    content = (directory / name).read_bytes() + (directory / CLASS_MAP_FILE).read_bytes()
    return hashlib.sha256(content + repr(feeding).encode()).hexdigest()
