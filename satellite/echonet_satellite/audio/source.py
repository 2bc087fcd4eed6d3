"""What every source of sound has in common."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import EchonetError

SAMPLE_RATE: Final = 16_000
# What is slower or faster is no sound that anything could have recorded: converting it would cost hours or gigabytes.
MIN_RATE: Final = 1_000
MAX_RATE: Final = 768_000
# One step of a 16-bit converter: even a quiet room moves a microphone by more.
STILL: Final = 1.0 / 32768


class AudioError(EchonetError):
    """Sound cannot be had from a device or a file."""


class DeviceMissingError(AudioError):
    """There is no such microphone, or it has been unplugged."""


class DeviceBusyError(AudioError):
    """The microphone is there, but cannot be opened."""


class WrongChannelError(AudioError):
    """A channel was chosen that is not there."""


class DamagedError(EchonetError):
    """What follows in a recording cannot be read; the text says why."""


class SourceEnded(EchonetError):
    """The recording is over."""


class SourceKind(StrEnum):
    """What the sound comes from: a file cannot be silent or clipped by mistake, what is live can."""

    MICROPHONE = "microphone"
    STREAM = "stream"
    PIPE = "pipe"
    FILE = "file"
    DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of sound: 16 kHz mono samples in -1..1, and `time.monotonic()` when the first was captured.

    `elsewhere` says that the channel that was chosen is dead, and another one is not.
    """

    samples: NDArray[np.float32]
    captured: float
    elsewhere: bool = False


class Source(Protocol):
    """A stream of blocks. `open` may be called again after `close`; all of it from one thread."""

    @property
    def kind(self) -> SourceKind:
        """What the sound comes from."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def dropped_blocks(self) -> int:
        """How many blocks were lost since the source was made, because nobody fetched them in time."""

    def open(self) -> None:
        """Start to capture, without waiting for it; does nothing where the source is open.

        Raises:
            AudioError: there is no such file, or it cannot be opened. Of a device, `read` says so.
        """

    def read(self, timeout: float) -> Block | None:
        """Return the next block, or None where none came within `timeout` seconds.

        Raises:
            SourceEnded: the recording is over.
            AudioError: the device is not there, or not any more, or the file is damaged.
        """

    def close(self) -> None:
        """Stop to capture; does nothing where the source is not open."""
