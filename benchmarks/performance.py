#!/usr/bin/env python3
"""Measures what a satellite costs and bears, beside what it may: start, memory, computing, journal, a long day.

usage: .venv/bin/python benchmarks/performance.py [--hours 24] [--seconds 60] [--write]

A satellite process hears the built-in sounds at the pace of a microphone; then one in this process tells detections to
a controller over TLS; then the hearing is fed with hours of sound, as fast as it takes them. `--write`
makes docs/performance.md of it. Exit status 1 where an aim is missed.
"""

import argparse
import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import time

# Before NumPy is loaded: one thread.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "satellite")]

import aiohttp

from echonet_satellite.audio import SAMPLE_RATE
from echonet_satellite.classifier import load_classifier
from echonet_satellite.errors import EchonetError
from echonet_satellite.hearing import Hearing
from echonet_satellite.protocol import Sensitivity, SoundClass
from echonet_satellite.synthesis import demo_scene
from tests.support.connections import connect
from tests.support.satellite import SatelliteUnderTest, running_satellite
from tests.support.wire import client, protocol

PAGE = ROOT / "docs" / "performance.md"
DETECTIONS = 1000
# A little faster than 1000 a minute, and slower than what Home Assistant takes for a satellite that has gone mad.
PACE_S = 0.056
BLOCK = 1280
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    aim: str
    reached: bool


def main() -> int:
    """Measure, print, write where that is wanted, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=24.0, help="how much sound to hear (default: 24)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to watch it run (default: 60)")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    options = parser.parse_args()
    try:
        rows = [*_running(options.seconds), asyncio.run(_delivered()), _long_day(options.hours)]
    except EchonetError as err:
        print(f"error: {err}", file=sys.stderr)
        return 1
    lines = ["| what | measured | aim |", "| --- | --- | --- |"]
    lines += [
        f"| {row.what} | {row.measured} | {row.aim}{'' if row.reached else ': missed'} |" for row in rows
    ]
    table = "\n".join(lines)
    print(table)
    if options.write:
        PAGE.write_text(_page(table, options), encoding="utf-8")
    return int(not all(row.reached for row in rows))


def _running(seconds: float) -> list[Row]:
    """Watch a process from its start."""
    with tempfile.TemporaryDirectory(prefix="echonet-performance-") as state:
        arguments = ("run", "--source", "demo", "--port", "0", "--no-announce", "--events-json")
        with subprocess.Popen(
            [sys.executable, "-m", "echonet_satellite", *arguments, "--state", state],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "satellite"), "HOME": state},
        ) as process:
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    if json.loads(line)["event"] == "listening":
                        break
                else:
                    raise EchonetError("the satellite did not start: run `echonet-satellite run` and see why")
                started = _cpu_s(process.pid)
                begun, before = time.monotonic(), started
                time.sleep(seconds)
                share = (_cpu_s(process.pid) - before) / (time.monotonic() - begun)
                resident = _resident_mb(process.pid)
            finally:
                process.send_signal(signal.SIGINT)
    return [
        Row(
            what="from the start to listening",
            measured=f"{started:.2f} s of CPU",
            aim="2 s",
            reached=started <= 2,
        ),
        Row(
            what=f"resident memory after {seconds:.0f} s, one source",
            measured=f"{resident:.0f} MB",
            aim="120 MB",
            reached=resident <= 120,
        ),
        Row(
            what="all of the process, hearing the built-in sounds at the pace of a microphone",
            measured=f"{share:.1%} of a core",
            aim="3 % of a core",
            reached=share <= 0.03,
        ),
    ]


async def _delivered() -> Row:
    """Tell as many detections a minute as a satellite must bear, until the controller has them all."""
    with tempfile.TemporaryDirectory(prefix="echonet-performance-") as name:
        async with running_satellite(Path(name)) as satellite, aiohttp.ClientSession() as session:
            connection = await connect(session, satellite)
            begun = time.monotonic()
            await asyncio.gather(
                asyncio.to_thread(_emit, satellite),
                _take(connection, DETECTIONS),
            )
            elapsed = time.monotonic() - begun
            await connection.close()
            kept = len(satellite.journal.pending("other", up_to=2**60, limit=2 * DETECTIONS))
    rate = DETECTIONS / elapsed * 60
    return Row(
        what="detections on disk and delivered",
        measured=f"{rate:.0f} a minute ({kept} of {DETECTIONS} on disk)",
        aim="1000 a minute",
        reached=rate >= 1000 and kept == DETECTIONS,
    )


def _emit(satellite: SatelliteUnderTest) -> None:
    begun = time.monotonic()
    for number in range(DETECTIONS):
        satellite.emit(SoundClass.DOG)
        time.sleep(max(0.0, begun + number * PACE_S - time.monotonic()))


async def _take(connection: client.Connection, count: int) -> None:
    async for message in connection:
        count -= isinstance(message, protocol.Detection)
        if not count:
            return


def _long_day(hours: float) -> Row:
    """Hear the built-in sounds over and over, and watch the memory."""
    classifier = load_classifier(None)
    hearing = Hearing(classifier, dict.fromkeys(classifier.card.classes, Sensitivity.MEDIUM))
    scene = demo_scene().samples
    rounds = max(2, round(hours * 3600 * SAMPLE_RATE / len(scene)))
    early = highest = 0.0
    show = _progress("hours of sound")
    for number in range(rounds):
        for first in range(0, len(scene), BLOCK):
            hearing.push(scene[first : first + BLOCK])
        now = _resident_mb(os.getpid())
        if number <= rounds // 20:
            early = now
        else:
            highest = max(highest, now)
        show((number + 1) / rounds)
    growth = highest / early - 1
    return Row(
        what=f"memory over {rounds * len(scene) / SAMPLE_RATE / 3600:.1f} h of sound, after the first twentieth",
        measured=f"{growth:+.1%} ({early:.0f} to {highest:.0f} MB at most)",
        aim="flat within 5 %",
        reached=growth <= 0.05,
    )


def _progress(what: str) -> Callable[[float], None]:
    def show(part: float) -> None:
        if sys.stderr.isatty():
            print(f"\r{what}: {part:.0%} ", end="" if part < 1 else "\n", file=sys.stderr, flush=True)

    return show


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise EchonetError(f"process {pid} has ended")


def _page(table: str, options: argparse.Namespace) -> str:
    return f"""# What a satellite costs and bears

Measured on a machine with {os.cpu_count()} processor cores; in the minute before the end,
{os.getloadavg()[0]:.1f} processes on average were running or waiting for one of them.

{table}

How long it takes from a sound to a state is in [latency.md](latency.md).

Written by `.venv/bin/python benchmarks/performance.py --hours {options.hours:g} --seconds {options.seconds:g} --write`.
"""


if __name__ == "__main__":
    sys.exit(main())
