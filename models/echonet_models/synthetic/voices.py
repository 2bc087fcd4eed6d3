"""Cries and screams made up by the source-filter model of the voice.

A glottal source (harmonics of a moving pitch, with jitter, subharmonics, chaos, roughness and breath) passes a vocal
tract of moving resonances. What is made up is varied rather than always good: the teachers judge it before it teaches.
Cries: K. Michelsson, O. Michelsson: "Phonation in the newborn, infant cry", 1999 (melody, hyperphonation,
dysphonation). Screams: L. Arnal et al.: "Human screams occupy a privileged niche in the communication soundscape", 2015
(roughness of 30 to 150 Hz).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft
from scipy.ndimage import gaussian_filter1d

from ..recordings import SAMPLE_RATE, Samples

HIGHEST_HZ = 7900
FRAME, HOP = 512, 128
_WINDOW = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)
_FREQUENCY = np.arange(FRAME // 2 + 1, dtype=np.float32) * SAMPLE_RATE / FRAME


@dataclass(frozen=True, slots=True)
class _Tract:
    """Resonances (closed and open mouth) and their bandwidths, how deep the valleys are, tilt in dB per octave."""

    closed: NDArray[np.float64]
    opened: NDArray[np.float64]
    widths: NDArray[np.float64]
    depth: float
    tilt_db: float


def baby_cry(generator: np.random.Generator) -> Samples:
    """Return 1.5 to 6 s of a made-up infant's cry: bursts of expiration, at times an audible inspiration between."""
    uniform = generator.uniform
    pitch, duration, length, pause = uniform((330, 1.8, 0.4, 0.1), (620, 5.6, 1.3, 0.35))
    habits = uniform(0, (0.3, 0.8, 0.25))
    voice = [_pause(uniform(0, 0.015))]
    while (left := duration - _seconds(voice)) > 0.25:
        seconds = min(length * uniform(0.6, 1.5), 1.6, left)
        voice.append(_expiration(generator, pitch * uniform(0.88, 1.13), seconds, habits))
        rest = pause * uniform(0.8, 1.4)
        if generator.random() < 0.5:
            voice += [_pause(rest / 4), _inspiration(generator, pitch, rest * 0.6), _pause(rest * 0.15)]
        else:
            voice.append(_pause(rest))
    opened = np.array([1150, 3300, 5500, 7400]) * uniform(0.85, 1.15) * uniform(0.92, 1.08, 4)
    widths = uniform((120, 180, 250, 300), (350, 500, 600, 700))
    tract = _Tract(opened * (0.62, 0.85, 0.92, 0.96), opened, widths, uniform(0.5, 1), uniform(-9, -3))
    return _sound(voice, tract, generator, drive=generator.choice([0, 0, uniform(0.5, 2)]))


def _expiration(
    generator: np.random.Generator, pitch: float, seconds: float, habits: NDArray[np.float64]
) -> Samples:
    uniform, samples = generator.uniform, int(seconds * SAMPLE_RATE)
    hyper, disordered, breath = habits
    if generator.random() < hyper:
        pitch *= uniform(2.2, 3.2)
    peak, start, end = uniform((0.1, 0.6, 0.55), (0.6, 0.95, 0.95))
    heights = (start, (start + 1) / 2 + uniform(0, 0.1), 1, uniform(0.9, 1), end)
    melody = _curve(samples, (0, peak * 0.5, peak, (1 + peak) / 2, 1), heights)
    wobble = uniform(0, 0.04) * np.sin(_turns(samples, uniform(3, 8), generator))
    wobble += uniform(0.003, 0.02) * _wander(samples, 25, generator)
    disorder = _episodes(samples, generator) if generator.random() < disordered else np.zeros(1, np.float32)
    if generator.random() < 0.5:
        wobble += uniform(0.03, 0.12) * disorder * _wander(samples, 150, generator)
    loudness = _swell(samples, uniform(0.02, 0.12), uniform(0.06, 0.3)) * uniform(0.6, 1)
    loudness *= 1 + uniform(0, 0.2) * _wander(samples, 8, generator)
    opening = _curve(samples, (0, 0.15, 0.5, 0.85, 1), (0.1, uniform(0.5, 1), 1, 0.9, 0.2))
    rough, subharmonic = disorder * uniform(0, 0.6), disorder * uniform(0, 0.9)
    breath *= uniform(0.3, 1)
    return _burst(pitch * melody * (1 + wobble), loudness, breath * loudness, rough, subharmonic, opening)


def _inspiration(generator: np.random.Generator, pitch: float, seconds: float) -> Samples:
    uniform, samples = generator.uniform, int(seconds * SAMPLE_RATE)
    melody = _curve(samples, (0, 1), (uniform(0.8, 1), uniform(1, 1.3))) * uniform(1.2, 2.2)
    wobble = 1 + 0.04 * _wander(samples, 80, generator)
    loudness = _swell(samples, seconds * 0.4, seconds * 0.4) * uniform(0.05, 0.3)
    return _burst(pitch * melody * wobble, loudness, loudness * uniform(0.3, 1.5))


def scream(generator: np.random.Generator) -> Samples:
    """Return 0.5 to 3.5 s of a made-up scream of a man, a woman or a child, single or repeated."""
    uniform = generator.uniform
    ranges = (580, 1050, 0.9, 1.05), (720, 1400, 1.0, 1.25), (850, 1700, 1.2, 1.5)
    lowest, highest, longest, shortest = ranges[int(generator.integers(3))]
    pitch, duration, disordered = (
        float(np.exp(uniform(np.log(lowest), np.log(highest)))),
        *uniform((0.55, 0), (3, 1)),
    )
    repeated = duration > 1.1 and generator.random() < 0.5
    voice = [_pause(uniform(0, 0.015))]
    while len(voice) == 1 or (repeated and _seconds(voice) < duration - 0.4):
        left = duration - _seconds(voice)
        seconds = uniform(0.35, max(0.36, min(1.2, left))) if repeated else left
        voice.append(_yell(generator, pitch * uniform(0.9, 1.1), seconds, disordered))
        if repeated:
            voice.append(_pause(uniform(0.08, 0.35)))
    opened = np.array([950, 1550, 2800, 3800, 4900]) * uniform(longest, shortest) * uniform(0.88, 1.12, 5)
    # A mouth opens until its first resonance meets a harmonic.
    opened[0] = pitch * uniform(0.95, 1.25) * (2 if pitch < uniform(650, 950) else 1)
    opened[1] = max(opened[1], opened[0] * 1.25)
    widths = uniform((120, 150, 180, 250, 300), (300, 350, 500, 600, 700))
    tract = _Tract(opened * (0.6, 0.85, 0.95, 1, 1), opened, widths, uniform(0.7, 1.2), uniform(-9, -3.5))
    return _sound(voice, tract, generator, drive=generator.choice([0, 1, 1, 1, 1]) * uniform(0.7, 8))


def _yell(generator: np.random.Generator, pitch: float, seconds: float, disordered: float) -> Samples:
    uniform, samples = generator.uniform, int(seconds * SAMPLE_RATE)
    rise, fall = uniform(0.04, 0.25) / max(seconds, 0.5), uniform(0.6, 0.9)
    heights = (uniform(0.55, 0.95), uniform(0.92, 1.05), 1, uniform(0.85, 1), uniform(0.4, 0.85))
    melody = _curve(samples, (0, rise, (rise + fall) / 2, fall, 1), heights)
    wobble = uniform(0.004, 0.02) * _wander(samples, 25, generator)
    wobble += uniform(0, 0.025) * np.sin(_turns(samples, uniform(4, 9), generator))
    disorder = np.zeros(1, np.float32)
    if generator.random() < 0.3 + 0.7 * disordered:
        disorder = _episodes(samples, generator)
        wobble += disorder * _wander(samples, 120, generator) * uniform(0, 0.06)
    rough, subharmonic = disorder * uniform(0.1, 0.9), disorder * generator.choice([0, uniform(0.1, 0.8)])
    loudness = _swell(samples, uniform(0.015, 0.1), uniform(0.05, 0.3))
    loudness *= 1 + uniform(0, 0.15) * _wander(samples, 8, generator)
    opening = _curve(samples, (0, 0.15, 0.8, 1), (uniform(0, 0.8), 1, 1, uniform(0, 1)))
    breath = loudness * uniform(0.05, 0.5)
    return _burst(pitch * melody * (1 + wobble), loudness, breath, rough, subharmonic, opening)


def _burst(*parts: NDArray[np.floating]) -> Samples:
    """Return what the folds and the mouth do in each sample: pitch, loudness, breath, roughness, subharmonics, opening.

    What is not given is nought; a mouth that is not told is half open.
    """
    missing = map(np.float32, (0, 0, 0.5)[len(parts) - 3 :])
    burst: Samples = np.stack(np.broadcast_arrays(*parts, *missing)).astype(np.float32)
    return burst


def _pause(seconds: float) -> Samples:
    nothing = np.zeros(int(seconds * SAMPLE_RATE), np.float32)
    return _burst(nothing + 400, nothing, nothing)


def _seconds(voice: list[Samples]) -> float:
    return float(sum(part.shape[1] for part in voice) / SAMPLE_RATE)


def _sound(bursts: list[Samples], tract: _Tract, generator: np.random.Generator, *, drive: float) -> Samples:
    """Return the voice through its tract, with the clipping of a microphone driven too far, peak 1."""
    voice = np.concatenate(bursts, axis=1)
    source, breath = _source(voice, generator)
    opening = np.pad(voice[5, ::HOP], (0, FRAME // HOP), mode="edge")[:, None]
    gain_db = _resonances_db(tract, opening) + 20 * np.minimum(_FREQUENCY / 200 - 1, 0)
    tilt_db = tract.tilt_db * np.log2(np.maximum(_FREQUENCY, 200) / 500)
    spectra = _frames(source) * 10 ** ((gain_db + tilt_db) / 20) + _frames(breath) * 10 ** (
        (gain_db + tilt_db / 2) / 20
    )
    frames = (irfft(spectra, FRAME) * _WINDOW).reshape(len(spectra), FRAME // HOP, HOP)
    joined = np.zeros((len(spectra) + FRAME // HOP, HOP), np.float32)
    for part in range(FRAME // HOP):
        joined[part : part + len(spectra)] += frames[:, part]
    sound = joined.reshape(-1)[FRAME // 2 : FRAME // 2 + len(source)]
    sound /= np.abs(sound).max()
    if drive > 0:
        sound = np.tanh(np.float32(1 + drive) * sound)
    sound[-160:] *= np.linspace(1, 0, 160, dtype=np.float32)
    peak: Samples = (sound / np.abs(sound).max()).astype(np.float32)
    return peak


def _source(voice: Samples, generator: np.random.Generator) -> tuple[Samples, Samples]:
    """Return the harmonics, all equally strong, and the breath, which follows the glottis as far as it is voiced."""
    pitch, loudness, breath, rough, subharmonic, _ = voice
    samples = len(pitch)
    phase = np.cumsum(pitch.astype(np.float64)) * (2 * np.pi / SAMPLE_RATE)
    turn = np.exp(1j * np.mod(phase, 2 * np.pi)).astype(np.complex64)
    harmonic, source = turn.copy(), np.zeros(samples, np.float32)
    for number in range(1, int(HIGHEST_HZ / max(pitch.min(), 100)) + 1):
        room = np.clip((HIGHEST_HZ - number * pitch) / 300, 0, 1)
        if not room.any():
            break
        source += harmonic.real * room
        harmonic *= turn
    divisor = generator.choice([2, 2, 3])
    half = np.cos(np.mod(phase / divisor, 2 * np.pi)).astype(np.float32)
    modulation = np.cos(_turns(samples, generator.uniform(30, 150), generator, spread=0.3))
    amplitude = loudness * (1 + subharmonic * half) * (1 + rough * modulation)
    noise = generator.standard_normal(samples, dtype=np.float32)
    pulsing = 1 + np.float32(generator.uniform(0, 0.9)) * turn.real
    shimmer = 1 + 0.04 * _wander(samples, 200, generator)
    return source * amplitude * shimmer, noise * breath * pulsing * (1 + rough * modulation) * np.float32(2)


def _resonances_db(tract: _Tract, opening: Samples) -> NDArray[np.float32]:
    """Return the tract's gain in each frame, [frames, bins]: resonances side by side."""
    power = np.full((len(opening), len(_FREQUENCY)), 1e-3, np.float32)
    for closed, opened, width in zip(tract.closed, tract.opened, tract.widths, strict=True):
        centre = (closed + (opened - closed) * opening).astype(np.float32)
        power += 1 / (1 + np.square((_FREQUENCY - centre) * np.float32(2 / width)))
    gain_db: NDArray[np.float32] = np.float32(10 * tract.depth) * np.log10(power)
    return gain_db


def _frames(samples: Samples) -> NDArray[np.complex64]:
    """Return the spectra of overlapping frames, [frames + 4, bins]."""
    count = -(-len(samples) // HOP) + FRAME // HOP
    padded = np.pad(samples, (FRAME // 2, count * HOP + FRAME // 2 - len(samples))).astype(np.float32)
    spectra: NDArray[np.complex64] = rfft(
        np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP][:count] * _WINDOW
    )
    return spectra


def _curve(samples: int, places: tuple[float, ...], values: tuple[float, ...]) -> Samples:
    """Return a line through the points, its corners rounded."""
    coarse = np.interp(np.linspace(0, 1, 128), places, values)
    rounded: NDArray[np.float64] = gaussian_filter1d(coarse, 4, mode="nearest")
    return np.interp(np.linspace(0, 127, samples), np.arange(128), rounded).astype(np.float32)


def _swell(samples: int, attack_s: float, release_s: float) -> Samples:
    """Return a raised-cosine rise, one, a fall."""
    time = np.arange(samples, dtype=np.float32) / SAMPLE_RATE
    edge = np.clip(np.minimum(time / attack_s, (samples / SAMPLE_RATE - time) / release_s), 0, 1)
    swell: Samples = (0.5 - 0.5 * np.cos(np.pi * edge)).astype(np.float32)
    return swell


def _wander(samples: int, rate_hz: float, generator: np.random.Generator) -> Samples:
    """Return a random line of about unit power, new in every 1 / rate."""
    points = generator.standard_normal(int(samples / SAMPLE_RATE * rate_hz) + 3)
    places = np.arange(samples) * (rate_hz / SAMPLE_RATE)
    line: Samples = (np.interp(places, np.arange(len(points)), points) * 1.2).astype(np.float32)
    return line


def _turns(
    samples: int, rate_hz: float, generator: np.random.Generator, *, spread: float = 0.15
) -> NDArray[np.float64]:
    """Return the phase of an oscillation of about that rate."""
    rate = rate_hz * np.clip(1 + spread * _wander(samples, rate_hz / 3, generator), 0.2, 3)
    turns: NDArray[np.float64] = np.cumsum(rate) * (2 * np.pi / SAMPLE_RATE) + generator.uniform(0, 6.28)
    return turns


def _episodes(samples: int, generator: np.random.Generator) -> Samples:
    """Return where the voice is in disorder: one where it is, zero where not; at times throughout."""
    if generator.random() < 0.3:
        return np.ones(samples, np.float32)
    points = (generator.random(6) < 0.55).astype(np.float64)
    return np.interp(np.linspace(0, 5, samples), np.arange(6), points).astype(np.float32)
