#!/usr/bin/env python3
"""benchmarks/impulses.py: how long after a bang the frame that tells of it has come over the WebSocket.

usage: .venv/bin/python benchmarks/impulses.py [--sounds 40]

Recordings of shots and breaking glass (ECHONET_DATA; without them, made ones) are heard at the pace of a microphone,
a block every 80 ms, by a satellite that a paired controller listens to over TLS. An onset is where a recording first
comes near its loudest. How it is with a sound server and Home Assistant around it, latency.py measures.
"""

import argparse
import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
import os
from pathlib import Path
import statistics
import sys
import tempfile
import time
from typing import Final

# Before NumPy is loaded: one thread.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
ROOT: Final = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "satellite"), str(ROOT / "models"), str(ROOT / "scripts")]

import aiohttp
import numpy as np

from benchmarks.latency import IMPULSIVE, samples as recordings
from echonet_satellite import synthesis
from echonet_satellite.audio import SAMPLE_RATE, Block, SourceKind
from echonet_satellite.audio.playback import Playback
from echonet_satellite.classifier import load_classifier
from echonet_satellite.frontend import Floats
from echonet_satellite.pipeline import Pipeline
from echonet_satellite.protocol import EchonetError
from tests.support.connections import connect
from tests.support.satellite import running_satellite
from tests.support.wire import client, protocol

_APART_S: Final = 6.0
_LEAD_S: Final = 3.0
_LATEST_S: Final = 3.0
_ROOM_DBFS: Final = -60.0
_BLOCK: Final = round(0.08 * SAMPLE_RATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Impulses:
    """How long it took, in milliseconds, for those of `played` bangs that were told of."""

    played: int
    recorded: bool
    delays_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """The middle one."""
        return statistics.median(self.delays_ms)

    @property
    def p95_ms(self) -> float:
        """What all but one in twenty took at most."""
        return float(np.percentile(self.delays_ms, 95))


class _Room:
    """Plays sound once; `begun` is the monotonic time of its first sample."""

    kind = SourceKind.FILE
    name = "bangs"
    dropped_blocks = 0

    def __init__(self, sound: Floats) -> None:
        self.begun: float | None = None
        blocks = [sound[first : first + _BLOCK] for first in range(0, len(sound), _BLOCK)]
        self._playback = Playback(self.kind, self.name, lambda: iter(blocks))

    def open(self) -> None:
        self._playback.open()

    def read(self, timeout: float) -> Block | None:
        block = self._playback.read(timeout)
        if block is not None and self.begun is None:
            self.begun = block.captured
        return block

    def close(self) -> None:
        self._playback.close()


def measure(count: int) -> Impulses:
    """Play so many bangs and return how long after each the frame had come."""
    try:
        sounds = [(item.samples, item.onset_s) for item, _ in zip(recordings(IMPULSIVE), range(count))]  # noqa: B905
        recorded = True
    except EchonetError:
        sounds = list(_made(count))
        recorded = False
    random = np.random.default_rng(0)
    sound = synthesis.room_tone(random, _LEAD_S + _APART_S * len(sounds), _ROOM_DBFS)
    onsets = []
    for number, (samples, onset_s) in enumerate(sounds):
        first = round((_LEAD_S + number * _APART_S) * SAMPLE_RATE)
        part = samples[: len(sound) - first]
        sound[first : first + len(part)] += part
        onsets.append(first / SAMPLE_RATE + onset_s)
    arrived, begun = asyncio.run(_hear(sound))
    delays = []
    for onset_s in onsets:
        after = [at - begun - onset_s for at in arrived if 0 < at - begun - onset_s <= _LATEST_S]
        if after:
            delays.append(1000 * min(after))
    if not delays:
        raise EchonetError(f"of {count} bangs none was told of: is the model trained?")
    return Impulses(played=count, recorded=recorded, delays_ms=tuple(delays))


def _made(count: int) -> Iterator[tuple[Floats, float]]:
    random = np.random.default_rng(1)
    for number in range(count):
        samples = (synthesis.gunshot, synthesis.glass_break)[number % 2](random)
        samples *= np.float32(0.5 / np.abs(samples).max())
        yield samples, int(np.argmax(np.abs(samples) >= 0.05)) / SAMPLE_RATE


async def _hear(sound: Floats) -> tuple[list[float], float]:
    """Return when frames came that tell of a bang that starts, and when the sound began, in monotonic time."""
    with tempfile.TemporaryDirectory(prefix="echonet-impulses-") as folder:
        async with running_satellite(Path(folder)) as satellite, aiohttp.ClientSession() as session:
            connection = await connect(session, satellite)
            listening = asyncio.create_task(_arrivals(connection))
            room = _Room(sound)
            pipeline = Pipeline(
                room,
                load_classifier(None),
                satellite.station.settings,
                satellite.station,
                tape=satellite.tape,
            )
            pipeline.start()
            while not pipeline.join(0):
                await asyncio.sleep(0.1)
            await asyncio.sleep(0.5)
            await connection.close()
            assert room.begun is not None
            return await listening, room.begun


async def _arrivals(connection: client.Connection) -> list[float]:
    return [
        time.monotonic()
        async for message in connection
        if isinstance(message, protocol.Detection)
        and message.sound_class in IMPULSIVE
        and message.phase == "start"
    ]


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sounds", type=int, default=40, help="how many bangs (default: 40)")
    options = parser.parse_args()
    try:
        found = measure(options.sounds)
    except EchonetError as err:
        print(f"error: {err}", file=sys.stderr)
        return 1
    print(
        f"{len(found.delays_ms)} of {found.played} {'recorded' if found.recorded else 'made'} bangs told of: "
        f"median {found.median_ms:.0f} ms, p95 {found.p95_ms:.0f} ms"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
