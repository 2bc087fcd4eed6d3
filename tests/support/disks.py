"""Real file systems that are full or read-only, and a process that holds a database; root may mount, others skip."""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest


class Disk:
    """A small file system in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self) -> None:
        """Leave not one byte free."""
        with self._filler.open("ab", buffering=0) as stream:
            for size in (65536, 1):
                try:
                    while True:
                        stream.write(bytes(size))
                except OSError:
                    pass

    def free(self) -> None:
        self._filler.unlink()

    def read_only(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", self.path], check=True)

    def writable(self) -> None:
        subprocess.run(["mount", "-o", "remount,rw", self.path], check=True)


@contextmanager
def small_disk(path: Path, megabytes: int = 8) -> Iterator[Disk]:
    """Mount a file system of its own at `path`."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    path.mkdir()
    options = f"size={megabytes}m,mode=0700"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", path], check=False)
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


# It ends by itself: nothing else could thaw what the one who froze it hangs on.
_FREEZER = """
fsfreeze --freeze "$1" && echo frozen && read -r -t 30 _
fsfreeze --unfreeze "$1"
"""


class HangingDisk:
    """A file system that can be made to hang: what writes to it then waits, as for a card that does not answer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._freezer: subprocess.Popen[str] | None = None

    def hang(self) -> None:
        self._freezer = subprocess.Popen(
            ["bash", "-c", _FREEZER, "bash", str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._freezer.stdout is not None
        assert self._freezer.stdout.readline() == "frozen\n"

    def go_on(self) -> None:
        if self._freezer is not None:
            self._freezer.communicate("")
            self._freezer = None


@contextmanager
def hanging_disk(path: Path) -> Iterator[HangingDisk]:
    """Mount a file system of its own at `path`, which lies in a file beside it."""
    if os.geteuid() != 0 or not all(shutil.which(tool) for tool in ("bash", "mkfs.ext4", "fsfreeze")):
        pytest.skip("only root, with the tools of e2fsprogs and util-linux, may freeze a file system")
    image = path.with_suffix(".img")
    with image.open("wb") as stream:
        stream.truncate(16 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    path.mkdir()
    if subprocess.run(["mount", "-o", "loop", image, path], check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    disk = HangingDisk(path)
    try:
        yield disk
    finally:
        disk.go_on()
        subprocess.run(["umount", "--lazy", path], check=True)


_HOLDER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
database.execute(sys.argv[2])
database.execute("BEGIN EXCLUSIVE")
database.execute("CREATE TABLE IF NOT EXISTS mark (x)")
print("held", flush=True)
sys.stdin.read()
database.execute("ROLLBACK")
"""


@contextmanager
def held_by_another_process(database: Path, pragma: str = "PRAGMA locking_mode = NORMAL") -> Iterator[None]:
    """Have another process hold a database for writing, as a backup or a curious owner does."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(database), pragma],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield
        process.communicate("")
