#!/usr/bin/env python3
"""Measures what a satellite costs and bears, beside what it may: start, memory, computing, alarms, sources, a long day.

usage: .venv/bin/python benchmarks/performance.py [--hours 24] [--seconds 60] [--write]

A satellite process hears the built-in sounds at the pace of a microphone, and another one a microphone; one in this
process tells detections to a controller over TLS; bangs are timed; 1 to 8 sources are heard; and hours of sound, as
fast as they can be (see endurance.py: Ctrl-C stops that, and the same command goes on with it). `--write` makes
docs/performance.md of it. Takes 10 minutes, and as many more as the hours want. Exit status 1 where an aim is missed.
"""

import argparse
import asyncio
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
sys.path[:0] = [str(ROOT), str(ROOT / "satellite"), str(ROOT / "models"), str(ROOT / "scripts")]

import aiohttp

from benchmarks import endurance, footprint, impulses
from echonet_satellite.errors import EchonetError
from echonet_satellite.protocol import SoundClass
from house.sound_card import why_no_sound_card
from tests.support.connections import connect
from tests.support.satellite import SatelliteUnderTest, running_satellite
from tests.support.wire import client, protocol

PAGE = ROOT / "docs" / "performance.md"
DETECTIONS = 1000
# A little faster than 1000 a minute, and slower than what Home Assistant takes for a satellite that has gone mad.
PACE_S = 0.056
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
    parser.add_argument(
        "--hours",
        type=float,
        default=24.0,
        help="how much sound to hear (default: 24); what an earlier run has heard counts",
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to watch it run (default: 60)")
    parser.add_argument("--bangs", type=int, default=60, help="how many to time (default: 60)")
    parser.add_argument("--state", type=Path, default=endurance.STATE, metavar="DIR", help="of the long run")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    try:
        rows = [
            *_running(options.seconds),
            *_with_microphone(options.seconds),
            *_bangs(options.bangs),
            asyncio.run(_delivered()),
            *_long_day(options.hours, options.state),
        ]
        sources = _said("sources.py", "--seconds", str(options.seconds / 3))
    except EchonetError as err:
        print(f"error: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on with the hours of sound", file=sys.stderr)
        return 130
    lines = ["| what | measured | aim |", "| --- | --- | --- |"]
    lines += [
        f"| {row.what} | {row.measured} | {row.aim}{'' if row.reached else ': missed'} |" for row in rows
    ]
    table = "\n".join(lines)
    print(f"{table}\n\n{sources}")
    if options.write:
        PAGE.write_text(_page(table, sources, load, options), encoding="utf-8")
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
                resident = footprint.memory(process.pid)
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
            what=f"resident memory after {seconds:.0f} s of the built-in sounds",
            measured=f"{resident.resident:.0f} MB ({resident.share:.0f} MB its share)",
            aim="120 MB",
            reached=resident.resident <= 120,
        ),
        Row(
            what="all of the process, hearing the built-in sounds at the pace of a microphone",
            measured=f"{share:.1%} of a core",
            aim="3 % of a core",
            reached=share <= 0.03,
        ),
    ]


def _with_microphone(seconds: float) -> list[Row]:
    """Watch one that hears a microphone, where a sound server can be had."""
    if reason := why_no_sound_card():
        print(f"no microphone is heard: {reason}", file=sys.stderr)
        return []
    found = asyncio.run(footprint.measure(seconds, []))
    return [
        Row(
            what=f"resident memory after {seconds:.0f} s of a microphone",
            measured=f"{found.own.resident:.0f} MB ({found.everything.share:.0f} MB is its share and that of the "
            "process that captures)",
            aim="120 MB",
            reached=found.own.resident <= 120,
        )
    ]


def _bangs(count: int) -> list[Row]:
    """Time bangs, from their onset to the frame that tells of them."""
    found = impulses.measure(count)
    kind = "recordings" if found.recorded else "made sounds"
    heard = f"{len(found.delays_ms)} of {found.played} {kind} told of"
    return [
        Row(
            what="from the onset of a bang to its WebSocket frame, median",
            measured=f"{found.median_ms:.0f} ms ({heard})",
            aim="250 ms",
            reached=found.median_ms <= 250,
        ),
        Row(
            what="the same, 95 of 100",
            measured=f"{found.p95_ms:.0f} ms",
            aim="500 ms",
            reached=found.p95_ms <= 500,
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


def _long_day(hours: float, state: Path) -> list[Row]:
    """Hear the built-in sounds over and over, and watch the memory."""
    if hours:
        # In a process of its own, with nothing else in its memory.
        _said("endurance.py", "--state", str(state), "sound", "--hours", str(hours))
    runs = endurance.hear(0, state)
    if not runs:
        return []
    most = max(runs, key=lambda run: run.found["highest_mb"] / run.found["early_mb"])
    growth = endurance.growth(runs)
    return [
        Row(
            what=f"memory over {sum(run.done for run in runs):.1f} h of sound, after the first half hour",
            measured=f"{growth:+.1%} ({most.found['early_mb']:.0f} to {most.found['highest_mb']:.0f} MB at most; "
            f"{endurance.told(runs)})",
            aim="flat within 5 %",
            reached=growth <= 0.05,
        )
    ]


def _said(command: str, *arguments: str) -> str:
    """Run one of the other commands here, and return what it prints."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / command), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise EchonetError(f"benchmarks/{command} has ended with status {done.returncode}")
    return done.stdout.strip()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _page(table: str, sources: str, load: float, options: argparse.Namespace) -> str:
    return f"""# What a satellite costs and bears

Measured at revision {endurance.revision()} on a machine with {os.cpu_count()} processor cores; in the minute before it
began, {load:.1f} processes on average were running or waiting for one of them.

{table}

A process shares pages of memory with others; its share counts each such page in part. Bangs are recordings of shots and
breaking glass, heard a block of 80 ms at a time, as a microphone gives them. How long it takes with a sound server and
Home Assistant around it is in [latency.md](latency.md).

## Several rooms

One satellite can hear several sources, with one network. Each of these plays a quiet room with a bang now and then.

{sources}

Written by `.venv/bin/python benchmarks/performance.py --hours {options.hours:g} --seconds {options.seconds:g} --write`.
"""


if __name__ == "__main__":
    sys.exit(main())
