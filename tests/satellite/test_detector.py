"""Probabilities become detections; a slow and obvious reference is the oracle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from hypothesis import example, given, strategies as st
import numpy as np
import pytest

from echonet_satellite.decision import Lasting, Tone
from echonet_satellite.detector import (
    STEP_S,
    Decision,
    Detector,
    StreamEvent,
)
from echonet_satellite.onset import MEASURES
from echonet_satellite.protocol import AlarmPattern, Phase, Sensitivity, SoundClass
from echonet_satellite.track import LAG_S, LOOK_BACK_S

THRESHOLDS = {Sensitivity.LOW: 0.9, Sensitivity.MEDIUM: 0.7, Sensitivity.HIGH: 0.5}
QUICK = Decision(
    thresholds=THRESHOLDS, leave_ratio=0.5, confirm=(1, 1), smoothing_steps=1, hold_s=0.48, refractory_s=0.0
)
# Of a step in which nothing rises.
FLAT = np.zeros((16, MEASURES), np.float32)
LEVELS = st.sampled_from([Sensitivity.LOW, Sensitivity.MEDIUM, Sensitivity.HIGH])
# Few distinct values, so that the interesting cases (at, above and below each threshold) are met often.
PROBABILITIES = st.lists(
    st.sampled_from([0.0, 0.2, 0.3, 0.36, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0]), max_size=80
)


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    window = draw(st.integers(1, 5))
    return Decision(
        thresholds=THRESHOLDS,
        leave_ratio=draw(st.sampled_from([0.3, 0.5, 1.0])),
        confirm=(draw(st.integers(1, window)), window),
        smoothing_steps=draw(st.integers(1, 4)),
        hold_s=draw(st.integers(0, 6)) * STEP_S,
        refractory_s=draw(st.integers(0, 6)) * STEP_S,
        lasting=draw(
            st.none() | st.builds(Lasting, steps=st.integers(1, 8), odds=st.sampled_from([1.0, 3.0]))
        ),
        at_once=draw(st.none() | st.sampled_from([1.0, 5.0])),
    )


@dataclass(frozen=True)
class Whole:
    """One detection from its start to its end."""

    onset_s: float
    start_s: float
    heard_s: float
    end_s: float
    confidence: float
    peak_dbfs: float


def reference(
    probabilities: Sequence[float], peaks: Sequence[float], rule: Decision, enter: float
) -> list[Whole]:
    """Decide over the whole recording at once, from the definitions alone."""
    smooth = []
    for step in range(len(probabilities)):
        taken = probabilities[max(0, step - rule.smoothing_steps + 1) : step + 1]
        smooth.append(sum(taken) / len(taken))
        if rule.lasting is not None and step + 1 >= rule.lasting.steps:
            mean = sum(probabilities[step + 1 - rule.lasting.steps : step + 1]) / rule.lasting.steps
            odds = rule.lasting.odds * mean
            smooth[-1] = max(smooth[-1], odds / (1 - mean + odds))
    leave = enter * rule.leave_ratio
    needed, window = rule.confirm
    hold, refractory = round(rule.hold_s / STEP_S), round(rule.refractory_s / STEP_S)
    look_back = window + round(LOOK_BACK_S / STEP_S)
    found: list[Whole] = []
    free_from = step = 0
    while step < len(smooth):
        oldest = max(free_from, step - window + 1)
        above = [i for i in range(oldest, step + 1) if smooth[i] >= enter]
        odds = probabilities[step] / (rule.at_once or 1.0)
        at_once = rule.at_once is not None and odds / (1 - probabilities[step] + odds) >= enter
        enough = smooth[step] >= enter and len(above) >= needed
        if step < free_from or not (enough or at_once):
            step += 1
            continue
        onset = above[0] if above else step
        while onset - 1 >= max(free_from, step - look_back + 1) and smooth[onset - 1] >= leave:
            onset -= 1
        start = last = step
        end = step + 1
        while True:
            if end == len(smooth):
                end -= 1
                break
            if smooth[end] >= leave:
                last = end
            elif end - last >= hold:
                break
            end += 1
        # Nothing rises in the level.
        onset_s = max(free_from * STEP_S, (onset + 1) * STEP_S - LAG_S)
        onset = min(onset, int(onset_s / STEP_S))
        heard = [i for i in range(onset, end + 1) if i <= start or smooth[i] >= leave]
        found.append(
            Whole(
                onset_s=onset_s,
                start_s=(start + 1) * STEP_S,
                heard_s=(last + 1) * STEP_S,
                end_s=(end + 1) * STEP_S,
                confidence=max(probabilities[i] for i in heard),
                peak_dbfs=max(peaks[i] for i in heard),
            )
        )
        free_from = end + 1 + refractory
        step = end + 1
    return found


def run(
    probabilities: Sequence[float],
    rule: Decision,
    level: Sensitivity = Sensitivity.MEDIUM,
    peaks: Sequence[float] | None = None,
    sound_class: SoundClass = SoundClass.DOG,
) -> list[StreamEvent]:
    """Give the events of one class for a whole stream."""
    detector = Detector([sound_class], {sound_class: rule}, {sound_class: level})
    events = []
    for step, probability in enumerate(probabilities):
        events += detector.push([probability], FLAT, -20.0 if peaks is None else peaks[step])
    return events + detector.flush()


def wholes(events: Sequence[StreamEvent]) -> list[Whole]:
    """Join the start and the end of each detection."""
    starts = {event.number: event for event in events if event.phase is Phase.START}
    return [
        Whole(
            onset_s=event.onset_s,
            start_s=starts[event.number].at_s,
            heard_s=event.heard_s,
            end_s=event.at_s,
            confidence=event.confidence,
            peak_dbfs=event.peak_dbfs,
        )
        for event in events
        if event.phase is Phase.END
    ]


@given(probabilities=PROBABILITIES, rule=decisions(), level=LEVELS, data=st.data())
def test_equals_the_reference(
    probabilities: list[float], rule: Decision, level: Sensitivity, data: st.DataObject
) -> None:
    peaks = data.draw(st.lists(st.integers(-90, 0), min_size=len(probabilities), max_size=len(probabilities)))
    assert wholes(run(probabilities, rule, level, peaks)) == reference(
        probabilities, peaks, rule, THRESHOLDS[level]
    )


@pytest.mark.parametrize(
    ("tone", "probability", "told"),
    [(Tone.INSISTS, 0.5, True), (Tone.NONE, 0.5, False), (Tone.INSISTS, 0.05, False)],
)
def test_a_tone_that_beeps_on_and_on_makes_a_likely_alarm_one(
    tone: Tone, probability: float, told: bool
) -> None:
    rule = replace(QUICK, insistence=30.0)
    detector = Detector([SoundClass.ALARM], {SoundClass.ALARM: rule}, {SoundClass.ALARM: Sensitivity.MEDIUM})
    assert bool(detector.push([probability], FLAT, -20.0, tone=tone)) is told


@pytest.mark.parametrize(("tone", "told"), [(Tone.NONE, True), (Tone.BEEPS, False), (Tone.INSISTS, True)])
def test_a_few_beeps_alone_are_no_alarm_however_likely_one(tone: Tone, told: bool) -> None:
    rule = replace(QUICK, beeps=30.0)
    detector = Detector([SoundClass.ALARM], {SoundClass.ALARM: rule}, {SoundClass.ALARM: Sensitivity.MEDIUM})
    events = detector.push([0.9], FLAT, -20.0, tone=tone)
    assert bool(events) is told


def test_an_alarm_that_is_known_by_its_rhythm_ends_in_a_room_that_is_never_quite_certainly_quiet() -> None:
    rule = replace(QUICK, beeps=30.0, lasting=Lasting(steps=20, odds=3.0), hold_s=1.0)
    detector = Detector([SoundClass.ALARM], {SoundClass.ALARM: rule}, {SoundClass.ALARM: Sensitivity.MEDIUM})
    for _ in range(30):
        detector.push([0.99], FLAT, -20.0, AlarmPattern.T3)
    told = (event.phase for _ in range(60) for event in detector.push([0.03], FLAT, -60.0, AlarmPattern.T3))
    assert Phase.END in told


def test_an_alarm_that_is_known_by_its_rhythm_began_with_its_first_beep_though_it_only_beeps() -> None:
    rule = replace(QUICK, beeps=30.0)
    detector = Detector([SoundClass.ALARM], {SoundClass.ALARM: rule}, {SoundClass.ALARM: Sensitivity.MEDIUM})
    for _ in range(30):
        assert not detector.push([0.9], FLAT, -20.0, tone=Tone.BEEPS)
    (event,) = detector.push([0.9], FLAT, -20.0, AlarmPattern.T3, Tone.BEEPS)
    assert event.onset_s < 1.0


@given(rows=st.lists(st.tuples(*[st.floats(0, 1)] * 3), max_size=80), data=st.data())
def test_what_holds_of_every_stream(rows: list[tuple[float, ...]], data: st.DataObject) -> None:
    classes = (SoundClass.GUNSHOT, SoundClass.ALARM, SoundClass.DOG)
    rules = {name: data.draw(decisions()) for name in classes}
    detector = Detector(classes, rules, {name: data.draw(LEVELS) for name in classes})
    events: list[StreamEvent] = []
    for row in rows:
        if data.draw(st.integers(0, 9)) == 0:
            events += detector.configure(
                {name: data.draw(st.sampled_from(list(Sensitivity))) for name in classes}
            )
        events += detector.push(row, FLAT, -10.0)
    events += detector.flush()

    assert not any(detector.hears(name) for name in classes)
    active: dict[SoundClass, StreamEvent] = {}
    last_onset: dict[SoundClass, float] = {}
    for event in events:
        name = event.sound_class
        assert 0 <= event.onset_s <= event.at_s
        assert event.onset_s <= event.heard_s <= event.at_s + 1e-9
        if event.phase is Phase.START:
            assert name not in active
            assert event.onset_s > last_onset.get(name, -1.0)
            last_onset[name] = event.onset_s
            active[name] = event
            continue
        before = active[name]
        assert (event.number, event.onset_s) == (before.number, before.onset_s)
        assert event.confidence >= before.confidence
        assert event.peak_dbfs >= before.peak_dbfs
        active[name] = event
        if event.phase is Phase.END:
            del active[name]
    assert not active
    starts = [event.number for event in events if event.phase is Phase.START]
    assert len(set(starts)) == len(starts)


@given(probabilities=PROBABILITIES, rule=decisions())
@example(
    probabilities=[0.7, 0.3, 0.5, 0.9],
    rule=Decision(
        thresholds=THRESHOLDS,
        leave_ratio=1.0,
        confirm=(2, 4),
        smoothing_steps=2,
        hold_s=0.0,
        refractory_s=0.0,
    ),
)
def test_higher_sensitivity_hears_all_that_lower_hears(probabilities: list[float], rule: Decision) -> None:
    active: dict[Sensitivity, list[bool]] = {}
    for level in THRESHOLDS:
        detector = Detector([SoundClass.DOG], {SoundClass.DOG: rule}, {SoundClass.DOG: level})
        active[level] = []
        for probability in probabilities:
            detector.push([probability], FLAT, -10.0)
            active[level].append(detector.hears(SoundClass.DOG))
    for low, high in (
        (Sensitivity.LOW, Sensitivity.MEDIUM),
        (Sensitivity.MEDIUM, Sensitivity.HIGH),
    ):
        # Until it has heard one to its end: then it must confirm anew, and may wait for the end of a refractory time.
        over = next(
            (step for step, (now, then) in enumerate(pairwise(active[high])) if now and not then), None
        )
        until = None if over is None else over + 1
        assert all(
            more or not less for less, more in zip(active[low][:until], active[high][:until], strict=True)
        )


def test_an_impulse_is_told_with_its_own_step() -> None:
    (start, end) = run([0.0] * 10 + [0.99] + [0.0] * 10, QUICK)
    assert start.phase is Phase.START
    assert start.at_s == pytest.approx(11 * STEP_S)
    assert start.onset_s == pytest.approx(11 * STEP_S - LAG_S)
    assert start.confidence == 0.99
    assert (end.phase, end.heard_s) == (Phase.END, start.heard_s)
    assert end.at_s == pytest.approx(14 * STEP_S)


def test_onset_is_where_the_confirming_run_began() -> None:
    rule = replace(QUICK, confirm=(3, 5))
    start = run([0.0, 0.1, 0.4, 0.8, 0.2, 0.8, 0.8], rule)[0]
    assert start.at_s == pytest.approx(7 * STEP_S)
    assert start.onset_s == pytest.approx(3 * STEP_S - LAG_S)


def test_what_is_too_rare_is_not_confirmed() -> None:
    assert not run([0.0, 0.9, 0.0, 0.9, 0.0, 0.0] * 10, replace(QUICK, confirm=(3, 5)))


def test_a_pause_shorter_than_the_hold_does_not_split() -> None:
    rule = replace(QUICK, hold_s=2.0)
    assert len(wholes(run(([0.9] * 5 + [0.0] * 11) * 4, rule))) == 1
    assert len(wholes(run(([0.9] * 5 + [0.0] * 14) * 4, rule))) == 4


def test_refractory_time_bars_the_next_start() -> None:
    stream = [0.9, 0.0, 0.0, 0.0, 0.0, 0.9, 0.0, 0.0, 0.0, 0.0]
    assert len(wholes(run(stream, QUICK))) == 2
    assert len(wholes(run(stream, replace(QUICK, refractory_s=0.8)))) == 1


def test_updates_carry_news_and_come_once_a_second() -> None:
    rising = [0.7 + 0.3 * step / 25 for step in range(25)]
    updates = [event for event in run(rising, QUICK) if event.phase is Phase.UPDATE]
    assert len(updates) == 3
    assert all(later.at_s - earlier.at_s >= 1.0 - 1e-9 for earlier, later in pairwise(updates))
    assert not [event for event in run([0.9] * 50, QUICK) if event.phase is Phase.UPDATE]
    louder = run([0.9] * 50, QUICK, peaks=[-30.0] * 5 + [-10.0] * 45)
    assert [event.peak_dbfs for event in louder if event.phase is Phase.UPDATE] == [-10.0]


def test_a_new_pattern_is_told_at_once_and_only_of_an_alarm() -> None:
    classes = (SoundClass.ALARM, SoundClass.DOG)
    detector = Detector(classes, dict.fromkeys(classes, QUICK), dict.fromkeys(classes, Sensitivity.MEDIUM))
    assert len(detector.push([0.9, 0.9], FLAT, -10.0)) == 2
    (update,) = detector.push([0.9, 0.9], FLAT, -10.0, AlarmPattern.T3)
    assert (update.sound_class, update.phase, update.pattern) == (
        SoundClass.ALARM,
        Phase.UPDATE,
        AlarmPattern.T3,
    )
    assert not detector.push([0.9, 0.9], FLAT, -10.0, AlarmPattern.T3)
    # A pattern that is no longer recognised, because the alarm has stopped, stays what it was.
    assert not detector.push([0.9, 0.9], FLAT, -10.0, None)
    assert [event.pattern for event in detector.flush()] == [AlarmPattern.T3, None]


def test_off_is_not_heard_and_ends_what_is_heard() -> None:
    sensitivity: Mapping[SoundClass, Sensitivity] = {SoundClass.DOG: Sensitivity.MEDIUM}
    detector = Detector([SoundClass.DOG], {SoundClass.DOG: QUICK}, sensitivity)
    detector.push([0.9], FLAT, -10.0)
    (end,) = detector.configure({SoundClass.DOG: Sensitivity.OFF})
    assert end.phase is Phase.END
    assert not detector.push([1.0], FLAT, -10.0)
    assert not detector.configure(sensitivity)
    assert detector.push([0.9], FLAT, -10.0)[0].phase is Phase.START


def test_a_class_without_sensitivity_is_off() -> None:
    detector = Detector([SoundClass.DOG], {SoundClass.DOG: QUICK}, {})
    assert not detector.push([1.0], FLAT, -10.0)
