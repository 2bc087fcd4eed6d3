"""Sounds that nobody recorded: the teachers are asked about more than was recorded, so that less of them is forgotten.

Pieces of unlabelled recordings at other speeds, backwards, two at once; noises, chords, pulses, buzzes and blows that
glide, beat and ring; alarms and the satellite's built-in sounds; through rooms and microphones. They teach what the
teachers hear in them, and nothing of our classes: to a teacher a made-up smoke alarm is a beep.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from echonet_satellite import synthesis

from ..data.kept import hear
from ..data.library import Library
from ..data.manifest import UNLABELLED
from ..data.recordings import SAMPLE_RATE, Samples
from ..data.teachers import AUDIOSET_CLASSES, STRETCH, Mn04, Yamnet, joint_logits
from ..errors import ModelsError
from .acoustics import Noises, change_speed, colour, reverberate
from .alarms import smoke_or_co_alarm
from .sirens import alarm

_BUILT_IN = (
    synthesis.gunshot,
    synthesis.glass_break,
    synthesis.dog_bark,
    synthesis.baby_cry,
    synthesis.scream,
    synthesis.fire,
    synthesis.footsteps,
    synthesis.knocks,
)
# What the teachers said is kept by it: whoever changes how a sound is made, here or elsewhere, changes it as well.
_SEED = 8
_TINY = 1e-9


class MadeUp:
    """Makes sounds [STRETCH]; a number always makes the same one.

    `logits` is what the teachers hear in the first of them, [n, 527].
    """

    def __init__(self, library: Library) -> None:
        """Prepare what they are made of: recordings of which no piece is labelled, so that every fold may hear them.

        Raises:
            ModelsError: there are none.
        """
        self.logits = np.zeros((0, AUDIOSET_CLASSES), np.float32)
        self._recordings, self._rooms = library.recordings, library.rooms
        labelled = {clip.origin for clip in library.clips if clip.label != UNLABELLED}
        self._unlabelled = [
            clip for clip in library.clips if clip.label == UNLABELLED and clip.origin not in labelled
        ]
        if not self._unlabelled:
            raise ModelsError("the recordings hold no unlabelled sound, from which sounds are made up")
        self._noises = Noises(np.random.default_rng(1))

    def ask(self, count: int, library: Library, teachers: Path, cache: Path) -> None:
        """Ask the teachers about so many of them; what was asked before comes from `cache`."""
        asked: list[tuple[Yamnet, Mn04]] = []

        def listen(name: str) -> dict[str, NDArray[np.float16]]:
            if not asked:
                asked.append((Yamnet(teachers), Mn04(teachers)))
            logits = joint_logits(self.sound(int(name)), *asked[0], library.class_map)
            return {"logits": logits[None].astype(np.float16)}

        names = [str(number) for number in range(count)]
        heard = hear(cache / f"made-up-{_SEED}", names, listen, "asking the teachers about made-up sounds")
        self.logits = np.concatenate([heard[name]["logits"] for name in names]).astype(np.float32)

    def sound(self, number: int) -> Samples:
        """Return one of them."""
        random = np.random.default_rng((_SEED, number))
        roll = random.random()
        if roll < 0.6:
            samples = self._piece(random)
            if roll < 0.45:
                samples = samples + self._piece(random) * _gain(random, -15, 3)
        else:
            make = _invented if roll < 0.8 else _built_in
            samples = make(random)
            if random.random() < 0.5:
                samples = samples + self._piece(random) * _gain(random, -30, 0)
        if random.random() < 0.4:
            samples = reverberate(samples, random, self._rooms)[:STRETCH]
        if random.random() < 0.5:
            samples = colour(samples, random)
        samples = samples / np.float32(np.abs(samples).max() + _TINY) * _gain(random, -36, 0)
        floor = self._noises.cut(STRETCH, random) * _gain(random, -90, -50)
        return np.clip(samples + floor, -1, 1)

    def _piece(self, random: np.random.Generator) -> Samples:
        clip = self._unlabelled[int(random.integers(len(self._unlabelled)))]
        length = min(self._recordings.length(clip.path), round(2.2 * STRETCH))
        start = int(random.integers(self._recordings.length(clip.path) - length + 1))
        samples = self._recordings.piece(clip.path, start, length)
        if random.random() < 0.6:
            samples = change_speed(samples, random, 0.8)
        return _placed(samples[::-1] if random.random() < 0.15 else samples, random)


def _gain(random: np.random.Generator, low_db: float, high_db: float) -> np.float32:
    return np.float32(10 ** (random.uniform(low_db, high_db) / 20))


def _placed(samples: NDArray[np.floating], random: np.random.Generator) -> Samples:
    """Return a stretch of peak one with a sound anywhere in it, cut where it is longer."""
    stretch = np.zeros(STRETCH, np.float32)
    if len(samples) < STRETCH:
        first = int(random.integers(STRETCH - len(samples) + 1))
        stretch[first : first + len(samples)] = samples
    else:
        start = int(random.integers(len(samples) - STRETCH + 1)) if random.random() < 0.5 else 0
        delay = int(random.integers(STRETCH - 2000)) if random.random() < 0.4 else 0
        stretch[delay:] = samples[start : start + STRETCH - delay]
    return stretch / np.float32(np.abs(stretch).max() + _TINY)


def _invented(random: np.random.Generator) -> Samples:
    """Return some noise, chord, train of pulses, buzz or row of blows, in resonances, under some envelope."""
    samples = int(random.uniform(0.05, 3.0) * SAMPLE_RATE)
    time = np.arange(samples) / SAMPLE_RATE
    pitch = _pitch(random, samples)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    sound: NDArray[np.floating]
    match int(random.integers(5)):
        case 0:
            sound = random.normal(size=samples)
        case 1:
            partials = np.arange(1, 13)[:, None]
            heard = np.where(partials * pitch < 0.97 * SAMPLE_RATE / 2, np.sin(partials * phase), 0)
            sound = (heard * partials ** -random.uniform(0, 2)).sum(axis=0)
        case 2:
            sound = np.where(np.mod(phase, 2 * np.pi) < 0.3, 1.0, 0.0) + 0.1 * random.normal(size=samples)
        case 3:
            sound = np.sign(np.sin(phase)) + random.normal(size=samples) * random.uniform(0, 0.5)
        case _:
            sound = _blows(random, samples)
    for _ in range(int(random.integers(4))):
        angle = 2 * np.pi * np.exp(random.uniform(np.log(150), np.log(6000))) / SAMPLE_RATE
        radius = random.uniform(0.8, 0.995)
        sound = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], sound)
    sound = np.tanh(sound / (np.abs(sound).max() + _TINY) * random.uniform(1, 8))
    return _placed(sound * _envelope(random, time), random)


def _pitch(random: np.random.Generator, samples: int) -> NDArray[np.floating]:
    """Return a pitch in Hz that wanders, glides and trembles, [samples]."""
    share = np.linspace(0, 1, samples)
    steps = np.cumsum(random.normal(size=samples // 400 + 2)) * random.uniform(0, 0.06)
    wander = np.interp(np.arange(samples), np.arange(len(steps)) * 400, steps)
    depth, beats = random.uniform(0, 0.1), random.uniform(3, 12) * samples / SAMPLE_RATE
    tremor = depth * np.sin(2 * np.pi * beats * share)
    glide = random.uniform(-1, 1) * share * random.integers(2)
    middle = np.exp(random.uniform(np.log(60), np.log(4000)))
    return np.asarray(middle * 2 ** (wander + glide + tremor))


def _blows(random: np.random.Generator, samples: int) -> NDArray[np.floating]:
    sound = np.zeros(samples)
    for _ in range(int(random.integers(1, 40))):
        first = int(random.integers(samples))
        length = min(samples - first, int(random.uniform(20, 4000)))
        fading = np.exp(-5 * np.arange(length) / length) * random.uniform(0.1, 1)
        sound[first : first + length] += random.normal(size=length) * fading
    return sound


def _envelope(random: np.random.Generator, time: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return how loud a sound is: it dies away, swells, is switched, wavers or stays, [samples]."""
    match int(random.integers(5)):
        case 0:
            loud = np.exp(-time / np.exp(random.uniform(np.log(0.01), 0)))
        case 1:
            loud = np.hanning(len(time))
        case 2:
            loud = np.mod(time * np.exp(random.uniform(np.log(0.7), np.log(15))), 1) < random.uniform(
                0.1, 0.9
            )
        case 3:
            loud = np.interp(time, np.arange(50) * 0.08, np.abs(random.normal(size=50)))
        case _:
            rise_s, fall_s = random.uniform(0.005, 0.3), random.uniform(0.005, 0.5)
            loud = np.minimum(1, np.minimum(time / rise_s, (time[-1] - time) / fall_s))
    return np.asarray(loud, np.float64)


def _built_in(random: np.random.Generator) -> Samples:
    roll = random.random()
    if roll < 0.2:
        return _placed(smoke_or_co_alarm(random, 6.0)[0], random)
    if roll < 0.45:
        return _placed(alarm(random), random)
    if roll < 0.5:
        return _placed(synthesis.siren(random, two_tone=random.random() < 0.5), random)
    made = _BUILT_IN[int(random.integers(len(_BUILT_IN)))](random)
    return _placed(change_speed(made, random, 0.6), random)
