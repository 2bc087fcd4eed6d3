"""Reads sound files and pipes of any rate, depth and number of channels as 16 kHz mono, a little at a time."""

from collections.abc import Iterator
from contextlib import suppress
import io
import os
from pathlib import Path
import stat
import sys
import threading
from typing import Final, Protocol

import numpy as np
import soundfile
import soxr

from ..channel import MAX_CHANNELS, Blend, Channel
from ..frontend import Floats
from .channels import Mixer
from .source import MAX_RATE, MIN_RATE, SAMPLE_RATE, AudioError, DamagedError, DeviceMissingError

# The name of standard input.
PIPE: Final = Path("-")
# What to do about a file that is no sound.
READABLE: Final = "give a WAV, FLAC, OGG, Opus or MP3 file"
# At most so many samples are in memory at once, whatever the header of a file claims.
_MOST_VALUES: Final = 1 << 20
_HEADER_BYTES: Final = 4096
_BAD_FILE: Final = 7
_PUMP_BYTES: Final = 1 << 16


class Recording(Protocol):
    """Sound that is read from its start to its end."""

    rate: int
    channels: int

    def read(self, frames: int) -> Floats:
        """Return the next frames [frames, channels]; fewer only at the end.

        Raises:
            DamagedError: what follows cannot be read.
        """

    def close(self) -> None:
        """Let it go."""


def read_blocks(path: Path, block_s: float = 1.0, channel: Channel = Blend.LOUDEST) -> Iterator[Floats]:
    """Yield a file (`-`: standard input) in blocks of about `block_s` seconds; never more than one is in memory.

    Raises:
        AudioError: it is missing, no sound file, empty, or damaged from some point on; or it has no such channel.
    """
    name = shown(path)
    recording = _open(path)
    try:
        rate, channels = recording.rate, recording.channels
        if not MIN_RATE <= rate <= MAX_RATE:
            raise AudioError(
                f"{name} says that it has a sample rate of {rate} Hz, which no sound has: convert it to "
                f"{SAMPLE_RATE} Hz"
            )
        if channels > MAX_CHANNELS:
            raise AudioError(f"{name} has {channels} channels; {MAX_CHANNELS} can be heard")
        try:
            mixer = Mixer(channels, rate, channel)
        except AudioError as err:
            raise AudioError(f"{name}: {err}") from None
        size = max(1, min(round(block_s * rate), _MOST_VALUES // channels))
        given = 0
        try:
            for block in _converted(recording, size, mixer):
                given += len(block)
                yield block
        except DamagedError as err:
            raise AudioError(f"{name} is damaged after {given / SAMPLE_RATE:.1f} s: {err}") from None
        if given == 0:
            raise AudioError(f"{name} holds no sound")
    finally:
        recording.close()


def shown(path: Path) -> str:
    """Return the name of a file for a person: a name of any bytes can be printed."""
    if path == PIPE:
        return "standard input"
    return os.fsencode(path).decode(errors="backslashreplace")


def _converted(recording: Recording, size: int, mixer: Mixer) -> Iterator[Floats]:
    """Yield what a recording has left, as 16 kHz mono."""
    rate = recording.rate
    resampler = None if rate == SAMPLE_RATE else soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
    last = False
    while not last:
        samples = recording.read(size)
        last = len(samples) < size
        # One NaN would turn everything after it into NaN.
        mono = mixer.push(np.nan_to_num(samples, posinf=1.0, neginf=-1.0))
        if last:
            mono = np.concatenate((mono, mixer.flush()))
        block = resampler.resample_chunk(mono, last=last) if resampler else mono
        if len(block):
            yield block


class _Sequential(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is read from start to end: soundfile seeks after each read, and a seek in an MP3 is not exact."""

    def seekable(self) -> bool:
        return False


class _SoundFile:
    """What libsndfile reads: a file, or a pipe through its descriptor."""

    def __init__(self, file: bytes | int | io.RawIOBase) -> None:
        self._kept = file  # a file object must outlive what reads it
        self._file = _Sequential(file)
        self.rate = int(self._file.samplerate)
        self.channels = int(self._file.channels)

    def read(self, frames: int) -> Floats:
        try:
            samples: Floats = self._file.read(frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as err:
            raise DamagedError(_reason(err)) from None
        return samples

    def close(self) -> None:
        self._file.close()
        if isinstance(self._kept, io.RawIOBase):
            self._kept.close()


def _open(path: Path) -> Recording:
    name = shown(path)
    try:
        if path == PIPE:
            return _open_pipe(os.dup(sys.stdin.buffer.fileno()), name)
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise AudioError(f"{name} is a folder, not a sound file")
        if not stat.S_ISREG(mode):
            return _open_pipe(os.open(path, os.O_RDONLY), name)
        if path.stat().st_size == 0:
            raise AudioError(f"{name} is empty: there is no sound in it to hear")
        with path.open("rb") as file:
            unfinished = _unknown_length(file.read(_HEADER_BYTES))
        return _SoundFile(os.fsencode(path) if unfinished is None else _Unfinished(path, unfinished))
    except FileNotFoundError:
        raise AudioError(f"{name} does not exist: check its name") from None
    except soundfile.LibsndfileError as err:
        return _open_with_ffmpeg(path, name, _reason(err))
    except (OSError, TypeError, ValueError) as err:  # TypeError: a headerless format, such as .raw
        reason = err.strerror if isinstance(err, OSError) and err.strerror else "unknown format"
        raise AudioError(f"{name} cannot be read as a sound file: {reason}; {READABLE}") from None


def _open_with_ffmpeg(path: Path, name: str, reason: str) -> Recording:
    """Open what only FFmpeg knows, such as the M4A and WebM of phones."""
    from .ffmpeg import open_recording  # noqa: PLC0415 - only where libsndfile does not suffice

    try:
        return open_recording(path, name)
    except AudioError as err:
        known = READABLE if isinstance(err, DeviceMissingError) else f"{READABLE}, or {err}"
        raise AudioError(f"{name} cannot be read as a sound file: {reason}; {known}") from None


def _open_pipe(descriptor: int, name: str) -> Recording:
    """Open sound that comes through a pipe, whose header cannot know how long it will be."""
    source = os.fdopen(descriptor, "rb", buffering=0)
    header = b""
    while len(header) < _HEADER_BYTES and (piece := source.read(_HEADER_BYTES - len(header))):
        header += piece
    if not header:
        raise AudioError(f"{name} is empty: there is no sound in it to hear")
    if (at := _unknown_length(header)) is not None:
        header = header[:at] + _ENDLESS + header[at + 4 :]
    reading, writing = os.pipe()
    threading.Thread(target=_pump, args=(header, source, writing), name="pipe", daemon=True).start()
    try:
        if header.startswith(_PIPED):
            return _SoundFile(reading)
        from .ffmpeg import open_pipe  # noqa: PLC0415 - only where libsndfile does not suffice

        return open_pipe(reading, name)
    except soundfile.LibsndfileError as err:  # which has closed its end
        raise AudioError(
            f"{name} cannot be read as sound: {_reason(err)}; send WAV, OGG, Opus or MP3 through the pipe"
        ) from None


def _pump(header: bytes, source: io.FileIO, writing: int) -> None:
    """Copy a pipe into another one, until either end is closed."""
    with suppress(OSError), source, os.fdopen(writing, "wb", buffering=0) as target:
        piece = header
        while piece:
            left = memoryview(piece)
            while left:
                left = left[target.write(left) :]
            piece = source.read(_PUMP_BYTES)


# How the files begin that libsndfile can read without going back: WAV, OGG and Opus, AIFF, AU, MP3.
_PIPED: Final = (b"RIFF", b"OggS", b"FORM", b".snd", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")
# The length of a WAV file that nobody knows yet.
_ENDLESS: Final = b"\xff\xff\xff\xff"


def _unknown_length(header: bytes) -> int | None:
    """Return where a WAV header says that it holds nothing, as a recorder writes it that could not go back."""
    if header[:4] != b"RIFF" or header[8:12] != b"WAVE":
        return None
    at = 12
    while at + 8 <= len(header):
        length = int.from_bytes(header[at + 4 : at + 8], "little")
        if header[at : at + 4] == b"data":
            return at + 4 if length == 0 else None
        at += 8 + length + length % 2
    return None


class _Unfinished(io.FileIO):
    """A WAV file whose header was never finished, read as if it said that everything behind it is sound."""

    def __init__(self, path: Path, at: int) -> None:
        super().__init__(path, "rb")
        self._at = at

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        begins = self.tell()
        count = super().readinto(buffer) or 0
        view = memoryview(buffer).cast("B")
        for offset, value in enumerate(_ENDLESS, self._at):
            if begins <= offset < begins + count:
                view[offset - begins] = value
        return count


def _reason(err: soundfile.LibsndfileError) -> str:
    if err.code == _BAD_FILE:
        # libsndfile takes an MP3 file in which it finds no sound for a file that it cannot open.
        return "there is no sound in it"
    return str(err.error_string).removeprefix("Error :").strip().rstrip(".").lower()
