"""What a capturing process tells its satellite through a pipe. Standard library only: the process is to be small."""

from dataclasses import dataclass
from enum import Enum
import json
import os
import select
import struct
import time
from typing import Any, Final

# Kind, monotonic time at which the last sample was captured, blocks lost so far, length of what follows.
_HEAD: Final = struct.Struct("<BdII")
_READ_BYTES: Final = 1 << 18


class Kind(Enum):
    """What a record says."""

    OPENED = 1  # JSON: name, rate, channels
    SOUND = 2  # float32 samples, those of one moment side by side
    FAILED = 3  # JSON: error, text
    LIST = 4  # JSON: the devices


@dataclass(frozen=True, slots=True)
class Record:
    """One record."""

    kind: Kind
    captured: float
    dropped: int
    content: bytes

    def data(self) -> dict[str, Any]:
        """Return the content where it is JSON."""
        found: dict[str, Any] = json.loads(self.content)
        return found


class RecordWriter:
    """Writes records; ends the process when nobody reads them any more."""

    def __init__(self, descriptor: int) -> None:
        """Write to a descriptor."""
        self._descriptor = descriptor

    def tell(self, kind: Kind, **data: Any) -> None:
        """Write a record of JSON."""
        self._write(_HEAD.pack(kind.value, 0.0, 0, len(content := json.dumps(data).encode())) + content)

    def sound(self, samples: bytes, captured: float, dropped: int) -> None:
        """Write captured samples."""
        self._write(_HEAD.pack(Kind.SOUND.value, captured, dropped, len(samples)) + samples)

    def _write(self, record: bytes) -> None:
        left = memoryview(record)
        while left:
            left = left[os.write(self._descriptor, left) :]


class RecordReader:
    """Reads records, and never waits for longer than it may."""

    def __init__(self, descriptor: int) -> None:
        """Read from a descriptor."""
        self._descriptor = descriptor
        self._buffer = bytearray()
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN | select.POLLHUP)

    def read(self, timeout: float) -> Record | None:
        """Return the next record, or None where none came in time.

        Raises:
            EOFError: the process has ended.
        """
        deadline = time.monotonic() + timeout
        while (record := self._take()) is None:
            if not self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                return None
            piece = os.read(self._descriptor, _READ_BYTES)
            if not piece:
                raise EOFError
            self._buffer += piece
        return record

    def _take(self) -> Record | None:
        if len(self._buffer) < _HEAD.size:
            return None
        kind, captured, dropped, length = _HEAD.unpack_from(self._buffer)
        end = _HEAD.size + length
        if len(self._buffer) < end:
            return None
        content = bytes(self._buffer[_HEAD.size : end])
        del self._buffer[:end]
        return Record(Kind(kind), captured, dropped, content)
