"""Critical incidents ring until somebody answers; what is over says so."""

from dataclasses import replace
from datetime import timedelta

import pytest

from custom_components.echonet.household.escalation import Plan
from custom_components.echonet.household.incidents import LOST_AFTER
from custom_components.echonet.household.kinds import AlertKind, Severity
from custom_components.echonet.household.policy import DEFAULT_RULES, Rules, Telling
from custom_components.echonet.protocol import AlarmPattern, SoundClass
from tests.integration.desks import Household
from tests.integration.sounds import HALL, KITCHEN, sound

PLAN = Plan(interval=timedelta(seconds=60), patience=3, most=30)
NEW, REPEAT, CLEAR = Telling.NEW, Telling.REPEAT, Telling.ALL_CLEAR


def current(home: Household) -> str | None:
    return home.desk.current.id if home.desk.current is not None else None


@pytest.fixture
def home() -> Household:
    """A household with two waves of recipients."""
    home = Household()
    home.desk.plan = PLAN
    home.desk.waves_for = lambda _: 2
    return home


def test_a_smoke_alarm_that_sounds_for_an_hour_rings_until_somebody_answers(home: Household) -> None:
    alarm = sound(pattern=AlarmPattern.T3)
    home.hears(KITCHEN, alarm)
    home.wait(600)
    assert [item.count for item in home.told if item.decision.telling is REPEAT] == list(range(1, 11))
    assert all(item.decision.severity is Severity.CRITICAL for item in home.told)
    (answered,) = home.acknowledge(alarm.id)
    assert (answered.decision.telling, answered.decision.severity) == (Telling.UPDATE, Severity.SILENT)
    assert answered.incident.acknowledgement is not None
    assert home.wait(3000) == []


def test_an_empty_house_comes_to_rest(home: Household) -> None:
    home.hears(KITCHEN, sound(pattern=AlarmPattern.T3))
    home.wait(2 * 3600)
    assert home.tellings.count(REPEAT) == PLAN.most
    assert not home.wait(3600)


def test_the_next_recipients_hear_of_what_nobody_answers(home: Household) -> None:
    home.hears(KITCHEN, sound(pattern=AlarmPattern.T3))
    home.wait(60 * 4)
    told = [(item.decision.telling, item.skipped, item.waves) for item in home.told]
    assert told == [
        (NEW, 0, 1),
        (REPEAT, 0, 1),
        (REPEAT, 0, 1),
        (REPEAT, 0, 1),
        (Telling.ESCALATED, 1, 2),
        (REPEAT, 0, 2),
    ]
    home.wait(600)
    assert home.tellings.count(Telling.ESCALATED) == 1


def test_whoever_heard_of_it_hears_that_it_is_over(home: Household) -> None:
    alarm = sound(pattern=AlarmPattern.T3)
    home.hears(KITCHEN, alarm)
    home.wait(200)
    home.ends(KITCHEN, alarm)
    home.told.clear()
    (clear,) = home.wait(600)
    assert (clear.decision.telling, clear.decision.severity) == (CLEAR, Severity.SILENT)
    assert clear.waves == 2
    assert clear.incident.over_at is not None
    assert not home.desk.restless


def test_what_is_not_critical_does_not_ring_again(home: Household) -> None:
    cry = sound(SoundClass.BABY_CRY)
    home.hears(KITCHEN, cry)
    home.wait(600)
    home.ends(KITCHEN, cry)
    home.wait(600)
    assert home.tellings == [NEW, CLEAR]


def test_a_shot_rings_on_though_it_is_over_and_is_never_cleared(home: Household) -> None:
    shot = sound(SoundClass.GUNSHOT)
    home.hears(KITCHEN, shot)
    home.wait(1)
    home.ends(KITCHEN, shot)
    home.wait(125)
    assert home.tellings == [NEW, REPEAT, REPEAT]
    home.acknowledge(shot.id)
    home.wait(600)
    assert CLEAR not in home.tellings


def test_a_smoke_alarm_whose_satellite_burns_is_not_over(home: Household) -> None:
    home.hears(KITCHEN, sound(pattern=AlarmPattern.T3))
    home.wait(10)
    home.lost(KITCHEN)
    home.wait(LOST_AFTER.total_seconds() + 120)
    assert home.tellings == [NEW, REPEAT, REPEAT, REPEAT, Telling.ESCALATED]
    (only,) = home.desk.incidents
    assert only.lost
    home.back(KITCHEN)
    assert [item.decision.telling for item in home.wait(60)] == [CLEAR]


def test_nothing_is_cleared_while_the_alarm_goes_on_by_another_name(home: Household) -> None:
    first = sound()
    home.hears(KITCHEN, first)
    home.wait(5)
    home.ends(KITCHEN, first)
    home.wait(20)
    second = sound(at=25)
    assert home.hears(KITCHEN, second) == []
    home.wait(60)
    # The cooldown is over and the alarm is not.
    assert home.tellings == [NEW, NEW]
    home.ends(KITCHEN, second)
    home.wait(60)
    assert home.tellings == [NEW, NEW, CLEAR, CLEAR]


def test_a_false_alarm_is_not_cleared(home: Household) -> None:
    alarm = sound()
    home.hears(KITCHEN, alarm)
    home.acknowledge(alarm.id, false_alarm=True)
    home.ends(KITCHEN, alarm)
    home.wait(600)
    assert home.tellings == [NEW, Telling.UPDATE]


def test_an_answered_alarm_that_turns_out_to_be_smoke_rings_from_the_beginning(home: Household) -> None:
    alarm = sound()
    home.hears(KITCHEN, alarm)
    home.acknowledge(alarm.id)
    home.wait(10)
    home.becomes(KITCHEN, alarm, AlarmPattern.T3)
    home.wait(61)
    assert home.tellings == [NEW, Telling.UPDATE, NEW, REPEAT]


def test_a_clock_that_is_set_back_silences_nobody(home: Household) -> None:
    home.hears(KITCHEN, sound(pattern=AlarmPattern.T3))
    home.at = -7200
    home.wait(62)
    assert home.tellings == [NEW, REPEAT]


def test_a_clock_that_is_set_forward_rings_once(home: Household) -> None:
    home.hears(KITCHEN, sound(pattern=AlarmPattern.T3))
    home.at = 7200
    assert [item.count for item in home.wait(1)] == [1]


def test_without_an_interval_it_rings_once(home: Household) -> None:
    home.desk.plan = replace(PLAN, interval=timedelta(0))
    home.hears(KITCHEN, sound(pattern=AlarmPattern.T3))
    home.wait(600)
    assert home.tellings == [NEW]


def test_nobody_answers_what_is_not_there(home: Household) -> None:
    home.hears(KITCHEN, sound(test=True))
    (test,) = home.desk.incidents
    assert home.acknowledge(test.id) == []
    assert home.desk.current is None


def test_the_current_incident_is_the_most_severe_that_waits(home: Household) -> None:
    cry, shot = sound(SoundClass.BABY_CRY), sound(SoundClass.GUNSHOT)
    assert current(home) is None
    home.hears(KITCHEN, shot)
    home.hears(HALL, cry)
    home.ends(KITCHEN, shot)
    assert current(home) == shot.id
    home.acknowledge(shot.id)
    assert current(home) == cry.id
    home.ends(HALL, cry)
    assert current(home) is None


def test_an_alarm_that_was_held_back_rings_when_its_kind_counts_no_less(home: Household) -> None:
    home.desk.rules = Rules(
        kinds={
            **DEFAULT_RULES,
            AlertKind.ALARM: replace(DEFAULT_RULES[AlertKind.ALARM], least_confidence=0.999),
        }
    )
    alarm = sound()
    assert home.hears(KITCHEN, alarm) == []
    home.becomes(KITCHEN, alarm, AlarmPattern.T3)
    home.wait(61)
    assert home.tellings == [NEW, REPEAT]


def test_the_next_sound_after_a_satellite_that_died_in_the_middle_of_one_is_told(home: Household) -> None:
    glass = sound(SoundClass.GLASS_BREAK)
    home.hears(KITCHEN, glass)
    home.acknowledge(glass.id)
    home.lost(KITCHEN)
    home.wait(540)
    home.told.clear()
    home.hears(HALL, sound(SoundClass.GLASS_BREAK, at=540))
    assert home.tellings == [NEW]


def test_an_alarm_clock_in_the_kitchen_and_later_a_smoke_alarm_in_the_hall_ring_by_themselves(
    home: Household,
) -> None:
    clock = sound(pattern=AlarmPattern.CLOCK)
    home.hears(KITCHEN, clock)
    home.wait(300)
    home.told.clear()
    smoke = sound(at=300)
    home.hears(HALL, smoke)
    home.becomes(HALL, smoke, AlarmPattern.T3)
    assert home.tellings[0] is NEW
    assert [item.incident.id for item in home.told] == [smoke.id] * len(home.told)
    assert home.told[-1].incident.kind is AlertKind.SMOKE_ALARM
    assert [place.room for place in home.told[-1].incident.places] == ["Hall"]
