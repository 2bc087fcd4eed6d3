"""The teacher: YAMNet's scores over time, for cleaning labels and for distillation.

Read from a file outside the project (see `--teachers`); only its judgements are used.
"""

from collections import defaultdict
from collections.abc import Sequence
import csv
from dataclasses import dataclass
import os
from pathlib import Path

from ai_edge_litert.interpreter import Interpreter
import numpy as np
from numpy.typing import NDArray

from echonet_satellite.protocol import SoundClass

from .datasets import CLASSES, Clip
from .errors import ModelsError
from .progress import track
from .recordings import Recordings, Samples

MODEL_FILE = "yamnet_classification_1.tflite"
CLASS_MAP_FILE = "class_map_audioset_to_ours.csv"
Taught = NDArray[np.float32]
"""What a teacher hears in a clip, for our classes: [windows, 2, 8], see `teach`."""

WINDOW = 15600
HOP = 7680
TEACHER_CLASSES = 521

# For teaching, windows follow one another faster, and the first and last reach over the ends of a clip.
DENSE_HOP = 3840
DENSE_LEAD = 3

# The window k of a mixture ends in output 12 + 3 k of the network, counted in its 80 ms, and teaches that output.
OUTPUT_SAMPLES = 1280
FIRST_TAUGHT_OUTPUT = WINDOW // OUTPUT_SAMPLES
TAUGHT_OUTPUTS = DENSE_HOP // OUTPUT_SAMPLES


def teachers_directory(path: Path | None = None) -> Path:
    """Return the folder of teachers: the argument, else `ECHONET_TEACHERS`, else `../shared/teachers`.

    Raises:
        ModelsError: YAMNet is not in it.
    """
    chosen = path or Path(os.environ.get("ECHONET_TEACHERS", "../shared/teachers"))
    if not (chosen / MODEL_FILE).is_file():
        raise ModelsError(f"no {MODEL_FILE} in {chosen}: set ECHONET_TEACHERS to the folder that holds it")
    return chosen.resolve()


@dataclass(frozen=True, slots=True)
class ClassMap:
    """Which of YAMNet's outputs mean which of our classes, surely (`core`) or perhaps (`weak`)."""

    core: dict[SoundClass, list[int]]
    weak: dict[SoundClass, list[int]]

    def scores(self, yamnet: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the core and the core-or-weak score of each class: [windows, 521] -> 2 x [windows, 8]."""
        core = np.stack([yamnet[:, self.core[name]].max(axis=1) for name in CLASSES], axis=1)
        perhaps = np.stack(
            [yamnet[:, self.core[name] + self.weak[name]].max(axis=1) for name in CLASSES], axis=1
        )
        return core, perhaps


def read_class_map(directory: Path) -> ClassMap:
    """Return the map of YAMNet's outputs to our classes."""
    core: dict[SoundClass, list[int]] = defaultdict(list)
    weak: dict[SoundClass, list[int]] = defaultdict(list)
    with (directory / CLASS_MAP_FILE).open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if row["yamnet_index_521"] and row["our_class"] in CLASSES:
                (core if row["role"] == "core" else weak)[SoundClass(row["our_class"])].append(
                    int(row["yamnet_index_521"])
                )
    return ClassMap(core, weak)


class Yamnet:
    """YAMNet on 0.975 s windows."""

    def __init__(self, directory: Path) -> None:
        """Load the network."""
        self._interpreter = Interpreter(str(directory / MODEL_FILE), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def scores(self, samples: Samples, hop: int = HOP) -> NDArray[np.float32]:
        """Return the scores of each window, [windows, 521]; a short clip is padded to one window."""
        padded = np.pad(samples, (0, max(0, WINDOW - len(samples))))
        rows = [
            self._score(padded[start : start + WINDOW]) for start in range(0, len(padded) - WINDOW + 1, hop)
        ]
        return np.stack(rows)

    def _score(self, window: Samples) -> NDArray[np.float32]:
        self._interpreter.set_tensor(self._input, window)
        self._interpreter.invoke()
        scores: NDArray[np.float32] = self._interpreter.get_tensor(self._output)[0]
        return scores


def hear_dense(
    directory: Path, recordings: Recordings, clips: Sequence[Clip], cache: Path
) -> dict[str, NDArray[np.uint8]]:
    """Return YAMNet's scores of every clip in 256ths, [windows, 521], windows `DENSE_HOP` samples apart.

    The first starts `DENSE_LEAD` hops before the clip, the last ends as far behind it; one starts with the clip.
    """
    path = cache / "yamnet.npz"
    if path.is_file():
        with np.load(path) as stored:
            if {clip.path for clip in clips} <= set(stored.files):
                return {name: stored[name] for name in stored.files}
    network = Yamnet(directory)
    heard = {}
    for clip in track(clips, "asking YAMNet"):
        samples, lead = recordings[clip.path], DENSE_LEAD * DENSE_HOP
        behind = max(lead, WINDOW - len(samples))
        scores = network.scores(np.pad(samples, (lead, behind)), DENSE_HOP)
        # The network's own outputs are 32 multiples of an eighth of a 32nd: nothing is lost.
        heard[clip.path] = np.rint(scores * 256).astype(np.uint8)
    np.savez(path, allow_pickle=False, **heard)
    return heard


def teach(directory: Path, recordings: Recordings, clips: Sequence[Clip], cache: Path) -> dict[str, Taught]:
    """Return per clip YAMNet's scores over time for our classes, [windows, 2, 8]: core, and core or weak.

    Windows are `HOP` apart and lie inside the clip.
    """
    class_map = read_class_map(directory)
    taught = {}
    for path, dense in hear_dense(directory, recordings, clips, cache).items():
        windows = max(0, recordings.length(path) - WINDOW) // HOP + 1
        inside = (dense[DENSE_LEAD :: HOP // DENSE_HOP][:windows] / 256).astype(np.float32)
        taught[path] = np.stack(class_map.scores(inside), axis=1)
    return taught
