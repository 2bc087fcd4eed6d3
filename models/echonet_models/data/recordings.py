"""All clips decoded once into one memory-mapped file, so that a mixture can take any piece of any of them."""

from collections.abc import Sequence
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import soundfile
import soxr

from ..errors import ModelsError
from ..progress import track
from .manifest import Clip

SAMPLE_RATE = 16000
LONGEST_ECHO_S = 1.2
Samples = NDArray[np.float32]


class Recordings:
    """The samples of every clip, 16 kHz mono, by the clip's path."""

    def __init__(self, samples: NDArray[np.int16], index: dict[str, tuple[int, int]]) -> None:
        """Take the joined samples and where each clip begins and ends in them."""
        self._samples = samples
        self._index = index

    def __getitem__(self, path: str) -> Samples:
        """Return the samples of a clip, -1 to 1."""
        start, stop = self._index[path]
        return self._samples[start:stop].astype(np.float32) / np.float32(32768)

    def piece(self, path: str, first: int, samples: int) -> Samples:
        """Return so many samples of a clip, from `first` on, as far as it has them."""
        start, stop = self._index[path]
        begin = min(start + first, stop)
        return self._samples[begin : min(begin + samples, stop)].astype(np.float32) / np.float32(32768)

    def length(self, path: str) -> int:
        """Return how many samples a clip has."""
        start, stop = self._index[path]
        return stop - start


def read_audio(path: Path) -> Samples:
    """Return a file as 16 kHz mono float32.

    Raises:
        ModelsError: the file cannot be read.
    """
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise ModelsError(f"cannot read {path}: {error}") from None
    mono = samples.mean(axis=1)
    resampled: Samples = mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE)
    return resampled.astype(np.float32)


def read_room_responses(directory: Path) -> list[Samples]:
    """Return the measured room responses, aligned to their direct sound and cut to `LONGEST_ECHO_S`."""
    responses = []
    for path in sorted((directory / "room_responses").glob("*.flac")):
        response = read_audio(path)
        start = max(0, int(np.abs(response).argmax()) - 16)
        response = response[start : start + int(LONGEST_ECHO_S * SAMPLE_RATE)]
        responses.append((response / np.abs(response).max()).astype(np.float32))
    return responses


def open_recordings(directory: Path, clips: Sequence[Clip], cache: Path) -> Recordings:
    """Return the decoded clips, from `cache` if all are there; else all are decoded and kept."""
    paths = [clip.path for clip in clips]
    index_path, samples_path = cache / "recordings.json", cache / "recordings.int16"
    if index_path.is_file():
        index = json.loads(index_path.read_text(encoding="utf-8"))
        if set(paths) <= index.keys():
            return Recordings(
                np.memmap(samples_path, np.int16, "r"),
                {path: (span[0], span[1]) for path, span in index.items()},
            )
    cache.mkdir(parents=True, exist_ok=True)
    index, position = {}, 0
    with samples_path.open("wb") as stream:
        for path in track(paths, "decoding recordings"):
            samples = np.clip(read_audio(directory / path) * 32768, -32768, 32767).astype(np.int16)
            stream.write(samples.tobytes())
            index[path] = (position, position + len(samples))
            position += len(samples)
    index_path.write_text(json.dumps(index), encoding="utf-8")
    return Recordings(np.memmap(samples_path, np.int16, "r"), index)
