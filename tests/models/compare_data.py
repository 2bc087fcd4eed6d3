"""A small world for the comparison: three sources, each class a pitch of its own, noise as everything else."""

from functools import cache

import numpy as np

from echonet_models.compare.folds import Fold, leave_sources_out
from echonet_models.data.library import Library
from echonet_models.data.manifest import BACKGROUND, CLASSES, OTHER, Clip
from echonet_models.data.recordings import SAMPLE_RATE, Recordings
from echonet_models.data.teachers import AUDIOSET_CLASSES, ClassMap, Lesson

SOURCES, RECORDINGS = 3, 2
PITCHES = {str(name): 300 * 1.45**place for place, name in enumerate(CLASSES)}


def tone(pitch: float, seconds: float, generator: np.random.Generator) -> np.ndarray:
    """Return a beep in the middle of near-silence."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    envelope = (time > seconds / 4) & (time < seconds * 3 / 4)
    return 0.3 * np.sin(2 * np.pi * pitch * time) * envelope + generator.normal(0, 1e-3, len(time))


@cache
def library() -> Library:
    """Return two recordings of each class from each source, two clips of each; the teachers hear nothing in them."""
    generator = np.random.default_rng(0)
    clips, sounds, index, position = [], [], {}, 0
    for label in [*PITCHES, OTHER, BACKGROUND]:
        for number in range(2 * RECORDINGS * SOURCES):
            seconds = 6.0 if label == BACKGROUND else 2.0
            if label in PITCHES:
                sound = tone(PITCHES[label], seconds, generator)
            else:
                sound = generator.normal(0, 0.02, round(seconds * SAMPLE_RATE))
            clip = Clip(
                path=f"{label}/{number}.flac",
                label=label,
                origin=f"{label}-{number // 2}",
                source=f"source-{number // 2 % SOURCES}",
                duration_s=seconds,
            )
            clips.append(clip)
            sounds.append((sound * 32768).astype(np.int16))
            index[clip.path] = (position, position + len(sound))
            position += len(sound)
    deaf = Lesson(np.zeros(1, np.int64), np.full((1, AUDIOSET_CLASSES), -20, np.float32))
    class_map = ClassMap(
        {name: [] for name in CLASSES}, {name: [] for name in CLASSES}, np.full(AUDIOSET_CLASSES, -1)
    )
    recordings = Recordings(np.concatenate(sounds), index)
    return Library(clips, recordings, {clip.path: deaf for clip in clips}, class_map)


@cache
def folds() -> list[Fold]:
    """Return its folds, to be learned from in seconds."""
    return leave_sources_out(library(), 8, seed=1, quick=True)
