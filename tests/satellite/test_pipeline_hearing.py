"""Samples in, detections out: the same however the samples are cut, and with the pattern of an alarm."""

from collections import deque
from dataclasses import replace

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from echonet_satellite.classifier import Heard
from echonet_satellite.detector import StreamEvent
from echonet_satellite.frontend import Floats
from echonet_satellite.hearing import Hearing
from echonet_satellite.protocol import AlarmPattern, Phase, Sensitivity, SoundClass
from echonet_satellite.synthesis import co_alarm, smoke_alarm
from tests.support.hearing import (
    CLASSES,
    RATE,
    LoudnessClassifier,
    WindowClassifier,
    decision,
    noise,
    silence,
)

MEDIUM = dict.fromkeys(CLASSES, Sensitivity.MEDIUM)
SOUND = np.concatenate((silence(0.5), noise(0.3), silence(0.9), noise(0.1), silence(0.4)))


class AlarmEar(LoudnessClassifier):
    """Takes whatever is loud for an alarm, and holds it over the pauses."""

    def __init__(self) -> None:
        super().__init__()
        rules = dict(self.card.decisions) | {SoundClass.ALARM: decision(hold_s=6.4)}
        object.__setattr__(self.card, "decisions", rules)

    def step(self, log_mel: Floats) -> Heard:
        heard = super().step(log_mel)
        heard.probabilities[CLASSES.index(SoundClass.ALARM)] = heard.probabilities[0]
        heard.probabilities[0] = 0
        return heard


class WindowAlarmEar(AlarmEar):
    """Hears an alarm as long as anything loud is in its window."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: deque[float] = deque(maxlen=10)

    def step(self, log_mel: Floats) -> Heard:
        heard = super().step(log_mel)
        alarm = CLASSES.index(SoundClass.ALARM)
        self._steps.append(float(heard.probabilities[alarm]))
        heard.probabilities[alarm] = max(self._steps)
        return heard


def hear(hearing: Hearing, *blocks: Floats) -> list[StreamEvent]:
    """Return all events of a stream."""
    return [event for block in blocks for event in hearing.push(block)] + hearing.finish()


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, len(SOUND)), max_size=20))
def test_any_blocks_give_the_same_detections(cuts: list[int]) -> None:
    whole = hear(Hearing(LoudnessClassifier(), MEDIUM), SOUND)
    assert [event.phase for event in whole if event.phase is not Phase.UPDATE] == [Phase.START, Phase.END] * 2
    assert hear(Hearing(LoudnessClassifier(), MEDIUM), *np.split(SOUND, sorted(cuts))) == whole


@pytest.mark.parametrize(("alarm", "pattern"), [(smoke_alarm, AlarmPattern.T3), (co_alarm, AlarmPattern.T4)])
def test_an_alarm_is_one_detection_and_gets_its_pattern(alarm: object, pattern: AlarmPattern) -> None:
    assert callable(alarm)
    sound = np.concatenate((silence(1.0), alarm(np.random.default_rng(1), 13.0), silence(8.0)))
    events = hear(Hearing(AlarmEar(), MEDIUM), *np.split(sound, range(0, len(sound), 1280)))
    assert [event.phase for event in events if event.phase is not Phase.UPDATE] == [Phase.START, Phase.END]
    assert (events[0].pattern, events[-1].pattern) == (AlarmPattern.UNKNOWN, pattern)
    (told,) = [event for event in events if event.phase is Phase.UPDATE and event.pattern is pattern][:1]
    assert told.at_s - told.onset_s <= 8.0
    assert events[0].onset_s == pytest.approx(1.0, abs=0.1)


class DoubtfulEar(AlarmEar):
    """Is never sure of an alarm, only suspects one."""

    def step(self, log_mel: Floats) -> Heard:
        heard = super().step(log_mel)
        return replace(heard, probabilities=0.12 * heard.probabilities)


@pytest.mark.parametrize("level", [Sensitivity.LOW, Sensitivity.HIGH])
@pytest.mark.parametrize(("alarm", "pattern"), [(smoke_alarm, AlarmPattern.T3), (co_alarm, AlarmPattern.T4)])
def test_the_rhythm_of_a_smoke_alarm_is_enough_at_any_sensitivity(
    alarm: object, pattern: AlarmPattern, level: Sensitivity
) -> None:
    assert callable(alarm)
    sound = np.concatenate((silence(1.0), alarm(np.random.default_rng(2), 28.0), silence(9.0)))
    events = hear(Hearing(DoubtfulEar(), {SoundClass.ALARM: level}), sound)
    assert [event.phase for event in events if event.phase is not Phase.UPDATE] == [Phase.START, Phase.END]
    start, end = events[0], events[-1]
    assert start.pattern is pattern
    assert start.confidence > 0.9
    assert start.at_s < 16.0
    assert end.heard_s == pytest.approx(29.0, abs=6.0)


def test_an_alarm_that_is_off_is_not_heard_by_its_rhythm_either() -> None:
    sound = np.concatenate((silence(1.0), smoke_alarm(np.random.default_rng(2), 12.0)))
    assert hear(Hearing(DoubtfulEar(), {SoundClass.ALARM: Sensitivity.OFF}), sound) == []


def test_no_rhythm_no_alarm() -> None:
    beeps = [part for _ in range(12) for part in (noise(0.3), silence(0.7))]
    assert hear(Hearing(DoubtfulEar(), MEDIUM), *beeps) == []


def test_a_pattern_belongs_to_one_alarm_only() -> None:
    random = np.random.default_rng(1)
    sound = np.concatenate((smoke_alarm(random, 9.0), silence(16.0), 0.9 * noise(1.0), silence(8.0)))
    ends = [event for event in hear(Hearing(AlarmEar(), MEDIUM), sound) if event.phase is Phase.END]
    assert [event.pattern for event in ends] == [AlarmPattern.T3, AlarmPattern.UNKNOWN]


def chirp(pitch: float = 3200.0) -> Floats:
    """Return the short beep of a detector whose battery is low."""
    time = np.arange(round(0.08 * RATE)) / RATE
    return (0.2 * np.sin(2 * np.pi * pitch * time)).astype(np.float32)


@pytest.mark.parametrize("ear", [AlarmEar, WindowAlarmEar, DoubtfulEar])
def test_a_low_battery_is_told_as_what_it_is_and_never_as_an_alarm(ear: type[AlarmEar]) -> None:
    parts = [silence(4.0), chirp(), silence(39.92), chirp(), silence(39.92), chirp(), silence(5.0)]
    events = hear(Hearing(ear(), MEDIUM), *parts)
    assert [event.phase for event in events] == [Phase.START, Phase.END] * 2
    assert {event.pattern for event in events} == {AlarmPattern.CHIRP}
    assert {event.sound_class for event in events} == {SoundClass.ALARM}
    for event, at_s in zip(events, (44.0, 44.0, 84.0, 84.0), strict=True):
        assert event.onset_s == pytest.approx(at_s, abs=0.05)
        assert event.heard_s == pytest.approx(at_s + 0.08, abs=0.06)
        assert event.at_s <= at_s + 2.2
        assert -15 < event.peak_dbfs < -12


def test_a_low_battery_where_alarms_are_off_is_not_told() -> None:
    parts = [silence(4.0), chirp(), silence(40.0), chirp(), silence(5.0)]
    assert hear(Hearing(WindowAlarmEar(), {}), *parts) == []


@pytest.mark.parametrize(("alarm", "pattern"), [(smoke_alarm, AlarmPattern.T3), (co_alarm, AlarmPattern.T4)])
def test_an_alarm_after_the_chirps_is_still_an_alarm(alarm: object, pattern: AlarmPattern) -> None:
    assert callable(alarm)
    battery = [silence(4.0), chirp(), silence(40.0), chirp(), silence(2.5)]
    events = hear(Hearing(WindowAlarmEar(), MEDIUM), *battery, alarm(np.random.default_rng(1), 13.0))
    starts = [event for event in events if event.phase is Phase.START]
    assert starts[0].pattern is AlarmPattern.CHIRP
    assert [event.pattern for event in events if event.phase is Phase.END] == [AlarmPattern.CHIRP, pattern]
    assert starts[1].at_s - 46.66 < 1.0


def test_a_short_sound_ends_where_its_level_falls_although_it_stays_in_the_window() -> None:
    sound = np.concatenate((silence(1.5), noise(0.25), silence(4.0)))
    start, end = [
        event for event in hear(Hearing(WindowClassifier(), MEDIUM), sound) if event.phase is not Phase.UPDATE
    ]
    assert start.onset_s == pytest.approx(1.5, abs=0.02)
    assert end.heard_s == pytest.approx(1.75, abs=0.03)
    assert end.at_s >= 3.3


def test_two_shots_a_second_apart_are_one_detection_that_goes_on() -> None:
    """The first is still in the window when the second comes."""
    sound = np.concatenate((silence(1.5), noise(0.1), silence(0.9), noise(0.1), silence(4.0)))
    start, end = [
        event for event in hear(Hearing(WindowClassifier(), MEDIUM), sound) if event.phase is not Phase.UPDATE
    ]
    assert start.onset_s == pytest.approx(1.5, abs=0.02)
    assert end.heard_s == pytest.approx(2.6, abs=0.03)


@pytest.mark.parametrize(("rise_db", "told"), [(6.0, 2), (30.0, 1)])
def test_a_bang_needs_a_rise_in_level(rise_db: float, told: int) -> None:
    ear = LoudnessClassifier()
    rules = dict(ear.card.decisions) | {SoundClass.GUNSHOT: decision(rise_db=rise_db)}
    object.__setattr__(ear.card, "decisions", rules)
    # The first stands out of a quiet room, the second of a hum that is nearly as loud.
    sound = np.concatenate(
        (silence(1.0), noise(0.2), silence(2.0), noise(3.0, 4e-4), noise(0.3, 3e-3), silence(2.0))
    )
    starts = [event for event in hear(Hearing(ear, MEDIUM), sound) if event.phase is Phase.START]
    assert len(starts) == told
    assert starts[0].onset_s == pytest.approx(1.0, abs=0.02)


def test_a_bang_that_begins_a_stream_rises_out_of_the_quiet_before_it() -> None:
    ear = LoudnessClassifier()
    rules = dict(ear.card.decisions) | {SoundClass.GUNSHOT: decision(rise_db=10.0)}
    object.__setattr__(ear.card, "decisions", rules)
    start, end = hear(Hearing(ear, MEDIUM), np.concatenate((noise(0.2), silence(2.0))))
    assert start.onset_s == pytest.approx(0.0, abs=0.02)
    assert end.heard_s == pytest.approx(0.2, abs=0.03)


@settings(max_examples=25, deadline=None)
@given(
    at_s=st.floats(0.09, 0.5),
    lasts_s=st.floats(0.05, 0.6),
    level=st.floats(0.05, 0.3),
    clicks=st.booleans(),
)
def test_a_shot_while_a_microphone_settles_is_heard_and_its_click_is_not(
    at_s: float, lasts_s: float, level: float, clicks: bool
) -> None:
    """What a file would have told was lost whole, or told as early as the click of switching on."""
    stream = np.concatenate((silence(at_s), noise(lasts_s, level), silence(3.0)))
    if clicks:
        stream[:320] += noise(0.02, 0.3)
    (start,) = [
        event
        for event in hear(Hearing(WindowClassifier(), MEDIUM, settling_s=0.35), stream)
        if event.phase is Phase.START
    ]
    assert start.onset_s == pytest.approx(at_s, abs=0.015)


@pytest.mark.parametrize("zeros_s", [0.0, 0.1])
@pytest.mark.parametrize("room", [1e-4, 1e-2, 0.3])
def test_the_click_and_the_room_of_a_microphone_that_is_switched_on_are_no_bang(
    zeros_s: float, room: float
) -> None:
    """A driver may begin with zeros; the room may be so loud that this ear never hears anything but shots in it."""
    click = np.concatenate((noise(0.02, 0.3), silence(4.0)))
    heard = hear(
        Hearing(WindowClassifier(), MEDIUM, settling_s=0.35),
        np.concatenate((np.zeros(round(zeros_s * RATE), np.float32), click + noise(4.02, room, seed=5))),
    )
    assert all(event.onset_s > 0.35 for event in heard)
