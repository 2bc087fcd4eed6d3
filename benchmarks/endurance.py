#!/usr/bin/env python3
"""benchmarks/endurance.py: long runs that can be stopped at any time and go on later.

usage: .venv/bin/python benchmarks/endurance.py kills [--rounds 10000] [--state DIR]
       .venv/bin/python benchmarks/endurance.py sound [--hours 24] [--state DIR]

`kills`: a process that writes a journal is killed with `kill -9` at random moments, and the journal opened again.
`sound`: a satellite with a paired controller hears the built-in sounds over and over, as fast as it can, and keeps its
memory flat. Ctrl-C stops a run; the same command goes on with it. `--state` says where it lies meanwhile (default: a
folder for temporary files). performance.py and reliability.py run the same and write their pages.
"""

import argparse
import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
import json
import os
from pathlib import Path
import subprocess
import sys
import tempfile
import time
from typing import Any, Final

# Before NumPy is loaded: one thread.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
ROOT: Final = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "satellite")]

import aiohttp

from echonet_satellite.audio import SAMPLE_RATE, Block, SourceEnded, SourceKind
from echonet_satellite.classifier import load_classifier
from echonet_satellite.frontend import Floats
from echonet_satellite.pipeline import Pipeline
from echonet_satellite.protocol import EchonetError
from echonet_satellite.synthesis import demo_scene
from tests.support.connections import connect
from tests.support.kills import Result, run_rounds
from tests.support.satellite import SatelliteUnderTest, running_satellite
from tests.support.wire import errors, protocol

STATE: Final = Path(tempfile.gettempdir()) / "echonet-endurance"
# Until a satellite has heard so much, it may still fill what it remembers: its journal, its buffers, its caches.
WARM_UP_H: Final = 0.5
_SAVE_S: Final = 5.0
_SAY_S: Final = 60.0
_BLOCK: Final = 1280


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one process did of a long run, from its start until it was stopped; `code` is the revision that it tried."""

    code: str
    done: float
    seconds: float
    found: dict[str, float]


class Endurance:
    """A long run in a file: what was done before, and what is done now."""

    def __init__(self, folder: Path, name: str, wanted: float, unit: str) -> None:
        """Go on with the run of a name until so many units are done."""
        self.folder = folder
        self._file = folder / f"{name}.json"
        self._wanted, self._unit = wanted, unit
        self.runs = _read(self._file)
        self._before = tuple(self.runs)
        self._code = revision()
        self._begun = time.monotonic()
        self._saved = self._said = 0.0

    @property
    def done(self) -> float:
        """How many units are done."""
        return sum(run.done for run in self.runs)

    @property
    def left(self) -> float:
        """How many are left."""
        return max(0.0, self._wanted - self.done)

    def note(self, done: float, **found: float) -> None:
        """Note what this process has done and found so far; keep it, and say how long the rest takes."""
        now = time.monotonic()
        elapsed = now - self._begun
        self.runs = [*self._before, Run(code=self._code, done=done, seconds=elapsed, found=found)]
        over = self.left <= 0
        if over or now - self._saved >= _SAVE_S:
            self._saved = now
            _write(self._file, self.runs)
        if over or now - self._said >= (1.0 if sys.stderr.isatty() else _SAY_S):
            self._said = now
            rest = self.left * elapsed / done if done else 0.0
            line = f"{self.done:.4g} of {self._wanted:g} {self._unit}; {_duration(rest)} left"
            end = "\n" if over or not sys.stderr.isatty() else ""
            print(f"\r{line:60}{end}", end="", file=sys.stderr, flush=True)

    def keep(self) -> None:
        """Keep what was done until now."""
        _write(self._file, self.runs)


def kill(wanted: int, state: Path = STATE) -> list[Run]:
    """Kill until there were so many kills in all, and return what came of them."""
    endurance = Endurance(state, "kills", wanted, "kills")

    def show(result: Result) -> None:
        found = asdict(result)
        endurance.note(found.pop("rounds"), **found)

    if endurance.left:
        with tempfile.TemporaryDirectory(prefix="kills-", dir=endurance.folder) as folder:
            try:
                run_rounds(
                    Path(folder) / "journal", round(endurance.left), seed=round(endurance.done), progress=show
                )
            finally:
                endurance.keep()
    return endurance.runs


def hear(wanted_h: float, state: Path = STATE) -> list[Run]:
    """Hear until there were so many hours of sound in all, and return how the memory went."""
    endurance = Endurance(state, "sound", wanted_h, "hours of sound")
    if endurance.left:
        with tempfile.TemporaryDirectory(prefix="sound-", dir=endurance.folder) as folder:
            try:
                asyncio.run(_hear(Path(folder), endurance))
            finally:
                endurance.keep()
    return endurance.runs


def growth(runs: list[Run]) -> float:
    """Return by how much the memory of the run grew that grew the most, as a share."""
    return max(run.found["highest_mb"] / run.found["early_mb"] - 1 for run in runs)


def told(runs: list[Run]) -> str:
    """Return in how many processes, and with which revisions, a long run was done."""
    codes = list(dict.fromkeys(run.code for run in runs))
    return f"{len(runs)} run{'s' if len(runs) > 1 else ''} of revision {', '.join(codes)}"


def revision() -> str:
    """Return the revision of this checkout, with a plus where it was changed since."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*", "--abbrev=8"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
    except OSError, subprocess.CalledProcessError:
        return "unknown"
    return found.stdout.strip()


def resident_mb(pid: int | None = None) -> float:
    """Return how much memory a process has (without `pid` this one)."""
    for line in Path(f"/proc/{pid or 'self'}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise EchonetError(f"process {pid} has ended")


class _Endless:
    """The built-in sounds over and over, without waiting; each block is captured when it is read."""

    kind = SourceKind.FILE
    name = "the built-in sounds"
    dropped_blocks = 0

    def __init__(self, on_round: Callable[[float], bool]) -> None:
        """Ask `on_round` after each round, with the seconds so far, whether there is another."""
        self._on_round = on_round
        self._rest: Iterator[Floats] = iter(())

    def open(self) -> None:
        self._rest = self._blocks()

    def read(self, timeout: float) -> Block:  # noqa: ARG002 - it never waits
        samples = next(self._rest, None)
        if samples is None:
            raise SourceEnded(f"{self.name} are over")
        return Block(samples, time.monotonic() - len(samples) / SAMPLE_RATE)

    def close(self) -> None:
        """Do nothing: there is nothing to let go."""

    def _blocks(self) -> Iterator[Floats]:
        scene = demo_scene().samples
        rounds = 0
        while True:
            for first in range(0, len(scene), _BLOCK):
                yield scene[first : first + _BLOCK]
            rounds += 1
            if not self._on_round(rounds * len(scene) / SAMPLE_RATE):
                return


async def _hear(folder: Path, endurance: Endurance) -> None:
    """Let a satellite with a controller hear what is left."""
    wanted_s = 3600 * (endurance.left + WARM_UP_H)
    early = highest = 0.0

    def look(heard_s: float) -> bool:
        nonlocal early, highest
        counted_h = heard_s / 3600 - WARM_UP_H
        now = resident_mb()
        if counted_h <= 0:
            early = max(early, now)
        else:
            highest = max(highest, now)
            endurance.note(counted_h, early_mb=early, highest_mb=highest)
        return heard_s < wanted_s and not stopping

    stopping = False
    async with running_satellite(folder) as satellite, aiohttp.ClientSession() as session:
        taking = asyncio.create_task(_acknowledge(session, satellite))
        pipeline = Pipeline(
            _Endless(look),
            load_classifier(None),
            satellite.station.settings,
            satellite.station,
            tape=satellite.tape,
        )
        _keep_clips(satellite)
        pipeline.start()
        try:
            while not pipeline.join(0) and not taking.done():
                await asyncio.sleep(0.5)
        finally:
            stopping = True
            pipeline.stop()
            await asyncio.to_thread(pipeline.join, 5)
            taking.cancel()
            with suppress(asyncio.CancelledError):
                await taking


def _keep_clips(satellite: SatelliteUnderTest) -> None:
    """Let it remember sound as where clips are kept; writing them is the work of other processes."""
    satellite.tape.switch(on=True)


async def _acknowledge(session: aiohttp.ClientSession, satellite: SatelliteUnderTest) -> None:
    """Take what it tells; sound that passes faster than time may be told faster than a controller bears: anew, then."""
    while True:
        connection = await connect(session, satellite)
        try:
            async for message in connection:
                if isinstance(message, protocol.Detection):
                    await connection.send(protocol.Ack(sequence=message.sequence))
        except errors.Chatterbox:
            continue
        finally:
            await connection.close()


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


def _read(path: Path) -> list[Run]:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        stored: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return [Run(**run) for run in stored]
    except FileNotFoundError:
        return []
    except ValueError, TypeError:
        raise EchonetError(f"{path} is damaged: remove it, and the run begins anew") from None


def _write(path: Path, runs: list[Run]) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps([asdict(run) for run in runs]), encoding="utf-8")
    temporary.replace(path)


def main() -> int:
    """Run one of the two, and return the exit status: 1 where something was lost or grew."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=Path, default=STATE, metavar="DIR", help=f"default: {STATE}")
    which = parser.add_subparsers(dest="which", required=True)
    which.add_parser("kills").add_argument("--rounds", type=int, default=10_000, help="default: 10000")
    which.add_parser("sound").add_argument("--hours", type=float, default=24.0, help="default: 24")
    options = parser.parse_args()
    try:
        runs = (
            kill(options.rounds, options.state)
            if options.which == "kills"
            else hear(options.hours, options.state)
        )
    except EchonetError as err:
        print(f"error: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on with it", file=sys.stderr)
        return 130
    for run in runs:
        print(f"{run.code}: {run.done:.4g} in {_duration(run.seconds)}, {run.found}")
    if options.which == "kills":
        return int(any(run.found["lost"] or run.found["doubled"] for run in runs))
    return int(growth(runs) > 0.05)


if __name__ == "__main__":
    sys.exit(main())
