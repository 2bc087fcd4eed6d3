"""What satellites of a simulated house tell of a sound: which of them heard it, how loud, and when.

- A gunshot is a Friedlander wave of 0.3-1.5 ms with a peak of 152 +- 4 dB at 1 m (R. C. Maher, "Acoustical
  characterization of gunshots", IEEE SAFE 2007); breaking glass is a blow and a shower of ringing shards (P. R.
  Cook, "Physically informed sonic modeling", Computer Music Journal 21(3), 1997) with a peak of 108 +- 5 dB at 1 m;
  an alarm is a tone of 3.1 kHz with 95 +- 4 dB at 1 m (UL 217 asks for 85 dB at 3 m).
- A microphone is full at 120 dB, as small ones are; its gain is 3 dB (standard deviation) off, and nobody knows it.
  What is louder is clipped. The room is as loud as 35-48 dB.
- A satellite misses one sound in twenty for no reason, and what stands out of the noise by less than 15 +- 4 dB. When
  a bang began, its own code finds (`Detector` and `Bangs`, with the decisions of the released model); only the network
  is not asked, and is sure in the first step that ends 0.05-0.5 s after the bang. Capturing is late by 3 ms (standard
  deviation) between satellites, the correction of the clocks off by 2 ms.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulated_houses import LENGTH, RATE, House, Point, Random, Spectrum
from echonet_satellite.bang import Bangs
from echonet_satellite.card import ModelCard, read_card
from echonet_satellite.classifier import PACKAGED_MODEL
from echonet_satellite.detector import Detector
from echonet_satellite.frontend import Floats, log_mel
from echonet_satellite.hearing import dbfs
from echonet_satellite.onset import ATTACKS, Attack, frame_levels
from echonet_satellite.protocol import Phase, Sensitivity, SoundClass

FULL_SCALE_DB: Final = 120.0
GAIN_DB: Final = 3.0
CAPTURE_S: Final = 0.003
CLOCK_S: Final = 0.002
MISSED: Final = 0.05
# A bang is looked for in the last second; before and after it, there is the noise of the room.
LEAD_S: Final = 1.0
TAIL_S: Final = 0.5
SURE_AFTER_S: Final = (0.05, 0.5)

Samples = NDArray[np.float64]


class Sound(StrEnum):
    """What is simulated."""

    GUNSHOT = "gunshot"
    GLASS_BREAK = "glass_break"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Satellite:
    """A microphone in a room, with what nobody knows of it."""

    room: int
    point: Point
    gain_db: float
    late_s: float
    noise_db: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a satellite tells of a sound, if it is `heard`; `true_dbfs` is what it would tell if it were never
    full, `onset_s` None where it knows none to the millisecond.
    """

    heard: bool
    level_dbfs: float
    true_dbfs: float
    onset_s: float | None


def random_satellites(house: House, random: Random, count: int) -> tuple[Satellite, ...]:
    """Put satellites into some rooms, one each, on furniture or a wall."""
    rooms = random.choice(len(house.rooms), size=min(count, len(house.rooms)), replace=False)
    return tuple(
        Satellite(
            room=int(room),
            point=house.rooms[room].random_point(random, 0.5, 2.0),
            gain_db=random.normal(0, GAIN_DB),
            late_s=random.normal(0, CAPTURE_S),
            noise_db=random.uniform(35, 48),
        )
        for room in rooms
    )


def make_sound(sound: Sound, random: Random) -> Spectrum:
    """Return the spectrum of a sound as heard at 1 m in the open, in units of full scale."""
    make, peak_db, spread_db = _SOUNDS[sound]
    samples = make(random)
    samples *= 10 ** ((random.normal(peak_db, spread_db) - FULL_SCALE_DB) / 20) / np.abs(samples).max()
    spectrum: Spectrum = np.fft.rfft(samples, LENGTH)
    return spectrum


def listen(
    sound: Sound,
    house: House,
    satellite: Satellite,
    spectrum: Spectrum,
    source: Point,
    room: int,
    random: Random,
) -> Told:
    """Return what a satellite tells of a sound that begins at 0 s."""
    transfer = house.hear(source, room, satellite.point, satellite.room) * _microphone()
    heard = np.fft.irfft(transfer * spectrum, LENGTH) * 10 ** (satellite.gain_db / 20)
    noise = 10 ** ((satellite.noise_db + satellite.gain_db - FULL_SCALE_DB) / 20)
    stands_out_db = 20 * np.log10(np.abs(heard).max() / noise)
    notices = random.random() >= MISSED and stands_out_db >= random.normal(15, 4)
    off_s = satellite.late_s + random.normal(0, CLOCK_S)
    # The steps of the network begin at any time.
    lead, tail = round((LEAD_S + random.uniform(0, _card().step_s)) * RATE), round(TAIL_S * RATE)
    samples = np.pad(heard, (lead, tail)) + noise * random.standard_normal(lead + LENGTH + tail)
    unclipped = float(np.abs(samples).max())
    onset_s = None
    sound_class = SoundClass(sound.value)
    if notices and ATTACKS[sound_class] is Attack.BANG:
        arrived_s = (lead + int(np.argmax(np.abs(heard) > np.abs(heard).max() / 4))) / RATE
        found_s = bang(
            sound_class, np.clip(samples, -1, 1).astype(np.float32), arrived_s + random.uniform(*SURE_AFTER_S)
        )
        if found_s is None:
            # The level does not rise as that of a bang does.
            notices = False
        else:
            # The wire carries milliseconds.
            onset_s = round(found_s - lead / RATE + off_s, 3)
    return Told(
        heard=bool(notices),
        level_dbfs=decibels(min(1.0, unclipped)),
        true_dbfs=decibels(unclipped),
        onset_s=onset_s,
    )


def bang(sound_class: SoundClass, samples: Floats, sure_s: float) -> float | None:
    """Return when a bang began, as a satellite finds it whose network is sure from `sure_s` on; None: it tells none."""
    card = _card()
    size, overlap = card.step_samples, card.frontend.n_fft - card.frontend.hop_length
    levels = frame_levels(log_mel(samples, card.frontend), card.frontend)
    bangs = Bangs(card.frontend.sample_rate, overlap)
    bangs.push(samples[:overlap])
    detector = Detector(
        (sound_class,),
        card.decisions,
        {sound_class: Sensitivity.MEDIUM},
        step_s=card.step_s,
        window_s=card.window_frames * card.frame_s,
        frame_s=card.frame_s,
    )
    for step in range((len(samples) - overlap) // size):
        seen = samples[step * size : (step + 1) * size + overlap]
        bangs.push(seen[overlap:])
        sure = (step + 1) * card.step_s >= sure_s
        frames = levels[step * card.step_frames : (step + 1) * card.step_frames]
        for event in detector.push([float(sure)], frames, dbfs(float(np.abs(seen).max()))):
            if event.phase is Phase.START:
                return bangs.on_time(event).onset_s
    return None


@cache
def _card() -> ModelCard:
    return read_card(PACKAGED_MODEL)


def decibels(amplitude: float) -> float:
    """Return an amplitude in decibels."""
    return float(20 * np.log10(amplitude))


@cache
def _microphone() -> Spectrum:
    """Small microphones hear little below 80 Hz."""
    s = 1j * np.fft.rfftfreq(LENGTH, 1 / RATE) / 80
    spectrum: Spectrum = (s**2 / (s**2 + np.sqrt(2) * s + 1)) ** 2
    return spectrum


def _gunshot(random: Random) -> Samples:
    positive_s = random.uniform(0.0003, 0.0015)
    time = np.arange(0, 10 * positive_s, 1 / RATE) / positive_s
    wave: Samples = (1 - time) * np.exp(-time)
    return wave


def _glass(random: Random) -> Samples:
    samples = np.zeros(RATE // 2)
    _add(samples, 0, random.uniform(0.5, 1.5) * _ring(random, random.uniform(300, 1500), 0.004))
    spread_s = random.uniform(0.05, 0.2)
    for _ in range(int(random.integers(60, 200))):
        at_s = random.exponential(spread_s)
        loudness = random.lognormal(0, 0.8) * np.exp(-at_s / spread_s) * 0.4
        ring = _ring(random, random.uniform(1500, 7500), random.uniform(0.006, 0.03))
        _add(samples, int(at_s * RATE), loudness * ring)
    return samples


def _alarm(random: Random) -> Samples:
    tone: Samples = np.sin(2 * np.pi * random.uniform(2900, 3300) * np.arange(RATE * 4 // 10) / RATE)
    return tone


def _ring(random: Random, frequency: float, decay_s: float) -> Samples:
    time = np.arange(0, 5 * decay_s, 1 / RATE)
    tone: Samples = np.exp(-time / decay_s) * np.sin(2 * np.pi * frequency * time + random.uniform(0, 6.28))
    return tone


def _add(line: Samples, at: int, sound: Samples) -> None:
    room = max(0, len(line) - at)
    line[at : at + len(sound)] += sound[:room]


# How each is made, its peak at 1 m, and how much that differs.
_SOUNDS: Final = {
    Sound.GUNSHOT: (_gunshot, 152, 4),
    Sound.GLASS_BREAK: (_glass, 108, 5),
    Sound.ALARM: (_alarm, 95, 4),
}
