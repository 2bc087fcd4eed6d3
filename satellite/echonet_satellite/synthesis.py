"""Built-in sounds, made by formula from a seed, so that a demonstration needs no recordings."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .audio import SAMPLE_RATE
from .frontend import Floats
from .protocol import SoundClass

Signal = NDArray[np.floating]
Random = np.random.Generator

_NYQUIST: Final = SAMPLE_RATE / 2


@dataclass(frozen=True, slots=True)
class Scene:
    """Sounds in a room, and when each begins."""

    samples: Floats
    sounds: tuple[tuple[SoundClass, float], ...]


def temporal_alarm(
    random: Random,
    duration_s: float,
    *,
    beeps: int,
    on_s: float,
    off_s: float,
    pause_s: float,
    pitch: float = 3100.0,
) -> Floats:
    """Return an alarm of groups of beeps; `pause_s` is the silence after the last beep of a group."""
    gate = np.zeros(_samples(duration_s))
    start = 0.0
    while _samples(start) < gate.size:
        for beep in range(beeps):
            gate[_samples(start) : _samples(start + on_s)] = 1
            start += on_s + (off_s if beep < beeps - 1 else pause_s)
    # A piezo sounder needs some milliseconds to start and to stop.
    return _normal(_smooth(gate, 0.004) * _sounder(random, gate.size, pitch))


def smoke_alarm(random: Random, duration_s: float = 12.0, *, pitch: float = 3100.0) -> Floats:
    """Return T3: three beeps of half a second, then a pause of 1.5 s."""
    return temporal_alarm(random, duration_s, beeps=3, on_s=0.5, off_s=0.5, pause_s=1.5, pitch=pitch)


def co_alarm(random: Random, duration_s: float = 12.0, *, pitch: float = 3100.0) -> Floats:
    """Return T4: four beeps of 100 ms, then a pause of 5 s."""
    return temporal_alarm(random, duration_s, beeps=4, on_s=0.1, off_s=0.1, pause_s=5.0, pitch=pitch)


def alarm_clock(random: Random, duration_s: float = 6.0, *, pitch: float = 2048.0) -> Floats:
    """Return four quick beeps each second."""
    return temporal_alarm(random, duration_s, beeps=4, on_s=0.07, off_s=0.055, pause_s=0.555, pitch=pitch)


def siren(random: Random, duration_s: float = 8.0, *, two_tone: bool = False) -> Floats:
    """Return a siren that wails between 600 and 1400 Hz, or changes between two tones."""
    time = _time(duration_s)
    if two_tone:
        pitch = np.where((time * 2).astype(int) % 2, 960.0, 770.0)
        pitch = _smooth(pitch, 0.01)
    else:
        period = random.uniform(3.0, 5.0)
        pitch = 1000.0 * 1.5 ** np.sin(2 * np.pi * time / period - np.pi / 2)
    return _normal(_harmonics(pitch, [1.0, 0.5, 0.35, 0.2, 0.12]))


def gunshot(random: Random) -> Floats:
    """Return a blast: a sharp N-shaped wave, a short body with a crack, and the echo of a street."""
    size = _samples(1.6)
    time = np.arange(size) / SAMPLE_RATE
    wave = np.zeros(size)
    length = _samples(0.0035)
    wave[:length] = np.linspace(1, -0.7, length) * np.exp(-np.linspace(0, 2, length))
    body = _coloured(random, size, slope=-1.0) * np.exp(-time / random.uniform(0.008, 0.012))
    crack = random.standard_normal(size) * np.exp(-time / 0.016)
    tail = _coloured(random, size, slope=-1.7) * np.exp(-time / random.uniform(0.08, 0.12))
    tail *= 1 - np.exp(-time / 0.03)
    blast = 3.0 * wave + body / _peak(body) + 0.9 * crack / _peak(crack) + 0.15 * tail / _peak(tail)
    for _ in range(6):
        delay = _samples(random.uniform(0.02, 0.5))
        blast[delay:] += random.uniform(0.02, 0.08) * blast[: size - delay]
    # A microphone near a shot is driven beyond its limit.
    return _normal(np.tanh(6.0 * blast))


def glass_break(random: Random) -> Floats:
    """Return a pane that breaks: the blow, then many bright shards that ring and fall."""
    size = _samples(1.6)
    time = np.arange(size) / SAMPLE_RATE
    glass = 1.2 * random.standard_normal(size) * np.exp(-time / 0.012)
    glass += 0.5 * _coloured(random, size, slope=3.0) * np.exp(-time / 0.12)
    for _ in range(220):
        onset = float(np.minimum(random.exponential(0.16), 1.2))
        pitch = np.exp(random.uniform(np.log(1800), np.log(7800)))
        decay = random.uniform(0.01, 0.12) * (3000 / pitch) ** 0.5
        start = _samples(onset)
        ring = np.sin(2 * np.pi * pitch * time[: size - start] + random.uniform(0, 6.3))
        glass[start:] += (
            random.exponential(0.22) * np.exp(-onset / 0.6) * ring * np.exp(-time[: size - start] / decay)
        )
    return _normal(np.tanh(1.2 * glass))


def dog_bark(random: Random, *, barks: int = 3) -> Floats:
    """Return a dog that barks: short cries whose pitch jumps up and falls, with much breath in them."""
    cries = []
    for _ in range(barks):
        length = random.uniform(0.175, 0.235)
        time = _time(length)
        rise = np.minimum(time / 0.1, 1)
        pitch = random.uniform(610, 670) * (0.45 + 0.55 * rise - 0.4 * np.maximum(0, time / length - 0.66))
        # No throat holds a bark's pitch still.
        pitch *= 1 + 0.55 * _smooth(random.standard_normal(time.size), 0.004)
        voice = _harmonics(pitch, 1 / np.arange(1, 30) ** 0.6)
        voice = _formants(
            voice + 0.4 * voice.std() * random.standard_normal(time.size),
            [(700, 360, 1.0), (1350, 470, 1.35), (2400, 900, 0.02)],
        )
        bark = np.tanh(0.5 * _normal(voice * _swell(time.size, 0.04, 0.15)))
        cries += [bark, np.zeros(_samples(random.uniform(0.36, 0.53)))]
    return _normal(np.concatenate(cries))


def baby_cry(random: Random, *, cries: int = 6) -> Floats:
    """Return a baby that cries: half a second of a gliding voice, a breath, and again."""
    parts: list[Signal] = []
    base = random.uniform(470, 519)
    for _ in range(cries):
        length = random.uniform(0.42, 0.6)
        time = _time(length)
        arch = np.sin(np.pi * np.minimum(time / length * 0.9 + 0.05, 1))
        pitch = base * (0.72 + 0.34 * arch)
        pitch *= 1 + 0.023 * _smooth(random.standard_normal(time.size), 0.02)
        voice = _rough(random, _harmonics(pitch, 1 / np.arange(1, 18) ** 0.29), 0.0)
        voice = _formants(
            voice + 0.02 * voice.std() * random.standard_normal(time.size),
            [(1582, 118, 1.0), (2072, 177, 0.12), (3249, 259, 0.88)],
        )
        cry = np.tanh(3.8 * _normal(voice * _swell(time.size, 0.11, 0.3)))
        parts.append(_normal(cry).astype(np.float64))
        breath = _time(random.uniform(0.17, 0.25))
        noise = _formants(random.standard_normal(breath.size), [(1600, 700, 1.0), (3500, 900, 0.5)])
        parts.append(0.13 * _normal(noise * np.sin(np.pi * breath / breath[-1]) ** 2))
    return _normal(np.concatenate(parts))


def scream(random: Random) -> Floats:
    """Return a scream: a high voice, driven beyond its limit, that rises steeply and breaks off."""
    length = random.uniform(0.8, 0.92)
    time = _time(length)
    arch = np.sin(np.pi * np.minimum(time / length * 0.9 + 0.05, 1)) ** 0.735
    pitch = random.uniform(955, 1075) * (0.8 + 0.29 * arch)
    pitch *= 1 + 0.035 * _smooth(random.standard_normal(time.size), 0.035)
    voice = _harmonics(pitch, np.arange(1, 12, dtype=np.float64) ** -0.61)
    voice = _formants(voice, [(950, 435, 1.0), (2010, 650, 1.3), (4055, 870, 0.74)])
    return _normal(np.tanh(6.5 * _normal(voice * _swell(time.size, 0.085, 0.14))))


def fire(random: Random, duration_s: float = 6.0) -> Floats:
    """Return a fire: a low roar, and many crackles of different size."""
    size = _samples(duration_s)
    roar = _coloured(random, size, slope=-6.0)
    flicker = 1 + 0.5 * _normal(_smooth(random.standard_normal(size), 0.15))
    sound = 0.05 * flicker * roar / roar.std()
    for _ in range(int(28 * duration_s)):
        start = int(random.integers(0, size - 800))
        length = int(random.integers(20, 500))
        crack = random.standard_normal(length) * np.exp(-np.arange(length) / (length / 5))
        sound[start : start + length] += 0.15 * random.pareto(1.6) * crack / _peak(crack)
    return _normal(np.tanh(1.5 * sound))


def footsteps(random: Random, *, steps: int = 8) -> Floats:
    """Return somebody who walks on a wooden floor: heel and sole, twice a second."""
    interval = random.uniform(0.5, 0.6)
    size = _samples(steps * interval + 0.5)
    sound = np.zeros(size)
    for step in range(steps):
        start = step * interval + random.uniform(0, 0.04)
        for delay, strength in ((0.0, 1.0), (random.uniform(0.07, 0.1), 0.45)):
            first = _samples(start + delay)
            time = np.arange(min(size - first, _samples(0.2))) / SAMPLE_RATE
            thud = np.sin(2 * np.pi * random.uniform(95, 130) * time) * np.exp(-time / 0.03)
            wood = _formants(
                random.standard_normal(time.size) * np.exp(-time / 0.015),
                [(400, 250, 1.0), (1100, 600, 0.6), (2800, 1500, 0.35)],
            )
            sound[first : first + time.size] += (
                strength * random.uniform(0.7, 1) * (0.6 * thud + wood / _peak(wood))
            )
    return _normal(sound)


def knocks(random: Random, *, count: int = 4) -> Floats:
    """Return knocks on a wooden door."""
    size = _samples(0.22 * count + 0.5)
    sound = np.zeros(size)
    for index in range(count):
        first = _samples(0.2 * index + random.uniform(0, 0.03))
        time = np.arange(min(size - first, _samples(0.25))) / SAMPLE_RATE
        knock = random.standard_normal(time.size) * np.exp(-time / 0.004)
        for pitch, decay in ((180, 0.035), (340, 0.025), (720, 0.015), (1500, 0.008)):
            knock += np.sin(2 * np.pi * pitch * random.uniform(0.95, 1.05) * time) * np.exp(-time / decay)
        sound[first : first + time.size] += random.uniform(0.8, 1) * knock
    return _normal(sound)


def room_tone(random: Random, duration_s: float, level_dbfs: float = -60.0) -> Floats:
    """Return the murmur of a quiet room."""
    tone = _coloured(random, _samples(duration_s), slope=-4.5)
    return np.asarray(tone / tone.std() * 10 ** (level_dbfs / 20), np.float32)


def with_echo(random: Random, samples: Floats, reverberation_s: float, *, direct_db: float = 6.0) -> Floats:
    """Return a sound as a room gives it back: the direct sound, and noise that decays by 60 dB as the echo.

    `direct_db` is how much stronger the direct sound is than the whole echo: less, the further away it is.
    """
    time = _time(reverberation_s)
    echo = random.standard_normal(time.size) * 10 ** (-3 * time / reverberation_s)
    echo[: _samples(0.003)] = 0
    echo *= 10 ** (-direct_db / 20) / np.sqrt(np.sum(echo**2))
    echo[0] = 1.0
    size = samples.size + echo.size - 1
    padded = 1 << (size - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples, padded) * np.fft.rfft(echo, padded), padded)[:size]
    return _normal(wet)


def demo_scene(seed: int = 2) -> Scene:
    """Return the scene of the demonstration: each sound in a living room, with quiet between."""
    random = np.random.default_rng(seed)
    sounds = (
        (SoundClass.ALARM, smoke_alarm(random, 11.5)),
        (SoundClass.GLASS_BREAK, glass_break(random)),
        (SoundClass.DOG, dog_bark(random)),
        (SoundClass.BABY_CRY, baby_cry(random)),
        (SoundClass.GUNSHOT, gunshot(random)),
        (SoundClass.SCREAM, scream(random)),
    )
    pieces: list[Floats] = [np.zeros(_samples(_DEMO_LEAD_S), np.float32)]
    times: list[tuple[SoundClass, float]] = []
    for sound_class, dry in sounds:
        times.append((sound_class, sum(piece.size for piece in pieces) / SAMPLE_RATE))
        pause = np.zeros(_samples(_DEMO_PAUSE_S[sound_class]), np.float32)
        pieces += [0.5 * with_echo(random, dry, 0.35), pause]
    samples = np.concatenate(pieces)
    samples += room_tone(random, samples.size / SAMPLE_RATE)[: samples.size]
    return Scene(samples.astype(np.float32), tuple(times))


_DEMO_LEAD_S: Final = 3.0
# Longer than the hold of the class, so that its end is seen before the next sound.
_DEMO_PAUSE_S: Final = dict.fromkeys(SoundClass, 3.0) | {SoundClass.ALARM: 7.5, SoundClass.BABY_CRY: 4.5}


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def _time(seconds: float) -> Signal:
    return np.arange(_samples(seconds)) / SAMPLE_RATE


def _peak(signal: Signal) -> float:
    return float(np.abs(signal).max())


def _normal(signal: Signal | Floats) -> Floats:
    """Return a signal whose loudest sample is 0.95."""
    return (signal * (0.95 / max(float(np.abs(signal).max()), 1e-9))).astype(np.float32)


def _smooth(signal: Signal, seconds: float) -> Signal:
    """Return the moving average over a time."""
    width = max(1, _samples(seconds))
    sums = np.cumsum(
        np.concatenate((np.zeros(1), np.pad(signal, (width // 2, width - width // 2 - 1), "edge")))
    )
    return (sums[width:] - sums[:-width]) / width


def _coloured(random: Random, size: int, slope: float) -> Signal:
    """Return noise whose power changes by `slope` dB an octave, between 30 Hz and the upper end."""
    spectrum = np.fft.rfft(random.standard_normal(size))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / SAMPLE_RATE), 30.0) / 1000.0)
    return np.asarray(np.fft.irfft(spectrum * 10 ** (slope * octaves / 20), size))


def _harmonics(pitch: Signal, weights: NDArray[np.float64] | list[float]) -> Signal:
    """Return a tone of changing pitch in hertz with its harmonics, as far as the rate allows."""
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    tone = np.zeros(pitch.size)
    for number, weight in enumerate(weights, 1):
        tone += weight * np.sin(number * phase) * (number * pitch < _NYQUIST - 200)
    return tone


def _sounder(random: Random, size: int, pitch: float) -> Signal:
    """Return a piezo tone: a low one is a square wave, a high one nearly pure."""
    weights = [1, 0, 0.33, 0, 0.2, 0, 0.14, 0, 0.1] if pitch < 1000 else [1.0, random.uniform(0.05, 0.25)]
    return _harmonics(np.full(size, pitch), weights)


def _rough(random: Random, voice: Signal, depth: float) -> Signal:
    """Return a voice that is strained: its strength trembles irregularly, fifty times a second or so."""
    tremble = _smooth(random.standard_normal(voice.size), 0.008)
    return np.asarray(voice * (1 + depth * tremble / tremble.std()))


def _formants(signal: Signal, formants: list[tuple[float, float, float]]) -> Signal:
    """Return a signal through resonances (frequency, bandwidth, strength), as a throat or a box makes them."""
    size = 1 << (2 * signal.size - 1).bit_length()
    frequency = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    gain = np.full(frequency.size, 0.02)
    for centre, width, strength in formants:
        gain += strength / np.sqrt(1 + ((frequency - centre) / (width / 2)) ** 2)
    return np.asarray(np.fft.irfft(np.fft.rfft(signal, size) * gain, size)[: signal.size])


def _swell(size: int, attack_s: float, release_s: float) -> Signal:
    """Return an envelope that rises and falls smoothly."""
    time = np.arange(size) / SAMPLE_RATE
    rise = np.clip(time / attack_s, 0, 1)
    fall = np.clip((size / SAMPLE_RATE - time) / release_s, 0, 1)
    return np.asarray(np.sin(np.pi / 2 * rise) ** 2 * np.sin(np.pi / 2 * fall) ** 2)
