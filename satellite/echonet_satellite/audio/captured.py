"""Sound that another process captures: one that can be ended at any time, whatever it hangs in."""

from contextlib import suppress
import json
import subprocess
from typing import Any, Final

import numpy as np
import soxr

from .. import child
from ..capture.errors import ErrorKind
from ..capture.records import Kind, Record, RecordReader
from ..channel import MAX_CHANNELS, Blend, Channel
from .channels import Mixer
from .source import (
    MAX_RATE,
    MIN_RATE,
    SAMPLE_RATE,
    STILL,
    AudioError,
    Block,
    DeviceBusyError,
    DeviceMissingError,
    SourceKind,
    WrongChannelError,
)

_END_S: Final = 1.0
_ERRORS: Final[dict[str, type[AudioError]]] = {
    ErrorKind.MISSING: DeviceMissingError,
    ErrorKind.BUSY: DeviceBusyError,
    ErrorKind.CHANNEL: WrongChannelError,
}


class CaptureProcess:
    """A process that captures, and what it says."""

    def __init__(self, what: dict[str, Any]) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            child.command("capture", json.dumps(what)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # PortAudio, ALSA and JACK write pages about devices that the machine does not have.
            stderr=subprocess.DEVNULL,
            env=child.environment(),
        )
        assert self._process.stdout is not None
        self._reader = RecordReader(self._process.stdout.fileno())

    def read(self, timeout: float) -> Record | None:
        """Return the next record but a failure, or None where none came in time.

        Raises:
            AudioError: it has failed, or ended without a word.
        """
        try:
            record = self._reader.read(timeout)
        except EOFError:
            raise DeviceMissingError("the process that captures has ended") from None
        if record is not None and record.kind is Kind.FAILED:
            data = record.data()
            raise _ERRORS.get(data["error"], AudioError)(data["text"])
        return record

    def end(self) -> None:
        """End it, in whatever it may hang."""
        assert self._process.stdout is not None
        self._process.kill()
        self._process.stdout.close()
        # Where the kernel itself waits for the device, the process is reaped when that is over.
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)


class CapturedSource:
    """A source in a process of its own; the other way of opening it is to name what the process is to do."""

    def __init__(self, kind: SourceKind, name: str, what: dict[str, Any], channel: Channel) -> None:
        """Prepare; nothing is captured yet."""
        self.kind = kind
        self._name = name
        self._what = what
        self._channel = channel
        self._process: CaptureProcess | None = None
        self._stream: _Stream | None = None
        self._dropped_before = 0
        self._dropped = 0

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self._name

    @property
    def dropped_blocks(self) -> int:
        """How many blocks were lost since the source was made."""
        return self._dropped_before + self._dropped

    def open(self) -> None:
        """Start to capture; does nothing where that was done. What becomes of it, `read` says."""
        if self._process is None:
            try:
                self._process = CaptureProcess(self._what)
            except OSError as err:
                raise AudioError(f"{self._name} cannot be captured: {err.strerror}") from None

    def read(self, timeout: float) -> Block | None:
        """Return the next block, or None where none came in time."""
        if self._process is None:
            raise AudioError(f"{self._name} is not open")
        record = self._process.read(timeout)
        if record is None:
            return None
        if record.kind is Kind.OPENED:
            self._name = str(record.data()["name"])
            self._stream = _Stream(record.data(), self._channel)
            return None
        assert self._stream is not None
        self._dropped = record.dropped
        return self._stream.block(record)

    def close(self) -> None:
        """Stop to capture, and let the device go."""
        process, self._process = self._process, None
        self._stream = None
        self._dropped_before, self._dropped = self.dropped_blocks, 0
        if process is not None:
            process.end()


class _Stream:
    """One uninterrupted stream of captured sound, becoming 16 kHz mono."""

    def __init__(self, opened: dict[str, Any], channel: Channel) -> None:
        rate, channels = int(opened["rate"]), int(opened["channels"])
        if not (MIN_RATE <= rate <= MAX_RATE and 1 <= channels <= MAX_CHANNELS):
            raise AudioError(f"{opened['name']} has {channels} channels at {rate} Hz, which cannot be heard")
        self._rate = rate
        self._channels = channels
        self._channel = channel
        try:
            self._mixer = Mixer(channels, rate, channel)
        except WrongChannelError as err:
            raise WrongChannelError(f"{opened['name']}: {err}") from None
        self._resampler = (
            None if rate == SAMPLE_RATE else soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
        )
        self._taken_s = 0.0
        self._given_s = 0.0

    def block(self, record: Record) -> Block:
        frames = np.frombuffer(record.content, np.float32).reshape(-1, self._channels)
        samples = self._mixer.push(np.nan_to_num(frames, posinf=1.0, neginf=-1.0))
        self._taken_s += len(frames) / self._rate
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        self._given_s += len(samples) / SAMPLE_RATE
        # The mixer and the resampler hold back samples that they have taken: the block ends that much earlier.
        ended = record.captured - (self._taken_s - self._given_s)
        return Block(samples, ended - len(samples) / SAMPLE_RATE, elsewhere=self._elsewhere(frames))

    def _elsewhere(self, frames: np.ndarray[Any, np.dtype[np.float32]]) -> bool:
        """Return whether a channel was chosen that is dead, while there is sound on another one."""
        if isinstance(self._channel, Blend) or self._channels == 1 or not len(frames):
            return False
        moves = np.ptp(frames, axis=0)
        return bool(moves[self._channel - 1] <= STILL and moves.max() > STILL)
