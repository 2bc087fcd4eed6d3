"""The same recordings as other microphones hear them, and in rooms: what a network that knows one home must bear."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
import zlib

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from echonet_satellite.protocol import SoundClass

from .augment import colour, reverberate
from .datasets import BACKGROUND, CLASSES, Clip, Split
from .listening import listen
from .material import Material
from .networks.streaming import StreamingNetwork
from .recordings import Recordings, Samples

SOFTEST_DB = -30.0
ROOM_NOISE_DB = (-75.0, -50.0)
# Of a class with fewer recordings an average precision is mostly chance.
FEWEST_RECORDINGS = 5

Change = Callable[[Samples, np.random.Generator], Samples]


class Elsewhere(Recordings):
    """Recordings that are each changed in a way of their own, the same each time they are heard."""

    def __init__(self, recordings: Recordings, change: Change) -> None:
        """Take the recordings and what happens to them."""
        self._recordings, self._change = recordings, change

    def __getitem__(self, path: str) -> Samples:
        """Return the samples of a clip as they are heard there, -1 to 1, as many as it has."""
        generator = np.random.default_rng(zlib.crc32(path.encode()))
        changed = self._change(self._recordings[path], generator)[: self.length(path)]
        return np.clip(changed, -1, 1).astype(np.float32)

    def length(self, path: str) -> int:
        """Return how many samples a clip has."""
        return self._recordings.length(path)


def through_a_microphone(samples: Samples, generator: np.random.Generator) -> Samples:
    """Return the sound through a loudspeaker and a microphone, softer."""
    heard = colour(colour(samples, generator), generator)
    return heard * np.float32(10 ** (generator.uniform(SOFTEST_DB, 0) / 20))


def in_a_room(samples: Samples, generator: np.random.Generator, measured: Sequence[Samples]) -> Samples:
    """Return the sound in a room, from farther or nearer, with the noise of the room."""
    heard = reverberate(samples, generator, measured)
    heard = heard * np.float32(10 ** (generator.uniform(SOFTEST_DB, 0) / 20) / (np.abs(heard).max() + 1e-9))
    noise = generator.normal(0, 10 ** (generator.uniform(*ROOM_NOISE_DB) / 20), len(heard))
    return heard + noise.astype(np.float32)


def places(material: Material) -> dict[str, Recordings]:
    """Return where recordings are heard: as they are, through microphones, in rooms."""
    return {
        "as they are": material.recordings,
        "through microphones": Elsewhere(material.recordings, through_a_microphone),
        "in rooms": Elsewhere(material.recordings, partial(in_a_room, measured=material.rooms)),
    }


def told_clips(material: Material, split: Split) -> list[Clip]:
    """Return the clips of a split that are to be told apart: all but background and those of doubtful label."""
    return [clip for clip in material.of(split) if not clip.unsure and clip.label != BACKGROUND]


def recordings_of_each(clips: Sequence[Clip]) -> dict[SoundClass, int]:
    """Return of how many recordings the clips of each class are."""
    return {name: len({clip.origin for clip in clips if clip.sound_class is name}) for name in CLASSES}


def told_apart(network: StreamingNetwork, material: Material, split: Split) -> dict[str, float]:
    """Return how well a network tells the clips of a split in each place.

    The mean over classes of the average precision over clips; classes of few recordings are left out.
    """
    clips = told_clips(material, split)
    recorded = recordings_of_each(clips)
    names = [name for name in CLASSES if recorded[name] >= FEWEST_RECORDINGS] or list(CLASSES)
    found: dict[str, float] = {}
    for place, recordings in places(material).items():
        heard = listen(network, recordings, clips, f"clips {place}")
        each = [clip_average_precision(clips, heard, name) for name in names]
        found[place] = float(np.mean([precision for precision in each if precision is not None] or [0.0]))
    return found


def clip_average_precision(
    clips: Sequence[Clip], heard: Mapping[str, NDArray[np.floating]], name: SoundClass
) -> float | None:
    """Return the average precision with which a class's highest value in a clip tells its clips from others.

    `heard` are probabilities or logits, [steps, classes]. Clips that may hold it are left out;
    None where no clip, or every clip, is of the class.
    """
    sure = [clip for clip in clips if clip.sound_class is name or name not in clip.may_contain]
    truth = [clip.sound_class is name for clip in sure]
    if len(set(truth)) < 2:
        return None
    scores = [float(heard[clip.path][:, CLASSES.index(name)].max()) for clip in sure]
    return round(float(average_precision_score(truth, scores)), 4)
