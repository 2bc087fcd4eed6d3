"""Loud noises, of a sensor and of the microphone, and what the two make of each other."""

import pytest

from echonet_satellite.loud_noise import QUIET_S, LoudNoises, Noise
from echonet_satellite.protocol import Problem

LOUD = -15.0


class Room:
    """A room in which time passes by calls; the microphone hears -50 dBFS of quiet."""

    def __init__(self, *, sensor: bool = True, microphone: bool = True) -> None:
        self.noises = LoudNoises(has_sensor=sensor, loud_dbfs=LOUD)
        self.microphone = microphone
        self.now = 100.0
        self.told: list[Noise] = []
        self.quiet(5.0)

    def quiet(self, seconds: float, peak_dbfs: float = -50.0) -> None:
        for _ in range(round(seconds / 0.5)):
            self.now += 0.5
            if self.microphone:
                self._take(self.noises.level(self.now, peak_dbfs))
            self._take(self.noises.tick(self.now))

    def pulses(self, count: int, every_s: float = 0.01) -> None:
        for _ in range(count):
            self.now += every_s
            self._take(self.noises.pulse(self.now))

    def bang(self, *, pulses: int, peak_dbfs: float) -> None:
        """Let something bang, so loud for the microphone, and with so many pulses of the sensor."""
        self.pulses(pulses)
        self.now += 0.2
        if self.microphone:
            self._take(self.noises.level(self.now, peak_dbfs))
        self.quiet(2.0)

    def _take(self, noise: Noise | None) -> None:
        if noise is not None:
            self.told.append(noise)


def problems_of(room: Room) -> tuple[Problem, ...]:
    """What the comparison says now."""
    return room.noises.problems


def test_pulses_become_a_noise_with_duration_and_count() -> None:
    room = Room(microphone=False)
    room.pulses(40)
    began, last = room.now - 0.39, room.now
    room.quiet(2.0)
    start, end = room.told
    assert (start.over, end.over, start.number) == (False, True, end.number)
    assert start.began_s == pytest.approx(began)
    assert end.last_s == pytest.approx(last)
    assert (end.pulses, end.peak_dbfs) == (40, None)


def test_a_flicker_is_no_noise() -> None:
    room = Room(microphone=False)
    for _ in range(10):
        room.pulses(2)
        room.quiet(1.0)
    assert room.told == []


def test_the_microphone_alone_is_enough() -> None:
    room = Room(sensor=False)
    room.bang(pulses=0, peak_dbfs=-4.0)
    start, end = room.told
    assert (end.peak_dbfs, end.pulses) == (-4.0, None)
    assert end.last_s - start.began_s <= 1.0
    assert problems_of(room) == ()


def test_one_noise_heard_by_both_is_one() -> None:
    room = Room()
    room.bang(pulses=20, peak_dbfs=-4.0)
    assert [noise.over for noise in room.told] == [False, True]
    assert (room.told[-1].pulses, room.told[-1].peak_dbfs) == (20, -4.0)


def test_a_noise_lasts_while_it_is_loud() -> None:
    room = Room(sensor=False)
    room.quiet(5.0, peak_dbfs=-5.0)
    room.quiet(QUIET_S + 1.0)
    assert [noise.over for noise in room.told] == [False, True]
    assert room.told[-1].last_s - room.told[-1].began_s == pytest.approx(5.0)


def test_a_sensor_that_pulses_while_the_microphone_hears_nothing_is_a_microphone_problem() -> None:
    room = Room()
    for _ in range(3):
        assert problems_of(room) == ()
        room.bang(pulses=20, peak_dbfs=-49.0)
    assert problems_of(room) == (Problem.MICROPHONE_DEAF,)
    room.bang(pulses=20, peak_dbfs=-5.0)
    assert problems_of(room) == ()


def test_a_microphone_that_hears_while_the_sensor_is_still_is_a_sensor_problem() -> None:
    room = Room()
    for _ in range(5):
        assert problems_of(room) == ()
        room.bang(pulses=0, peak_dbfs=-1.0)
    assert problems_of(room) == (Problem.SENSOR_SILENT,)
    room.bang(pulses=20, peak_dbfs=-1.0)
    assert problems_of(room) == ()


def test_what_is_not_loud_enough_for_the_sensor_is_no_problem_of_it() -> None:
    """Where the potentiometer stands is learned from what it has pulsed for."""
    room = Room()
    for _ in range(20):
        room.bang(pulses=0, peak_dbfs=-10.0)
    assert problems_of(room) == ()
    room.bang(pulses=20, peak_dbfs=-14.0)
    for _ in range(5):
        room.bang(pulses=0, peak_dbfs=-10.0)
    assert problems_of(room) == (Problem.SENSOR_SILENT,)


def test_a_microphone_that_is_closed_is_not_called_deaf() -> None:
    """The owner has turned listening off: levels have come, and come no more."""
    room = Room()
    room.microphone = False
    room.quiet(5.0)
    for _ in range(10):
        room.bang(pulses=20, peak_dbfs=-1.0)
    assert problems_of(room) == ()
