"""Chunks of a few frames that slide over a sound, what they say together, and where an event begins (paper D)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.protocol import SoundClass

from ..windows import Floats

ONSET_LEVEL = 0.5


@dataclass(frozen=True, slots=True)
class Rule:
    """How one class is decided.

    Attributes:
        spans: the lengths of the chunks whose networks are averaged, in frames.
        presence: the sound holds the class where its peak is higher than this.
    """

    spans: tuple[int, ...]
    presence: float


RULES: dict[SoundClass, Rule] = {
    SoundClass.BABY_CRY: Rule((5, 9, 50), 0.8),
    SoundClass.GLASS_BREAK: Rule((3,), 0.8),
    SoundClass.GUNSHOT: Rule((3, 5), 0.5),
}
SPANS = (3, 5, 9, 50)


def chunks(frames: NDArray[np.generic], span: int, hop: int, fill: float = 0.0) -> NDArray[np.generic]:
    """Return what a window of `span` frames sees as it slides: [frames, ...] -> [chunks, span, ...].

    The last one ends with the last frame. A sound shorter than a chunk is filled up at its end.
    """
    missing = max(0, span - len(frames))
    if missing:
        frames = np.concatenate([frames, np.full((missing, *frames.shape[1:]), fill, frames.dtype)])
    return frames[_starts(len(frames), span, hop)[:, None] + np.arange(span)]


def overlap_mean(predicted: Floats, count: int) -> Floats:
    """Return each frame's mean over the chunks that hold it, one frame apart: [chunks, span, ...] -> [count, ...]."""
    number, span = predicted.shape[:2]
    total = np.zeros((number + span - 1, *predicted.shape[2:]), np.float64)
    seen = np.zeros(number + span - 1)
    for place in range(span):
        total[place : place + number] += predicted[:, place]
        seen[place : place + number] += 1
    mean = total / seen.reshape(-1, *[1] * (total.ndim - 1))
    return mean[:count].astype(np.float32)


def onset_frame(curve: Floats, presence: float) -> int | None:
    """Return the frame in which the event of a sound begins, or None where it holds none.

    There is one where the curve's peak is over `presence`; it begins in the first frame over 0.5, up to the peak.
    """
    peak = int(np.argmax(curve))
    if not curve[peak] > presence:
        return None
    return int(np.flatnonzero(curve[: peak + 1] > min(ONSET_LEVEL, presence))[0])


def ensemble(predicted: Mapping[int, Floats], spans: tuple[int, ...]) -> Floats:
    """Return the mean of the curves of several spans."""
    mean: Floats = np.mean([predicted[span] for span in spans], axis=0).astype(np.float32)
    return mean


def _starts(count: int, span: int, hop: int) -> NDArray[np.int64]:
    starts = np.arange(0, count - span + 1, hop)
    last = count - span
    return starts if starts[-1] == last else np.append(starts, last)
