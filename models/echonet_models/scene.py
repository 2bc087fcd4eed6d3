"""Ten seconds that sounds are laid into: the sum, its labels, and what the teachers hear in each layer."""

import numpy as np

from .activity import IGNORE, STEP, Labels
from .datasets import CLASSES
from .events import Event
from .knowledge import Knowledge
from .lessons import Lesson
from .recordings import Samples

STEPS = 128
FRAMES = STEPS * 8
# The last frame needs a whole analysis window.
SAMPLES = STEPS * STEP + 352


class Scene:
    """A mixture that is being made."""

    def __init__(self, knowledge: Knowledge | None) -> None:
        """Begin with silence; with knowledge, what the teachers hear is noted."""
        self.samples: Samples = np.zeros(SAMPLES, np.float32)
        self.labels: Labels = np.zeros((STEPS, len(CLASSES)), np.int8)
        self.lesson = Lesson(SAMPLES, knowledge) if knowledge else None
        self._background_power = 0.0

    def add_background(self, samples: Samples, labels: Labels, *, step: int, event: Event | None) -> None:
        """Lay a background under everything; levels of events count from the power of all backgrounds.

        Args:
            samples: as long as the scene.
            labels: of as many steps.
            step: at which of its own steps (of the recording as it was) the background begins.
            event: the recording that it is from, with the speed at which it is played; None for noise.
        """
        self.samples = self.samples + samples
        merge(self.labels, labels, 0, 0.0)
        self._background_power = float(np.square(self.samples).mean())
        if self.lesson and event:
            origin = -round(step * STEP / event.speed)
            period = len(event.samples)
            self.lesson.add(samples, 0, event.path, origin=origin, speed=event.speed, period=period)
        elif self.lesson:
            self.lesson.add(samples, 0, None)

    def add_event(self, event: Event, step: int, shift: int, level_db: float) -> None:
        """Mix an event in, so much louder than the background, `shift` samples after a step begins.

        A negative step cuts so much off its beginning; so does the scene's end off its end.
        """
        skip = max(0, -step)
        samples, own = event.samples[skip * STEP :], event.labels[skip:]
        start = max(0, step)
        shift = shift if start < STEPS - 1 else 0
        begin = start * STEP + shift
        length = min(len(samples), SAMPLES - begin)
        if length <= 0:
            return
        samples = samples[:length]
        active = np.repeat((own == 1).any(axis=1), STEP)[:length]
        heard = samples[: len(active)][active] if active.any() else samples
        power = float(np.square(heard).mean()) + 1e-12
        gain = np.sqrt(self._background_power / power) * 10 ** (level_db / 20)
        layer = samples * np.float32(min(gain, 1e3))
        self.samples[begin : begin + length] += layer
        if self.lesson:
            origin, known = begin - skip * STEP, event.path is not None
            self.lesson.add(layer, begin, event.path, origin=origin, speed=event.speed, known=known)
        merge(self.labels, own, start, shift / STEP)


def merge(labels: Labels, own: Labels, start: int, fraction: float) -> None:
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
