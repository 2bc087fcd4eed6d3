"""The windows that all approaches learn from and are scored on: 0.96 s of sound and the class that it holds."""

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..activity import LEAST_STEPS, STEP, WINDOW_STEPS, label_clip
from ..datasets import CLASSES, Clip, Split
from ..material import Material
from ..recordings import Samples

HOP_STEPS = 6
WINDOW = WINDOW_STEPS * STEP
"""Samples of a window: 0.96 s at 16 kHz, the patch of VGGish, YAMNet and paper B."""
OTHER_LABEL = len(CLASSES)
LABELS: tuple[str, ...] = (*CLASSES, "other")


@dataclass(frozen=True, slots=True)
class Windows:
    """N windows.

    Attributes:
        samples: float32 [N, 15360], -1 to 1.
        labels: int [N], 0 to 7 as in `CLASSES`, 8 for everyday sound (`other` and `background`).
        origins: the recording of each; no recording is in two splits.
        clips: the path of the clip of each.
        starts: where in its clip each begins, in samples.
    """

    samples: NDArray[np.float32]
    labels: NDArray[np.int64]
    origins: list[str]
    clips: list[str]
    starts: list[int]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.labels)

    def take(self, which: NDArray[np.bool_] | NDArray[np.integer]) -> "Windows":
        """Return the windows of a mask or of indices."""
        chosen = np.flatnonzero(which) if which.dtype == np.bool_ else which
        return Windows(
            self.samples[chosen],
            self.labels[chosen],
            [self.origins[place] for place in chosen],
            [self.clips[place] for place in chosen],
            [self.starts[place] for place in chosen],
        )


def windows_of(material: Material, split: Split, *, limit_per_class: int, seed: int) -> Windows:
    """Return at most `limit_per_class` windows of every class and of everyday sound from one split.

    Recordings take turns, so that a long one does not outweigh the others. A window belongs to its clip's class where
    a quarter of its steps hold it, of an impulse one; windows of a class's clip that do not are dropped, as are those
    of which it is not sure. Clips of doubtful label are learned from at most.
    """
    clips = [clip for clip in material.of(split) if split is Split.TRAIN or not clip.unsure]
    generator = np.random.default_rng([seed, list(Split).index(split)])
    return cut_windows(material, clips, limit_per_class=limit_per_class, generator=generator)


def cut_windows(
    material: Material, clips: Sequence[Clip], *, limit_per_class: int, generator: np.random.Generator
) -> Windows:
    """Return windows of these clips, as `windows_of` chooses them."""
    spans: list[tuple[Clip, int]] = []
    labels: list[int] = []
    for label in range(len(LABELS)):
        of_label = [clip for clip in clips if _label(clip) == label]
        chosen = _in_turns(material, of_label, limit_per_class, generator)
        spans.extend(chosen)
        labels.extend([label] * len(chosen))
    samples = np.zeros((len(spans), WINDOW), np.float32)
    for row, (clip, start) in zip(samples, spans, strict=True):
        cut = material.recordings[clip.path][start : start + WINDOW]
        row[: len(cut)] = cut
    return Windows(
        samples,
        np.array(labels, np.int64),
        [clip.origin for clip, _ in spans],
        [clip.path for clip, _ in spans],
        [start for _, start in spans],
    )


def window_starts(clip: Clip, samples: Samples, taught: NDArray[np.float32]) -> list[int]:
    """Return where in a clip the windows begin that surely hold its label, in samples.

    Args:
        clip: what the manifest says.
        samples: the clip.
        taught: the teacher's scores, see `activity.label_clip`.
    """
    marks = label_clip(clip, samples, taught)
    own = clip.sound_class
    last = max(0, len(marks) - WINDOW_STEPS)
    starts = range(0, last + 1, HOP_STEPS)
    if own is None:
        # Steps that are not surely free of every class are not zero.
        return [start * STEP for start in starts if not marks[start : start + WINDOW_STEPS].any()]
    column, shortest = CLASSES.index(own), min(len(marks), WINDOW_STEPS)
    return [
        start * STEP
        for start in starts
        if (marks[start : start + WINDOW_STEPS, column] == 1).sum() >= min(LEAST_STEPS[own], shortest)
    ]


def _in_turns(
    material: Material, clips: list[Clip], limit: int, generator: np.random.Generator
) -> list[tuple[Clip, int]]:
    """Return windows, one recording after the other, until there are enough or no more."""
    recordings: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        recordings[clip.origin].append(clip)
    sources = [_shuffled(material, group, generator) for group in recordings.values()]
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
    material: Material, clips: list[Clip], generator: np.random.Generator
) -> Iterator[tuple[Clip, int]]:
    for place in generator.permutation(len(clips)):
        clip = clips[place]
        starts = window_starts(clip, material.recordings[clip.path], material.taught[clip.path])
        for start in generator.permutation(np.array(starts, np.int64)):
            yield clip, int(start)


def _label(clip: Clip) -> int:
    own = clip.sound_class
    return OTHER_LABEL if own is None else CLASSES.index(own)
