"""A process that writes a journal, one detection after the other as it is told, to be killed at any moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
import os
from pathlib import Path
import subprocess
import sys

from echonet_satellite.journal import Journal
from echonet_satellite.protocol import Detection, Phase, SoundClass, Verdict

_REPOSITORY = Path(__file__).parents[2]


class Writer:
    """The process; `names` and `numbers` are what it has told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.names: list[str] = []
        self.numbers: list[int] = []

    def append(self, *names: str) -> None:
        """Have detections told."""
        for name in names:
            self.numbers.append(int(self._ask(name)))
            self.names.append(name)

    def label(self, name: str) -> None:
        """Give a verdict on a detection."""
        assert self._ask(f"label {name}") == "True"

    def kill(self) -> None:
        """Kill it as `kill -9` does; a disk that hangs may keep what is left of it for a while."""
        self._process.kill()

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(line, file=self._process.stdin, flush=True)
        return self._process.stdout.readline().strip()


def run_module(name: str, path: Path) -> subprocess.Popen[str]:
    """Start a module of the tests on a journal, in a process of its own that is talked to line by line."""
    return subprocess.Popen(
        [sys.executable, "-m", name, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_REPOSITORY,
        env={**os.environ, "PYTHONPATH": f"{_REPOSITORY / 'satellite'}{os.pathsep}{_REPOSITORY}"},
    )


@contextmanager
def writer(path: Path) -> Iterator[Writer]:
    """Start a process that writes a journal, and wait for its end afterwards."""
    with run_module("tests.support.writers", path) as process:
        try:
            yield Writer(process)
        finally:
            process.kill()


def detection(name: str) -> Detection:
    """Return an alarm that begins now, before the journal has numbered it."""
    return Detection(
        id=name,
        sequence=1,
        sound_class=SoundClass.ALARM,
        phase=Phase.START,
        onset=datetime.now(UTC),
        confidence=0.9,
        peak_dbfs=-10.0,
    )


def _write(path: Path) -> None:
    journal = Journal(path)
    for line in sys.stdin:
        command, _, name = line.strip().rpartition(" ")
        if command:
            _say(journal.label(name, Verdict.FALSE_ALARM))
            continue
        _say(journal.append(detection(name)).sequence)


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
