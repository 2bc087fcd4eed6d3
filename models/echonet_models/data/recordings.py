"""All clips decoded once into one memory-mapped file, so that a mixture can take any piece of any of them."""

from collections.abc import Callable, Sequence
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


def open_recordings(directory: Path, clips: Sequence[Clip], cache: Path) -> Recordings:
    """Return the decoded clips, from `cache` where they are there already."""
    paths = [clip.path for clip in clips]
    return keep_samples(cache, paths, lambda path: read_audio(directory / path), "decoding recordings")


def keep_samples(cache: Path, paths: Sequence[str], read: Callable[[str], Samples], doing: str) -> Recordings:
    """Return the samples of these paths, from `cache` if all are there; else all are read and kept."""
    index_path, samples_path = cache / "recordings.json", cache / "recordings.int16"
    if index_path.is_file():
        index = json.loads(index_path.read_text(encoding="utf-8"))
        if set(paths) <= index.keys():
            return Recordings(_map(samples_path), {path: (span[0], span[1]) for path, span in index.items()})
    cache.mkdir(parents=True, exist_ok=True)
    index, position = {}, 0
    with samples_path.open("wb") as stream:
        for path in track(paths, doing):
            samples = np.clip(read(path) * 32768, -32768, 32767).astype(np.int16)
            stream.write(samples.tobytes())
            index[path] = (position, position + len(samples))
            position += len(samples)
    index_path.write_text(json.dumps(index), encoding="utf-8")
    return Recordings(_map(samples_path), index)


def _map(path: Path) -> NDArray[np.int16]:
    return np.memmap(path, dtype=np.int16, mode="r")
