#!/usr/bin/env python3
"""benchmarks/sources.py: what hearing costs at the pace of a microphone, with 1, 2, 4 and 8 sources in one process.

Each source plays a quiet room with a bang in it now and then, a block every 80 ms, as a microphone does; each is heard
by a thread of its own with the one network. Prints a table: processor time of the process in percent of one core, with
and without the network, and resident memory.
"""

import argparse
from collections.abc import Iterator
from datetime import datetime
from functools import partial
import os
from pathlib import Path
import sys
import time
from typing import Final

import numpy as np

ROOT: Final = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "satellite"), str(ROOT / "scripts")]

from benchmarks.footprint import memory
from echonet_satellite.audio import SAMPLE_RATE, SourceKind
from echonet_satellite.audio.playback import Playback
from echonet_satellite.classifier import AUDIOSET_CLASSES, Classifier, Heard, load_classifier
from echonet_satellite.frontend import Floats
from echonet_satellite.learning.sounds import TaughtEvent
from echonet_satellite.memory import give_back, use_little
from echonet_satellite.pipeline import Pipeline
from echonet_satellite.protocol import Health, Level, Sensitivity, Settings
from echonet_satellite.rooms import Rooms
from echonet_satellite.sound_event import SoundEvent

_BLOCK: Final = round(0.08 * SAMPLE_RATE)


class Nobody:
    """Is told, and does nothing with it."""

    def on_event(self, event: SoundEvent) -> None:
        """Do nothing."""

    def on_taught(self, event: TaughtEvent, onset: datetime) -> None:
        """Do nothing."""

    def on_health(self, health: Health) -> None:
        """Do nothing."""

    def on_level(self, level: Level) -> None:
        """Do nothing."""


class Deaf(Classifier):
    """Costs nothing, and hears nothing: what is left is everything else."""

    def step(self, log_mel: Floats) -> Heard:  # noqa: ARG002
        """Return silence."""
        return Heard(
            probabilities=np.zeros(len(self.card.classes), np.float32),
            audioset=np.zeros(AUDIOSET_CLASSES, np.float32),
            embedding=np.zeros(self.card.embedding_size, np.float32),
        )


def room(seed: int) -> Iterator[Floats]:
    """Yield a quiet room for ever, in which something falls every few seconds."""
    random = np.random.default_rng(seed)
    while True:
        for number in range(40):
            level = 0.2 if number == 0 else 1e-3
            yield (level * random.standard_normal(_BLOCK)).astype(np.float32)


def measure(classifier: Classifier, sources: int, seconds: float) -> float:
    """Return the processor time that so many sources take, in percent of one core."""
    settings = Settings(
        listening=True, sensitivity=dict.fromkeys(classifier.card.classes, Sensitivity.MEDIUM)
    )
    names = [f"room {number}" for number in range(sources)]
    rooms = Rooms(Nobody(), names)
    pipelines = [
        Pipeline(
            Playback(SourceKind.MICROPHONE, name, partial(room, seed)),
            classifier.for_another_stream(),
            settings,
            rooms.ear(name),
        )
        for seed, name in enumerate(names)
    ]
    for pipeline in pipelines:
        pipeline.start()
    time.sleep(1.0)
    give_back()
    begun, used = time.monotonic(), time.process_time()
    time.sleep(seconds)
    share = (time.process_time() - used) / (time.monotonic() - begun)
    for pipeline in pipelines:
        pipeline.stop()
        pipeline.join(5)
    return 100 * share


def table(model: Path | None, counts: tuple[int, ...], seconds: float) -> list[str]:
    """Return the table."""
    use_little()
    network = load_classifier(model)
    deaf = load_classifier(model)
    deaf.__class__ = Deaf
    rows = [
        "| sources | of a core | of it without the network | resident memory |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for count in counts:
        print(f"{count} sources, {2 * seconds:.0f} s", file=sys.stderr)
        whole, rest = measure(network, count, seconds), measure(deaf, count, seconds)
        rows.append(f"| {count} | {whole:.1f} % | {rest:.1f} % | {memory(os.getpid()).resident:.0f} MB |")
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, help="folder of the model (default: the built-in one)")
    parser.add_argument("--seconds", type=float, default=20.0, help="per measurement (default: 20)")
    options = parser.parse_args()
    print("\n".join(table(options.model, (1, 2, 4, 8), options.seconds)))


if __name__ == "__main__":
    main()
