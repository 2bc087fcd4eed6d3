"""Everything that training and evaluation read: recordings, what the teachers make of them, rooms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from ..errors import ModelsError
from .activity import Labels, label_frames
from .manifest import Clip, Licences, data_directory, read_manifest
from .recordings import Recordings, Samples, open_recordings, read_room_responses
from .teachers import LONG_STRETCH, ClassMap, Lesson, ask_teachers, read_class_map, teachers_directory

DEFAULT_CACHE = Path.home() / ".cache" / "echonet" / "models"


@dataclass(frozen=True, slots=True)
class Places:
    """Where it all lies; None is where the environment says."""

    data: Path | None = None
    teachers: Path | None = None
    cache: Path = DEFAULT_CACHE
    licences: Licences = Licences.ALL


@dataclass(frozen=True, slots=True)
class Library:
    """The clips, opened; `lessons` is what the teachers hear in each, by its path."""

    clips: Sequence[Clip]
    recordings: Recordings
    lessons: Mapping[str, Lesson]
    class_map: ClassMap
    rooms: Sequence[Samples] = ()
    _labels: dict[str, Labels] = field(default_factory=dict)

    def only(self, clips: Sequence[Clip]) -> Self:
        """Return the library with these clips alone."""
        return replace(self, clips=clips)

    def labels(self, clip: Clip) -> Labels:
        """Return what sounds in each 10 ms of a clip, [frames, 8]."""
        if clip.path not in self._labels:
            self._labels[clip.path] = label_frames(
                clip, self.recordings[clip.path], self.lessons[clip.path], self.class_map
            )
        return self._labels[clip.path]


def long_lessons(library: Library, places: Places) -> Mapping[str, Lesson]:
    """Return what the teachers hear in stretches as long as a second look sees; ask them what is not known yet.

    Raises:
        ModelsError: the teachers are missing.
    """
    teachers = teachers_directory(places.teachers)
    return ask_teachers(teachers, library.recordings, library.clips, places.cache, LONG_STRETCH)


def open_library(places: Places) -> Library:
    """Open the recordings and ask the teachers what is not known yet.

    Raises:
        ModelsError: recordings or teachers are missing.
    """
    data, teachers = data_directory(places.data), teachers_directory(places.teachers)
    clips = read_manifest(data, places.licences)
    if not clips:
        raise ModelsError(f"no recording in {data} has a licence that fits; choose other --licences")
    recordings = open_recordings(data, clips, places.cache)
    lessons = ask_teachers(teachers, recordings, clips, places.cache)
    return Library(clips, recordings, lessons, read_class_map(teachers), read_room_responses(data))
