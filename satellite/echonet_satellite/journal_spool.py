"""The journal's spool: what is not on disk yet, in a file that lies in memory and so outlives a kill of the process."""

import errno
import fcntl
import hashlib
import logging
import os
from pathlib import Path
from typing import Final

from .codec import decode, encode
from .journal_tables import Kept
from .protocol import Label, ProtocolError
from .state import FILE_MODE

_LOGGER = logging.getLogger(__name__)

# Of memory, on every Linux.
_SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the file is made for us alone, and its owner checked
# Beyond this the file is written anew, without what is on disk meanwhile.
_LARGEST_BYTES: Final = 8 * 1024 * 1024


class Spool:
    """One file in memory; not safe to use from several threads. Where it cannot be written, nothing else fails."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Use a file that `open_spool` has opened."""
        self._path = path
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self._failed = False

    def read(self) -> list[Kept | Label]:
        """Return what an earlier process has left."""
        found: list[Kept | Label] = []
        with os.fdopen(os.dup(self._descriptor), "rb") as stream:
            stream.seek(0)
            lines = stream.read().splitlines()
        for line in lines:
            try:
                message = decode(line.decode())
            except (ProtocolError, UnicodeDecodeError, TypeError):
                _LOGGER.warning("A message that was not on disk yet cannot be read and is left out")
                continue
            if isinstance(message, Kept | Label):
                found.append(message)
        return found

    def add(self, message: Kept | Label) -> bool:
        """Keep a message; False where the file is due to be written anew."""
        if self._write(self._descriptor, _line(message)):
            self._size = os.fstat(self._descriptor).st_size
        return self._size <= _LARGEST_BYTES

    def keep(self, messages: list[Kept | Label]) -> None:
        """Keep exactly these messages, at any moment either all that were there before or all of these."""
        if not messages:
            if self._size:
                os.ftruncate(self._descriptor, 0)
                self._size = 0
            return
        temporary = self._path.with_name(f"{self._path.name}.new")
        try:
            temporary.unlink(missing_ok=True)
            descriptor = _open(temporary)
        except OSError as err:
            self._fail(err)
            return
        if not self._write(descriptor, b"".join(_line(message) for message in messages)):
            os.close(descriptor)
            return
        temporary.replace(self._path)
        os.close(self._descriptor)
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size

    def close(self) -> None:
        """Close the file, and remove one with nothing in it."""
        if not self._size:
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _write(self, descriptor: int, data: bytes) -> bool:
        try:
            if os.write(descriptor, data) == len(data):
                return True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as err:
            self._fail(err)
            return False

    def _fail(self, err: OSError) -> None:
        if not self._failed:
            self._failed = True
            _LOGGER.warning(
                "A kill may cost what is not on disk yet: %s takes nothing: %s", self._path, err.strerror
            )


def open_spool(journal: Path) -> Spool | None:
    """Open the spool of a journal; None where no file can be kept in memory, or another process uses it."""
    try:
        path = _place(journal)
        return None if path is None else Spool(path, _open(path))
    except OSError as err:
        _LOGGER.warning(
            "A kill may cost what is not on disk yet: no file in memory can be used: %s", err.strerror
        )
        return None


def _place(journal: Path) -> Path | None:
    """Return where the spool lies: systemd keeps a folder of the service over a restart, others share one."""
    folder = journal.parent.resolve()
    identity = f"{folder / journal.name}\0{folder.stat().st_ino}"
    name = f"echonet-satellite-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"
    if ours := os.environ.get("RUNTIME_DIRECTORY"):
        return Path(ours.split(":")[0]) / name
    return _SHARED_MEMORY / name if _SHARED_MEMORY.is_mount() else None


def _open(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid() or status.st_mode & 0o777 != FILE_MODE:
            raise PermissionError(errno.EPERM, f"{path} belongs to somebody else")
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _line(message: Kept | Label) -> bytes:
    return encode(message).encode() + b"\n"
