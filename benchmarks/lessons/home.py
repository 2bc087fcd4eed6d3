"""What the fold networks make of a home: embeddings of strangers, and the same thing heard again and again.

A thing (a doorbell, a cat, a drill) is a recording that a fold left out. Each time it is heard from another place of
the home: simulated rooms, backgrounds that the fold left out too, any level. The first repeats are in quiet, as
somebody would record them; the others are 3 to 20 dB over what else sounds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
import functools
from pathlib import Path
import zlib

import numpy as np
from numpy.typing import NDArray
from scipy.signal import oaconvolve

from echonet_models.data.folds import judged_clips
from echonet_models.data.kept import Rows, hear
from echonet_models.data.library import Library
from echonet_models.data.manifest import BACKGROUND, Clip
from echonet_models.data.recordings import SAMPLE_RATE, Samples
from echonet_models.evaluation.pooled import STEP_SAMPLES, Listener
from echonet_models.mixing.acoustics import simulate_room
from echonet_models.mixing.placing import looped
from echonet_models.network.ears import WINDOW_FRAMES
from echonet_models.training.run import FIRST, SECOND, fold_folder, trained
from echonet_satellite.frontend import Floats
from echonet_satellite.learning.reference import Reference

QUIET_REPEATS = 5
REPEATS = 12
_LONGEST = 5 * SAMPLE_RATE // 2
_WINDOW = WINDOW_FRAMES * 160
_SEEN_S, _SEEN = 0.4, 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Some sound as a network hears it, step by step; `sounding` are the steps that see the thing."""

    path: str
    repeat: int
    sound: Callable[[], Samples]
    embeddings: Floats
    logits: Floats
    sounding: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Fold:
    """What is judged in one fold: the reference set of half its strangers, and the directions of the other half.

    `everyday` are the directions of the reference set's everyday moments, and of which recording each is.
    """

    clips: Mapping[str, Clip]
    reference: Reference
    everyday: tuple[Floats, NDArray[np.str_]]
    background: Sequence[Floats]
    other: Sequence[tuple[Clip, Floats]]
    true: Sequence[tuple[Clip, Stretch, Floats]]
    things: Sequence[Sequence[Stretch]]
    culprits: Sequence[Sequence[Stretch]]


class Home:
    """What the network of a fold makes of strangers; what is in the run's folder is not heard again."""

    def __init__(self, run: Path, library: Library, teachers: Path, fold: int) -> None:
        """Take the fold; its network is loaded when it is asked."""
        self._library, self._folder = library, fold_folder(run, fold)
        self.judged = judged_clips(library.clips, fold)
        self._backgrounds = [clip for clip in self.judged if clip.label == BACKGROUND]
        self._listener = functools.cache(
            lambda: Listener(*(trained(run, teachers, fold, look).model for look in (FIRST, SECOND)))
        )

    def strangers(self) -> dict[str, Stretch]:
        """Return every clip that the fold left out, by its path."""
        recordings = self._library.recordings
        paths = [clip.path for clip in self.judged]
        heard = self._hear("embeddings", paths, lambda path: (recordings[path], 0, 0))
        return {
            path: Stretch(path, 0, functools.partial(recordings.__getitem__, path), *one)
            for path, one in heard.items()
        }

    def again(self, what: str, paths: Sequence[str], repeats: int) -> list[list[Stretch]]:
        """Return so many repeats of each of some recordings."""

        def sound(name: str) -> tuple[Samples, int, int]:
            repeat, path = name.split("/", 1)
            return render(self._library, self._backgrounds, path, int(repeat))

        def stretch(path: str, repeat: int) -> Stretch:
            name = f"{repeat}/{path}"
            return Stretch(path, repeat, lambda: sound(name)[0], *heard[name])

        names = [f"{repeat}/{path}" for path in paths for repeat in range(repeats)]
        heard = self._hear(what, names, sound)
        return [[stretch(path, repeat) for repeat in range(repeats)] for path in paths]

    def _hear(
        self, what: str, names: Sequence[str], sound: Callable[[str], tuple[Samples, int, int]]
    ) -> dict[str, tuple[Floats, Floats, NDArray[np.bool_]]]:
        """Return embeddings and logits of each step of sounds, and which steps see what begins at `lead`."""

        def listen(name: str) -> Rows:
            samples, lead, length = sound(name)
            logits, embeddings = self._listener().listen(samples)
            reach = np.arange(1, len(logits) + 1) * STEP_SAMPLES
            seen = np.minimum(reach, lead + length) - np.maximum(reach - _WINDOW, lead)
            return {
                "embeddings": embeddings.astype(np.float16),
                "logits": logits.astype(np.float16),
                "sounding": seen >= min(_SEEN_S * SAMPLE_RATE, _SEEN * length),
            }

        found = hear(self._folder / what, names, listen, f"{self._folder.name} hears {what}")
        return {
            name: (own["embeddings"].astype(np.float32), own["logits"].astype(np.float32), own["sounding"])
            for name, own in found.items()
        }


def render(
    library: Library, backgrounds: Sequence[Clip], thing: str, repeat: int
) -> tuple[Samples, int, int]:
    """Return a repeat of a thing, where it begins and how long it is; the same repeat is the same each time."""
    generator = np.random.default_rng(zlib.crc32(f"{thing}/{repeat}".encode()))
    dry = _active(library.recordings[thing])[:_LONGEST]
    wet = oaconvolve(dry, simulate_room(generator)).astype(np.float32)
    background = library.recordings[backgrounds[int(generator.integers(len(backgrounds)))].path]
    lead = int(generator.uniform(0.6, 1.2) * SAMPLE_RATE)
    length = lead + len(wet) + SAMPLE_RATE // 4
    sound = looped(background, int(generator.integers(len(background))), length)
    ratio_db = generator.uniform(20, 30) if repeat < QUIET_REPEATS else generator.uniform(3, 20)
    beneath = max(float(np.square(sound).mean()), 1e-8)
    own = float(np.square(wet[: len(dry)]).mean()) + 1e-12
    sound[lead : lead + len(wet)] += wet * np.float32(np.sqrt(beneath / own) * 10 ** (ratio_db / 20))
    sound *= np.float32(10 ** (generator.uniform(-35, -6) / 20) / np.abs(sound).max())
    return sound, lead, len(dry)


def _active(samples: Samples) -> Samples:
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    level = np.sqrt(np.square(frames).mean(axis=1)) + 1e-7
    loud = np.flatnonzero(level > level.max() * 10 ** (-30 / 20))
    return samples[loud[0] * 160 : (loud[-1] + 1) * 160]
