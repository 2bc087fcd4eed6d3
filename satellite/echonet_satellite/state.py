"""The state directory: where it is, that only its owner can read it, and files that are written whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
import errno
import fcntl
import glob
import logging
import os
from pathlib import Path
import time

from .errors import StateError

_LOGGER = logging.getLogger(__name__)

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
_ASIDE = ".damaged-"
_MOST_ASIDE = 3
_LONGEST_NUMBER = 20  # digits: milliseconds of our clocks have thirteen


def default_state_directory() -> Path:
    """Return `$STATE_DIRECTORY` (systemd sets it), else the folder that the XDG specification names."""
    if named := os.environ.get("STATE_DIRECTORY"):
        return Path(named.split(":")[0])
    data_home = os.environ.get("XDG_DATA_HOME")
    return (Path(data_home) if data_home else Path.home() / ".local" / "share") / "echonet-satellite"


def prepare_directory(path: Path) -> None:
    """Create a private directory, or make an existing one private.

    Raises:
        StateError: it cannot be created, entered, written or made private.
    """
    try:
        path.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        make_private(path, DIRECTORY_MODE)
    except OSError as err:
        raise StateError(
            f"cannot use the state directory {path}: {err.strerror}; choose another with --state"
        ) from None
    # A read-only disk is no reason not to listen; `access` would call it a missing permission.
    if not os.access(path, os.R_OK | os.X_OK) or not (os.access(path, os.W_OK) or is_read_only(path)):
        raise StateError(f"cannot use the state directory {path}: no permission; choose another with --state")


def is_read_only(path: Path) -> bool:
    """Tell whether the disk that a path lies on takes no writing."""
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def make_private(path: Path, mode: int) -> None:
    """Take away what others may do with a file or folder of ours."""
    if path.stat().st_mode & 0o777 & ~mode:
        try:
            path.chmod(mode)
        except OSError as err:
            if err.errno != errno.EROFS:
                raise
            _LOGGER.warning("Others may read %s, and a read-only disk keeps us from changing that", path)


def write_private(path: Path, data: bytes) -> None:
    """Write a file so that it is whole after a power cut: either the old content or the new.

    Raises:
        StateError: the disk is full or read-only.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, FILE_MODE)
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), FILE_MODE)
            _give_to_owner_of(path.parent, stream.fileno())
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        sync_directory(path.parent)
    except OSError as err:
        raise StateError(f"cannot write {path}: {err.strerror}") from None


def _give_to_owner_of(directory: Path, descriptor: int) -> None:
    """Let a file that root writes belong to the user of the service, who must read it afterwards."""
    if os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def sync_directory(path: Path) -> None:
    """Make a rename in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def set_aside(path: Path) -> Path:
    """Rename a damaged file, so that a person can look at it, and return its new name, or the old one.

    The oldest of several are removed: damage that comes again and again fills no disk.
    """
    aside = _aside(path)
    try:
        path.replace(aside)
        _remove_old(path)
    except OSError as err:
        _LOGGER.warning("%s is damaged and stays where it is: %s", path, err.strerror)
        return path if path.exists() else aside
    return aside


def _aside(path: Path) -> Path:
    """Return a new name, later than all before it: also within a millisecond, and with a clock that was set back."""
    number = max([time.time_ns() // 1_000_000, *(_number_aside(old) + 1 for old in _all_aside(path))])
    return path.with_name(f"{path.name}{_ASIDE}{number}")


def _all_aside(path: Path) -> list[Path]:
    return list(path.parent.glob(f"{glob.escape(path.name + _ASIDE)}*"))


def _number_aside(path: Path) -> int:
    number = path.name.rpartition(_ASIDE)[2]
    return int(number) if number.isdecimal() and len(number) < _LONGEST_NUMBER else 0


def _remove_old(path: Path) -> None:
    for old in sorted(_all_aside(path), key=_number_aside)[:-_MOST_ASIDE]:
        old.unlink()


def keep_copy(path: Path) -> None:
    """Copy a damaged file beside itself, so that a person can look at it.

    Raises:
        OSError: the disk takes no copy, or the file cannot be read.
    """
    data = path.read_bytes()
    aside = _aside(path)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
    _remove_old(path)


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Hold a state directory, so that two satellites never write to one.

    Raises:
        StateError: another satellite holds it.
    """
    # The folder itself is locked: that needs no file, which a full or read-only disk would not take.
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as err:
        raise StateError(f"cannot use the state directory {directory}: {err.strerror}") from None
    try:
        _give_to_owner_of(directory, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StateError(
                f"another satellite runs with the state directory {directory}: "
                "stop it, or choose another directory with --state"
            ) from None
        yield
    finally:
        os.close(descriptor)
