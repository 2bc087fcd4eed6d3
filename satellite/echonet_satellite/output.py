"""Lines for standard output and standard error, written by a thread of its own: no reader holds up the satellite."""

from collections import deque
import logging
import os
import threading
import time
from typing import Final

_MOST_LINES: Final = 1000
_CLOSE_S: Final = 0.5


class LineWriter:
    """Writes lines to a file descriptor as fast as that takes them, and forgets the oldest where it does not.

    A disk that is full costs the lines of that time, and a reader that has gone all that follow; what is left out is
    said with the next line that gets through.
    """

    def __init__(self, descriptor: int, *, most_lines: int = _MOST_LINES) -> None:
        """Write to a copy of `descriptor`; where there is none, to nowhere."""
        self._lines: deque[str] = deque(maxlen=most_lines)
        self._changed = threading.Condition()
        self._closing = False
        self._left_out = 0
        self._torn = False
        try:
            # A copy, so that native libraries can be kept from writing to the original for a while: see `quiet.py`.
            self._descriptor = os.dup(descriptor)
        except OSError:
            self._descriptor = -1
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Write a line soon; never waits."""
        with self._changed:
            if len(self._lines) == self._lines.maxlen:
                self._left_out += 1
            self._lines.append(line)
            self._changed.notify()

    def close(self, timeout: float = _CLOSE_S) -> None:
        """Write what is left, as far as that is possible in time."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._closing)
                if not self._lines:
                    return
                line = self._lines.popleft()
                left_out, self._left_out = self._left_out, 0
            if self._descriptor < 0:
                continue
            try:
                if left_out:
                    self._put(f"({left_out} lines before this one could not be written)")
                    left_out = 0
                self._put(line)
            except (BrokenPipeError, ValueError):
                self._descriptor = -1
            except OSError:
                with self._changed:
                    self._left_out += left_out + 1

    def _put(self, line: str) -> None:
        data = (("\n" if self._torn else "") + line + "\n").encode(errors="backslashreplace")
        while data:
            try:
                written = os.write(self._descriptor, data)
            except BlockingIOError:  # somebody else has made the pipe one that does not wait
                time.sleep(0.05)
                continue
            # A line of which only a part has been written stays alone.
            self._torn = written < len(data)
            data = data[written:]


class LineHandler(logging.Handler):
    """Logs through a `LineWriter`."""

    def __init__(self, writer: LineWriter) -> None:
        """Log to `writer`."""
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            self._writer.write(self.format(record))
        except Exception:  # noqa: BLE001 - as in every handler, what cannot be formatted is told as that
            self.handleError(record)


class OneLineFormatter(logging.Formatter):
    """Escapes what does not print: whatever a stranger sends, it makes one line of the log and moves no cursor."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class names it
        """Format a record whose message has been made."""
        record.message = escaped(record.message)
        return super().formatMessage(record)


def escaped(text: str) -> str:
    """Return a text in which only printable characters are left as they are."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
