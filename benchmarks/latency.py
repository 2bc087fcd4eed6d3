"""Measures the whole way: from the onset of a sound in a recording to the state in Home Assistant.

usage: .venv/bin/python benchmarks/latency.py [--detections 100] [--write] [--model DIR]

Recordings are played into PulseAudio's null sink; PyAudio captures, a satellite process
recognises, a Home Assistant process changes the state. A sound begins when its first sample is handed to the sound
server, so that the buffers of playing and capturing count too. Needs root, and the recordings of ECHONET_DATA.
"""

import argparse
import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import os
from pathlib import Path
import random
import sys
import tempfile
import time

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
sys.path.insert(1, str(Path(__file__).parents[1] / "models"))

import numpy as np
from numpy.typing import NDArray
import soundfile

from echonet_models.data.manifest import Clip, data_directory, read_manifest
from echonet_satellite.protocol import EchonetError
from house.configuration import REPOSITORY
from house.errors import HouseError
from house.listening_room import ListeningRoom, listening_room, why_no_listening_room
from house.sound_card import SPEAKER, SoundCard
from house.timeline import Entry

RATE = 16_000
CLASSES = ("gunshot", "glass_break", "alarm", "dog", "baby_cry", "scream")
IMPULSIVE = ("gunshot", "glass_break")
PAGE = REPOSITORY / "docs" / "latency.md"

_LONGEST_S = 3.0
_LEAD_S = 1.0
_QUIET_S = 3.5
_MATCH_S = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A sound to play: `onset_s` is where in `samples` it begins."""

    path: str
    sound_class: str
    samples: NDArray[np.float32]
    onset_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """One detection: milliseconds from the onset to the satellite's detection and to Home Assistant's state."""

    sound_class: str
    detected_ms: float
    state_ms: float


def samples(classes: Sequence[str]) -> Iterator[Sample]:
    """Recordings in turn by class, each once, then again and again, in an order that a seed decides."""
    folder = data_directory()
    clips = read_manifest(folder)
    pools: dict[str, list[Clip]] = defaultdict(list)
    heard: set[str] = set()
    for clip in clips:
        if clip.label in classes and clip.origin not in heard and not clip.unsure:
            pools[clip.label].append(clip)
            heard.add(clip.origin)
    shuffle = random.Random(1)
    while True:
        for pool in pools.values():
            shuffle.shuffle(pool)
        for number in range(max(map(len, pools.values()))):
            for label, pool in pools.items():
                sample = load(folder / pool[number % len(pool)].path, label)
                if sample is not None:
                    yield sample


def load(path: Path, sound_class: str) -> Sample | None:
    """Read a recording, make it as loud as a sound in a room, and find where the sound begins."""
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if rate != RATE:
        return None
    mono = audio.mean(axis=1)
    frame = RATE // 100
    levels = np.abs(mono[: len(mono) // frame * frame]).reshape(-1, frame).max(axis=1)
    if not len(levels) or levels.max() < 1e-3:
        return None
    onset = int(np.argmax(levels >= levels.max() / 10))
    # What goes before the sound is left out, but for a moment.
    first = max(0, onset - 10) * frame
    cut = mono[first : first + round(_LONGEST_S * RATE)] * (0.5 / levels.max())
    lead = np.zeros(round(_LEAD_S * RATE), np.float32)
    onset_s = _LEAD_S + (onset * frame - first) / RATE
    return Sample(
        path=str(path), sound_class=sound_class, samples=np.concatenate((lead, cut)), onset_s=onset_s
    )


async def play(card: SoundCard, sample: Sample) -> datetime:
    """Hand the sample to the sound server at the pace at which it sounds; return when the onset was handed over."""
    process = await asyncio.create_subprocess_exec(
        *("pacat", "--raw", "--format=s16le", f"--rate={RATE}", "--channels=1", "--latency-msec=60"),
        *("--process-time-msec=10", f"--device={SPEAKER}"),
        stdin=asyncio.subprocess.PIPE,
        env=dict(card.environment),
    )
    assert process.stdin is not None
    data = (np.clip(sample.samples, -1, 1) * 32767).astype("<i2").tobytes()
    size = RATE // 100 * 2
    begun = time.monotonic()
    begun_utc = datetime.now(UTC)
    for number in range(0, len(data), size):
        process.stdin.write(data[number : number + size])
        await asyncio.sleep(max(0.0, begun + number / 2 / RATE - time.monotonic()))
    process.stdin.close()
    await process.wait()
    return begun_utc + timedelta(seconds=sample.onset_s)


async def measure(room: ListeningRoom, wanted: int, classes: Sequence[str]) -> tuple[list[Latency], int]:
    """Play until so many detections have changed a state; return them and how many sounds were played."""
    found: list[Latency] = []
    played = 0
    for sample in samples(classes):
        onset = await play(room.card, sample)
        played += 1
        await asyncio.sleep(_QUIET_S)
        entry = _match(room.timeline.entries.values(), sample.sound_class, onset)
        if entry is not None and entry.state_changed is not None:
            found.append(
                Latency(
                    sound_class=sample.sound_class,
                    detected_ms=(entry.sound.detected - onset).total_seconds() * 1000,
                    state_ms=(entry.state_changed - onset).total_seconds() * 1000,
                )
            )
        if sys.stderr.isatty() or played % 10 == 0:
            print(f"  {played} played, {len(found)} of {wanted} detections", file=sys.stderr, flush=True)
        if len(found) >= wanted:
            break
        if played >= 4 * wanted:
            raise HouseError(f"of {played} sounds only {len(found)} were heard: is the model trained?")
    return found, played


def _match(entries: Iterable[Entry], sound_class: str, onset: datetime) -> Entry | None:
    for entry in entries:
        near = abs((entry.sound.onset - onset).total_seconds()) <= _MATCH_S
        if entry.sound.sound_class == sound_class and near and entry.state_changed is not None:
            return entry
    return None


def report(found: Sequence[Latency], played: int) -> str:
    """The table, in Markdown."""
    groups = [("all", list(found))]
    groups.append(
        ("impulsive (gunshot, glass break)", [item for item in found if item.sound_class in IMPULSIVE])
    )
    groups += [(name, [item for item in found if item.sound_class == name]) for name in CLASSES]
    lines = [
        "| sounds | detections | detected, median | detected, p95 | state, median | state, p95 |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, items in groups:
        if items:
            detected = np.percentile([item.detected_ms for item in items], [50, 95])
            state = np.percentile([item.state_ms for item in items], [50, 95])
            cells = " | ".join(f"{value:.0f} ms" for value in (*detected, *state))
            lines.append(f"| {name.replace('_', ' ')} | {len(items)} | {cells} |")
    return "\n".join(lines) + f"\n\n{played} sounds played, {len(found)} detected in their class.\n"


def page(table: str, load: float) -> str:
    """What docs/latency.md says; `load` is that of the machine before the measurement began."""
    return f"""\
# From sound to state

How long after the onset of a sound the satellite has detected it, and Home Assistant has changed the state.
Recordings are played into a null sink; PyAudio captures; satellite, TLS connection and
Home Assistant are real. The clock starts when the first sample of the sound is handed to the sound server, so the
buffers of playing and capturing count. All on one machine with {os.cpu_count()} processor cores; in the minute
before it began, {load:.1f} processes on average were running or waiting for one of them.

{table}
Written by `.venv/bin/python benchmarks/latency.py --write`.
"""


async def run(options: argparse.Namespace) -> None:
    """Build the room, measure, print, and write the page if asked to."""
    if reason := why_no_listening_room():
        raise HouseError(reason)
    load = os.getloadavg()[0]
    print(f"load of the machine: {load:.1f} on {os.cpu_count()} cores")
    model = ["--model", options.model] if options.model else []
    with tempfile.TemporaryDirectory(prefix="echonet-latency-") as name:
        async with listening_room(Path(name), *model, progress=lambda text: print(f"  {text}")) as room:
            found, played = await measure(room, options.detections, options.classes)
    table = report(found, played)
    print(table)
    if options.write:
        PAGE.write_text(page(table, load))
        print(f"written to {PAGE}")


def main() -> int:
    """Run the measurement and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--detections", type=int, default=100, help="how many to measure (default: 100)")
    parser.add_argument(
        "--classes", nargs="+", default=CLASSES, choices=CLASSES, metavar="CLASS", help="which classes"
    )
    parser.add_argument("--write", action="store_true", help="write docs/latency.md")
    parser.add_argument("--model", metavar="DIR", help="another model than the built-in one")
    options = parser.parse_args()
    try:
        asyncio.run(run(options))
    except EchonetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; nothing was measured", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
