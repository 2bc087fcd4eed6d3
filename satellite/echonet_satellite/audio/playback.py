"""Sound that exists already, given out as if it were captured now: a file, or the built-in scene."""

from collections.abc import Callable, Iterator
from pathlib import Path
import time

from ..channel import Blend, Channel
from ..frontend import Floats
from .source import SAMPLE_RATE, AudioError, Block, SourceEnded, SourceKind

_BLOCK_S = 0.08


class Playback:
    """A source whose blocks come at the pace of a microphone; it begins anew each time it is opened."""

    dropped_blocks = 0

    def __init__(self, kind: SourceKind, name: str, blocks: Callable[[], Iterator[Floats]]) -> None:
        """Play what `blocks` yields: 16 kHz mono, in pieces that are short against a second."""
        self.kind = kind
        self.name = name
        self._blocks = blocks
        self._rest: Iterator[Floats] | None = None
        self._next: Floats | None = None
        self._begun = 0.0
        self._played = 0

    def open(self) -> None:
        """Begin to play; does nothing where it plays already."""
        if self._rest is None:
            self._rest = self._blocks()
            # The first block is read at once, so that a damaged file is found when it is opened.
            self._next = next(self._rest, None)
            self._begun = 0.0
            self._played = 0

    def read(self, timeout: float) -> Block | None:
        """Return the next block once its last sample is due."""
        if self._rest is None:
            raise AudioError(f"{self.name} is not open")
        if self._next is None:
            raise SourceEnded(f"{self.name} is over")
        if self._played == 0:
            self._begun = time.monotonic()
        samples = self._next
        due = self._begun + (self._played + len(samples)) / SAMPLE_RATE
        wait_s = due - time.monotonic()
        if wait_s > timeout:
            time.sleep(timeout)
            return None
        time.sleep(max(0.0, wait_s))
        captured = self._begun + self._played / SAMPLE_RATE
        self._played += len(samples)
        self._next = next(self._rest, None)
        return Block(samples, captured)

    def close(self) -> None:
        """Stop to play."""
        self._rest = self._next = None


def open_file(path: Path, channel: Channel = Blend.LOUDEST) -> Playback:
    """Return a source that plays a sound file.

    Raises:
        AudioError: it cannot be read, holds no sound, or has no such channel.
    """
    from .file import read_blocks, shown  # noqa: PLC0415 - a native library that only files need

    playback = Playback(SourceKind.FILE, shown(path), lambda: read_blocks(path, _BLOCK_S, channel))
    playback.open()
    return playback


def open_samples(samples: Floats, name: str) -> Playback:
    """Return a source that plays 16 kHz mono samples, such as the built-in scene."""
    size = round(_BLOCK_S * SAMPLE_RATE)
    return Playback(
        SourceKind.DEMO,
        name,
        lambda: (samples[first : first + size] for first in range(0, len(samples), size)),
    )
