#!/usr/bin/env python3
"""Measure the CPU time that a second of sound costs, side by side with YAMNet, on one thread.

Ours is all that the satellite does with samples: frontend, classifier, alarm patterns and detector, fed as a microphone
feeds it. YAMNet runs on a window of 0.975 s each 0.48 s. The two take turns, so that a busy machine slows both. Prints
the medians of all parts, each also as a part of YAMNet's. How often a second look is taken depends on what sounds: both
the built-in demo, in which one thing follows the other, and everyday sound (pieces of recorded backgrounds) are heard.
Exit status 1 where ours costs more than twice as much as YAMNet in everyday sound. The teacher lies in
ECHONET_TEACHERS, the recordings in ECHONET_DATA (default: ../shared/teachers and ../shared/data beside the repository).
"""

import argparse
from collections.abc import Callable
import csv
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
from echonet_satellite.audio.file import read_blocks
from echonet_satellite.card import ModelCard
from echonet_satellite.classifier import Classifier, Heard, load_classifier
from echonet_satellite.detector import Detector
from echonet_satellite.errors import EchonetError
from echonet_satellite.frontend import Floats, decibels, log_mel
from echonet_satellite.hearing import Hearing
from echonet_satellite.onset import frame_levels
from echonet_satellite.patterns import AlarmPatterns
from echonet_satellite.protocol import Sensitivity
from echonet_satellite.synthesis import demo_scene

SHARED = Path(__file__).resolve().parents[2] / "shared"
TEACHERS = Path(os.environ.get("ECHONET_TEACHERS") or SHARED / "teachers")
DATA = Path(os.environ.get("ECHONET_DATA") or SHARED / "data")
EVERYDAY_CLIPS = 12
AIM = 2.0
BLOCK = 1280
PATTERN_S = 0.96
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
        everyday = everyday_sound(len(samples))
        classifier = load_classifier(options.model)
    except EchonetError as err:
        print(err, file=sys.stderr)
        return 1
    yamnet = Yamnet(teacher)
    card = classifier.card
    medium = dict.fromkeys(card.classes, Sensitivity.MEDIUM)
    frames = log_mel(samples, card.frontend)
    rows = [heard.probabilities.tolist() for heard in classify(classifier, frames)]
    parts: dict[str, Callable[[], object]] = {
        "frontend": lambda: transform(card, samples),
        "classifier": lambda: classify(classifier, frames),
        "detector": lambda: detect(Detector(card.classes, card.decisions, medium), card, rows, frames),
        "all, demo": lambda: hear(Hearing(classifier, medium), samples),
        "all, everyday": lambda: hear(Hearing(classifier, medium), everyday),
        "alarm patterns": lambda: recognise(AlarmPatterns(card.frontend), card, frames),
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


def everyday_sound(length: int) -> Floats:
    """Return so many samples: the beginnings of some of the recorded backgrounds, one behind the other.

    Raises:
        EchonetError: there are no recordings.
    """
    manifest = DATA / "manifest.csv"
    if not manifest.is_file():
        raise EchonetError(f"{manifest} is missing: set ECHONET_DATA to the folder of the recordings")
    with manifest.open(newline="", encoding="utf-8") as lines:
        paths = sorted(row["path"] for row in csv.DictReader(lines) if row["label"] == "background")
    each = -(-length // EVERYDAY_CLIPS)
    chosen = [DATA / path for path in paths[:: max(1, len(paths) // EVERYDAY_CLIPS)]]
    pieces = [np.concatenate(list(read_blocks(path)))[:each] for path in chosen]
    return np.resize(np.concatenate(pieces), length)


def transform(card: ModelCard, samples: Floats) -> None:
    """Turn sound into frames, step by step."""
    length = card.step_samples + card.frontend.n_fft - card.frontend.hop_length
    for first in range(0, len(samples) - length + 1, card.step_samples):
        log_mel(samples[first : first + length], card.frontend)


def classify(classifier: Classifier, frames: Floats) -> list[Heard]:
    """Turn frames into probabilities, step by step."""
    size = classifier.card.step_frames
    return [classifier.step(frames[first : first + size]) for first in range(0, len(frames) - size + 1, size)]


def detect(detector: Detector, card: ModelCard, rows: list[list[float]], frames: Floats) -> None:
    """Turn probabilities and the level of the frames into detections."""
    for number, row in enumerate(rows):
        step = frames[number * card.step_frames : (number + 1) * card.step_frames]
        detector.push(row, frame_levels(step, card.frontend), -20.0)


def recognise(patterns: AlarmPatterns, card: ModelCard, frames: Floats) -> None:
    """Look for the pattern of an alarm, as if one sounded all the time."""
    wait = round(PATTERN_S * card.frontend.sample_rate / card.step_samples)
    for number, first in enumerate(range(0, len(frames), card.step_frames)):
        patterns.push(decibels(frames[first : first + card.step_frames], card.frontend))
        if number % wait == 0:
            patterns.recognise()


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
    load, yamnet = os.getloadavg()[0], statistics.median(costs["YAMNet"])
    print(f"CPU milliseconds per second of sound, one thread, {rounds} rounds over {seconds:.0f} s of sound")
    print(f"load of the machine in the last minute: {load:.1f} on {os.cpu_count()} cores\n")
    print(f"{'':>15}{'median':>9}{'min':>9}{'max':>9}{'of YAMNet':>12}")
    for part, values in costs.items():
        median = statistics.median(values)
        print(f"{part:>15}{median:>9.3f}{min(values):>9.3f}{max(values):>9.3f}{median / yamnet:>12.2f}")
    ratio = statistics.median(costs["all, everyday"]) / yamnet
    print(
        "\nAll of ours looks for alarm patterns only while it hears or suspects an alarm; that line is of one that"
        "\nnever ends. All lines but one are of the demo, in which something sounds all the time."
    )
    print(f"Ratio of ours to YAMNet in everyday sound: {ratio:.2f}; the aim is {AIM:g} or less.")
    return int(ratio > AIM)


if __name__ == "__main__":
    sys.exit(main())
