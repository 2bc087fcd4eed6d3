"""Made-up knocks: impacts that are near gunshots and breaking glass, and are neither.

A struck body rings in its modes: those of a bar lie at 1, 2.76, 5.40 and 8.93 times the lowest, those of a membrane at
1, 1.59, 2.14 and 2.30, those of plates and boxes about evenly. Wood and plastic take the energy within hundredths of a
second, the higher modes first; metal and china keep it for longer. The longer striker and body touch, the duller the
blow: contact of T seconds hardly moves what is faster than 1 / T. What rings in no mode, such as hands, cloth or
air let loose, is noise in a band that swells for as long and dies away. A ball that keeps the share e of its speed
takes e times as long for every next bounce.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import oaconvolve

from ..augment import colour
from ..recordings import SAMPLE_RATE, Samples
from .sounds import HIGHEST_HZ, Maker, Range, add, between, noise_band

SHORTEST_S, LONGEST_S = 1.0, 6.0
# Bursts are cut where they have fallen by so many nepers (52 dB).
NEPERS = 6.0
LONGEST_RING_S = 2.5
# A series repeats so many different blows at most, each time as strong as chance has it.
DIFFERENT_BLOWS = 10
BAR = (1.0, 2.756, 5.404, 8.933, 13.34)
MEMBRANE = (1.0, 1.594, 2.136, 2.296, 2.653, 2.918, 3.156, 3.501)

Rhythm = Callable[[np.random.Generator], NDArray[np.float64]]


def knock(generator: np.random.Generator) -> Samples:
    """Return a blow or a series of blows of one kind of `KINDS`, each as likely, in a room or none.

    The sound is [samples] at `SAMPLE_RATE`, `SHORTEST_S` to `LONGEST_S` long, of peak 1.
    """
    heard = KINDS[str(generator.choice(list(KINDS)))](generator)
    if generator.random() < 0.7:
        heard = oaconvolve(heard, _room(generator))
    heard = colour(np.pad(heard, int(0.02 * SAMPLE_RATE)), generator)
    if generator.random() < 0.25:
        # Too near to the microphone.
        heard = np.tanh(heard / np.abs(heard).max() * between(generator, 1.5, 10))
    return finish(heard)


def finish(heard: Samples) -> Samples:
    """Return a sound [samples] of peak 1, cut and padded to `SHORTEST_S` to `LONGEST_S`, its end faded."""
    level = np.abs(heard)
    stop = len(heard) - int(np.argmax(level[::-1] > 0.002 * level.max()))
    sound = np.array(heard[: min(stop, int(LONGEST_S * SAMPLE_RATE))], np.float32)
    fade = min(len(sound), int(0.03 * SAMPLE_RATE))
    sound[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    sound = np.pad(sound, (0, max(0, int(SHORTEST_S * SAMPLE_RATE) - len(sound))))
    return np.asarray(sound / np.abs(sound).max(), np.float32)


def _room(generator: np.random.Generator) -> Samples:
    """Return what a room answers to a click: the click, then a tail that falls by 60 dB in 0.1 to 1 s."""
    decay_s = between(generator, 0.1, 1)
    response = noise_band(generator, int(decay_s * SAMPLE_RATE), 150, between(generator, 1500, HIGHEST_HZ))
    response *= np.logspace(0, -3, len(response), dtype=np.float32)
    response[: int(generator.uniform(0.001, 0.01) * SAMPLE_RATE)] = 0
    response *= np.sqrt(10 ** (generator.uniform(-15, 5) / 10) / np.square(response).sum())
    response[0] = 1
    return response


class _Body(NamedTuple):
    """What is struck, as ranges that single bodies are drawn from."""

    modes: tuple[int, int] = (0, 0)
    lowest_hz: Range = (100, 200)
    highest_hz: Range = (2000, 4000)
    decay_s: Range = (0.01, 0.05)
    contact_s: Range = (0.0002, 0.001)
    # The noise of a blow: its peak against that of the modes, its decay and its band.
    noise: Range = (0.05, 0.5)
    noise_s: Range = (0.002, 0.01)
    low_hz: Range = (100, 500)
    high_hz: Range = (2000, 7000)
    # Modes in these ratios to the lowest, or evenly; and how far they fall in pitch as a membrane slackens.
    ratios: tuple[float, ...] = ()
    fall: float = 0


def _blows(body: _Body, generator: np.random.Generator, count: int) -> list[Samples]:
    """Return blows on one body, each at another place of it."""
    ranges = (
        body.lowest_hz,
        body.highest_hz,
        body.contact_s,
        body.noise,
        body.noise_s,
        body.low_hz,
        body.high_hz,
    )
    lowest, highest, contact_s, noise, noise_s, low, high = (between(generator, *each) for each in ranges)
    number = int(generator.integers(body.modes[0], body.modes[1] + 1))
    evenly = generator.uniform(lowest, max(highest, lowest), number)
    pitch = lowest * np.array(body.ratios[:number]) if body.ratios else np.append(lowest, evenly[1:])[:number]
    pitch = pitch[pitch < HIGHEST_HZ - 300] * generator.uniform(0.98, 1.02)
    decays = between(generator, *body.decay_s) * (pitch / lowest) ** -generator.uniform(0.2, 1)
    decays = np.maximum(decays * generator.lognormal(0, 0.4, len(pitch)), 0.001)
    ring_s = min(NEPERS * decays.max(initial=noise_s), LONGEST_RING_S)
    time = np.arange(int(ring_s * SAMPLE_RATE) + 32, dtype=np.float32) / np.float32(SAMPLE_RATE)
    bent = time + np.float32(body.fall * generator.random() * 0.03) * (1 - np.exp(-time / np.float32(0.03)))
    modes = np.sin(2 * np.pi * pitch.astype(np.float32)[:, None] * bent)
    modes *= np.exp(-time / decays.astype(np.float32)[:, None]) * np.linspace(
        1, 0, len(time), dtype=np.float32
    )
    blows = []
    for _ in range(count):
        # Blows differ in force, and a harder one is a shorter contact.
        weights = generator.uniform(0.1, 1, len(pitch)) / (
            1 + np.square(pitch * contact_s * generator.uniform(0.7, 1.4))
        )
        blow = weights.astype(np.float32) @ modes
        blow /= np.abs(blow).max() + np.float32(1e-9)
        since = np.arange(int(NEPERS * noise_s * SAMPLE_RATE) + 32) / SAMPLE_RATE
        swell = np.exp(-since / noise_s) * (1 - np.exp(-(since + 1e-4) / contact_s))
        burst = noise * noise_band(generator, len(since), low, high) * swell / swell.max()
        blow = np.pad(blow, (0, max(0, len(burst) - len(blow))))
        blow[: len(burst)] += burst
        blows.append(blow)
    return blows


def _struck(body: _Body, rhythm: Rhythm, spread: float) -> Maker:
    """Return a maker of blows on a body in a rhythm, their strengths so many nepers apart."""

    def make(generator: np.random.Generator) -> Samples:
        times = rhythm(generator)
        blows = _blows(body, generator, min(len(times), DIFFERENT_BLOWS))
        line = np.zeros(int(times[-1] * SAMPLE_RATE) + max(map(len, blows)), np.float32)
        # What bounces does so with less and less.
        fading = between(generator, 0.5, 0.9) if rhythm is _bounces else 1.0
        for number, time in enumerate(times):
            strength = generator.lognormal(0, spread) * max(fading**number, 0.02)
            add(line, strength * blows[int(generator.integers(len(blows)))], time)
        return line

    return make


def _regular(low_hz: float, high_hz: float, most: int) -> Rhythm:
    """Return a rhythm of up to so many blows, so many a second, as evenly as a person keeps it."""

    def beat(generator: np.random.Generator) -> NDArray[np.float64]:
        gaps = generator.normal(1, between(generator, 0.01, 0.2), int(generator.integers(most))).clip(0.2)
        times = np.cumsum([0.0, *gaps / between(generator, low_hz, high_hz)])
        return times[times < 5]

    return beat


def _bounces(generator: np.random.Generator) -> NDArray[np.float64]:
    """Return the bounces of what fell from 2 cm to 2 m."""
    shares = generator.uniform(0.4, 0.92) ** np.arange(1, int(generator.integers(3, 30)))
    gaps = np.sqrt(8 * between(generator, 0.02, 2) / 9.81) * shares
    times = np.cumsum([0.0, *gaps[gaps > 0.008]])
    return times[times < 5]


def _shower(low: float, high: float, low_s: float, high_s: float) -> Rhythm:
    """Return a rhythm of blows by chance, a number of them within a time: evenly, or most at the start."""

    def fall(generator: np.random.Generator) -> NDArray[np.float64]:
        count, seconds = int(between(generator, low, high)), between(generator, low_s, high_s)
        times = np.sort(seconds * generator.random(count) ** generator.uniform(1, 3))
        return np.asarray(times - times[0])

    return fall


_FEW = _shower(1, 6, 0.1, 3)
_WOOD = _Body((4, 12), (80, 400), (900, 3500), (0.006, 0.05), (0.0003, 0.003))
_SLAM = _Body((5, 14), (35, 130), (300, 1500), (0.02, 0.12), (0.002, 0.02), (0.3, 4), (0.02, 0.12), (30, 120))
_HARD = _Body((5, 14), (150, 1500), (3000, 7500), (0.005, 0.08), noise=(0.2, 2))
_SKIN = _Body((3, 8), (70, 250), decay_s=(0.05, 0.3), ratios=MEMBRANE, fall=1)
_KICK = _Body((1, 2), (40, 90), decay_s=(0.04, 0.2), ratios=MEMBRANE, fall=5)
_CLAP = _Body(noise_s=(0.003, 0.015), low_hz=(300, 1200), high_hz=(1200, 5000))
_POP = _Body(noise_s=(0.0008, 0.006), low_hz=(200, 1000), high_hz=(2500, 7800))
_KEY = _Body((1, 4), (800, 2500), (3000, 7000), (0.001, 0.006), noise=(0.5, 3), noise_s=(0.001, 0.006))
_BALL = _Body((1, 4), (60, 900), (900, 3000), (0.005, 0.05), (0.0005, 0.006))
_BUMP = _Body((1, 3), (25, 120), (120, 300), (0.01, 0.08), (0.005, 0.02), low_hz=(20, 50), high_hz=(100, 800))
_AIR = _Body(contact_s=(0.02, 0.3), noise_s=(0.1, 0.8), low_hz=(15, 60), high_hz=(70, 500))

KINDS: dict[str, Maker] = {
    "door knock": _struck(_WOOD, _regular(2, 8, 7), 0.2),
    "dropped book": _struck(_WOOD._replace(noise=(0.5, 4), noise_s=(0.005, 0.05)), _bounces, 0.3),
    "chair": _struck(_WOOD._replace(noise=(0.1, 1)), _FEW, 0.7),
    "pan": _struck(_Body((8, 20), (150, 1200), (4000, 7500), (0.05, 0.7)), _FEW, 0.6),
    "cutlery": _struck(_Body((4, 12), (1200, 4000), (5000, 7500), (0.02, 0.25)), _shower(2, 25, 0.2, 2), 0.8),
    "pipe": _struck(_Body((3, 5), (150, 1400), decay_s=(0.05, 0.9), ratios=BAR), _FEW, 0.5),
    "dropped coin": _struck(_Body((2, 4), (1500, 5000), (5000, 7500), (0.02, 0.15)), _bounces, 0.3),
    "keys": _struck(_Body((3, 8), (2500, 4500), (5500, 7500), (0.005, 0.06)), _shower(5, 60, 0.2, 3), 0.7),
    "plastic": _struck(_Body((3, 9), (250, 1300), (2000, 6000), (0.003, 0.02)), _bounces, 0.4),
    "china": _struck(_Body((3, 7), (900, 2500), (4000, 7500), (0.02, 0.15)), _FEW, 0.6),
    "clinking glass": _struck(_Body((2, 5), (900, 3500), (4000, 7500), (0.08, 0.8)), _FEW, 0.5),
    "door slam": _struck(_SLAM, _FEW, 1.0),
    "clap": _struck(_CLAP, _regular(1, 6, 14), 0.15),
    "applause": _struck(_CLAP, _shower(60, 500, 2, 5.5), 0.5),
    "kick drum": _struck(_KICK, _regular(1, 5, 12), 0.2),
    "snare drum": _struck(_SKIN._replace(noise=(0.5, 4), noise_s=(0.02, 0.12)), _regular(1, 12, 24), 0.4),
    "tom": _struck(_SKIN, _regular(1, 8, 16), 0.3),
    "ball": _struck(_BALL, _bounces, 0.1),
    "hammer": _struck(_HARD, _regular(1, 6, 12), 0.25),
    "footsteps": _struck(_WOOD._replace(noise=(0.1, 2), noise_s=(0.003, 0.04)), _regular(1.2, 4, 14), 0.3),
    "finger snap": _struck(_Body((1, 2), (1200, 3000), decay_s=(0.002, 0.006)), _regular(0.8, 4, 6), 0.2),
    "balloon": _struck(_POP._replace(noise_s=(0.002, 0.012)), _shower(1, 3, 0.5, 3), 0.3),
    "thunder": _struck(_AIR._replace(noise_s=(0.2, 1.5)), _shower(2, 9, 0.5, 4), 0.6),
    "fireworks": _struck(_POP._replace(low_hz=(60, 800)), _shower(8, 200, 0.5, 5), 0.9),
    "bubble wrap": _struck(_POP, _shower(3, 40, 0.8, 5), 0.4),
    "keyboard": _struck(_KEY, _shower(8, 60, 1.5, 5.5), 0.4),
    "typewriter": _struck(_KEY._replace(modes=(3, 9), decay_s=(0.003, 0.03)), _regular(3, 11, 40), 0.2),
    "mouse": _struck(_KEY._replace(noise_s=(0.0005, 0.002)), _regular(1, 12, 4), 0.3),
    "microphone bump": _struck(_BUMP, _FEW, 0.7),
    "wind": _struck(_AIR, _shower(4, 20, 1, 5), 0.5),
    "backfire": _struck(_SLAM._replace(modes=(0, 0), noise_s=(0.01, 0.08)), _shower(1, 25, 0.5, 4), 0.6),
    "paper": _struck(_POP._replace(low_hz=(800, 2500)), _shower(60, 700, 0.5, 5), 0.9),
}
