"""Sounds over a background, after DCASE 2017 task 2: to learn from, and to be measured on.

A. Mesaros et al., "DCASE 2017 challenge setup: tasks, datasets and baseline system", DCASE 2017.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from echonet_satellite.protocol import SoundClass

from ..data.activity import HOP, SOUNDS, UNSURE, Labels
from ..data.manifest import BACKGROUND, CLASSES, Clip
from ..data.recordings import SAMPLE_RATE
from ..errors import ModelsError
from .windows import Floats, Material

# An alarm or a baby may go on for minutes; what matters is the beginning.
LONGEST_FRAMES = 5 * SAMPLE_RATE // HOP
# What is heard just before the onset still belongs to the event.
FRAMES_BEFORE = 5
FADE = SAMPLE_RATE // 200
# A pause in a background would make an event over it inaudible at any ratio.
QUIETEST_DB = -20.0


@dataclass(frozen=True, slots=True)
class Mixture:
    """Samples, what sounds in each 10 ms [frames, 8], and when the event begins, if there is one."""

    samples: Floats
    labels: Labels
    onset_s: float | None


class Mixer:
    """Makes mixtures of some clips, from a seed."""

    def __init__(self, material: Material, clips: Sequence[Clip], seed: int) -> None:
        """Take the clips.

        Raises:
            ModelsError: there is no background among them.
        """
        self._material, self._random = material, np.random.default_rng(seed)
        self._backgrounds = _by_recording(clip for clip in clips if clip.label == BACKGROUND)
        if not self._backgrounds:
            raise ModelsError(
                "sources without backgrounds make no mixtures; the folder of recordings lacks them"
            )
        heard = {
            name: _by_recording(
                clip
                for clip in clips
                if clip.sound_class is name and (material.labels(clip)[:, column] == SOUNDS).any()
            )
            for column, name in enumerate(CLASSES)
        }
        self._events = {name: recordings for name, recordings in heard.items() if recordings}
        self.classes = list(self._events)
        """Those of which there is a sound."""

    def mix(self, seconds: float, name: SoundClass | None, ebr_db: float) -> Mixture:
        """Return a background with a sound of a class at this event-to-background ratio, or without any."""
        frames = round(seconds * SAMPLE_RATE) // HOP
        background = self._draw(self._backgrounds)
        samples, labels = self._material.recordings[background.path], self._material.labels(background)
        first = int(self._random.integers(max(1, len(labels) - frames)))
        # A short background goes on from its beginning.
        samples = np.resize(np.roll(samples, -first * HOP), frames * HOP)
        labels = np.resize(np.roll(labels, -first, axis=0), (frames, len(CLASSES)))
        onset_s = None if name is None else self._add(samples, labels, name, ebr_db)
        return Mixture(samples / max(1.0, float(np.abs(samples).max())), labels, onset_s)

    def _add(self, samples: Floats, labels: Labels, name: SoundClass, ebr_db: float) -> float:
        """Add a sound somewhere; return when it begins."""
        clip = self._draw(self._events[name])
        own = self._material.labels(clip)
        sounding = np.flatnonzero(own[:, CLASSES.index(name)] == SOUNDS)
        first = max(0, int(sounding[0]) - FRAMES_BEFORE)
        last = min(int(sounding[-1]) + 1, first + min(LONGEST_FRAMES, len(labels)))
        event = self._material.recordings[clip.path][first * HOP : last * HOP]
        event[-FADE:] *= np.linspace(1, 0, min(FADE, len(event)), dtype=np.float32)
        place = int(self._random.integers(len(labels) - (last - first) + 1))
        beneath = samples[place * HOP :][: len(event)]
        quietest = np.square(samples).mean() * 10 ** (QUIETEST_DB / 10)
        power = max(float(np.square(beneath).mean()), float(quietest), 1e-9)
        gain = np.sqrt(power / (float(np.square(event).mean()) + 1e-12)) * 10 ** (ebr_db / 20)
        beneath += event * np.float32(gain)
        over, under = own[first:last], labels[place:][: last - first]
        under[:] = np.where(
            (over == SOUNDS) | (under == SOUNDS), SOUNDS, np.where(over == UNSURE, over, under)
        )
        return (place + int(sounding[0]) - first) * HOP / SAMPLE_RATE

    def _draw(self, recordings: Sequence[Sequence[Clip]]) -> Clip:
        clips = recordings[int(self._random.integers(len(recordings)))]
        return clips[int(self._random.integers(len(clips)))]


def _by_recording(clips: Iterable[Clip]) -> list[list[Clip]]:
    grouped: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        grouped[clip.origin].append(clip)
    return list(grouped.values())
