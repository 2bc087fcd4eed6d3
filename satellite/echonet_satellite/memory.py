"""Keeps what the satellite takes of a small computer's memory small, where the C library is one that can be told."""

import ctypes
import gc
from typing import Final

_TRIM_THRESHOLD: Final = -1  # M_TRIM_THRESHOLD
_MMAP_THRESHOLD: Final = -3  # M_MMAP_THRESHOLD
_ARENA_MAX: Final = -8  # M_ARENA_MAX
# Larger than any buffer of a step of the hearing, so that those are never asked of the system again and again.
_LARGE_BYTES: Final = 1 << 20


def use_little() -> None:
    """Let threads share their heaps, and give large buffers back as soon as they are free; call it before any thread.

    By itself glibc gives each thread a heap of its own, and keeps up to 64 MB once a large buffer was freed.
    """
    if (mallopt := _function("mallopt")) is not None:
        mallopt(_ARENA_MAX, 1)
        mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_TRIM_THRESHOLD, _LARGE_BYTES)


def give_back() -> None:
    """Give back what a start has left behind, and look no more at what stays until the end."""
    gc.collect()
    gc.freeze()
    if (trim := _function("malloc_trim")) is not None:
        trim(0)


def _function(name: str) -> "ctypes._NamedFuncPointer | None":
    """Return a function of the C library; musl, for one, does not have these."""
    return getattr(ctypes.CDLL(None), name, None)
