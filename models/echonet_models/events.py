"""Single sounds to mix in: drawn from recordings or made up, bent, labelled per step from their own start."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.protocol import SoundClass

from .activity import IGNORE, STEP, Labels
from .augment import change_speed, colour, reverberate
from .bank import Bank, Sound
from .datasets import CLASSES, OTHER, Clip
from .recipe import Recipe
from .recordings import Recordings, Samples
from .synthetic.alarms import smoke_or_co_alarm
from .synthetic.treble import restore_treble

IMITATION = "imitation"
ALARM = CLASSES.index(SoundClass.ALARM)
# Of the alarms that are made up; the others are sirens, bells, clocks and burglar alarms.
SMOKE_SHARE = 0.5
# Sounds that are over at once and vary most in how fast they ring and decay.
BURSTS = frozenset({SoundClass.GUNSHOT, SoundClass.GLASS_BREAK})


@dataclass(frozen=True, slots=True)
class Event:
    """A sound to mix in, with its labels per step from its own start."""

    samples: Samples
    labels: Labels
    path: str | None = None
    speed: float = 1.0
    sound_class: SoundClass | None = None


class Events:
    """Draws the sounds of one split, and what is made up."""

    def __init__(
        self,
        clips: Sequence[Clip],
        recordings: Recordings,
        label: Callable[[Clip], Labels],
        rooms: Sequence[Samples],
        recipe: Recipe,
        bank: Bank | None = None,
    ) -> None:
        """Group the clips by class and recording, so that a long recording counts once."""
        self._recordings, self._label, self._rooms = recordings, label, rooms
        self._recipe, self._bank = recipe, bank
        groups: dict[str, dict[str, list[Clip]]] = defaultdict(lambda: defaultdict(list))
        for clip in clips:
            groups[clip.label][clip.origin].append(clip)
            if clip.imitates and clip.label == OTHER:
                groups[IMITATION][clip.origin].append(clip)
        self._groups = {label: list(origins.values()) for label, origins in groups.items()}
        self._chances = {
            label: _chances(origins, recipe.source_balance) for label, origins in self._groups.items()
        }
        self._classes = [name for name in CLASSES if name in self._groups]
        shares = np.array([recipe.class_shares[name] for name in self._classes])
        self._shares = shares / shares.sum()
        self._labels: dict[str, Labels] = {}

    def draw(self, generator: np.random.Generator) -> Event:
        """Return an event of any kind, bent."""
        recipe = self._recipe
        if generator.random() < recipe.other_share:
            return self._draw_other(generator)
        return self.draw_class(
            self._classes[int(generator.choice(len(self._classes), p=self._shares))], generator
        )

    def draw_class(self, name: SoundClass, generator: np.random.Generator) -> Event:
        """Return an event of a class, recorded or made up, bent."""
        event = None
        if generator.random() < self._recipe.synthetic_shares.get(name, 0):
            event = self._synthetic(name, generator)
        return self.bend(event, generator) if event else self._draw_recorded(name, generator)

    def _draw_other(self, generator: np.random.Generator) -> Event:
        recipe = self._recipe
        if self._bank and generator.random() < recipe.synthetic_other_share:
            sound = self._bank.draw(OTHER, generator)
            if sound:
                return self.bend(_event(sound), generator)
        imitation = generator.random() < recipe.imitation_share and IMITATION in self._groups
        return self._draw_recorded(IMITATION if imitation else OTHER, generator)

    def _draw_recorded(self, label: str, generator: np.random.Generator) -> Event:
        """Return a recording, bent: anew, or far and ahead of time, which the teachers have heard."""
        event = self.clip(label, generator)
        if self._bank and event.path and generator.random() < self._recipe.varied_share:
            variation = self._bank.draw(event.path, generator)
            if variation:
                return _event(variation, event.sound_class)
        return self.bend(event, generator)

    def clip(self, label: str, generator: np.random.Generator) -> Event:
        """Return a recording as it is."""
        origins = self._groups[label]
        origin = origins[int(generator.choice(len(origins), p=self._chances[label]))]
        clip = origin[int(generator.integers(len(origin)))]
        samples = self._recordings[clip.path]
        if clip.path not in self._labels:
            self._labels[clip.path] = self._label(clip)
        return Event(samples, self._labels[clip.path], clip.path, sound_class=clip.sound_class)

    def bend(self, event: Event, generator: np.random.Generator) -> Event:
        """Return the event at another speed, in a room, through a loudspeaker, each at times."""
        recipe = self._recipe
        samples, labels, speed = event.samples, event.labels, 1.0
        if event.sound_class is SoundClass.BABY_CRY and generator.random() < recipe.treble_share:
            samples = restore_treble(samples, generator)
        if generator.random() < recipe.speed_share:
            changed = change_speed(samples, generator, _octaves(event))
            labels = stretch(labels, len(samples), len(changed))
            speed = len(samples) / max(1, len(changed))
            samples = changed
        if generator.random() < recipe.room_share:
            samples = reverberate(samples, generator, self._rooms)
            labels = _lengthen(labels, len(samples))
        if generator.random() < recipe.colour_share / 2:
            samples = colour(samples, generator)
        return replace(event, samples=samples, labels=labels, speed=speed)

    def _synthetic(self, name: SoundClass, generator: np.random.Generator) -> Event | None:
        if name is SoundClass.ALARM and (self._bank is None or generator.random() < SMOKE_SHARE):
            return _smoke_alarm(generator)
        sound = self._bank.draw(name, generator) if self._bank else None
        return _event(sound, name) if sound else None


def _event(sound: Sound, sound_class: SoundClass | None = None) -> Event:
    return Event(sound.samples, sound.labels, sound.path, sound_class=sound_class)


def stretch(labels: Labels, before: int, after: int) -> Labels:
    """Return the labels of a sound that had `before` samples and now has `after`."""
    steps = max(1, -(-after // STEP))
    place = np.minimum((np.arange(steps) * (before / max(1, after))).astype(int), len(labels) - 1)
    stretched: Labels = labels[place]
    return stretched


def _chances(origins: Sequence[Sequence[Clip]], balance: float) -> NDArray[np.float64]:
    """Return how often each recording is drawn: a source of n recordings gets n to the power of 1 - balance."""
    sources = [origin[0].source for origin in origins]
    counted = Counter(sources)
    weights = np.array([counted[source] ** -balance for source in sources])
    chances: NDArray[np.float64] = weights / weights.sum()
    return chances


def _smoke_alarm(generator: np.random.Generator) -> Event:
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


def _lengthen(labels: Labels, samples: int) -> Labels:
    """Extend labels over the echo: unsure right after the sound, then silence."""
    steps = -(-samples // STEP)
    extra = max(0, steps - len(labels))
    echo = np.where(labels[-1:] == 1, IGNORE, labels[-1:]).astype(np.int8)
    return np.vstack([labels, np.repeat(echo, extra, axis=0)])[:steps]
