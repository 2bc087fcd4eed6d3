"""Keeps native libraries (PortAudio, ALSA, LiteRT) from writing their chatter onto a person's terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
import os
import sys
import threading

_LOCK = threading.Lock()


@contextmanager
def native_messages_hidden() -> Iterator[None]:
    """Send file descriptor 2 to nowhere for a moment."""
    with _LOCK:
        try:
            sys.stderr.flush()
            saved = os.dup(2)
        except (AttributeError, OSError, ValueError):  # there is no standard error, so nothing to hide
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(nowhere)
