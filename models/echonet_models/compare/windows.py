"""The windows that all approaches learn from and are scored on: 0.96 s of sound and the class that it holds."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.protocol import SoundClass

from ..data.activity import HOP, SILENT, SOUNDS, holds
from ..data.library import Library
from ..data.manifest import CLASSES, Clip
from ..mixing.placing import by_recording

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

WINDOW_FRAMES, HOP_FRAMES = 96, 48
WINDOW = WINDOW_FRAMES * HOP
"""Samples of a window: 0.96 s at 16 kHz, the patch of VGGish, YAMNet and paper B."""
OTHER_LABEL = len(CLASSES)
LABELS: tuple[str, ...] = (*CLASSES, "other")
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Windows:
    """N windows.

    Attributes:
        samples: float32 [N, 15360], -1 to 1.
        labels: int [N], 0 to 7 as in `CLASSES`, 8 for everyday sound (`other` and `background`).
        origins: the recording of each.
        clips: the path of the clip of each.
        starts: where in its clip each begins, in samples.
    """

    samples: Floats
    labels: Integers
    origins: NDArray[np.str_]
    clips: NDArray[np.str_]
    starts: Integers

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.labels)

    def take(self, which: NDArray[np.bool_] | Integers) -> "Windows":
        """Return the windows of a mask or of indices."""
        return Windows(*(getattr(self, each.name)[which] for each in fields(self)))

    def asked(self, target: SoundClass | None) -> "Windows":
        """Return them with every class but `target` made everyday sound; None asks for all classes."""
        if target is None:
            return self
        column = CLASSES.index(target)
        return replace(self, labels=np.where(self.labels == column, column, OTHER_LABEL))


def join(parts: Sequence[Windows]) -> Windows:
    """Return the windows of all parts."""
    return Windows(
        *(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Windows))
    )


def cut_windows(
    library: Library, clips: Sequence[Clip], per_class: int, generator: np.random.Generator
) -> Windows:
    """Return at most `per_class` windows of every class and of everyday sound.

    Recordings take turns, so that a long one does not outweigh the others. A window of a class's clip that does not
    hold it for long enough is dropped, as is everyday sound in which a class may be heard.
    """
    spans: list[tuple[Clip, int, int]] = []
    for label, name in enumerate((*CLASSES, None)):
        own = [clip for clip in clips if clip.sound_class is name]
        spans += [(clip, start, label) for clip, start in _in_turns(library, own, per_class, generator)]
    samples = np.zeros((len(spans), WINDOW), np.float32)
    for row, (clip, start, _) in zip(samples, spans, strict=True):
        cut = library.recordings[clip.path][start : start + WINDOW]
        row[: len(cut)] = cut
    return Windows(
        samples,
        np.array([label for *_, label in spans], np.int64),
        np.array([clip.origin for clip, *_ in spans], np.str_),
        np.array([clip.path for clip, *_ in spans], np.str_),
        np.array([start for _, start, _ in spans], np.int64),
    )


class Remembered:
    """A function of windows' samples, [n, 15360] to [n, ...], that is computed once for each window.

    Folds and approaches share what they hear; under `fresh` it is computed as a satellite would have to.
    """

    at_work: ClassVar[bool] = True

    def __init__(self, compute: Callable[[Floats], Floats]) -> None:
        """Take the function; it is called with a few windows at a time."""
        self._compute = compute
        self._known: dict[bytes, Floats] = {}

    def __call__(self, windows: Windows) -> Floats:
        """Return the function's value of all windows."""
        if not Remembered.at_work:
            return self._of(windows.samples)
        keys = [blake2b(samples.tobytes(), digest_size=16).digest() for samples in windows.samples]
        missing = [place for place, key in enumerate(keys) if key not in self._known]
        if missing:
            found = self._of(windows.samples[missing])
            self._known.update({keys[place]: row for place, row in zip(missing, found, strict=True)})
        return np.stack([self._known[key] for key in keys])

    def _of(self, samples: Floats) -> Floats:
        parts = [self._compute(samples[first : first + _BATCH]) for first in range(0, len(samples), _BATCH)]
        return np.concatenate(parts).astype(np.float32)


@contextmanager
def fresh() -> Iterator[None]:
    """Compute every feature anew, for whoever measures what it costs."""
    Remembered.at_work = False
    try:
        yield
    finally:
        Remembered.at_work = True


def _starts(library: Library, clip: Clip) -> list[int]:
    """Return where in a clip the windows begin that surely hold its label, in samples."""
    labels = library.labels(clip)
    found = []
    for first in range(0, max(0, len(labels) - WINDOW_FRAMES) + 1, HOP_FRAMES):
        held = holds(labels, first, first + WINDOW_FRAMES)
        own = clip.sound_class
        if (held == SILENT).all() if own is None else held[CLASSES.index(own)] == SOUNDS:
            found.append(first * HOP)
    return found


def _in_turns(
    library: Library, clips: list[Clip], limit: int, generator: np.random.Generator
) -> list[tuple[Clip, int]]:
    """Return windows, one recording after the other, until there are enough or no more."""
    sources = [_shuffled(library, group, generator) for group in by_recording(clips)]
    waiting = deque(sources[place] for place in generator.permutation(len(sources)))
    chosen: list[tuple[Clip, int]] = []
    while waiting and len(chosen) < limit:
        source = waiting.popleft()
        span = next(source, None)
        if span is not None:
            chosen.append(span)
            waiting.append(source)
    return chosen


def _shuffled(
    library: Library, clips: list[Clip], generator: np.random.Generator
) -> Iterator[tuple[Clip, int]]:
    for place in generator.permutation(len(clips)):
        clip = clips[place]
        for start in generator.permutation(np.array(_starts(library, clip), np.int64)):
            yield clip, int(start)
