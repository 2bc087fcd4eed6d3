"""Sounds over backgrounds: which recording, how long, how loud."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from ..data.manifest import Clip
from ..data.recordings import Samples

# A pause in a background would make an event over it inaudible at any ratio.
_QUIETEST_DB = -20.0


def by_recording(clips: Iterable[Clip]) -> list[list[Clip]]:
    """Return the clips of each recording."""
    grouped: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        grouped[clip.origin].append(clip)
    return list(grouped.values())


def draw(recordings: Sequence[Sequence[Clip]], generator: np.random.Generator) -> Clip:
    """Return a clip of any of these recordings, each as likely as any other."""
    clips = recordings[int(generator.integers(len(recordings)))]
    return clips[int(generator.integers(len(clips)))]


def looped(samples: np.ndarray, first: int, length: int) -> np.ndarray:
    """Return so many samples (or rows) from `first` on; a short background goes on from its beginning."""
    return np.resize(np.roll(samples, -first, axis=0), (length, *samples.shape[1:]))


def faded(samples: Samples, rise: int, fall: int) -> Samples:
    """Return samples that rise from nothing and fall to nothing within so many samples: a cut without a click."""
    shape = np.ones(len(samples), np.float32)
    rise, fall = min(rise, len(samples)), min(fall, len(samples))
    shape[:rise] = np.linspace(0, 1, rise, dtype=np.float32)
    if fall:
        shape[-fall:] *= np.linspace(1, 0, fall, dtype=np.float32)
    return samples * shape


def lay(sound: Samples, event: Samples, place: int, level_db: float) -> None:
    """Add an event to a sound in place, so many dB over what lies beneath it."""
    first = max(0, place)
    event = event[first - place :][: len(sound) - first]
    beneath = sound[first : first + len(event)]
    if not len(event):
        return
    quietest = float(np.square(sound).mean()) * 10 ** (_QUIETEST_DB / 10)
    power = max(float(np.square(beneath).mean()), quietest, 1e-9)
    gain = np.sqrt(power / (float(np.square(event).mean()) + 1e-12)) * 10 ** (level_db / 20)
    beneath += event * np.float32(gain)
