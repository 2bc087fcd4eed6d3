"""What a network learns from: windows mixed on the fly, or cut from recordings as they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.frontend import FrontendParameters, log_mel
from echonet_satellite.protocol import SoundClass

from ..data.activity import HOP, SILENT, SOUNDS, UNASKED, UNSURE, Labels, holds
from ..data.library import Library
from ..data.manifest import BACKGROUND, CLASSES, OTHER, UNLABELLED
from ..data.recordings import SAMPLE_RATE, Samples
from ..data.teachers import AUDIOSET_CLASSES, LOWEST_LOGIT, STRETCH, Lesson
from .acoustics import Noises, change_speed, colour, reverberate
from .alarms import smoke_or_co_alarm
from .drawing import Drawer
from .made_up import MadeUp
from .sirens import alarm

FRONTEND = FrontendParameters()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How windows are made; shares are probabilities, `ebr_db` the range of event-to-background ratios."""

    empty_share: float = 0.15
    class_share: float = 0.5
    imitation_share: float = 0.5
    synthetic_alarm_share: float = 0.3
    companion_share: float = 0.12
    clean_share: float = 0.25
    ebr_db: tuple[float, float] = (-6.0, 24.0)
    noise_share: float = 0.2
    noisy_cut_share: float = 0.35
    noisy_cut_db: tuple[float, float] = (0.0, 25.0)
    room_share: float = 0.3
    colour_share: float = 0.5
    speed_share: float = 0.3
    gain_db: tuple[float, float] = (-36.0, 0.0)
    made_up_share: float = 0.1875


@dataclass(frozen=True, slots=True)
class Window:
    """One thing to learn from.

    Attributes:
        log_mel: [frames, bands].
        labels: of our classes: 1, 0, -1 where it is unsure, -2 where not even advice is learned from, [8].
        logits: the teachers' AudioSet logits [527], or None where nobody was asked.
    """

    log_mel: NDArray[np.float32]
    labels: Labels
    logits: NDArray[np.float32] | None


class Windows:
    """Draws windows at random, each recording and each small source as often as is fair."""

    def __init__(
        self,
        library: Library,
        recipe: Recipe,
        generator: np.random.Generator,
        made_up: MadeUp | None = None,
        lessons: Mapping[str, Lesson] | None = None,
    ) -> None:
        """Group the clips by what is drawn from; windows are as long as the stretches of `lessons`."""
        self._library, self._recipe, self._random = library, recipe, generator
        self._made_up = made_up
        self._lessons = library.lessons if lessons is None else lessons
        self._stretch = next(iter(self._lessons.values())).stretch
        self._frames = self._stretch // HOP
        self._samples = FRONTEND.samples_in(self._frames)
        self._noises = Noises(np.random.default_rng(1))
        self._drawers = {
            label: Drawer([clip for clip in library.clips if clip.label == label])
            for label in (*CLASSES, OTHER, BACKGROUND, UNLABELLED)
        }
        self._imitations = Drawer([clip for clip in library.clips if clip.label == OTHER and clip.imitates])
        self._classes = [name for name in CLASSES if self._drawers[name]]

    def reseed(self, generator: np.random.Generator) -> None:
        """Go on with another sequence of chances."""
        self._random = generator

    def cut(self, label: str | None = None) -> Window:
        """Return a window of a recording as it is (through some microphone), with what the teachers make of it."""
        random = self._random
        drawn = self._drawers[label] if label else self._any()
        clip = drawn.draw(random)
        lesson = self._lessons[clip.path]
        number = int(random.integers(len(lesson.starts)))
        start = int(lesson.starts[number])
        samples = np.zeros(self._samples, np.float32)
        piece = self._library.recordings.piece(clip.path, start, self._stretch)
        # What is shorter than the window lies anywhere in it.
        shift = int(random.integers((self._stretch - len(piece)) // HOP + 1)) * HOP
        samples[shift : shift + len(piece)] = piece
        if random.random() < 0.3:
            samples = colour(samples, random)
        if random.random() < self._recipe.noisy_cut_share:
            samples = self._with_noise(samples)
        samples = self._through_air(samples)
        labels = holds(
            self._library.labels(clip),
            start // HOP - shift // HOP,
            start // HOP - shift // HOP + self._frames,
        )
        return Window(log_mel(samples, FRONTEND), labels, lesson.logits[number])

    def mix(self) -> Window:
        """Return a window of a background over which lies a sound, of a class or not, two of them, or none.

        The teachers, who heard each part alone, are taken to hear in it what is loud enough to be heard.
        """
        random, recipe = self._random, self._recipe
        background, labels, logits = self._background()
        count = 1 + (random.random() < recipe.companion_share)
        if random.random() < recipe.empty_share:
            count = 0
        clean = random.random() < recipe.clean_share
        for number in range(count):
            event, own, lesson = self._event()
            place = self._place(own)
            layer = np.zeros(self._samples, np.float32)
            first, last = max(0, place * HOP), min(self._samples, place * HOP + len(event))
            if last <= first:
                continue
            layer[first:last] = event[first - place * HOP : last - place * HOP]
            sounding = own.max(axis=1) == SOUNDS
            active = np.repeat(sounding if sounding.any() else own.max(axis=1) >= SILENT, HOP)[: len(event)]
            power = float(np.square(event[: len(active)][active]).mean()) if active.any() else 0.0
            ebr_db = 40.0 if clean else random.uniform(*recipe.ebr_db)
            under = float(np.square(background).mean()) + 1e-10
            background = (
                background * np.float32(np.sqrt((power + 1e-9) / under) * 10 ** (-ebr_db / 20)) + layer
            )
            heard = lesson.nearest(-place * HOP, self._samples) if lesson else None
            logits = _together(logits if number or ebr_db < _DROWNED_DB else _NOTHING, heard)
            if ebr_db < _FAINT_DB:
                logits = None
            # What is drowned in the background is not to be heard.
            held = holds(own, -place, -place + self._frames)
            labels = np.where(
                held == SOUNDS, SOUNDS, np.where((held == UNSURE) & (labels != SOUNDS), UNSURE, labels)
            ).astype(np.int8)
        return Window(log_mel(self._through_air(background), FRONTEND), labels, logits)

    def batch(self, size: int) -> list[Window]:
        """Return made-up sounds, a share of them, and as many mixtures as recordings as they are."""
        made_up = round(self._recipe.made_up_share * size) if self._made_up else 0
        mixed = (size - made_up) // 2
        return [
            *(self.mix() for _ in range(mixed)),
            *(self.cut() for _ in range(size - made_up - mixed)),
            *(self.invent() for _ in range(made_up)),
        ]

    def invent(self) -> Window:
        """Return a made-up sound, with what the teachers make of it."""
        assert self._made_up is not None
        number = int(self._random.integers(len(self._made_up.logits)))
        samples = self._noises.cut(self._samples, self._random) * _FLOOR
        samples[:STRETCH] += self._made_up.sound(number)
        labels = np.full(len(CLASSES), UNASKED, np.int8)
        return Window(log_mel(samples, FRONTEND), labels, self._made_up.logits[number])

    def _background(self) -> tuple[Samples, Labels, NDArray[np.float32] | None]:
        random = self._random
        if random.random() < self._recipe.noise_share:
            return self._noises.cut(self._samples, random), np.zeros(len(CLASSES), np.int8), _NOTHING
        clip = self._drawers[BACKGROUND].draw(random)
        recordings = self._library.recordings
        start = int(random.integers(max(1, recordings.length(clip.path) - self._samples)))
        piece = np.resize(recordings.piece(clip.path, start, self._samples), self._samples).astype(np.float32)
        if random.random() < 0.5:
            piece = colour(piece, random)
        heard = _Heard(self._lessons[clip.path], recordings.length(clip.path))
        labels = holds(self._library.labels(clip), start // HOP, start // HOP + self._frames)
        return piece, labels, heard.nearest(start, self._samples)

    def _event(self) -> tuple[Samples, Labels, "_Heard | None"]:
        """Return a sound, its labels per frame, and what the teachers hear in it."""
        random, recipe = self._random, self._recipe
        if random.random() < recipe.class_share:
            name = self._classes[int(random.integers(len(self._classes)))]
            if name is SoundClass.ALARM and random.random() < recipe.synthetic_alarm_share:
                return *self._synthetic_alarm(), None
            clip = self._drawers[name].draw(random)
        elif random.random() < recipe.imitation_share and self._imitations:
            clip = self._imitations.draw(random)
        else:
            clip = self._drawers[OTHER].draw(random)
        samples, labels = self._library.recordings[clip.path], self._library.labels(clip)
        heard = _Heard(self._lessons[clip.path], len(samples))
        if len(samples) > 4 * SAMPLE_RATE:
            # Any four seconds of a long one, so that what is done to it costs little.
            first = int(random.integers((len(samples) - 4 * SAMPLE_RATE) // HOP + 1))
            samples, labels = (
                samples[first * HOP :][: 4 * SAMPLE_RATE],
                labels[first:][: 4 * SAMPLE_RATE // HOP],
            )
            heard = replace(heard, before=first * HOP)
        if random.random() < recipe.speed_share:
            octaves = 0.35 if clip.sound_class in (SoundClass.ALARM, SoundClass.GLASS_BREAK) else 0.15
            before = len(samples)
            samples = change_speed(samples, random, octaves)
            index = np.minimum(
                np.arange(len(samples) // HOP + 1) * before // max(1, len(samples)), len(labels) - 1
            )
            labels = labels[index]
        if random.random() < recipe.room_share:
            samples = reverberate(samples, random, self._library.rooms)
            labels = np.concatenate(
                (
                    labels,
                    np.full(
                        (max(0, len(samples) // HOP + 1 - len(labels)), labels.shape[1]), SILENT, np.int8
                    ),
                )
            )
            tail = labels[len(labels) - 1 - 40 :]
            tail[(labels == SOUNDS).any(axis=0)[None, :] & (tail != SOUNDS)] = UNSURE
        if random.random() < recipe.colour_share:
            samples = colour(samples, random)
        return samples, labels, heard

    def _synthetic_alarm(self) -> tuple[Samples, Labels]:
        random = self._random
        column = CLASSES.index(SoundClass.ALARM)
        if random.random() < 0.5:
            samples, envelope = smoke_or_co_alarm(random, 6.0)
            begin = int(random.integers(len(samples) - 3 * SAMPLE_RATE)) // HOP * HOP
            samples, envelope = (
                samples[begin : begin + 3 * SAMPLE_RATE],
                envelope[begin : begin + 3 * SAMPLE_RATE],
            )
            on = envelope[: len(envelope) // HOP * HOP].reshape(-1, HOP).max(axis=1) > 0.5
        else:
            samples = alarm(random)[: 4 * SAMPLE_RATE]
            loud = np.abs(samples[: len(samples) // HOP * HOP]).reshape(-1, HOP).max(axis=1)
            on = loud > 0.1 * loud.max()
        labels = np.zeros((len(on), len(CLASSES)), np.int8)
        labels[on, column] = SOUNDS
        return samples, labels

    def _place(self, labels: Labels) -> int:
        """Return at which frame of the window a sound begins, negative where its beginning is over already."""
        random = self._random
        sounding = np.flatnonzero((labels == SOUNDS).any(axis=1))
        first = int(sounding[0]) if len(sounding) else 0
        if random.random() < 0.7:
            # Its onset is in the window, as often near the end, where the satellite first sees it.
            return int(random.integers(0, self._frames - 8)) - first
        return int(random.integers(-max(1, len(labels) - 40), self._frames - 8))

    def _through_air(self, samples: Samples) -> Samples:
        """Return a sound at some level, over the noise of some microphone."""
        random = self._random
        peak = float(np.abs(samples).max()) + 1e-9
        loud = samples * np.float32(10 ** (random.uniform(*self._recipe.gain_db) / 20) / peak)
        floor = self._noises.cut(len(samples), random) * np.float32(10 ** (random.uniform(-90, -55) / 20))
        return np.clip(loud + floor, -1, 1)

    def _with_noise(self, samples: Samples) -> Samples:
        """Return a sound over noise in which it can still be heard: the teachers, who heard it alone, are right."""
        random = self._random
        power = float(np.square(samples).mean())
        gain = np.sqrt(power) * 10 ** (-random.uniform(*self._recipe.noisy_cut_db) / 20)
        return samples + self._noises.cut(len(samples), random) * np.float32(gain)

    def _any(self) -> "Drawer":
        """Return what a recording is drawn from: a third of them hold anything."""
        random = self._random
        roll = random.random()
        if roll < 0.34 and self._drawers[UNLABELLED]:
            return self._drawers[UNLABELLED]
        if roll < 0.48:
            return self._drawers[BACKGROUND]
        if roll < 0.66:
            return self._drawers[OTHER]
        if roll < 0.78 and self._imitations:
            return self._imitations
        return self._drawers[self._classes[int(random.integers(len(self._classes)))]]


# Over a sound so much louder a background is not heard; a sound so much fainter, not surely.
_DROWNED_DB = 12.0
_FAINT_DB = -1.0
# A stretch whose greater part is in a window is what the teachers would hear in the window.
_ENOUGH = 0.6
_FLOOR = np.float32(1e-4)
_NOTHING = np.full(AUDIOSET_CLASSES, LOWEST_LOGIT, np.float32)


@dataclass(frozen=True, slots=True)
class _Heard:
    """What the teachers hear in a recording of so many `samples`, of which those `before` are cut off."""

    lesson: Lesson
    samples: int
    before: int = 0

    def nearest(self, first: int, length: int) -> NDArray[np.float32] | None:
        """Return the logits of the stretch that lies most in the samples from `first`, None where none does enough."""
        starts = self.lesson.starts - self.before
        ends = np.minimum(starts + self.lesson.stretch, self.samples - self.before)
        shared = np.minimum(ends, first + length) - np.maximum(starts, first)
        best = int(np.argmax(shared))
        enough = shared[best] >= _ENOUGH * (ends[best] - starts[best])
        return self.lesson.logits[best] if enough else None


def _together(
    one: NDArray[np.float32] | None, other: NDArray[np.float32] | None
) -> NDArray[np.float32] | None:
    return None if one is None or other is None else np.maximum(one, other)


def stack(windows: Sequence[Window]) -> tuple[NDArray[np.float16], NDArray[np.int8], NDArray[np.float16]]:
    """Return windows as a batch: frames [n, 160, 104], labels [n, 8], logits [n, 527], NaN where nobody was asked."""
    nobody = np.full(AUDIOSET_CLASSES, np.nan, np.float16)
    return (
        np.stack([one.log_mel for one in windows]).astype(np.float16),
        np.stack([one.labels for one in windows]),
        np.stack([nobody if one.logits is None else one.logits.astype(np.float16) for one in windows]),
    )
