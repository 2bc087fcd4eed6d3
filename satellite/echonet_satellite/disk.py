"""Whether a disk takes what is to be kept on it."""

import os
from pathlib import Path
from typing import Final

from .protocol import Problem
from .state import is_read_only

# With less than this, the next detections may not fit.
LEAST_FREE_BYTES: Final = 1024 * 1024


def disk_problem(path: Path) -> Problem | None:
    """Return what is wrong with the disk that a file lies on, whether or not anybody writes to it."""
    if is_read_only(path.parent):
        return Problem.DISK_READ_ONLY
    try:
        status = os.statvfs(path.parent)
    except OSError:
        return Problem.JOURNAL_FAILING
    if status.f_blocks and status.f_bavail * status.f_frsize < LEAST_FREE_BYTES:
        return Problem.DISK_FULL
    return None
