"""Made-up tones that are no alarms: chimes, tunes, whistles, bleeps and machines.

A plucked string has harmonics that fall with their number and die the sooner the higher; those of a stiff one, as in a
piano, lie a little too high: n f sqrt(1 + B n^2). The tines of a music box are bars held at one end, with modes at 1,
6.27 and 17.5 times the lowest. Keypads sound two tones at once, one for the row and one for the column (ITU-T Q.23).
Motors hum at the mains frequency and its multiples, and their fans add noise. Nothing here keeps to the three or four
pulses of smoke and CO alarms (ISO 8201): `_beeps` sees to that.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import oaconvolve

from ..augment import colour, simulate_room
from ..recordings import SAMPLE_RATE, Samples
from .knocks import LONGEST_S, finish
from .sounds import HIGHEST_HZ, Maker, Range, add, between, noise_band

Signal = NDArray[np.float64]
ROWS_HZ, COLUMNS_HZ = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
# Semitones above the lowest note: major, minor, and the black keys.
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9, 12, 14))
# The ratios of modes, and the decay of the lowest in seconds; organs and synthesizers hold their tone.
HARMONICS = tuple(range(1, 9))
INSTRUMENTS: dict[str, tuple[tuple[float, ...], Range | None]] = {
    "organ": (HARMONICS, None),
    "synthesizer": (HARMONICS, None),
    "plucked": (HARMONICS, (0.1, 0.5)),
    "piano": (tuple(n * (1 + 0.0004 * n**2) ** 0.5 for n in HARMONICS), (0.15, 0.8)),
    "music box": ((1, 6.27, 17.5), (0.2, 0.8)),
    "chime": ((1, 2.756, 5.404), (0.2, 1.0)),
}


def tune(generator: np.random.Generator) -> Samples:
    """Return a sound of one kind of `KINDS`, each as likely, in a room or none.

    The sound is [samples] at `SAMPLE_RATE`, 1 to 6 s long, of peak 1.
    """
    heard = KINDS[str(generator.choice(list(KINDS)))](generator)
    if generator.random() < 0.5:
        heard = oaconvolve(heard, simulate_room(generator))
    heard = colour(np.pad(heard, int(0.02 * SAMPLE_RATE)), generator)
    if generator.random() < 0.15:
        # A small loudspeaker at its limit.
        heard = np.tanh(heard / np.abs(heard).max() * generator.uniform(1, 4))
    return finish(heard)


def _steady(pitch: float, seconds: float) -> Signal:
    return np.full(max(64, int(seconds * SAMPLE_RATE)), float(pitch))


def _silence(generator: np.random.Generator) -> Samples:
    return np.zeros(int(generator.uniform(2, LONGEST_S) * SAMPLE_RATE), np.float32)


def _voice(frequency: Signal, weights: Signal) -> Samples:
    """Return a tone whose frequency [samples] changes, of harmonics [harmonics] below half the sample rate."""
    turns = np.cumsum(frequency) / SAMPLE_RATE
    tone = np.zeros(len(frequency), np.float32)
    for harmonic, weight in enumerate(weights, start=1):
        if weight > 0.003 and frequency.min() * harmonic < HIGHEST_HZ:
            # Whole turns are taken off before the sine is, so that single precision will do.
            part = np.sin(np.float32(2 * np.pi) * (harmonic * turns % 1).astype(np.float32))
            tone += np.float32(weight) * part * (frequency * harmonic < HIGHEST_HZ)
    return _eased(tone)


def _timbre(generator: np.random.Generator) -> Signal:
    """Return the weights of eight harmonics: between a sine, a square wave and a saw tooth."""
    weights: Signal = np.array(HARMONICS) ** -generator.uniform(0.8, 5)
    weights[1::2] *= generator.random() < 0.5
    return weights


def _eased(tone: Samples, seconds: float = 0.004) -> Samples:
    """Return a tone that starts and stops without a click."""
    edge = max(1, min(int(seconds * SAMPLE_RATE), len(tone) // 2))
    ramp = np.linspace(0, 1, edge, dtype=np.float32)
    tone[:edge] *= ramp
    tone[-edge:] *= ramp[::-1]
    return tone


def _notes(
    line: Samples, generator: np.random.Generator, name: str, score: list[tuple[float, float, float]]
) -> Samples:
    """Add notes of an instrument to a line: each starts at so many seconds, of so many hertz, for so many seconds."""
    ratios, decays = INSTRUMENTS[name]
    weights, decay_s = _timbre(generator), between(generator, *decays) if decays else 0
    known: dict[tuple[float, float], Samples] = {}
    for start, pitch, seconds in score:
        if (pitch, seconds) not in known:
            time = np.arange(
                int(min(4 * decay_s, 1.5) * SAMPLE_RATE) if decay_s else int(0.95 * seconds * SAMPLE_RATE)
            )
            time = (time / SAMPLE_RATE).astype(np.float32)
            note = np.zeros(len(time), np.float32)
            for ratio, weight in zip(ratios, weights, strict=False):
                if pitch * ratio < HIGHEST_HZ and weight > 0.01:
                    part = np.float32(weight) * np.sin(np.float32(2 * np.pi * pitch * ratio) * time)
                    note += part * np.exp(-time * np.float32(ratio**0.5 / decay_s)) if decay_s else part
            known[pitch, seconds] = _eased(note)
        add(line, generator.uniform(0.6, 1) * known[pitch, seconds], start)
    return line


def _melody(generator: np.random.Generator, name: str = "") -> Samples:
    """Return notes that wander along a scale, some of them chords, in beats and halves of them."""
    scale, line, time, degree = SCALES[int(generator.integers(3))], _silence(generator), 0.0, 3
    lowest, chords = between(generator, 110, 900), generator.uniform(0, 0.5)
    beat_s, score = between(generator, 0.15, 0.6), []
    while time < len(line) / SAMPLE_RATE - 0.2:
        seconds = beat_s * float(generator.choice([0.5, 1, 1, 2]))
        for above in (0, 2, 4) if generator.random() < chords else (0,):
            octave, step = divmod(degree + above, 7)
            score.append((time, lowest * 2 ** (octave + scale[step] / 12), seconds))
        time += seconds
        degree = int(np.clip(degree + generator.integers(-3, 4), 0, 9))
    return _notes(line, generator, name or str(generator.choice(list(INSTRUMENTS))), score)


def _ringtone(generator: np.random.Generator) -> Samples:
    """Return a short figure of notes again and again, with rests."""
    line, note_s, rest_s = _silence(generator), between(generator, 0.05, 0.25), generator.uniform(0, 1.2)
    figure = between(generator, 300, 1600) * 2 ** (
        generator.integers(0, 13, int(generator.integers(2, 12))) / 12
    )
    score = [
        (n * note_s + n // len(figure) * rest_s, float(figure[n % len(figure)]), note_s) for n in range(60)
    ]
    return _notes(line, generator, str(generator.choice(list(INSTRUMENTS))), score)


def _doorbell(generator: np.random.Generator) -> Samples:
    """Return two to four strokes of a chime, mostly downwards."""
    pitch, gap_s = between(generator, 350, 1300), generator.uniform(0.25, 0.9)
    steps = generator.integers(3, 6, int(generator.integers(1, 4))) * generator.choice([-1, -1, -1, 1])
    score = [(n * gap_s, pitch * 2 ** (s / 12), gap_s) for n, s in enumerate(np.cumsum([0, *steps]).tolist())]
    return _notes(
        _silence(generator), generator, str(generator.choice(["chime", "chime", "piano", "organ"])), score
    )


def _beeps(generator: np.random.Generator) -> Samples:
    """Return one group of the beeps of an appliance or a button."""
    count = int(generator.choice([1, 1, 2, 3, 4, 5, 6, 8]))
    on_s, off_s = between(generator, 0.03, 1.2), between(generator, 0.05, 1)
    if count in {3, 4}:
        # Three of half a second are a smoke alarm, four of a tenth with gaps as short a CO alarm.
        on_s, off_s = 1.0 if 0.3 < on_s < 0.75 else on_s, max(off_s, 0.3)
    beep = _voice(_steady(between(generator, 400, 4200), on_s), _timbre(generator))
    return np.tile(np.pad(beep, (0, int(off_s * SAMPLE_RATE))), count)


def _keypad(generator: np.random.Generator) -> Samples:
    """Return numbers that are dialled."""
    on_s, off_s = between(generator, 0.05, 0.3), between(generator, 0.04, 0.3)
    rows, columns = (generator.choice(each, 12) for each in (ROWS_HZ, COLUMNS_HZ))
    count = int(generator.integers(1, 13))
    return np.concatenate([_pair(*pair, on_s, off_s) for pair in zip(rows[:count], columns, strict=False)])


def _pair(first_hz: float, second_hz: float, on_s: float, off_s: float) -> Samples:
    """Return two tones at once, and a pause."""
    tones = _voice(_steady(first_hz, on_s), np.ones(1)) + _voice(_steady(second_hz, on_s), np.ones(1))
    return np.pad(tones, (0, int(off_s * SAMPLE_RATE)))


def _glide(generator: np.random.Generator, low: float, high: float, seconds: float, turn_s: float) -> Signal:
    """Return a frequency [samples] that goes from one to the next of some random ones."""
    turns = np.arange(0, seconds + 2 * turn_s, turn_s)
    pitches = generator.uniform(np.log(low), np.log(high), len(turns))
    return np.asarray(np.exp(np.interp(np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE, turns, pitches)))


def _whistle(generator: np.random.Generator) -> Samples:
    """Return a person who whistles: hardly a harmonic, some breath, one breath for some tones."""
    low = between(generator, 500, 1600)
    pitch = _glide(generator, low, low * generator.uniform(1.1, 2.2), generator.uniform(1.5, LONGEST_S), 0.3)
    breath = between(generator, 0.003, 0.1) * noise_band(generator, len(pitch), low, 2 * low)
    mouth = np.sin(np.arange(len(pitch)) / SAMPLE_RATE * generator.uniform(1, 9)) ** 2
    return np.asarray((_voice(pitch, np.array([1, 0.03])) + breath) * mouth**0.3, np.float32)


def _kettle(generator: np.random.Generator) -> Samples:
    """Return the whistle of a kettle, which creeps up to its pitch, in the noise of its steam."""
    pitch = _steady(between(generator, 1200, 3800), generator.uniform(2, LONGEST_S))
    pitch *= 1 - generator.uniform(0, 0.3) * np.exp(-np.linspace(0, between(generator, 1, 20), len(pitch)))
    steam = between(generator, 0.05, 1) * noise_band(generator, len(pitch), 800, 7000)
    return _eased(_voice(pitch, np.array([1, 0.2, 0.1])) + steam, generator.uniform(0.05, 1))


def _bird(generator: np.random.Generator) -> Samples:
    """Return phrases of a bird: short syllables, each a quick glide."""
    line, base, spread = _silence(generator), between(generator, 1800, 4500), generator.uniform(1.1, 1.7)
    time, seconds = 0.0, between(generator, 0.03, 0.25)
    calls = [_glide(generator, base / spread, base * spread, seconds, 0.04) for _ in range(3)]
    while time < len(line) / SAMPLE_RATE:
        call = _voice(calls[int(generator.integers(3))], np.array([1, 0.1]))
        add(line, _eased(call, seconds / 3), time)
        time += seconds * generator.uniform(1, 2) + generator.exponential(0.6) * (generator.random() < 0.3)
    return line


def _game(generator: np.random.Generator) -> Samples:
    """Return bleeps of a game: notes that jump from step to step, up for what was won."""
    semitones = np.cumsum(generator.integers(-4, 8, int(generator.integers(3, 30)))).clip(-12, 36)
    pitch = between(generator, 150, 900) * 2 ** (semitones / 12)
    return _voice(np.repeat(pitch, int(between(generator, 0.02, 0.15) * SAMPLE_RATE)), _timbre(generator))


def _machine(low_hz: float, high_hz: float, quietest: float, loudest: float) -> Maker:
    """Return a maker of a hum with harmonics and so much noise, which may start up."""

    def run(generator: np.random.Generator) -> Samples:
        speed = _steady(between(generator, low_hz, high_hz), generator.uniform(1.5, LONGEST_S))
        if generator.random() < 0.3 and high_hz > 120:
            speed *= 1 - np.exp(-np.linspace(0.1, between(generator, 2, 20), len(speed)))
        hum = _voice(speed, generator.lognormal(0, 1, 10) / np.arange(1, 11) ** generator.uniform(0.3, 2))
        air = noise_band(generator, len(speed), between(generator, 60, 800), between(generator, 1000, 7500))
        return _eased(hum / np.abs(hum).max() + np.float32(between(generator, quietest, loudest)) * air, 0.05)

    return run


def _ringback(generator: np.random.Generator) -> Samples:
    """Return what a caller hears while it rings: 425 Hz, or two tones, for a second or two in five."""
    pair = ((425, 425), (440, 480), (400, 450))[int(generator.integers(3))]
    return np.tile(_pair(*pair, generator.uniform(0.8, 2), generator.uniform(2, 4)), 2)


def _modem(generator: np.random.Generator) -> Samples:
    """Return data on a telephone line: a tone, tones shifted by bits, then noise of its band."""
    pair = np.array(((980.0, 1180.0), (1650.0, 1850.0), (1200.0, 2200.0))[int(generator.integers(3))])
    bits = np.repeat(generator.integers(0, 2, int(generator.integers(100, 900))), SAMPLE_RATE // 300)
    tones = np.append(_steady(2100, generator.uniform(0.3, 1.5)), pair[bits])
    hiss = noise_band(generator, int(generator.uniform(0.2, 2) * SAMPLE_RATE), 400, 3200)
    return np.concatenate([_voice(tones, np.ones(1)), hiss])


def _rise(generator: np.random.Generator) -> Samples:
    """Return a tone that rises once."""
    octaves = np.linspace(0, 1, len(_steady(0, between(generator, 0.2, 5)))) ** generator.uniform(0.4, 2.5)
    pitch = between(generator, 80, 1200) * 2 ** (generator.uniform(0.5, 2.5) * octaves)
    return _eased(_voice(pitch, _timbre(generator)), 0.03)


def _hinge(generator: np.random.Generator) -> Samples:
    """Return a hinge that sticks and slips some hundred times a second, now more, now less."""
    low = between(generator, 60, 700)
    slips = _glide(generator, low, low * generator.uniform(1.5, 4), generator.uniform(0.6, 3), 0.2)
    squeak = _voice(slips * generator.normal(1, 0.05, len(slips)), generator.lognormal(0, 1, 10))
    rough = np.abs(noise_band(generator, len(slips), 2, between(generator, 10, 60)))
    return np.asarray(squeak * (0.1 + rough), np.float32)


KINDS: dict[str, Maker] = {
    "ringtone": _ringtone,
    "doorbell": _doorbell,
    "beeps": _beeps,
    "keypad": _keypad,
    "music box": lambda generator: _melody(generator, "music box"),
    "melody": _melody,
    "whistle": _whistle,
    "kettle": _kettle,
    "bird": _bird,
    "game": _game,
    "hum": _machine(50, 120, 0.001, 0.1),
    "motor": _machine(80, 400, 0.05, 0.6),
    "fan": _machine(60, 250, 0.5, 4),
    "vacuum cleaner": _machine(200, 700, 0.5, 6),
    "ring-back": _ringback,
    "modem": _modem,
    "rise": _rise,
    "hinge": _hinge,
}
