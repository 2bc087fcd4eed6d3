#!/usr/bin/env python3
"""Measure the CPU time that a second of sound costs, side by side with YAMNet, on one thread.

Ours is all that the satellite does with samples: frontend, classifier, alarm patterns and detector, fed as a microphone
feeds it. YAMNet runs on a window of 0.975 s each 0.48 s. The two take turns, so that a busy machine slows both. Prints
the medians and their ratio. Exit status 1 where ours costs more. The teacher lies in ECHONET_TEACHERS (default:
../shared/teachers beside the repository).
"""

import argparse
from collections.abc import Callable
import os
from pathlib import Path
import statistics
import sys
import time

# Before NumPy is loaded: one thread.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from ai_edge_litert.interpreter import Interpreter
import numpy as np

from echonet_satellite.audio import SAMPLE_RATE
from echonet_satellite.classifier import load_classifier
from echonet_satellite.errors import EchonetError
from echonet_satellite.frontend import Floats, StreamingLogMel
from echonet_satellite.hearing import Hearing
from echonet_satellite.protocol import Sensitivity
from echonet_satellite.synthesis import demo_scene

TEACHERS = Path(
    os.environ.get("ECHONET_TEACHERS") or Path(__file__).resolve().parents[2] / "shared" / "teachers"
)
BLOCK = 1280
STEP = 2560
YAMNET_WINDOW = 15_600
YAMNET_HOP = 7_680


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="folder of the model (default: the one that is shipped)")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    teacher = TEACHERS / "yamnet_classification_1.tflite"
    if not teacher.is_file():
        print(f"{teacher} is missing: set ECHONET_TEACHERS to the folder that holds it", file=sys.stderr)
        return 1
    samples = demo_scene().samples
    try:
        classifier = load_classifier(options.model)
    except EchonetError as err:
        print(err, file=sys.stderr)
        return 1
    yamnet = Yamnet(teacher)
    medium = dict.fromkeys(classifier.card.classes, Sensitivity.MEDIUM)
    parts: dict[str, Callable[[], object]] = {
        "frontend": lambda: frontend(StreamingLogMel(classifier.card.frontend), samples),
        "classifier": lambda: [classifier.step(QUIET) for _ in range(len(samples) // STEP)],
        "all of ours": lambda: hear(Hearing(classifier, medium), samples),
        "YAMNet": lambda: yamnet.hear(samples),
    }
    costs: dict[str, list[float]] = {part: [] for part in parts}
    for number in range(options.rounds + 1):
        for part, work in parts.items():
            begun = time.process_time()
            work()
            cost = (time.process_time() - begun) / (len(samples) / SAMPLE_RATE)
            if number:  # the first round only warms up
                costs[part].append(1000 * cost)
    return report(costs, len(samples) / SAMPLE_RATE, options.rounds)


QUIET = np.full((16, 64), -9.0, np.float32)


def frontend(log_mel: StreamingLogMel, samples: Floats) -> None:
    """Turn sound into frames, in the steps of the model."""
    for first in range(0, len(samples), STEP):
        log_mel.push(samples[first : first + STEP])


def hear(hearing: Hearing, samples: Floats) -> None:
    """Do all that the satellite does with sound."""
    for first in range(0, len(samples), BLOCK):
        hearing.push(samples[first : first + BLOCK])


class Yamnet:
    """The teacher, as others run it: a window of sound each 0.48 s."""

    def __init__(self, path: Path) -> None:
        self._interpreter = Interpreter(model_path=str(path), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def hear(self, samples: Floats) -> None:
        """Classify a recording."""
        for first in range(0, len(samples) - YAMNET_WINDOW + 1, YAMNET_HOP):
            window = samples[first : first + YAMNET_WINDOW].reshape(self._input["shape"])
            self._interpreter.set_tensor(self._input["index"], window)
            self._interpreter.invoke()
            self._interpreter.get_tensor(self._output)


def report(costs: dict[str, list[float]], seconds: float, rounds: int) -> int:
    """Print what it costs, and return the exit status."""
    print(
        f"CPU milliseconds per second of sound, one thread, {rounds} rounds over {seconds:.0f} s of sound\n"
    )
    print(f"{'':>12}{'median':>9}{'min':>9}{'max':>9}")
    for part, values in costs.items():
        print(f"{part:>12}{statistics.median(values):>9.3f}{min(values):>9.3f}{max(values):>9.3f}")
    ratio = statistics.median(costs["all of ours"]) / statistics.median(costs["YAMNet"])
    print(f"\nratio of ours to YAMNet: {ratio:.2f}")
    return int(ratio > 1.0)


if __name__ == "__main__":
    sys.exit(main())
