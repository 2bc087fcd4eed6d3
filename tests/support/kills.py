"""Kills a process with `kill -9` at random moments while it writes a journal, and looks at what is left."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
import os
from pathlib import Path
import random
import signal
import subprocess
import sys
import time

from echonet_satellite.journal import Journal
from echonet_satellite.protocol import Detection, Phase, SoundClass

_REPOSITORY = Path(__file__).parents[2]
_LONGEST_S = 0.04
_LATE = "~"


@dataclass(slots=True, kw_only=True)
class Result:
    """What came of the rounds: of `told` detections `lost` were on disk and then not, and `doubled` came twice.

    `late` were told from memory, because the disk had not taken them in time; `gone` of these were never written.
    """

    rounds: int = 0
    told: int = 0
    lost: int = 0
    doubled: int = 0
    late: int = 0
    gone: int = 0


def run_rounds(
    path: Path, rounds: int, *, seed: int, progress: Callable[[Result], None] = lambda _: None
) -> Result:
    """Let a journal be written, killed, and opened again, `rounds` times.

    A process of its own forks the writers: one that has other threads could not fork safely.
    """
    result = Result()
    chosen = random.Random(seed)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.kills", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_REPOSITORY,
        env={**os.environ, "PYTHONPATH": f"{_REPOSITORY / 'satellite'}{os.pathsep}{_REPOSITORY}"},
    ) as nursery:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        for number in range(rounds):
            print(number, chosen.uniform(0, _LONGEST_S), file=nursery.stdin, flush=True)
            told = nursery.stdout.readline().split()
            _look(path, number, told, result)
            progress(result)
        nursery.stdin.close()
    return result


def _look(path: Path, number: int, told: list[str], result: Result) -> None:
    """Count what is in the journal after a kill, and acknowledge it."""
    journal = Journal(path)
    try:
        found = journal.pending("home", up_to=journal.last_sequence, limit=100_000)
        journal.acknowledge("home", journal.last_sequence)
    finally:
        journal.close()
    names = [item.id for item in found]
    late = {name.removesuffix(_LATE) for name in told if name.endswith(_LATE)}
    missing = {name.removesuffix(_LATE) for name in told} - set(names)
    result.rounds = number + 1
    result.told += len(told)
    result.lost += len(missing - late)
    result.late += len(late)
    result.gone += len(missing & late)
    numbers = [item.sequence for item in found]
    result.doubled += len(names) - len(set(names)) + len(numbers) - len(set(numbers))
    # What was acknowledged before the kill must not come again either.
    result.doubled += sum(not name.startswith(f"{number}.") for name in names)


def _write(path: Path, number: int, told: int) -> None:
    journal = Journal(path)
    count = 0
    while True:
        name = f"{number}.{count}"
        journal.append(
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
        os.write(told, f"{name}{_LATE if journal.unsaved else ''} ".encode())
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
