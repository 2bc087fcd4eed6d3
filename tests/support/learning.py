"""A reference set of few dimensions, and what fits it: what a satellite learns needs no network in most tests."""

from pathlib import Path

import numpy as np

from echonet_satellite.frontend import Floats
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


def reference_of(seed: int = 0, recordings: int = 60) -> Reference:
    """Return a reference set in a space of few dimensions, where everything is near to something."""
    generator = np.random.default_rng(seed)
    return Reference(
        mean=generator.normal(size=EMBEDDING).astype(np.float32),
        basis=generator.normal(size=(EMBEDDING, SIZE)).astype(np.float32),
        sounds={name: directions(generator, recordings, 3) for name in CLASSES},
        smoke=directions(generator, 20),
        everyday=directions(generator, 50),
    )


def embeddings(seed: int, count: int = 4) -> Floats:
    """Return what the moments of some sound are; the same seed is the same sound."""
    return np.random.default_rng(seed).normal(scale=3.0, size=(count, EMBEDDING)).astype(np.float32)


def embed(samples: Floats) -> Floats:
    """Return the moments of a recording, which here is its pitch alone; of silence there are none."""
    if not len(samples):
        return np.zeros((0, EMBEDDING), np.float32)
    pitch = int(np.abs(np.fft.rfft(samples)).argmax() * RATE / len(samples) / 100)
    return moments_of(pitch)


def moments_of(seed: int) -> Floats:
    """Return moments of one sound that are alike."""
    alike: Floats = embeddings(seed, 1) + np.float32(0.1) * embeddings(seed + 1)
    return alike


def tone(pitch: float, seconds: float = 8.0) -> Floats:
    """Return a recording of a sound: a tone in a quiet room."""
    time = np.arange(round(seconds * RATE)) / RATE
    sounds = (time > 2.0) & (time < 3.0)
    noise = 1e-4 * np.random.default_rng(0).normal(size=len(time))
    heard: Floats = (0.3 * sounds * np.sin(2 * np.pi * pitch * time) + noise).astype(np.float32)
    return heard


def learner_in(folder: Path) -> Learner:
    """Return what learns from verdicts and is taught sounds, with its file in a folder."""
    return Learner(LearningStore(folder / STORE_FILE), LoudnessClassifier().card, reference_of(), embed)
