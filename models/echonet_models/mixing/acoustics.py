"""What rooms, distance, loudspeakers and microphones do to a sound."""

from collections.abc import Sequence

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import oaconvolve
import soxr

from ..data.recordings import LONGEST_ECHO_S, SAMPLE_RATE, Samples


def simulate_room(generator: np.random.Generator) -> Samples:
    """Return the response of a made-up small room: the direct sound, early reflections, a decaying tail."""
    decay_s = generator.uniform(0.12, 0.8)
    samples = int(min(decay_s, LONGEST_ECHO_S) * SAMPLE_RATE)
    time = np.arange(samples) / SAMPLE_RATE
    tail = generator.normal(size=samples) * 10 ** (-3 * time / decay_s)
    tail[: int(generator.uniform(0.002, 0.012) * SAMPLE_RATE)] = 0
    direct_to_reverberant = 10 ** (generator.uniform(-6, 15) / 10)
    tail *= np.sqrt(1 / (direct_to_reverberant * (np.square(tail).sum() + 1e-9)))
    tail[0] = 1.0
    for delay in generator.integers(16, 400, size=4):
        tail[min(int(delay), samples - 1)] += generator.uniform(-0.4, 0.4)
    return tail.astype(np.float32)


def reverberate(samples: Samples, generator: np.random.Generator, measured: Sequence[Samples]) -> Samples:
    """Return the sound in a room, measured or simulated."""
    if measured and generator.random() < 0.3:
        response = measured[int(generator.integers(len(measured)))]
    else:
        response = simulate_room(generator)
    return np.asarray(oaconvolve(samples, response), np.float32)


def change_speed(samples: Samples, generator: np.random.Generator, octaves: float) -> Samples:
    """Return the sound faster and higher or slower and lower, by up to so many octaves."""
    factor = float(2 ** generator.uniform(-octaves, octaves))
    return np.asarray(soxr.resample(samples, SAMPLE_RATE * factor, SAMPLE_RATE, quality="LQ"), np.float32)


def colour(samples: Samples, generator: np.random.Generator) -> Samples:
    """Return the sound through a random microphone or loudspeaker: tilt, ripple, high-pass, sometimes low-pass."""
    length = next_fast_len(len(samples), real=True)
    spectrum = rfft(samples, length)
    frequency = np.linspace(0, SAMPLE_RATE / 2, len(spectrum), dtype=np.float32)
    octave = np.log2(np.maximum(frequency, 20) / 1000)
    gain_db = generator.uniform(-2, 2) * octave
    for _ in range(3):
        centre, width = generator.uniform(-4, 3), generator.uniform(0.3, 1.5)
        gain_db = gain_db + generator.normal(0, 3) * np.exp(-0.5 * ((octave - centre) / width) ** 2)
    high_pass = generator.uniform(30, 250)
    gain_db = gain_db - 10 * np.log10(1 + (high_pass / np.maximum(frequency, 1)) ** 4)
    if generator.random() < 0.35:
        # A third of what is coloured loses its treble: much of the baby cries did on the telephone.
        low_pass = generator.uniform(3000, 6500)
        gain_db = gain_db - 10 * np.log10(1 + (frequency / low_pass) ** generator.choice([4, 12, 40]))
    filtered: Samples = irfft(spectrum * 10 ** (np.clip(gain_db, -120, 20) / 20).astype(np.float32), length)
    return filtered[: len(samples)]


class Noises:
    """Noise between white and brown, of unit power: a room with nobody in it."""

    def __init__(self, generator: np.random.Generator, *, colours: int = 12, seconds: float = 40) -> None:
        """Make a supply to cut from: shaping noise anew for every mixture would take a quarter of its time."""
        length = next_fast_len(int(seconds * SAMPLE_RATE), real=True)
        frequency = np.maximum(np.linspace(0, SAMPLE_RATE / 2, length // 2 + 1, dtype=np.float32), 20)
        self._noises = []
        for slope in np.linspace(0, 1, colours):
            white = rfft(generator.standard_normal(length, dtype=np.float32))
            noise = irfft(white * frequency ** np.float32(-slope), length)
            self._noises.append(noise / np.float32(np.sqrt(np.square(noise).mean()) + 1e-12))

    def cut(self, samples: int, generator: np.random.Generator) -> Samples:
        """Return a piece, of one colour or between two."""
        pieces = []
        for number in generator.integers(len(self._noises), size=2):
            whole = self._noises[number]
            start = int(generator.integers(0, len(whole) - samples))
            pieces.append(whole[start : start + samples])
        share = np.float32(generator.uniform(0, 1))
        return np.asarray(pieces[0] * np.sqrt(share) + pieces[1] * np.sqrt(1 - share))
