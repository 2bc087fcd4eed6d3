"""A reference set of few dimensions, and what fits it: what a satellite learns needs no network in most tests."""

from pathlib import Path

import numpy as np

from echonet_satellite.frontend import Floats
from echonet_satellite.learning.examples import Recorded
from echonet_satellite.learning.learner import STORE_FILE, Learner
from echonet_satellite.learning.reference import Reference
from echonet_satellite.learning.store import LearningStore
from echonet_satellite.protocol import SoundClass
from tests.support.hearing import RATE, LoudnessClassifier

EMBEDDING, SIZE = 12, 6
CLASSES = tuple(SoundClass)


def directions(generator: np.random.Generator, *shape: int) -> Floats:
    values = generator.normal(size=(*shape, SIZE)).astype(np.float32)
    unit: Floats = values / np.linalg.norm(values, axis=-1, keepdims=True)
    return unit


def around(generator: np.random.Generator, middle: Floats, *shape: int) -> Floats:
    """Return directions that lie around one."""
    values = middle + 0.5 * directions(generator, *shape)
    unit: Floats = values / np.linalg.norm(values, axis=-1, keepdims=True)
    return unit


def reference_of(seed: int = 0, recordings: int = 60) -> Reference:
    """Return a reference set in a space of few dimensions: sounds of a class are alike, and smoke alarms are alarms."""
    generator = np.random.default_rng(seed)
    mean = generator.normal(size=EMBEDDING).astype(np.float32)
    basis = generator.normal(size=(EMBEDDING, SIZE)).astype(np.float32)
    middles = {name: directions(generator) for name in CLASSES}
    return Reference(
        mean=mean,
        basis=basis,
        sounds={name: around(generator, middle, recordings, 3) for name, middle in middles.items()},
        smoke=around(generator, middles[SoundClass.ALARM], 20),
        usual=directions(generator, 50).mean(axis=0),
        spread=(np.eye(SIZE) / SIZE).astype(np.float32),
    )


def embeddings(seed: int, count: int = 4) -> Floats:
    """Return what the moments of some sound are, which are alike; the same seed is the same sound."""
    generator = np.random.default_rng(seed)
    sound = generator.normal(scale=3.0, size=EMBEDDING)
    return (sound + generator.normal(scale=0.5, size=(count, EMBEDDING))).astype(np.float32)


def hear(samples: Floats) -> Recorded | None:
    """Return what a recording is to a network that knows its pitch alone; silence is nothing."""
    if not len(samples):
        return None
    pitch = int(np.abs(np.fft.rfft(samples)).argmax() * RATE / len(samples) / 100)
    return Recorded(embeddings=embeddings(pitch), seconds=len(samples) / RATE)


def tone(pitch: float, seconds: float = 8.0) -> Floats:
    """Return a recording of a sound: a tone in a quiet room."""
    time = np.arange(round(seconds * RATE)) / RATE
    sounds = (time > 2.0) & (time < 3.0)
    noise = 1e-4 * np.random.default_rng(0).normal(size=len(time))
    heard: Floats = (0.3 * sounds * np.sin(2 * np.pi * pitch * time) + noise).astype(np.float32)
    return heard


def learner_in(folder: Path) -> Learner:
    """Return what learns from verdicts and is taught sounds, with its file in a folder."""
    return Learner(LearningStore(folder / STORE_FILE), LoudnessClassifier().card, reference_of(), hear)
