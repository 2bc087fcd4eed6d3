"""Mixtures of 30 s after DCASE 2017 task 2: a background, in half of them one event at -6, 0 or +6 dB.

A. Mesaros et al., "DCASE 2017 challenge setup: tasks, datasets and baseline system", DCASE 2017.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import zlib

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.protocol import SoundClass

from ..activity import label_clip
from ..datasets import BACKGROUND, Clip
from ..errors import ModelsError
from ..recordings import SAMPLE_RATE, Recordings, Samples
from .listeners import to_int16
from .onsets import Extent, faded, loudest_event

RARE_CLASSES = (SoundClass.GUNSHOT, SoundClass.GLASS_BREAK, SoundClass.BABY_CRY)
EBR_DB = (-6.0, 0.0, 6.0)
SECONDS = 30
LENGTH = SECONDS * SAMPLE_RATE
# An alarm or a baby may go on for minutes; what matters is the beginning.
LONGEST_EVENT = 5 * SAMPLE_RATE
# What is heard just before the onset still belongs to the event.
BEFORE = SAMPLE_RATE // 20
# A pause in a background would make an event over it inaudible at any ratio.
QUIETEST_DB = -20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """How one mixture is made.

    Attributes:
        key: its name.
        classes: whose mixture it is; one without an event is that of every class.
        ebr_db: event-to-background ratio; without an event, the ratio among whose mixtures it is counted.
        onset_s: when the event begins, or None.
        recording: the recording that intervals are drawn over: the event's, else the background's.
    """

    key: str
    classes: tuple[SoundClass, ...]
    ebr_db: float
    onset_s: float | None
    recording: str
    background: Clip
    background_start: int
    event: Clip | None
    event_extent: Extent
    place: int


class RareEvents:
    """Makes mixtures of the clips of one split, from a seed."""

    def __init__(
        self,
        clips: Sequence[Clip],
        recordings: Recordings,
        taught: Mapping[str, NDArray[np.float32]],
        *,
        seed: int,
    ) -> None:
        """Take the sure clips of one split.

        Raises:
            ModelsError: there is no background among them.
        """
        self._recordings, self._seed = recordings, seed
        self._extents: dict[str, Extent] = {}
        self._backgrounds = _by_recording([clip for clip in clips if clip.label == BACKGROUND])
        if not self._backgrounds:
            raise ModelsError("a split without backgrounds makes no mixtures; the data set lacks them")
        events = []
        for clip in clips:
            if clip.sound_class in RARE_CLASSES:
                samples = recordings[clip.path]
                found = loudest_event(clip, samples, label_clip(clip, samples, taught[clip.path]))
                if found is not None:
                    self._extents[clip.path] = found
                    events.append(clip)
        self._events = {
            name: _by_recording([clip for clip in events if clip.sound_class is name])
            for name in RARE_CLASSES
        }

    def mixtures(self, with_event: int) -> list[Mixture]:
        """Return so many mixtures with an event per class and ratio, and as many without one for each class.

        Those without are shared by the classes: nothing in them is of a class.
        """
        found = [
            self._mixture(f"{name}/{ebr_db:+.0f}/{number}", (name,), ebr_db, number)
            for name in RARE_CLASSES
            if self._events[name]
            for ebr_db in EBR_DB
            for number in range(with_event)
        ]
        found += [
            self._mixture(f"none/{ebr_db:+.0f}/{number}", RARE_CLASSES, ebr_db, number)
            for ebr_db in EBR_DB
            for number in range(with_event)
        ]
        return found

    def render(self, mixture: Mixture) -> Samples:
        """Return the samples of a mixture, as a sound card would give them."""
        background = self._recordings[mixture.background.path]
        # A short background goes on from its beginning.
        sound = np.resize(np.roll(background, -mixture.background_start), LENGTH)
        if mixture.event is not None:
            cut = mixture.event_extent
            event = faded(
                self._recordings[mixture.event.path][cut.start : cut.stop], SAMPLE_RATE // 200, BEFORE
            )
            beneath = sound[mixture.place : mixture.place + len(event)]
            quietest = np.square(sound).mean() * 10 ** (QUIETEST_DB / 10)
            power = max(float(np.square(beneath).mean()), float(quietest), 1e-9)
            gain = np.sqrt(power / (np.square(event).mean() + 1e-12)) * 10 ** (mixture.ebr_db / 20)
            beneath += event * np.float32(gain)
        loudest = float(np.abs(sound).max())
        if loudest > 1:
            sound /= loudest
        return to_int16(sound).astype(np.float32) / np.float32(32768)

    def _mixture(self, key: str, classes: tuple[SoundClass, ...], ebr_db: float, number: int) -> Mixture:
        generator = np.random.default_rng((self._seed, zlib.crc32(key.encode())))
        allowed = [
            kept
            for clips in self._backgrounds
            if (kept := [clip for clip in clips if not set(classes) & clip.may_contain])
        ]
        own = allowed[int(generator.integers(len(allowed)))]
        background = own[int(generator.integers(len(own)))]
        spare = max(1, self._recordings.length(background.path) - LENGTH)
        start = int(generator.integers(spare))
        event, cut, onset_s, place = None, Extent(0, 0), None, 0
        if len(classes) == 1:
            # Recordings take turns, so that each is heard as often as any other.
            origins = self._events[classes[0]]
            clips = origins[number % len(origins)]
            event = clips[int(generator.integers(len(clips)))]
            whole = self._extents[event.path]
            first = max(0, whole.start - BEFORE)
            cut = Extent(first, min(whole.stop, first + LONGEST_EVENT))
            place = int(generator.integers(max(1, LENGTH - (cut.stop - cut.start))))
            onset_s = (place + whole.start - first) / SAMPLE_RATE
        return Mixture(
            key=f"{self._seed}/{key}",
            classes=classes,
            ebr_db=ebr_db,
            onset_s=onset_s,
            recording=(event or background).origin,
            background=background,
            background_start=start,
            event=event,
            event_extent=cut,
            place=place,
        )


def _by_recording(clips: Sequence[Clip]) -> list[list[Clip]]:
    grouped: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        grouped[clip.origin].append(clip)
    return list(grouped.values())
