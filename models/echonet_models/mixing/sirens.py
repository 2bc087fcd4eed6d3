"""Made-up sirens, bells, clocks and burglar alarms: what an alarm may be besides a smoke or CO alarm.

Sirens of vehicles sweep between about 500 and 1800 Hz: slowly (wail), several times a second (yelp), in a buzz
(phaser), or switch between two tones a fourth or so apart (hi-lo; SAE J1849, DIN 14610). Bells are struck by a hammer a
dozen times a second; clocks beep in groups; burglar alarms sweep, warble or pulse.
"""

import numpy as np
from numpy.typing import NDArray

from ..data.recordings import SAMPLE_RATE, Samples

Signal = NDArray[np.floating]


def alarm(generator: np.random.Generator) -> Samples:
    """Return an alarm of any of these kinds, 3 to 8 s, peak 1."""
    makers = (_siren, _siren, _burglar, _clock, _bell, _horn, _sounder)
    samples = int(generator.uniform(3, 8) * SAMPLE_RATE)
    made = makers[int(generator.integers(len(makers)))](generator, samples)
    return np.asarray(made / (np.abs(made).max() + 1e-9), np.float32)


def _siren(generator: np.random.Generator, samples: int) -> Signal:
    """Return a vehicle that comes or goes, its siren changing its mind once in a while."""
    low, high = generator.uniform(380, 850), generator.uniform(1000, 1900)
    octaves = np.empty(samples)
    start = 0
    while start < samples:
        stop = samples
        if generator.random() >= 0.7:
            stop = min(samples, start + int(generator.uniform(1, 4) * SAMPLE_RATE))
        octaves[start:stop] = _sweep(generator, stop - start) * np.log2(high / low)
        start = stop
    # A car that passes at up to 100 km/h: the pitch falls, most where it is nearest, and there it is loudest.
    time = np.arange(samples) / SAMPLE_RATE
    speed, nearest = generator.uniform(-28, 28), generator.uniform(0, time[-1])
    distance = generator.uniform(5, 60)
    along = speed * (time - nearest)
    away = np.hypot(along, distance)
    shift = 343 / (343 + speed * along / away)
    return np.asarray(_tone(generator, low * 2**octaves * shift) * distance / away)


def _sweep(generator: np.random.Generator, samples: int) -> Signal:
    """Return how far a siren is between its lowest (0) and highest tone (1)."""
    time = np.arange(samples) / SAMPLE_RATE
    kind = generator.choice(
        ["wail", "yelp", "phaser", "hi-lo", "mechanical"], p=[0.35, 0.25, 0.08, 0.22, 0.1]
    )
    if kind == "hi-lo":
        high = _phase(generator, samples, 0.8, 2.4) < generator.uniform(0.4, 0.6)
        return 0.1 + high * generator.uniform(0.15, 0.5)
    if kind == "mechanical":
        # Wound up once, then running down.
        rise_s, fall_s = generator.uniform(0.8, 3), generator.uniform(2, 8)
        falling = np.exp(-np.maximum(0, time - 2 * rise_s) / fall_s)
        return np.asarray(np.minimum(1 - np.exp(-time / rise_s), falling))
    rate = {"wail": (0.12, 0.5), "yelp": (1.5, 5), "phaser": (8, 18)}[str(kind)]
    phase = _phase(generator, samples, *rate)
    rising = generator.uniform(0.15, 0.85)
    triangle = np.where(phase < rising, phase / rising, (1 - phase) / (1 - rising))
    return triangle ** generator.uniform(0.6, 1.5)


def _burglar(generator: np.random.Generator, samples: int) -> Signal:
    """Return the sounder of a house or car: a fast sweep, a warble of two tones, or pulses."""
    pitch = generator.uniform(900, 3200)
    phase = _phase(generator, samples, 1.5, 9)
    match int(generator.integers(3)):
        case 0:
            return _tone(generator, pitch * 2 ** (phase * generator.uniform(-0.8, 0.8)))
        case 1:
            return _tone(generator, np.where(phase < 0.5, pitch, pitch * generator.uniform(0.6, 0.9)))
        case _:
            return _tone(generator, np.full(samples, pitch)) * _smooth(phase < generator.uniform(0.3, 0.7))


def _clock(generator: np.random.Generator, samples: int) -> Signal:
    """Return groups of one to five beeps."""
    beep_s, gap_s = generator.uniform(0.03, 0.2), generator.uniform(0.03, 0.2)
    beeps, pause_s = int(generator.integers(1, 6)), generator.uniform(0.1, 0.9)
    within = (np.arange(samples) / SAMPLE_RATE) % (beeps * (beep_s + gap_s) + pause_s)
    on = (within % (beep_s + gap_s) < beep_s) & (within < beeps * (beep_s + gap_s))
    return _tone(generator, np.full(samples, generator.uniform(900, 4200))) * _smooth(on)


def _bell(generator: np.random.Generator, samples: int) -> Signal:
    """Return a bell with a hammer: partials that ring on from strike to strike, in rings with pauses or without."""
    base, decay_s = generator.uniform(600, 2600), generator.uniform(0.05, 0.6)
    strikes_hz = generator.uniform(8, 26)
    response_time = np.arange(int(3 * decay_s * SAMPLE_RATE)) / SAMPLE_RATE
    response = np.zeros(len(response_time))
    # Partials of a small gong bell, off by some per cent in each.
    for ratio in (1.0, 1.5, 2.0, 2.74, 3.76, 5.4):
        frequency = base * ratio * generator.uniform(0.95, 1.05)
        if frequency < SAMPLE_RATE / 2 - 200:
            partial = np.sin(2 * np.pi * frequency * response_time + generator.uniform(0, 6))
            response += (
                generator.uniform(0.2, 1) * partial * np.exp(-response_time * np.sqrt(ratio) / decay_s)
            )
    strikes = np.zeros(samples)
    places = np.cumsum(
        SAMPLE_RATE / strikes_hz * generator.normal(1, 0.02, int(samples / SAMPLE_RATE * strikes_hz * 1.2))
    )
    places = places[(places > 0) & (places < samples)].astype(int)
    strikes[places] = generator.uniform(0.7, 1, len(places))
    if generator.random() < 0.5:
        strikes *= (np.arange(samples) / SAMPLE_RATE) % generator.uniform(1, 4) < generator.uniform(0.4, 2)
    length = samples + len(response) - 1
    rung = np.fft.irfft(np.fft.rfft(strikes, length) * np.fft.rfft(response, length), length)[:samples]
    return np.asarray(rung, np.float64)


def _horn(generator: np.random.Generator, samples: int) -> Signal:
    """Return a buzzer or horn: a low tone rich in harmonics, steady or in blasts, as in factories and stairwells."""
    wobble = 1 + generator.uniform(0, 0.02) * np.sin(
        2 * np.pi * generator.uniform(3, 40) * np.arange(samples) / SAMPLE_RATE
    )
    blast = _tone(generator, generator.uniform(110, 900) * wobble)
    rough = 1 - generator.uniform(0, 0.9) * (
        np.arange(samples) * generator.uniform(40, 130) / SAMPLE_RATE % 1 < 0.5
    )
    return blast * rough * _pulses(generator, samples)


def _sounder(generator: np.random.Generator, samples: int) -> Signal:
    """Return an older smoke or evacuation alarm: one steady tone, a slow whoop, or two tones that warble."""
    pitch = generator.uniform(500, 3600)
    phase = _phase(generator, samples, 0.4, 3)
    match int(generator.integers(3)):
        case 0:
            return _tone(generator, np.full(samples, pitch)) * _pulses(generator, samples)
        case 1:
            return _tone(generator, min(pitch, 1200) * 2 ** (phase * generator.uniform(0.5, 1.3)))
        case _:
            return _tone(generator, np.where(phase < 0.5, pitch, pitch * generator.uniform(0.7, 0.95)))


def _phase(generator: np.random.Generator, samples: int, slowest: float, fastest: float) -> Signal:
    """Return where in its turn, 0 to 1, something is that repeats so many times a second."""
    turns = np.arange(samples) / SAMPLE_RATE * generator.uniform(slowest, fastest)
    return np.asarray((turns + generator.random()) % 1)


def _pulses(generator: np.random.Generator, samples: int) -> Signal:
    """Return 1 throughout, or blasts of a tenth of a second to two seconds."""
    if generator.random() < 0.5:
        return np.ones(samples)
    phase = _phase(generator, samples, 0.4, 5)
    return _smooth(phase < generator.uniform(0.3, 0.8))


def _tone(generator: np.random.Generator, frequency: Signal) -> Signal:
    """Return a tone of changing frequency with harmonics that fall off, none over half the sample rate."""
    phase = 2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE
    fall, odd = generator.uniform(0.7, 2.5), generator.random() < 0.4
    tone = np.zeros(len(frequency))
    for harmonic in range(1, 10):
        if odd and harmonic % 2 == 0:
            continue
        audible = frequency * harmonic < SAMPLE_RATE / 2 - 200
        weight = harmonic**-fall * generator.uniform(0.5, 1.5)
        tone += weight * audible * np.sin(harmonic * phase + generator.uniform(0, 6))
    drive = generator.uniform(0.5, 3)
    return np.asarray(np.tanh(drive * tone / (np.abs(tone).max() + 1e-9)))


def _smooth(on: NDArray[np.bool_]) -> Signal:
    return np.convolve(on.astype(np.float64), np.ones(48) / 48, mode="same")
