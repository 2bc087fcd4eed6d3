"""Everything a training or an evaluation takes its sound from, opened once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .augment import read_room_responses
from .datasets import Clip, Licences, Split, data_directory, read_manifest, split_by_recording
from .mixtures import MixtureMaker, Recipe
from .recordings import Recordings, Samples, open_recordings
from .teachers import Teacher, Yamnet, teach, teachers_directory

DEFAULT_CACHE = Path("runs/cache")


@dataclass(frozen=True, slots=True)
class Material:
    """Clips, which split each recording is in, the samples, and what the teacher hears in them."""

    clips: list[Clip]
    split: Mapping[str, Split]
    recordings: Recordings
    taught: Mapping[str, NDArray[np.float32]]
    rooms: list[Samples]
    teacher: Callable[[], Teacher | None]
    recipe: Recipe = field(default_factory=Recipe)

    def of(self, split: Split) -> list[Clip]:
        """Return the clips of one split."""
        return [clip for clip in self.clips if self.split[clip.origin] is split]

    def maker(self, split: Split) -> MixtureMaker:
        """Return a maker of mixtures from one split."""
        return MixtureMaker(self.of(split), self.recordings, self.taught, self.rooms, self.recipe)


def open_material(
    *,
    data: Path | None = None,
    teachers: Path | None = None,
    cache: Path = DEFAULT_CACHE,
    licences: Licences = Licences.ALL,
) -> Material:
    """Read the manifest, split it, decode the recordings and ask the teacher; the last two only once per cache.

    The split is that of the whole data set, whatever the licences, so that figures can be compared.
    """
    directory = data_directory(data)
    everything = read_manifest(directory)
    recordings = open_recordings(directory, everything, cache)
    folder = teachers_directory(teachers)
    taught = teach(folder, recordings, everything, cache)
    split = split_by_recording(everything)
    clips = everything if licences is Licences.ALL else read_manifest(directory, licences)
    return Material(clips, split, recordings, taught, read_room_responses(directory), partial(Yamnet, folder))
