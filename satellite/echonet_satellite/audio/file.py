"""Reads sound files (WAV, FLAC, OGG, Opus, MP3) of any rate, depth and number of channels as 16 kHz mono."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr

from ..frontend import Floats
from .source import SAMPLE_RATE, AudioError

# What to do about a file that is no sound.
READABLE: Final = "give a WAV, FLAC, OGG, Opus or MP3 file"


def read_blocks(path: Path, block_s: float = 1.0) -> Iterator[Floats]:
    """Yield a file in blocks of about `block_s` seconds; never more than a block is in memory.

    Raises:
        AudioError: it is missing, no sound file, empty, or damaged from some point on.
    """
    with _open(path) as file:
        if file.frames == 0:
            raise AudioError(f"{path} holds no sound")
        size = max(1, round(block_s * file.samplerate))
        resampler = _resampler(path, file.samplerate)
        given = 0
        while True:
            try:
                samples = file.read(size, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as err:
                raise AudioError(
                    f"{path} is damaged after {given / SAMPLE_RATE:.1f} s: {_reason(err)}"
                ) from None
            last = len(samples) < size
            mono = np.nan_to_num(samples.mean(axis=1), posinf=1.0, neginf=-1.0)
            block = resampler.resample_chunk(mono, last=last) if resampler else mono
            if len(block):
                given += len(block)
                yield block
            if last:
                break
    if given == 0:
        raise AudioError(f"{path} holds no sound")


class _Sequential(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is read from start to end: soundfile seeks after each read, and a seek in an MP3 is not exact."""

    def seekable(self) -> bool:
        return False


def _open(path: Path) -> soundfile.SoundFile:
    if not path.exists():
        raise AudioError(f"{path} does not exist: check its name")
    if path.is_dir():
        raise AudioError(f"{path} is a folder, not a sound file")
    try:
        if path.stat().st_size == 0:
            raise AudioError(f"{path} is empty: there is no sound in it to hear")
        return _Sequential(path)
    except soundfile.LibsndfileError as err:
        raise AudioError(f"{path} cannot be read as a sound file: {_reason(err)}; {READABLE}") from None
    except (OSError, TypeError) as err:  # TypeError: a headerless format, such as .raw
        reason = err.strerror if isinstance(err, OSError) and err.strerror else "unknown format"
        raise AudioError(f"{path} cannot be read as a sound file: {reason}; {READABLE}") from None


def _resampler(path: Path, rate: int) -> soxr.ResampleStream | None:
    if rate == SAMPLE_RATE:
        return None
    try:
        return soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
    except (RuntimeError, ValueError):
        raise AudioError(f"{path} has a sample rate of {rate} Hz, which cannot be converted") from None


def _reason(err: soundfile.LibsndfileError) -> str:
    return str(err.error_string).removeprefix("Error :").strip().rstrip(".").lower()
