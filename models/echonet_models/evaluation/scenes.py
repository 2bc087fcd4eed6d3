"""Scenes of 30 s from sources left out: one event in a background after DCASE 2017 task 2, and rooms with somebody in.

A. Mesaros et al., "DCASE 2017 challenge setup: tasks, datasets and baseline system", DCASE 2017.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
import zlib

import numpy as np

from echonet_satellite.protocol import SoundClass

from ..data.activity import label_frames, loudest_event
from ..data.manifest import BACKGROUND, OTHER, Clip
from ..data.recordings import SAMPLE_RATE, Recordings, Samples
from ..data.teachers import ClassMap, Lesson
from ..mixing.placing import by_recording, draw, faded, lay, looped

RARE_CLASSES = (SoundClass.GUNSHOT, SoundClass.GLASS_BREAK, SoundClass.BABY_CRY)
EBR_DB = (-6.0, 0.0, 6.0)
SECONDS = 30
LENGTH = SECONDS * SAMPLE_RATE
# An alarm or a baby may go on for minutes; what matters is the beginning.
_LONGEST_EVENT = 5 * SAMPLE_RATE
_BEFORE = SAMPLE_RATE // 20
# Somebody is heard this much over what else sounds, and pets and appliances likewise.
_PRESENCE_DB = (0.0, 15.0)
_EMPTY = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a scene holds: an event of `sound_class`, of `clip`, from `onset_s` on at `ebr_db`; or None of it."""

    key: str
    sound_class: SoundClass | None
    classes: tuple[SoundClass, ...]
    ebr_db: float
    onset_s: float | None = None
    clip: Clip | None = None


class SceneMaker:
    """Makes scenes of the clips that a fold left out; the same seed gives the same scenes."""

    def __init__(
        self,
        clips: Sequence[Clip],
        recordings: Recordings,
        lessons: Mapping[str, Lesson],
        class_map: ClassMap,
        seed: int,
    ) -> None:
        """Take the clips of one fold; those of doubtful label are left out."""
        self._recordings, self._seed = recordings, seed
        sure = [clip for clip in clips if not clip.unsure]
        self._backgrounds = by_recording([clip for clip in sure if clip.label == BACKGROUND])
        self._extents: dict[str, tuple[int, int]] = {}
        for clip in sure:
            if clip.sound_class in RARE_CLASSES or clip.sound_class is SoundClass.PRESENCE:
                samples = recordings[clip.path]
                found = loudest_event(
                    clip, samples, label_frames(clip, samples, lessons[clip.path], class_map)
                )
                if found is not None:
                    self._extents[clip.path] = found
        self._events = {
            name: by_recording(
                [clip for clip in sure if clip.sound_class is name and clip.path in self._extents]
            )
            for name in (*RARE_CLASSES, SoundClass.PRESENCE)
        }
        self._others = by_recording(
            [clip for clip in sure if clip.label in (OTHER, SoundClass.DOG) and not clip.may_contain]
        )

    def rare(self, each: int) -> list[Scene]:
        """Return `each` scenes with an event per class and ratio, and as many without for each ratio."""
        own = [(name, (name,)) for name in RARE_CLASSES if self._events[name]]
        return [
            self._scene(name, classes, ebr_db, number)
            for ebr_db in EBR_DB
            for number in range(each)
            for name, classes in (*own, (None, RARE_CLASSES))
        ]

    def presence(self, each: int) -> list[Scene]:
        """Return so many scenes with somebody in, and as many without."""
        own = (SoundClass.PRESENCE,)
        return [
            self._scene(name, own, 0.0, number)
            for number in range(each)
            for name in (SoundClass.PRESENCE, None)
        ]

    def render(self, scene: Scene) -> Samples:
        """Return the samples of a scene, -1 to 1."""
        generator = self._chance(scene.key)
        sound = self._background(scene, generator)
        if SoundClass.PRESENCE in scene.classes:
            self._inhabit(sound, scene, generator)
        elif scene.clip is not None:
            assert scene.onset_s is not None
            place = round(scene.onset_s * SAMPLE_RATE) - _BEFORE
            lay(sound, self._event(scene.clip), place, scene.ebr_db)
        loudest = float(np.abs(sound).max())
        return (sound / max(1.0, loudest)).astype(np.float32)

    def _scene(
        self, name: SoundClass | None, classes: tuple[SoundClass, ...], ebr_db: float, number: int
    ) -> Scene:
        key = f"{self._seed}/{name or _EMPTY}/{'+'.join(classes)}/{ebr_db:+.0f}/{number}"
        scene = Scene(key=key, sound_class=name, classes=classes, ebr_db=ebr_db)
        if name is None or name is SoundClass.PRESENCE:
            return scene
        # Recordings take turns, so that each is heard as often as any other.
        clips = self._events[name][number % len(self._events[name])]
        clip = clips[int(self._chance(key + "/event").integers(len(clips)))]
        latest = max(1, LENGTH - len(self._event(clip)) - _BEFORE)
        place = int(self._chance(key + "/place").integers(latest))
        return replace(scene, onset_s=(place + _BEFORE) / SAMPLE_RATE, clip=clip)

    def _chance(self, key: str) -> np.random.Generator:
        return np.random.default_rng(zlib.crc32(key.encode()))

    def _background(self, scene: Scene, generator: np.random.Generator) -> Samples:
        allowed = [
            kept
            for clips in self._backgrounds
            if (kept := [clip for clip in clips if not set(scene.classes) & clip.may_contain])
        ]
        samples = self._recordings[draw(allowed, generator).path]
        return looped(samples, int(generator.integers(len(samples))), LENGTH)

    def _event(self, clip: Clip) -> Samples:
        start, stop = self._extents[clip.path]
        first = max(0, start - _BEFORE)
        stop = min(stop, first + _LONGEST_EVENT)
        event = faded(self._recordings[clip.path][first:stop], SAMPLE_RATE // 200, _BEFORE)
        return np.pad(event, (_BEFORE - (start - first), 0))

    def _inhabit(self, sound: Samples, scene: Scene, generator: np.random.Generator) -> None:
        """Lay talk, steps and doors over a scene, or what an empty home has: pets, appliances, weather."""
        # A quiet home: the background is turned down, not what happens in it.
        for _ in range(int(generator.integers(4, 9))):
            if scene.sound_class is not None:
                event = self._event(draw(self._events[SoundClass.PRESENCE], generator))
            else:
                event = self._recordings[draw(self._others, generator).path][: 4 * SAMPLE_RATE]
                event = faded(event, SAMPLE_RATE // 200, _BEFORE)
            place = int(generator.integers(LENGTH - SAMPLE_RATE))
            lay(sound, event, place, generator.uniform(*_PRESENCE_DB))
