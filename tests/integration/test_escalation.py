"""Critical incidents ring until somebody answers; what is over says so."""

from dataclasses import replace
from datetime import timedelta

import pytest

from custom_components.echonet.household.escalation import Plan
from custom_components.echonet.household.incidents import LOST_AFTER
from custom_components.echonet.household.kinds import AlertKind, Severity
from custom_components.echonet.household.policy import Quiet, Telling
from custom_components.echonet.household.rules import DEFAULT_RULES, Rules
from custom_components.echonet.protocol import AlarmPattern, Phase, SoundClass
from tests.integration.desks import Household
from tests.integration.sounds import HALL, KITCHEN, NIGHT, SHED, sound

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


@pytest.mark.parametrize("jump", [-2 * 3600, 2 * 3600])
def test_what_rings_is_not_forgotten_because_the_clock_jumped(home: Household, jump: int) -> None:
    """It was taken for long over at the next sound: it rang no more, and nobody was owed it."""
    shot = sound(SoundClass.GUNSHOT)
    home.hears(KITCHEN, shot)
    home.ends(KITCHEN, shot)
    home.at += jump
    home.hears(HALL, sound(SoundClass.DOG, at=home.at))
    assert Telling.REPEAT in {item.decision.telling for item in home.wait(61) if item.incident.id == shot.id}


def test_two_who_answer_at_once_are_one_answer(home: Household) -> None:
    """The second one was told to everybody as well, and took the place of the first."""
    alarm = sound()
    home.hears(KITCHEN, alarm)
    (quiet,) = home.acknowledge(alarm.id)
    assert home.acknowledge(alarm.id) == []
    assert home.desk.incidents.get(alarm.id) == quiet.incident
    (false,) = home.acknowledge(alarm.id, false_alarm=True)
    assert false.incident.acknowledgement is not None
    assert false.incident.acknowledgement.false_alarm
    assert home.acknowledge(alarm.id) == []
    assert home.wait(200) == []


def test_who_has_answered_a_clock_has_not_answered_the_alarm_that_it_turns_out_to_be(home: Household) -> None:
    """Both were no danger, so that the answer to the clock was taken for one to the alarm: it never rang."""
    clock = sound(pattern=AlarmPattern.CLOCK)
    home.hears(KITCHEN, clock)
    home.wait(5)
    home.becomes(KITCHEN, clock, AlarmPattern.CLOCK)
    home.acknowledge(clock.id)
    (rings,) = home.becomes(KITCHEN, clock, AlarmPattern.UNKNOWN)
    assert (rings.decision.telling, rings.incident.answered) == (NEW, False)
    assert [item.decision.telling for item in home.wait(60)] == [REPEAT]


def test_who_has_answered_old_news_is_not_rung_when_it_goes_on(home: Household) -> None:
    """After a restart it was told late and answered; then its satellite was back, and it rang."""
    alarm = sound(pattern=AlarmPattern.T3)
    home.hears(KITCHEN, alarm)
    (late,) = home.restart(3 * 3600)
    assert late.decision.telling is Telling.LATE
    home.acknowledge(alarm.id)
    assert [item for item in home.back(KITCHEN, alarm) if item.decision.severity is not Severity.SILENT] == []
    assert home.wait(200) == []


def two_that_turn_out_to_be_one(home: Household, *, answered: bool) -> tuple[str, str]:
    """A shot in the kitchen and one in the hall, and then a third that belongs to both."""
    kitchen, hall = sound(SoundClass.GUNSHOT), sound(SoundClass.GUNSHOT, at=3)
    home.hears(KITCHEN, kitchen)
    home.ends(KITCHEN, kitchen)
    home.at = 3
    home.hears(HALL, hall)
    home.ends(HALL, hall)
    assert len(list(home.desk.incidents)) == 2
    home.desk.ledger.owe(kitchen.id, ["anna", "ben"])
    home.desk.ledger.delivered(kitchen.id, "anna")
    home.desk.ledger.owe(hall.id, ["anna", "ben"])
    home.desk.ledger.delivered(hall.id, "anna")
    if answered:
        home.acknowledge(hall.id)
    home.at = 4
    return kitchen.id, hall.id


def test_who_has_answered_one_of_two_that_turn_out_to_be_one_has_answered_it(home: Household) -> None:
    """The answer was forgotten with the one that was taken in, and the other one went on ringing."""
    absorbed: list[str] = []
    kitchen, hall = two_that_turn_out_to_be_one(home, answered=True)
    home.desk.on_absorbed = absorbed.append
    told = home.hears(SHED, sound(SoundClass.GUNSHOT, at=1.5))
    assert absorbed == [hall]
    assert not home.desk.is_wanted(kitchen, Severity.CRITICAL, NIGHT)
    assert not home.desk.is_wanted(hall, Severity.CRITICAL, NIGHT)
    told += [*home.wait(200), *home.restart(5)]
    assert {item.decision.severity for item in told} <= {Severity.SILENT}


def test_what_is_owed_of_two_that_turn_out_to_be_one_is_owed_once(home: Household) -> None:
    """It was forgotten with the one that was taken in, though its courier went on trying by itself."""
    kitchen, _ = two_that_turn_out_to_be_one(home, answered=False)
    told = home.hears(SHED, sound(SoundClass.GUNSHOT, at=1.5))
    owed = [item for item in told if item.decision.telling is NEW]
    assert [(item.incident.id, item.only) for item in owed] == [(kitchen, frozenset({"ben"}))]
    home.desk.ledger.owe(kitchen, ["ben"])
    assert [item.only for item in home.restart(5) if item.decision.telling is NEW] == [frozenset({"ben"})]


def test_what_is_told_without_a_sound_keeps_no_promise_to_ring(home: Household) -> None:
    """After ten minutes of attempts an update got through, and so nobody ever rang."""
    alarm = sound(pattern=AlarmPattern.T3)
    home.hears(KITCHEN, alarm)
    home.desk.ledger.owe(alarm.id, ["anna"])
    home.desk.ledger.delivered(alarm.id, "anna", Severity.SILENT)
    (news,) = home.restart(5)
    assert (news.decision.telling, news.only) == (NEW, frozenset({"anna"}))


def test_an_alert_that_arrives_after_what_became_known_of_it_is_not_taken_for_that(home: Household) -> None:
    """Somebody answered while a phone was told: the phone was taken to know of the answer."""
    alarm = sound(pattern=AlarmPattern.T3)
    (news,) = home.hears(KITCHEN, alarm)
    home.desk.ledger.owe(alarm.id, ["anna"])
    home.wait(1)
    home.acknowledge(alarm.id)
    home.desk.ledger.owe(alarm.id, ["anna"], Telling.UPDATE)
    home.desk.ledger.delivered(alarm.id, "anna", number=news.number)
    assert [item.decision.telling for item in home.restart(5)] == [Telling.UPDATE]


def test_what_is_put_off_while_it_rings_rings_no_more(home: Household) -> None:
    """Only what came later was kept quiet: the alarm itself rang on each minute."""
    scream, smoke = sound(SoundClass.SCREAM), sound(pattern=AlarmPattern.T3)
    home.hears(KITCHEN, scream)
    home.hears(KITCHEN, smoke)
    until = NIGHT + timedelta(hours=1)
    assert home.desk.snooze(Quiet(kind=AlertKind.SCREAM, place=None, until=until), NIGHT) == [scream.id]
    never = Quiet(kind=AlertKind.SMOKE_ALARM, place=None, until=until)
    assert smoke.id not in home.desk.snooze(never, NIGHT)
    assert not home.desk.is_wanted(scream.id, Severity.CRITICAL, NIGHT)
    assert {item.incident.id for item in home.wait(125)} == {smoke.id}
    assert [item.incident.id for item in home.restart(5)] == [smoke.id]
    # When the hour is over, it is no news any more.
    home.acknowledge(smoke.id)
    home.at = 3601
    assert [item for item in home.wait(120) if item.incident.id == scream.id] == []


def test_an_end_with_an_absurd_duration_silences_no_later_sound(home: Household) -> None:
    """Every later incident of that class raised an error for ten minutes, and was not told."""
    shot = sound(SoundClass.GUNSHOT)
    home.hears(KITCHEN, shot)
    home.hears(KITCHEN, replace(shot, phase=Phase.END, duration_s=2.0**52))
    home.at = 90
    (news,) = home.hears(HALL, sound(SoundClass.GUNSHOT, at=90))
    assert (news.decision.telling, news.incident.id == shot.id) == (NEW, False)


@pytest.mark.parametrize("year", [1970, 2200])
def test_a_sound_from_another_century_is_told_as_heard_now(home: Household, year: int) -> None:
    """It was told as if it were of then, or raised an error."""
    shot = sound(SoundClass.GUNSHOT, onset=NIGHT.replace(year=year))
    (news,) = home.hears(KITCHEN, shot)
    assert (news.decision.telling, news.incident.onset, news.incident.believed) == (NEW, NIGHT, False)


def test_an_alarm_that_begins_right_after_an_empty_battery_is_told(home: Household) -> None:
    """It was taken for what was known already, and so for no alarm: nobody was told."""
    chirp = sound()
    home.hears(KITCHEN, chirp)
    home.becomes(KITCHEN, chirp, AlarmPattern.CHIRP)
    home.ends(KITCHEN, chirp, pattern=AlarmPattern.CHIRP)
    home.at = 1
    alarm = sound(at=1)
    told = [*home.hears(KITCHEN, alarm), *home.wait(65)]
    assert (NEW, Severity.CRITICAL, alarm.id) in [
        (item.decision.telling, item.decision.severity, item.incident.id) for item in told
    ]
