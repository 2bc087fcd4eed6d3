"""Sound that another program sends through standard input, such as `arecord`: as live as that program makes it."""

from collections import deque
import threading
import time
from typing import Final

from ..channel import Blend, Channel
from .file import PIPE, read_blocks
from .source import SAMPLE_RATE, AudioError, Block, SourceEnded, SourceKind

_BLOCK_S: Final = 0.08
_QUEUE_BLOCKS: Final = 50  # four seconds
# Who sends faster than sound sends a recording; it is heard at its own pace.
_AHEAD_S: Final = 1.0


class Pipe:
    """Standard input, read in a thread of its own: also while nobody listens, for else the other program would stop."""

    kind = SourceKind.PIPE
    name = "standard input"

    def __init__(self, channel: Channel = Blend.LOUDEST) -> None:
        """Prepare; nothing is read yet."""
        self._channel = channel
        self._changed = threading.Condition()
        self._queue: deque[Block] = deque()
        self._open = False
        self._over: AudioError | SourceEnded | None = None
        self._thread: threading.Thread | None = None
        self.dropped_blocks = 0

    def open(self) -> None:
        """Listen from now on."""
        with self._changed:
            self._open = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="standard input", daemon=True)
            self._thread.start()

    def read(self, timeout: float) -> Block | None:
        """Return the next block, or None where none came in time."""
        with self._changed:
            if not self._open:
                raise AudioError(f"{self.name} is not open")
            self._changed.wait_for(lambda: self._queue or self._over, timeout)
            if self._queue:
                return self._queue.popleft()
            if self._over is not None:
                raise self._over
            return None

    def close(self) -> None:
        """Throw away what comes from now on."""
        with self._changed:
            self._open = False
            self._queue.clear()

    def _run(self) -> None:
        over: AudioError | SourceEnded = SourceEnded(f"{self.name} is over")
        begun = time.monotonic()
        given_s = 0.0
        try:
            for samples in read_blocks(PIPE, _BLOCK_S, self._channel):
                given_s += len(samples) / SAMPLE_RATE
                now = time.monotonic()
                self._take(Block(samples, now - len(samples) / SAMPLE_RATE))
                time.sleep(max(0.0, given_s - _AHEAD_S - (now - begun)))
        except AudioError as err:
            over = err
        with self._changed:
            self._over = over
            self._changed.notify_all()

    def _take(self, block: Block) -> None:
        with self._changed:
            if not self._open:
                return
            if len(self._queue) >= _QUEUE_BLOCKS:
                self._queue.popleft()
                self.dropped_blocks += 1
            self._queue.append(block)
            self._changed.notify_all()
