"""Gunshots and breaking glass, of which there are far too few recordings.

Every draw is another weapon or another pane, in another place, before another microphone. Some are like nothing that
was ever heard: the teachers are to judge all of them before anything learns from them.
"""

from collections.abc import Callable

import numpy as np
from scipy.signal import butter, oaconvolve, sosfilt

from ..augment import colour, simulate_room
from ..recordings import SAMPLE_RATE, Samples
from .sounds import add, between

SHORTEST_S, LONGEST_S = 0.3, 4.0
LEAD_S = 0.04
# Modes and tails are cut where they have fallen this many nepers (43 dB).
NEPERS = 5.0
# The filters of `colour` ring ahead, and around the end.
RINGING = int(0.1 * SAMPLE_RATE)


def gunshot(generator: np.random.Generator) -> Samples:
    """Return one shot or some, of one weapon in one place.

    Muzzle blast and shock wave after R. C. Maher, "Acoustical characterization of gunshots", IEEE SAFE 2007.
    """
    make = _played_shot if generator.random() < 0.25 else _real_shot(generator)
    times = _firing_times(generator)
    place = _place(generator, last=LONGEST_S - times[-1] - 0.1)
    line = np.zeros(int((times[-1] + 1.1) * SAMPLE_RATE), np.float32)
    for time in times:
        add(line, make(generator) * generator.uniform(0.75, 1), time)
    heard = oaconvolve(line, place)
    if generator.random() < 0.4:
        # The bolt, the pump, the case on the floor.
        loudness = np.abs(heard).max() * generator.uniform(0.01, 0.15)
        for _ in range(int(generator.integers(1, 4))):
            click = _burst(generator, between(generator, 0.001, 0.008))
            add(heard, loudness * click, times[-1] + generator.uniform(0.05, 0.6))
    if generator.random() < 0.4:
        heard = _low_pass(heard, between(generator, 1500, 7500), int(generator.integers(1, 3)))
    return _finish(_overload(colour(np.pad(heard, RINGING), generator), generator), generator)


def glass_break(generator: np.random.Generator) -> Samples:
    """Return glass that breaks: a blow, a crack, a shower of shards that ring, and at times their fall.

    Shards are particles that ring by chance, as in P. R. Cook, "Physically informed sonic modeling (PhISM)", Computer
    Music Journal 21(3), 1997.
    """
    line = np.zeros(int(LONGEST_S * SAMPLE_RATE), np.float32)
    thing = generator.choice(list(THINGS))
    shards, decay_s, spread_s, *modes_hz = (between(generator, *span) for span in THINGS[thing])
    add(line, _impact(generator), 0)
    if generator.random() < 0.75:
        # Splinters too small to ring for themselves.
        dust = _burst(generator, between(generator, 0.015, 0.2), between(generator, 1500, 7800))
        add(line, between(generator, 0.5, 10) * dust, 0)
    # What did not burst at the blow may burst on the floor.
    again = generator.uniform(0.15, 1.3, int(generator.integers(1, 3))) if generator.random() < 0.35 else ()
    for after in (generator.uniform(0, 0.012), *again):
        loudness = 1 if after < 0.1 else generator.uniform(0.2, 0.9)
        count = int(shards * loudness)
        for time in generator.exponential(spread_s, count) * generator.random(count) ** 0.5:
            strength = loudness * generator.lognormal(0, 0.8) * np.exp(-time / (1.5 * spread_s))
            add(line, strength * _shard(generator, decay_s, *modes_hz), after + time)
    if generator.random() < 0.55:
        _fall(line, generator, decay_s * generator.uniform(0.7, 1.6), modes_hz[1])
    if generator.random() < 0.5:
        line = oaconvolve(line, simulate_room(generator))
    heard = colour(np.pad(line, RINGING), generator)
    return _finish(_overload(heard, generator) if generator.random() < 0.4 else heard, generator)


# Number of shards, mean decay of a mode, spread of the shards in time, lowest and highest mode: the ranges of each.
THINGS = {
    "window": ((60, 220), (0.006, 0.03), (0.05, 0.3), (1200, 2500), (5500, 7900)),
    "bottle": ((40, 150), (0.006, 0.035), (0.03, 0.2), (1400, 3000), (5000, 7900)),
    "drinking glass": ((25, 110), (0.008, 0.045), (0.03, 0.2), (2000, 4000), (6000, 7900)),
    "plate glass": ((120, 260), (0.005, 0.025), (0.1, 0.5), (1200, 1800), (5000, 7900)),
    "windscreen": ((150, 350), (0.004, 0.01), (0.04, 0.2), (1200, 2000), (4500, 7500)),
}


def _low_pass(samples: Samples, frequency: float, order: int = 1) -> Samples:
    return np.asarray(sosfilt(butter(order, frequency, fs=SAMPLE_RATE, output="sos"), samples), np.float32)


def _burst(generator: np.random.Generator, decay_s: float, frequency: float = 0) -> Samples:
    """Return noise that decays, of peak one; below a frequency where one is given."""
    samples = max(32, int(NEPERS * decay_s * SAMPLE_RATE))
    noise = generator.standard_normal(samples, dtype=np.float32)
    if frequency:
        noise = _low_pass(noise, min(frequency, 7800.0))
    noise *= np.exp(-np.arange(samples, dtype=np.float32) / np.float32(decay_s * SAMPLE_RATE))
    noise /= np.abs(noise).max()
    return noise


def _firing_times(generator: np.random.Generator) -> list[float]:
    """Return when the shots of one clip are fired."""
    kind = generator.random()
    if kind < 0.6:
        return [0.0]
    if kind < 0.72:
        return [0.0, generator.uniform(0.12, 0.6)]
    gap = 60 / between(generator, 60, 1200)
    rounds = int(min(float(generator.integers(2, 11)), 1 + 2.6 // gap))
    return [0.0, *np.cumsum(gap * generator.uniform(0.96, 1.04, max(1, rounds - 1))).tolist()]


def _real_shot(generator: np.random.Generator) -> Callable[[np.random.Generator], Samples]:
    """Return a weapon: its shots vary a little."""
    positive_s = between(generator, 0.0002, 0.004)
    gas_s, gas_hz = between(generator, 0.025, 0.18), between(generator, 2000, 7800)
    gas = between(generator, 0.6, 4)
    # A bullet faster than sound is heard before the blast that follows it, and a suppressor takes only the blast.
    crack = generator.uniform(0.2, 1.2) if generator.random() < 0.35 else 0.0
    ahead_s = between(generator, 0.002, 0.06) if crack else 0.0
    wave_s = between(generator, 0.00015, 0.0005)
    blast = generator.uniform(0.1, 0.4) if generator.random() < 0.12 else 1.0
    # Large charges boom for longer than the wave itself: the ground and whatever stands there sound along.
    boom = between(generator, 0.2, 5) if generator.random() < 0.5 else 0.0
    boom_s, boom_hz = between(generator, 0.02, 0.2), between(generator, 60, 300)

    def fire(generator: np.random.Generator) -> Samples:
        seconds = ahead_s + NEPERS * max(gas_s, boom_s) + 0.05
        shot = np.zeros(int(seconds * SAMPLE_RATE), np.float32)
        add(shot, blast * _friedlander(positive_s * generator.uniform(0.9, 1.1)), ahead_s)
        add(shot, gas * blast * _burst(generator, gas_s, gas_hz), ahead_s)
        add(shot, boom * blast * _burst(generator, boom_s, boom_hz), ahead_s)
        add(shot, crack * np.linspace(1, -1, max(3, int(wave_s * SAMPLE_RATE)), dtype=np.float32), 0)
        return shot

    return fire


def _friedlander(positive_s: float) -> Samples:
    """Return the pressure behind a blast: (1 - t / T) exp(-t / T) (F. G. Friedlander, 1946)."""
    time = np.arange(int(8 * positive_s * SAMPLE_RATE) + 2) / (positive_s * SAMPLE_RATE)
    return np.asarray((1 - time) * np.exp(-time), np.float32)


def _played_shot(generator: np.random.Generator) -> Samples:
    """Return a shot as games have it: a clipped burst of noise over a thump that falls in pitch."""
    body = _burst(generator, between(generator, 0.04, 0.2), between(generator, 800, 7000))
    body = np.clip(body * generator.uniform(2, 10), -1, 1)
    time = np.arange(int(0.25 * SAMPLE_RATE)) / SAMPLE_RATE
    low, fall = generator.uniform(40, 120), generator.uniform(1, 4)
    phase = 2 * np.pi * low * (time + fall * 0.03 * (1 - np.exp(-time / 0.03)))
    thump = np.sin(phase) * np.exp(-time / between(generator, 0.02, 0.08))
    shot = np.pad(body, (0, max(0, len(thump) - len(body))))
    add(shot, (generator.uniform(0.1, 0.8) * thump).astype(np.float32), 0)
    return shot


def _place(generator: np.random.Generator, last: float) -> Samples:
    """Return what a place answers to a click: the click, single echoes, a tail whose treble dies first."""
    outdoors = generator.random() < 0.65
    decay_s = between(generator, 0.06, 0.5) if outdoors else between(generator, 0.06, 0.3)
    response = np.zeros(int(min(NEPERS * decay_s + 0.3, max(last, 0.3)) * SAMPLE_RATE), np.float32)
    response[0] = 1
    for _ in range(int(generator.integers(0, 6)) if outdoors else int(generator.integers(2, 9))):
        echo = generator.uniform(-0.2, 0.7) * _burst(generator, 0.0008, 3000)
        add(response, echo, between(generator, 0.001, 0.25 if outdoors else 0.03))
    # The tail's energy against the blast's says how far away the weapon is.
    energy = 10 ** (generator.uniform(-8, 10) / 10)
    treble, highest = generator.uniform(0.1, 0.7), between(generator, 2500, 7800)
    tail = _burst(generator, decay_s, between(generator, 400, 2500)) * generator.uniform(0.2, 1)
    add(tail, _burst(generator, decay_s * treble, highest), 0)
    tail *= np.sqrt(energy / np.square(tail).sum())
    add(response, tail, generator.uniform(0, 0.01))
    return response


def _overload(heard: Samples, generator: np.random.Generator) -> Samples:
    """Return what a microphone too near makes of it: clipped, or turned down right after the bang."""
    heard = heard / np.abs(heard).max()
    how = generator.random()
    if how < 0.55:
        heard = np.tanh(heard * between(generator, 2, 30))
    elif how < 0.85:
        heard = np.clip(heard / between(generator, 0.05, 0.5), -1, 1)
    if generator.random() < 0.2:
        kept = float(np.exp(-1 / (between(generator, 0.05, 0.5) * SAMPLE_RATE)))
        loud = np.maximum(np.abs(heard) - generator.uniform(0.1, 0.5), 0)
        level = sosfilt([[1 - kept, 0, 0, 1, -kept, 0]], loud)
        heard = heard / (1 + generator.uniform(5, 30) * level)
    return heard.astype(np.float32)


def _impact(generator: np.random.Generator) -> Samples:
    """Return the blow: a thud of what is hit and the crack that runs through it."""
    time = np.arange(int(0.15 * SAMPLE_RATE)) / SAMPLE_RATE
    blow = np.zeros(len(time), np.float32)
    loudness = between(generator, 0.3, 20)
    for _ in range(int(generator.integers(1, 5))):
        tone = np.sin(2 * np.pi * between(generator, 100, 1500) * time + generator.uniform(0, 6))
        tone *= loudness * generator.random() * np.exp(-time / between(generator, 0.005, 0.03))
        blow += tone.astype(np.float32)
    add(blow, generator.uniform(0.5, 6) * _burst(generator, between(generator, 0.001, 0.015)), 0)
    return blow


def _shard(generator: np.random.Generator, decay_s: float, lowest: float, highest: float) -> Samples:
    """Return a shard that is struck: modes in no harmony, the higher the shorter."""
    modes = int(generator.integers(2, 8))
    pitch = generator.uniform(lowest, highest, modes).astype(np.float32)
    decays = np.clip(decay_s * generator.lognormal(0, 0.5, modes) * np.sqrt(3000 / pitch), 0.003, 0.15)
    samples = int(NEPERS * decays.max() * SAMPLE_RATE)
    time = np.arange(samples, dtype=np.float32) / np.float32(SAMPLE_RATE)
    tones = np.sin(np.float32(2 * np.pi) * pitch[:, None] * time)
    tones *= np.exp(-time / decays[:, None].astype(np.float32))
    return np.asarray(generator.uniform(0.2, 1, modes).astype(np.float32) @ tones)


def _fall(line: Samples, generator: np.random.Generator, decay_s: float, highest: float) -> None:
    """Add shards that fall to the floor, and some that jump once more."""
    start, spread = generator.uniform(0.1, 0.9), between(generator, 0.05, 0.6)
    loudness = generator.uniform(0.1, 0.9)
    for time in start + generator.exponential(spread, int(generator.integers(3, 30))):
        shard = loudness * generator.lognormal(0, 0.7) * _shard(generator, min(decay_s, 0.06), 2000, highest)
        add(line, shard, time)
        if generator.random() < 0.4:
            add(line, 0.4 * shard, time + generator.uniform(0.03, 0.15))


def _finish(heard: Samples, generator: np.random.Generator) -> Samples:
    """Return the sound of peak one, cut to what can be heard of it."""
    level = np.abs(heard) / np.abs(heard).max()
    start = max(0, int(np.argmax(level > 0.03)) - int(generator.uniform(0, LEAD_S) * SAMPLE_RATE))
    stop = len(heard) - int(np.argmax(level[::-1] > 0.004))
    sound = heard[start : min(stop, start + int(LONGEST_S * SAMPLE_RATE))]
    sound = np.pad(sound, (0, max(0, int(SHORTEST_S * SAMPLE_RATE) - len(sound))))
    fade = int(0.05 * SAMPLE_RATE)
    sound[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return np.asarray(sound / np.abs(sound).max(), np.float32)
