"""Work that must never slow down or bring down the hearing: done by another process, humbly and within limits."""

from collections.abc import Sequence
import os
from pathlib import Path
import resource
import sys
from typing import Final

_PACKAGE: Final = Path(__file__).parent
_NICE: Final = 5


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this package."""
    return [sys.executable, "-m", f"{_PACKAGE.name}.{module}", *arguments]


def environment() -> dict[str, str]:
    """Return the environment of a child: it runs the same code as we do, wherever that was found, in one thread."""
    path = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(_PACKAGE.parent), *([path] if path else [])]),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def be_humble(*, memory_bytes: int, cpu_s: int, file_bytes: int = 0) -> None:
    """Called first by a child: everything else goes before it, and no input makes it grow without end."""
    os.nice(_NICE)
    limits: Sequence[tuple[int, int]] = (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, limit in limits:
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
