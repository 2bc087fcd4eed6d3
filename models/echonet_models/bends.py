"""Bending a recording so far that it becomes another one of its kind, or of none; a teacher says which.

What happens to an event in a mixture (`augment`) is as mild as rooms and microphones are, so that its label holds. Here
several things happen at once, and more strongly.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.signal import butter, sosfilt

from .augment import change_speed, colour, reverberate
from .recordings import SAMPLE_RATE, Samples

Bend = Callable[[Samples, np.random.Generator], Samples]

LONGEST_S = 10.0
QUIET = 1e-4


def bend_far(
    samples: Samples, generator: np.random.Generator, rooms: Sequence[Samples], octaves: float
) -> Samples:
    """Return the sound after two to four changes, each drawn once at most; its peak is at 1.

    Args:
        samples: 16 kHz mono.
        generator: what decides.
        rooms: measured responses, see `augment.read_room_responses`.
        octaves: how far its speed, and so its pitch, may change.
    """
    bends: list[Bend] = [
        lambda sound, random: change_speed(sound, random, octaves),
        lambda sound, random: reverberate(sound, random, rooms),
        shape_dynamics,
        overload,
        narrow,
        coarsen,
        slap,
        lambda sound, random: colour(colour(sound, random), random),
    ]
    bent = samples[: int(LONGEST_S * SAMPLE_RATE)]
    for number in generator.permutation(len(bends))[: int(generator.integers(2, 5))]:
        bent = _level(bends[int(number)](bent, generator))
    return bent[: int(LONGEST_S * SAMPLE_RATE)].astype(np.float32)


def shape_dynamics(samples: Samples, generator: np.random.Generator) -> Samples:
    """Return the sound with its decibels under the peak stretched or squeezed: short and dry, or long and dense."""
    width = int(0.02 * SAMPLE_RATE)
    envelope = uniform_filter1d(maximum_filter1d(np.abs(samples), width), width)
    relative = np.maximum(envelope / (float(envelope.max()) + 1e-9), QUIET)
    shaped: Samples = samples * relative ** np.float32(generator.uniform(-0.5, 0.8))
    return shaped


def overload(samples: Samples, generator: np.random.Generator) -> Samples:
    """Return the sound as a microphone too close to it takes it."""
    driven: Samples = np.tanh(samples * np.float32(10 ** generator.uniform(0.2, 1.4)))
    return driven


def narrow(samples: Samples, generator: np.random.Generator) -> Samples:
    """Return what passes a small loudspeaker, a wall or a telephone."""
    low, high = 10 ** generator.uniform(1.5, 2.8), 10 ** generator.uniform(3.2, 3.88)
    sos = butter(int(generator.integers(1, 4)), [low, high], "bandpass", fs=SAMPLE_RATE, output="sos")
    passed: Samples = sosfilt(sos, samples).astype(np.float32)
    return passed


def coarsen(samples: Samples, generator: np.random.Generator) -> Samples:
    """Return the sound in few bits, as old games and toys keep it."""
    levels = 2 ** generator.uniform(4, 8)
    return (np.round(samples * levels) / levels).astype(np.float32)


def slap(samples: Samples, generator: np.random.Generator) -> Samples:
    """Return the sound with one to three echoes from walls far away."""
    echoed = np.pad(samples, (0, SAMPLE_RATE // 2))
    for _ in range(int(generator.integers(1, 4))):
        delay = int(generator.uniform(0.04, 0.5) * SAMPLE_RATE)
        echoed[delay : delay + len(samples)] += samples * np.float32(generator.uniform(-0.6, 0.6))
    return echoed


def _level(samples: Samples) -> Samples:
    level: Samples = samples / (np.abs(samples).max() + np.float32(1e-9))
    return level
