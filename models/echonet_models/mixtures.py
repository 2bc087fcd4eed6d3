"""Training material: events over backgrounds, made from a seed, labelled per output step.

After DCASE 2017 task 2 (one event over a 30 s background at -6, 0 or +6 dB), and harder: several events, rooms,
microphones, speed, 40 dB of gain, imitations, smoke and CO alarms that are synthetic.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.frontend import FrontendParameters, log_mel
from echonet_satellite.protocol import SoundClass

from .activity import IGNORE, STEP, Labels
from .alarm_sounds import smoke_or_co_alarm
from .augment import Noises, change_speed, colour, reverberate
from .datasets import BACKGROUND, CLASSES, OTHER, Clip
from .knowledge import Knowledge
from .lessons import Lesson, Scores
from .recordings import Recordings, Samples

STEPS = 128
FRAMES = STEPS * 8
# The last frame needs a whole analysis window.
SAMPLES = STEPS * STEP + 352

# A background as long as a mixture even when it is played so much faster.
BACKGROUND_OCTAVES = 0.3
SPEEDABLE = -(-int(SAMPLES * 1.24) // STEP) * STEP
BACKGROUND_LEVEL = np.float32(0.05)

ALARM = CLASSES.index(SoundClass.ALARM)
# Sounds that are over at once and vary most in how fast they ring and decay.
BURSTS = frozenset({SoundClass.GUNSHOT, SoundClass.GLASS_BREAK})
# After how many steps another sound of the class follows: two panes break as one, feet walk.
COMPANION_STEPS = {
    SoundClass.GUNSHOT: (0, 4),
    SoundClass.GLASS_BREAK: (0, 4),
    SoundClass.PRESENCE: (4, 10),
}

# How often an event is of a class. Gunshot, glass and alarm have few recordings and matter most; most of what presence
# has is a single step or door, a moment that the speech in backgrounds would drown.
CLASS_SHARES = {
    SoundClass.GUNSHOT: 0.17,
    SoundClass.GLASS_BREAK: 0.17,
    SoundClass.BABY_CRY: 0.11,
    SoundClass.ALARM: 0.15,
    SoundClass.FIRE: 0.08,
    SoundClass.DOG: 0.09,
    SoundClass.PRESENCE: 0.15,
    SoundClass.SCREAM: 0.08,
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What mixtures are made of: how many events, how loud, how often what happens to them."""

    events: tuple[float, ...] = (0.12, 0.28, 0.28, 0.2, 0.12)
    other_share: float = 0.38
    imitation_share: float = 0.65
    synthetic_alarm_share: float = 0.4
    ebr_db: tuple[float, float] = (-6.0, 24.0)
    # A share of events stand nearly alone, as in a quiet room.
    clean_share: float = 0.25
    clean_ebr_db: tuple[float, float] = (24.0, 50.0)
    # Two dozen recordings of breaking glass are few: another one close by makes a break that nobody recorded.
    companion_share: float = 0.4
    second_background_share: float = 0.3
    room_share: float = 0.5
    colour_share: float = 0.6
    speed_share: float = 0.5
    clip_share: float = 0.08
    class_shares: Mapping[SoundClass, float] = field(default_factory=CLASS_SHARES.copy)


@dataclass(frozen=True, slots=True)
class Event:
    """A sound to mix in, with its labels per step from its own start."""

    samples: Samples
    labels: Labels
    path: str | None = None
    speed: float = 1.0
    sound_class: SoundClass | None = None


class Mixture(NamedTuple):
    """Sound to learn from."""

    samples: Samples
    labels: Labels
    """[128, 8]."""
    taught: Scores | None
    """The teachers' scores as bytes, [39, 521], if there are teachers."""


class MixtureMaker:
    """Makes mixtures of the clips of one split."""

    def __init__(
        self,
        clips: Sequence[Clip],
        recordings: Recordings,
        label: Callable[[Clip], Labels],
        rooms: Sequence[Samples],
        recipe: Recipe,
        knowledge: Knowledge | None = None,
    ) -> None:
        """Group the clips by class and recording, so that a long recording counts once."""
        self._recordings, self._label, self._rooms = recordings, label, rooms
        self._recipe, self._knowledge = recipe, knowledge
        self._noises = Noises(np.random.default_rng(0))
        groups: dict[str, dict[str, list[Clip]]] = defaultdict(lambda: defaultdict(list))
        for clip in clips:
            groups[clip.label][clip.origin].append(clip)
            if clip.imitates and clip.label == OTHER:
                groups["imitation"][clip.origin].append(clip)
        self._groups = {label: list(origins.values()) for label, origins in groups.items()}
        self._classes = [name for name in CLASSES if name in self._groups]
        shares = np.array([recipe.class_shares[name] for name in self._classes])
        self._shares = shares / shares.sum()
        self._labels: dict[str, Labels] = {}
        self._frontend = FrontendParameters()

    def features(self, samples: Samples) -> NDArray[np.float16]:
        """Return the log-mel frames [1024, 64] of a mixture."""
        return log_mel(samples, self._frontend)[:FRAMES].astype(np.float16)

    def mix(self, generator: np.random.Generator) -> Mixture:
        """Return one mixture."""
        recipe = self._recipe
        lesson = Lesson(SAMPLES, self._knowledge) if self._knowledge else None
        mixture, labels = self._background(generator, lesson)
        background_power = float(np.square(mixture).mean())
        for _ in range(int(generator.choice(len(recipe.events), p=recipe.events))):
            event = self._event(generator)
            step = int(generator.integers(-min(len(event.labels) - 1, 30), STEPS - 4))
            level_db = self._level_db(generator)
            self._place(mixture, labels, event, background_power, step, level_db, generator, lesson)
            name = event.sound_class
            while name in COMPANION_STEPS and generator.random() < recipe.companion_share:
                event = self._bend(self._clip_event(name, generator), generator)
                step += int(generator.integers(*COMPANION_STEPS[name]))
                if step >= STEPS:
                    break
                level_db -= float(generator.uniform(-3, 9))
                self._place(mixture, labels, event, background_power, step, level_db, generator, lesson)
        if generator.random() < recipe.colour_share:
            mixture = colour(mixture, generator)
        peak = float(np.abs(mixture).max()) + 1e-9
        mixture *= 10 ** (generator.uniform(-40, 0) / 20) / peak
        if generator.random() < recipe.clip_share:
            limit = generator.uniform(0.1, 0.7) * float(np.abs(mixture).max())
            mixture = np.clip(mixture, -limit, limit)
        mixture += self._noises.cut(SAMPLES, generator) * 10 ** (generator.uniform(-100, -55) / 20)
        return Mixture(mixture.astype(np.float32), labels, lesson.scores() if lesson else None)

    def _level_db(self, generator: np.random.Generator) -> float:
        clean = generator.random() < self._recipe.clean_share
        return float(generator.uniform(*(self._recipe.clean_ebr_db if clean else self._recipe.ebr_db)))

    def _background(self, generator: np.random.Generator, lesson: Lesson | None) -> tuple[Samples, Labels]:
        choice = generator.random()
        if choice < 0.2:
            samples = self._noises.cut(SAMPLES, generator) * BACKGROUND_LEVEL
            if lesson:
                lesson.add(samples, 0, None)
            return samples, np.zeros((STEPS, len(CLASSES)), np.int8)
        samples, labels = self._one_background(BACKGROUND if choice < 0.7 else OTHER, 0.0, generator, lesson)
        if generator.random() < self._recipe.second_background_share:
            level_db = float(generator.uniform(-15, 0))
            second, own = self._one_background(BACKGROUND, level_db, generator, lesson)
            samples = samples + second
            _merge(labels, own, 0, 0.0)
        return samples, labels

    def _one_background(
        self, label: str, level_db: float, generator: np.random.Generator, lesson: Lesson | None
    ) -> tuple[Samples, Labels]:
        """Return a piece of a recording as long as a mixture, at its own speed or another."""
        event = self._clip_event(label, generator)
        whole, start = len(event.samples), 0
        if event.labels.shape[0] * STEP < whole or whole < SPEEDABLE:
            samples = np.tile(event.samples, -(-SPEEDABLE // max(1, whole)))[:SPEEDABLE]
            labels = _tile_labels(event.labels, whole)
        else:
            start = int(generator.integers(0, (whole - SPEEDABLE) // STEP + 1))
            samples = event.samples[start * STEP : start * STEP + SPEEDABLE]
            labels = event.labels[start : start + -(-SPEEDABLE // STEP)]
        speed = 1.0
        if generator.random() < self._recipe.speed_share:
            changed = change_speed(samples, generator, BACKGROUND_OCTAVES)
            labels = _stretch(labels, len(samples), len(changed))
            speed = len(samples) / len(changed)
            samples = changed
        samples, labels = samples[:SAMPLES], labels[:STEPS].copy()
        samples = samples / (np.sqrt(np.square(samples).mean()) + 1e-9)
        samples = (samples * BACKGROUND_LEVEL * 10 ** (level_db / 20)).astype(np.float32)
        if lesson:
            origin = -round(start * STEP / speed)
            lesson.add(samples, 0, event.path, origin=origin, speed=speed, period=whole)
        return samples, labels

    def _event(self, generator: np.random.Generator) -> Event:
        recipe = self._recipe
        if generator.random() < recipe.other_share:
            imitation = generator.random() < recipe.imitation_share and "imitation" in self._groups
            return self._bend(self._clip_event("imitation" if imitation else OTHER, generator), generator)
        name = self._classes[int(generator.choice(len(self._classes), p=self._shares))]
        if name is SoundClass.ALARM and generator.random() < recipe.synthetic_alarm_share:
            return self._bend(_synthetic_alarm(generator), generator)
        return self._bend(self._clip_event(name, generator), generator)

    def _bend(self, event: Event, generator: np.random.Generator) -> Event:
        """Return the event at another speed, in a room, through a loudspeaker, each at times."""
        recipe = self._recipe
        samples, labels, speed = event.samples, event.labels, 1.0
        if generator.random() < recipe.speed_share:
            changed = change_speed(samples, generator, _octaves(event))
            labels = _stretch(labels, len(samples), len(changed))
            speed = len(samples) / max(1, len(changed))
            samples = changed
        if generator.random() < recipe.room_share:
            samples = reverberate(samples, generator, self._rooms)
            labels = _lengthen(labels, len(samples))
        if generator.random() < recipe.colour_share / 2:
            samples = colour(samples, generator)
        return Event(samples, labels, event.path, speed, event.sound_class)

    def _clip_event(self, label: str, generator: np.random.Generator) -> Event:
        origins = self._groups[label]
        origin = origins[int(generator.integers(len(origins)))]
        clip = origin[int(generator.integers(len(origin)))]
        samples = self._recordings[clip.path]
        if clip.path not in self._labels:
            self._labels[clip.path] = self._label(clip)
        return Event(samples, self._labels[clip.path], clip.path, sound_class=clip.sound_class)

    def _place(
        self,
        mixture: Samples,
        labels: Labels,
        event: Event,
        background_power: float,
        step: int,
        level_db: float,
        generator: np.random.Generator,
        lesson: Lesson | None,
    ) -> None:
        """Mix the event in at a step, or a part of a step later, so much louder than the background; in place."""
        skip = max(0, -step)
        samples, own = event.samples[skip * STEP :], event.labels[skip:]
        start = max(0, step)
        shift = int(generator.integers(0, STEP)) if start < STEPS - 1 else 0
        length = min(len(samples), SAMPLES - start * STEP - shift)
        if length <= 0:
            return
        samples = samples[:length]
        active = np.repeat((own == 1).any(axis=1), STEP)[:length]
        heard = samples[: len(active)][active] if active.any() else samples
        power = float(np.square(heard).mean()) + 1e-12
        gain = np.sqrt(background_power / power) * 10 ** (level_db / 20)
        begin = start * STEP + shift
        layer = samples * np.float32(min(gain, 1e3))
        mixture[begin : begin + length] += layer
        if lesson:
            lesson.add(
                layer,
                begin,
                event.path,
                origin=begin - skip * STEP,
                speed=event.speed,
                known=event.path is not None,
            )
        _merge(labels, own, start, shift / STEP)


def _merge(labels: Labels, own: Labels, start: int, fraction: float) -> None:
    """Add an event's labels, in place; an onset late in a step makes that step unsure."""
    count = min(len(own), len(labels) - start)
    if count <= 0:
        return
    shifted = own[:count].copy()
    if fraction > 0.02:
        # The event lies across step borders: a step is active when the part that reaches into it is.
        previous = np.vstack([np.zeros((1, own.shape[1]), np.int8), own])[:count]
        late = (shifted == 1) & (previous == 0)
        tail = (previous == 1) & (shifted != 1)
        shifted[tail] = 1 if fraction > 0.5 else IGNORE
        if fraction > 0.6:
            shifted[late] = IGNORE
    target = labels[start : start + count]
    target[(shifted == IGNORE) & (target == 0)] = IGNORE
    target[shifted == 1] = 1


def _synthetic_alarm(generator: np.random.Generator) -> Event:
    samples, envelope = smoke_or_co_alarm(generator, float(generator.uniform(3, 10)))
    steps = -(-len(samples) // STEP)
    on = np.pad(envelope, (0, steps * STEP - len(envelope))).reshape(steps, STEP).mean(axis=1)
    labels = np.zeros((steps, len(CLASSES)), np.int8)
    labels[:, ALARM] = np.where(on > 0.25, 1, np.where(on > 0, IGNORE, 0))
    # Between the beeps nobody can tell yet; the step after a beep still belongs to it.
    after = np.roll(labels[:, ALARM] == 1, 1)
    labels[after & (labels[:, ALARM] == 0), ALARM] = IGNORE
    return Event(samples, labels, sound_class=SoundClass.ALARM)


def _octaves(event: Event) -> float:
    """Return how far the event's speed may change: an alarm's pitch is what it is known by, a burst's is not."""
    if event.sound_class is SoundClass.ALARM:
        return 0.15
    return 0.5 if event.sound_class in BURSTS else 0.3


def _stretch(labels: Labels, before: int, after: int) -> Labels:
    steps = max(1, -(-after // STEP))
    place = np.minimum((np.arange(steps) * (before / max(1, after))).astype(int), len(labels) - 1)
    stretched: Labels = labels[place]
    return stretched


def _lengthen(labels: Labels, samples: int) -> Labels:
    """Extend labels over the echo: unsure right after the sound, then silence."""
    steps = -(-samples // STEP)
    extra = max(0, steps - len(labels))
    echo = np.where(labels[-1:] == 1, IGNORE, labels[-1:]).astype(np.int8)
    return np.vstack([labels, np.repeat(echo, extra, axis=0)])[:steps]


def _tile_labels(labels: Labels, samples: int) -> Labels:
    place = (np.arange(-(-SPEEDABLE // STEP)) * STEP) % max(1, samples) // STEP
    tiled: Labels = labels[np.minimum(place, len(labels) - 1)]
    return tiled
