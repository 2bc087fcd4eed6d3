"""A low battery's chirp is told as what it is: one short high beep, alone, that comes again within a minute."""

from itertools import cycle

import numpy as np
import pytest

from echonet_satellite import synthesis
from echonet_satellite.chirps import _BEEP_DB, _BESIDE_FRAMES, _TONE_DB, Beep, Chirps
from echonet_satellite.frontend import Floats, FrontendParameters, decibels, log_mel
from echonet_satellite.tones import tonal_contrast
from tests.support.hearing import RATE, noise

PARAMETERS = FrontendParameters()


def beep(length_s: float = 0.08, pitch: float = 3200.0, level: float = 0.1) -> Floats:
    time = np.arange(round(length_s * RATE)) / RATE
    swell = np.minimum(1, np.minimum(time, time[-1] - time) / 0.004)
    return np.asarray(level * swell * np.sin(2 * np.pi * pitch * time), np.float32)


def room(length_s: float, *sounds: tuple[float, Floats], level: float = 1e-3) -> Floats:
    """Return a room with a sound at each of some moments."""
    samples = noise(length_s, level)
    for at_s, sound in sounds:
        first = round(at_s * RATE)
        samples[first : first + len(sound)] += sound
    return samples


def heard(samples: Floats) -> tuple[list[Beep], list[bool]]:
    """Return the chirps in a sound, and for each step whether a single beep explains its window."""
    chirps = Chirps(PARAMETERS, 160)
    frames = decibels(log_mel(samples, PARAMETERS), PARAMETERS)
    found, alone = [], []
    for first in range(0, len(frames) - 15, 16):
        if beep := chirps.push(frames[first : first + 16]):
            found.append(beep)
        alone.append(chirps.explains())
    return found, alone


@pytest.mark.parametrize("apart_s", [25.0, 45.0, 62.0])
@pytest.mark.parametrize(("length_s", "pitch"), [(0.03, 3200.0), (0.1, 2600.0), (0.25, 4200.0)])
def test_a_beep_that_comes_again_is_a_chirp(apart_s: float, length_s: float, pitch: float) -> None:
    times = [3.0 + apart_s * number for number in range(3)]
    found, _ = heard(room(times[-1] + 3, *[(at_s, beep(length_s, pitch)) for at_s in times]))
    assert len(found) == 2
    for chirp, at_s in zip(found, times[1:], strict=True):
        assert chirp.first / 100 == pytest.approx(at_s, abs=0.04)
        assert (chirp.last - chirp.first) / 100 == pytest.approx(length_s, abs=0.05)


@pytest.mark.parametrize(
    ("what", "sounds"),
    [
        ("one beep", [(5.0, beep())]),
        ("soon after each other", [(5.0, beep()), (17.0, beep())]),
        ("long after each other", [(5.0, beep()), (85.0, beep())]),
        ("of another pitch", [(5.0, beep()), (45.0, beep(pitch=2500.0))]),
        ("too long", [(5.0, beep(0.6)), (45.0, beep(0.6))]),
        ("too low", [(5.0, beep(pitch=900.0)), (45.0, beep(pitch=900.0))]),
        ("something between", [(5.0, beep()), (30.0, beep(1.0)), (45.0, beep())]),
        ("several at once", [(5.0, beep()), (5.4, beep()), (45.0, beep()), (45.4, beep())]),
        ("a click", [(5.0, noise(0.05)), (45.0, noise(0.05))]),
    ],
)
def test_what_is_no_chirp(what: str, sounds: list[tuple[float, Floats]]) -> None:
    assert heard(room(90.0, *sounds))[0] == []


def test_noise_and_alarms_chirp_not() -> None:
    random = np.random.default_rng(5)
    alarms = [
        (5.0, 0.3 * synthesis.smoke_alarm(random, 30.0)),
        (70.0, 0.3 * synthesis.co_alarm(random, 30.0)),
        (110.0, 0.3 * synthesis.alarm_clock(random, 20.0)),
    ]
    assert heard(room(150.0, *alarms))[0] == []
    for level in (1e-4, 1e-2, 0.3):
        assert heard(noise(120.0, level))[0] == []


def test_a_single_beep_explains_its_window_and_an_alarm_is_not_explained() -> None:
    _, alone = heard(room(8.0, (4.0, beep())))
    steps = [number * 0.16 for number, each in enumerate(alone) if each]
    assert steps
    assert steps[0] == pytest.approx(4.0, abs=0.25)
    assert steps[-1] == pytest.approx(5.6, abs=0.4)
    random = np.random.default_rng(5)
    for alarm, within_s in (
        (synthesis.smoke_alarm(random, 12.0), 0.4),
        (synthesis.co_alarm(random, 0.8), 0.4),
        (synthesis.alarm_clock(random, 4.0), 0.3),
        (synthesis.siren(random), 0.4),
        (synthesis.smoke_alarm(random, 12.0, pitch=520.0), 0.4),
    ):
        _, alone = heard(room(10.0, (2.0, 0.3 * alarm[: 8 * RATE])))
        # For as long as only the first of its beeps has begun.
        assert sum(alone) * 0.16 <= within_s + 0.16


class FrameByFrame(Chirps):
    """Looks at each frame by itself, however quiet it is: the oracle of what takes many at once."""

    def push(self, frames: Floats) -> Beep | None:
        levels = np.concatenate((self._before, frames[:, self._lowest :]))
        self._before = levels[-2 * _BESIDE_FRAMES :]
        contrast = tonal_contrast(levels)
        found = None
        for row in contrast[_BESIDE_FRAMES : len(contrast) - _BESIDE_FRAMES]:
            band = int(row.argmax()) + self._lowest
            is_beep = row.max() >= _BEEP_DB and self._low <= band < self._high
            self._bands.append(band if is_beep else -1)
            self._tones.append(bool(row.max() >= _TONE_DB))
            self._take(band if is_beep else -1)
            found = self._known() or found
            self._end += 1
            # Always a beep in the window: what `explains` then looks for, it finds or not.
            self._after_beep = self._end
        return found

    def explains(self) -> bool:
        in_window = list(self._bands)[self._before_window :]
        return any(band >= 0 for band in in_window) and super().explains()


def test_many_frames_at_once_are_heard_as_one_by_one() -> None:
    beeps = [(at_s, beep(length_s)) for at_s in (4.0, 34.0, 64.0) for length_s in (0.03, 0.2)]
    sound = np.concatenate((synthesis.demo_scene().samples, room(70.0, *beeps)))
    frames = decibels(log_mel(sound, PARAMETERS), PARAMETERS)
    fast, slow = Chirps(PARAMETERS, 160), FrameByFrame(PARAMETERS, 160)
    explained = []
    sizes = cycle((16, 16, 7, 16, 40))
    first = 0
    while len(step := frames[first : first + next(sizes)]):
        first += len(step)
        assert fast.push(step) == slow.push(step)
        assert fast.explains() == slow.explains()
        explained.append(fast.explains())
    assert any(explained)
    assert not all(explained)
