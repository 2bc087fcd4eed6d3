"""The shipped ears in a kitchen: what beeps when it is done is no alarm, what beeps without an end is one."""

import numpy as np
import pytest

from echonet_satellite.classifier import load_classifier
from echonet_satellite.decision import StreamEvent
from echonet_satellite.frontend import Floats
from echonet_satellite.hearing import Hearing
from echonet_satellite.protocol import AlarmPattern, Phase, Sensitivity, SoundClass
from echonet_satellite.synthesis import room_tone, temporal_alarm, with_echo

# Microwave ovens, ovens and washing machines: how often, how long, and how far apart they beep when they are done.
DONE = {"three": (3, 0.5, 0.4), "five short": (5, 0.2, 0.2), "ten long": (10, 1.0, 1.0), "one": (1, 1.0, 0.1)}


def alarms(sound: Floats, level: Sensitivity) -> list[StreamEvent]:
    """Return the alarms that the shipped ears find in a sound in a quiet room."""
    classifier = load_classifier()
    quiet = np.zeros(16000, np.float32)
    samples = np.concatenate((quiet, sound, quiet))
    samples = samples + room_tone(np.random.default_rng(0), len(samples) / 16000)[: len(samples)]
    hearing = Hearing(classifier, {SoundClass.ALARM: level})
    events = hearing.push(samples.astype(np.float32)) + hearing.finish()
    return [event for event in events if event.phase is Phase.START]


def beeps(pitch: float, count: int, on_s: float, off_s: float) -> Floats:
    random = np.random.default_rng(0)
    dry = temporal_alarm(random, 12.0, beeps=count, on_s=on_s, off_s=off_s, pause_s=60.0, pitch=pitch)
    return 0.3 * with_echo(random, dry, 0.35)


@pytest.mark.parametrize("rhythm", DONE)
@pytest.mark.parametrize("pitch", [1000.0, 2050.0, 2550.0, 2800.0])
@pytest.mark.parametrize("level", [Sensitivity.LOW, Sensitivity.MEDIUM])
def test_an_appliance_that_is_done_is_no_alarm(rhythm: str, pitch: float, level: Sensitivity) -> None:
    assert not alarms(beeps(pitch, *DONE[rhythm]), level)


def test_what_beeps_fast_and_without_an_end_is_an_alarm_of_unknown_kind() -> None:
    (found,) = alarms(beeps(3100.0, 60, 0.1, 0.1), Sensitivity.MEDIUM)
    assert found.pattern in (None, AlarmPattern.UNKNOWN)
