"""Kills a process with `kill -9` at random moments while it writes a journal, and looks at what is left."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
import os
from pathlib import Path
import random
import signal
import sqlite3
import sys
import time

from echonet_satellite.journal import Journal
from echonet_satellite.protocol import Detection, Phase, SoundClass
from tests.support.writers import run_module

_LONGEST_S = 0.04
# In this share of the rounds another process holds the journal, as a backup does: the disk takes nothing.
_HELD = 0.1
_LATE = "~"


@dataclass(slots=True, kw_only=True)
class Result:
    """What came of the rounds: of `told` detections `lost` are gone, and `doubled` came twice or reused a number.

    `late` were told from memory, because the disk had not taken them in time. They are lost like any other.
    """

    rounds: int = 0
    told: int = 0
    lost: int = 0
    doubled: int = 0
    late: int = 0
    highest: int = 0


def run_rounds(
    path: Path, rounds: int, *, seed: int, progress: Callable[[Result], None] = lambda _: None
) -> Result:
    """Let a journal be written, killed, and opened again, `rounds` times.

    A process of its own forks the writers: one that has other threads could not fork safely.
    """
    result = Result()
    chosen = random.Random(seed)
    with run_module("tests.support.kills", path) as nursery:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        for number in range(rounds):
            held = chosen.random() < _HELD
            with _held(path) if held and path.exists() else nullcontext():
                print(number, chosen.uniform(0, _LONGEST_S), file=nursery.stdin, flush=True)
                told = nursery.stdout.readline().split()
            _look(path, number, told, result)
            progress(result)
        nursery.stdin.close()
    return result


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Keep everybody else from writing to the journal."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


def _look(path: Path, number: int, lines: list[str], result: Result) -> None:
    """Count what is in the journal after a kill, and acknowledge it."""
    journal = Journal(path)
    try:
        found = journal.pending("home", up_to=journal.last_sequence, limit=100_000)
        journal.acknowledge("home", journal.last_sequence)
    finally:
        journal.close()
    # A disk that is slow must not have two journals write to one file in the next round.
    while journal.alive:
        time.sleep(0.01)
    told: dict[str, int] = {}
    for line in lines:
        name, sequence, late = line.split(":")
        told[name] = int(sequence)
        result.late += late == _LATE
        result.doubled += int(sequence) <= result.highest
        result.highest = max(result.highest, int(sequence))
    stored = {item.id: item.sequence for item in found}
    result.rounds = number + 1
    result.told += len(told)
    result.lost += sum(stored.get(name) != sequence for name, sequence in told.items())
    result.doubled += len(found) - len(stored) + len(found) - len(set(stored.values()))
    # What was acknowledged before the kill must not come again either.
    result.doubled += sum(not name.startswith(f"{number}.") for name in stored)


def _write(path: Path, number: int, told: int) -> None:
    journal = Journal(path)
    count = 0
    while True:
        name = f"{number}.{count}"
        kept = journal.append(
            Detection(
                id=name,
                sequence=1,
                sound_class=SoundClass.DOG,
                phase=Phase.START,
                onset=datetime.now(UTC),
                confidence=1.0,
                peak_dbfs=0.0,
            )
        )
        os.write(told, f"{name}:{kept.sequence}:{_LATE if journal.unsaved else ''} ".encode())
        count += 1


def _nursery(path: Path) -> None:
    """Fork a writer for each line of standard input, kill it in time, and print what it has told."""
    for line in sys.stdin:
        number, wait_s = line.split()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            try:
                _write(path, int(number), writing)
            finally:
                os._exit(1)
        os.close(writing)
        # The first detection has been told: that it starts at all is shown each time.
        told = os.read(reading, 65536)
        time.sleep(float(wait_s))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while more := os.read(reading, 65536):
            told += more
        os.close(reading)
        sys.stdout.write(told.decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _nursery(Path(sys.argv[1]))
