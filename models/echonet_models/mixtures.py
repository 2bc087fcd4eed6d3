"""Training material: events over backgrounds, made from a seed, labelled per output step.

After DCASE 2017 task 2 (one event over a 30 s background at -6, 0 or +6 dB), and harder: several events, rooms,
microphones, speed, 40 dB of gain, imitations, sounds that are made up.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.frontend import FrontendParameters, log_mel
from echonet_satellite.protocol import SoundClass

from .activity import STEP, Labels
from .augment import Noises, change_speed, colour
from .datasets import BACKGROUND, CLASSES, OTHER
from .events import Event, Events, stretch
from .knowledge import Knowledge
from .lessons import Scores
from .recipe import Recipe
from .recordings import Samples
from .scene import FRAMES, SAMPLES, STEPS, Scene

# A background as long as a mixture even when it is played so much faster.
BACKGROUND_OCTAVES = 0.3
SPEEDABLE = -(-int(SAMPLES * 1.24) // STEP) * STEP
BACKGROUND_LEVEL = np.float32(0.05)

# After how many steps another sound of the class follows: two panes break as one, feet walk.
COMPANION_STEPS = {
    SoundClass.GUNSHOT: (0, 4),
    SoundClass.GLASS_BREAK: (0, 4),
    SoundClass.PRESENCE: (4, 10),
}


class Mixture(NamedTuple):
    """Sound to learn from."""

    samples: Samples
    labels: Labels
    """[128, 8]."""
    taught: Scores | None
    """The teachers' scores as bytes, [39, 521], if there are teachers."""


class MixtureMaker:
    """Makes mixtures of the events of one split."""

    def __init__(self, events: Events, recipe: Recipe, knowledge: Knowledge | None = None) -> None:
        """Prepare; with knowledge, mixtures say what the teachers hear in them."""
        self._events, self._recipe, self._knowledge = events, recipe, knowledge
        self._noises = Noises(np.random.default_rng(0))
        self._frontend = FrontendParameters()

    def features(self, samples: Samples) -> NDArray[np.float16]:
        """Return the log-mel frames [1024, 64] of a mixture."""
        return log_mel(samples, self._frontend)[:FRAMES].astype(np.float16)

    def mix(self, generator: np.random.Generator) -> Mixture:
        """Return one mixture."""
        recipe = self._recipe
        scene = Scene(self._knowledge)
        self._add_backgrounds(scene, generator)
        for _ in range(int(generator.choice(len(recipe.events), p=recipe.events))):
            event = self._events.draw(generator)
            step = int(generator.integers(-min(len(event.labels) - 1, 30), STEPS - 4))
            level_db = self._level_db(generator)
            scene.add_event(event, step, int(generator.integers(STEP)), level_db)
            name = event.sound_class
            while name in COMPANION_STEPS and generator.random() < recipe.companion_share:
                step += int(generator.integers(*COMPANION_STEPS[name]))
                if step >= STEPS:
                    break
                level_db -= float(generator.uniform(-3, 9))
                companion = self._events.draw_class(name, generator)
                scene.add_event(companion, step, int(generator.integers(STEP)), level_db)
        samples = self._record(scene.samples, generator)
        return Mixture(samples, scene.labels, scene.lesson.scores() if scene.lesson else None)

    def _record(self, samples: Samples, generator: np.random.Generator) -> Samples:
        """Return what a microphone makes of a scene: its colour, gain, overload and noise."""
        if generator.random() < self._recipe.colour_share:
            samples = colour(samples, generator)
        peak = float(np.abs(samples).max()) + 1e-9
        samples = samples * (10 ** (generator.uniform(-40, 0) / 20) / peak)
        if generator.random() < self._recipe.clip_share:
            limit = generator.uniform(0.1, 0.7) * float(np.abs(samples).max())
            samples = np.clip(samples, -limit, limit)
        noise = self._noises.cut(SAMPLES, generator) * 10 ** (generator.uniform(-100, -55) / 20)
        return (samples + noise).astype(np.float32)

    def _level_db(self, generator: np.random.Generator) -> float:
        clean = generator.random() < self._recipe.clean_share
        return float(generator.uniform(*(self._recipe.clean_ebr_db if clean else self._recipe.ebr_db)))

    def _add_backgrounds(self, scene: Scene, generator: np.random.Generator) -> None:
        choice = generator.random()
        if choice < 0.2:
            noise = self._noises.cut(SAMPLES, generator) * BACKGROUND_LEVEL
            scene.add_background(noise, np.zeros((STEPS, len(CLASSES)), np.int8), step=0, event=None)
            return
        self._add_background(scene, BACKGROUND if choice < 0.7 else OTHER, 0.0, generator)
        if generator.random() < self._recipe.second_background_share:
            self._add_background(scene, BACKGROUND, float(generator.uniform(-15, 0)), generator)

    def _add_background(
        self, scene: Scene, label: str, level_db: float, generator: np.random.Generator
    ) -> None:
        """Lay a piece of a recording under the scene, at its own speed or another, as long as it is."""
        event = self._events.clip(label, generator)
        whole, step = len(event.samples), 0
        if event.labels.shape[0] * STEP < whole or whole < SPEEDABLE:
            samples = np.tile(event.samples, -(-SPEEDABLE // max(1, whole)))[:SPEEDABLE]
            labels = _tile_labels(event.labels, whole)
        else:
            step = int(generator.integers(0, (whole - SPEEDABLE) // STEP + 1))
            samples = event.samples[step * STEP : step * STEP + SPEEDABLE]
            labels = event.labels[step : step + -(-SPEEDABLE // STEP)]
        speed = 1.0
        if generator.random() < self._recipe.speed_share:
            changed = change_speed(samples, generator, BACKGROUND_OCTAVES)
            labels = stretch(labels, len(samples), len(changed))
            speed = len(samples) / len(changed)
            samples = changed
        samples, labels = samples[:SAMPLES], labels[:STEPS]
        level = BACKGROUND_LEVEL * 10 ** (level_db / 20) / (np.sqrt(np.square(samples).mean()) + 1e-9)
        source = Event(event.samples, event.labels, event.path, speed)
        scene.add_background((samples * level).astype(np.float32), labels, step=step, event=source)


def _tile_labels(labels: Labels, samples: int) -> Labels:
    place = (np.arange(-(-SPEEDABLE // STEP)) * STEP) % max(1, samples) // STEP
    tiled: Labels = labels[np.minimum(place, len(labels) - 1)]
    return tiled
