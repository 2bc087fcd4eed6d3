"""Who is told of what, and how loudly."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.echonet.household import policy as policy_module
from custom_components.echonet.household.incident import Acknowledgement, Place
from custom_components.echonet.household.incidents import Incidents
from custom_components.echonet.household.kinds import AlertKind, Severity
from custom_components.echonet.household.policy import Circumstances, Decision, Policy, Quiet, Telling
from custom_components.echonet.household.rules import DEFAULT_RULES, Hours, Rule, Rules, When
from custom_components.echonet.protocol import AlarmPattern, Detection, Phase, SoundClass
from tests.integration.desks import Household
from tests.integration.sounds import HALL, KITCHEN, NIGHT, SHED, sound

RING = Decision(telling=Telling.NEW, severity=Severity.CRITICAL)
UPDATE = Decision(telling=Telling.UPDATE, severity=Severity.SILENT)
# Nobody is at home, and the house is guarded: everything counts.
AWAY = Circumstances(now=NIGHT, local=time(3), away=True, armed=True)


class Home:
    """Incidents and the policy, as the runtime joins them."""

    def __init__(self, rules: Rules | None = None, **circumstances: Any) -> None:
        self.incidents = Incidents()
        self.policy = Policy()
        self.rules = rules or Rules()
        self.circumstances = replace(AWAY, **circumstances)

    def hears(
        self, place: Place, detection: Detection, at: float | None = None, *, late: bool = False
    ) -> list[Decision]:
        now = detection.onset if at is None else NIGHT + timedelta(seconds=at)
        decisions = []
        for change in self.incidents.add(place, detection, now, late=late):
            self.policy.absorb(change.incident.id, change.absorbed)
            decisions.append(self.decide(change.incident.id, now))
        return [decision for decision in decisions if decision]

    def decide(self, incident_id: str, now: datetime) -> Decision | None:
        found = self.incidents.get(incident_id)
        assert found is not None
        return self.policy.decide(found, self.rules, replace(self.circumstances, now=now))

    def ends(self, place: Place, start: Detection, at: float, **fields: Any) -> list[Decision]:
        duration = (NIGHT + timedelta(seconds=at) - start.onset).total_seconds()
        return self.hears(place, replace(start, phase=Phase.END, duration_s=duration, **fields), at)


def becomes(start: Detection, pattern: AlarmPattern) -> Detection:
    return replace(start, phase=Phase.UPDATE, pattern=pattern)


def rules_with(kind: AlertKind, **changes: Any) -> Rules:
    return Rules(kinds={**DEFAULT_RULES, kind: replace(DEFAULT_RULES[kind], **changes)})


def test_a_kind_is_quiet_in_its_place_during_its_cooldown() -> None:
    home = Home()
    for at, sound_class, told in (
        (0, SoundClass.DOG, True),
        (59, SoundClass.DOG, False),
        (59, SoundClass.ALARM, True),
        (60, SoundClass.DOG, True),
    ):
        start = sound(sound_class, at=at)
        assert bool(home.hears(KITCHEN, start)) is told
        home.ends(KITCHEN, start, at + 0.5)


def test_glass_that_breaks_in_the_kitchen_and_then_in_the_hall_is_told_twice() -> None:
    home = Home()
    kitchen = sound(SoundClass.GLASS_BREAK)
    assert home.hears(KITCHEN, kitchen) == [RING]
    home.ends(KITCHEN, kitchen, 1)
    assert home.hears(HALL, sound(SoundClass.GLASS_BREAK, at=30)) == [RING]


def test_without_a_cooldown_everything_is_told() -> None:
    home = Home(rules_with(AlertKind.DOG, cooldown=timedelta(0)))
    for number in range(3):
        start = sound(SoundClass.DOG, at=number * 3)
        assert home.hears(KITCHEN, start)
        home.ends(KITCHEN, start, number * 3 + 0.5)


def test_a_false_alarm_does_not_swallow_the_real_one_after_it() -> None:
    """The false alarm is told at 0 s; the real one begins at 30 s and is known to be smoke at 38 s."""
    home = Home()
    false_alarm, real = sound(at=0), sound(at=30)
    assert home.hears(KITCHEN, false_alarm) == [RING]
    home.ends(KITCHEN, false_alarm, 5)
    assert home.hears(KITCHEN, real) == []
    assert home.hears(KITCHEN, becomes(real, AlarmPattern.T3), 38) == [RING]


def test_what_the_cooldown_holds_back_rings_when_it_ends_and_the_sound_does_not() -> None:
    home = Home()
    first, second = sound(at=0), sound(at=30)
    home.hears(KITCHEN, first)
    home.ends(KITCHEN, first, 5)
    home.hears(KITCHEN, second)
    assert home.decide(second.id, NIGHT + timedelta(seconds=59)) is None
    assert home.decide(second.id, NIGHT + timedelta(seconds=60)) == RING
    assert home.decide(second.id, NIGHT + timedelta(seconds=61)) is None


def test_an_alarm_clock_that_turns_out_to_be_a_smoke_alarm_rings() -> None:
    home = Home(rules_with(AlertKind.ALARM, severity=Severity.NORMAL))
    start = sound()
    assert home.hears(KITCHEN, start) == [Decision(telling=Telling.NEW, severity=Severity.NORMAL)]
    assert home.hears(KITCHEN, becomes(start, AlarmPattern.CLOCK), 8) == [UPDATE]
    assert home.hears(KITCHEN, becomes(start, AlarmPattern.T3), 9) == [RING]


def test_an_alarm_clock_that_rang_as_an_unknown_alarm_rings_again_as_a_smoke_alarm() -> None:
    home = Home()
    start = sound()
    assert home.hears(KITCHEN, start) == [RING]
    assert home.hears(KITCHEN, becomes(start, AlarmPattern.CLOCK), 8) == [UPDATE]
    assert home.hears(KITCHEN, becomes(start, AlarmPattern.T3), 60) == [RING]


def test_an_alarm_that_becomes_known_while_it_rings_is_a_silent_update() -> None:
    home = Home()
    start = sound()
    assert home.hears(KITCHEN, start) == [RING]
    assert home.hears(KITCHEN, becomes(start, AlarmPattern.T3), 8) == [UPDATE]


def test_an_answered_alarm_that_turns_out_to_be_smoke_rings_again() -> None:
    home = Home()
    start = sound()
    home.hears(KITCHEN, start)
    home.incidents.acknowledge(start.id, Acknowledgement(at=NIGHT, by=None, kind=AlertKind.ALARM))
    assert home.hears(KITCHEN, becomes(start, AlarmPattern.T3), 8) == [RING]


def test_a_guess_never_lowers_the_severity() -> None:
    guess = sound(pattern=AlarmPattern.CLOCK)
    assert Home().hears(KITCHEN, guess, 2.0) == [RING]
    certain = sound(pattern=AlarmPattern.CLOCK)
    assert Home().hears(KITCHEN, certain, 8.0) == [Decision(telling=Telling.NEW, severity=Severity.SILENT)]


def test_a_smoke_alarm_stays_one_whatever_the_next_second_sounds_like() -> None:
    home = Home()
    start = sound(pattern=AlarmPattern.T3)
    home.hears(KITCHEN, start)
    for pattern in (AlarmPattern.CLOCK, AlarmPattern.CHIRP, AlarmPattern.UNKNOWN, AlarmPattern.SIREN):
        assert home.hears(KITCHEN, becomes(start, pattern), 20) == []
    (only,) = home.incidents
    assert policy_module.severity_of(only, home.rules) is Severity.CRITICAL


def test_a_battery_that_is_empty_is_never_an_alarm() -> None:
    chirp = sound(pattern=AlarmPattern.CHIRP)
    assert Home().hears(KITCHEN, chirp) == [Decision(telling=Telling.NEW, severity=Severity.NORMAL)]


def test_a_pattern_that_flips_to_and_fro_does_not_fill_the_phone() -> None:
    home = Home()
    start = sound()
    told = home.hears(KITCHEN, start)
    patterns = (AlarmPattern.CLOCK, AlarmPattern.UNKNOWN)
    for number in range(65):
        told += home.hears(KITCHEN, becomes(start, patterns[number % 2]), 5 + number / 20)
    assert len(told) == 2
    for number in range(1000):
        told += home.hears(KITCHEN, becomes(start, patterns[number % 2]), 20 + number * 11)
    assert len(told) == 1 + policy_module.MAX_UPDATES
    assert told.count(RING) == 1


def test_a_test_is_always_told_and_holds_nothing_back() -> None:
    home = Home()
    for at, test in ((0, True), (1, True), (2, False), (3, True)):
        (decision,) = home.hears(KITCHEN, sound(at=at, test=test))
        assert decision.telling is (Telling.TEST if test else Telling.NEW)


def test_the_third_room_of_a_shot_is_told_as_soon_as_the_second() -> None:
    """It was told ten seconds later, or never, because the shot was over by then."""
    home = Household()
    home.hears(KITCHEN, sound(SoundClass.GUNSHOT))
    for seconds, place in ((0.1, HALL), (0.2, SHED)):
        home.at = seconds
        shot = sound(SoundClass.GUNSHOT, at=seconds)
        home.hears(place, shot)
        home.ends(place, shot)
    home.wait(2)
    assert home.tellings == [Telling.NEW, Telling.UPDATE, Telling.UPDATE]
    assert len(home.told[-1].incident.places) == 3


def test_a_test_that_comes_late_does_not_ring_like_an_alarm() -> None:
    home = Home()
    (decision,) = home.hears(KITCHEN, sound(test=True, replayed=True))
    assert decision == Decision(telling=Telling.TEST, severity=Severity.NORMAL)


def test_another_room_updates_what_was_told() -> None:
    home = Home()
    first = sound()
    assert home.hears(KITCHEN, first) == [RING]
    assert home.hears(KITCHEN, replace(first, phase=Phase.UPDATE, confidence=0.99), 1) == []
    assert home.hears(HALL, sound(at=1)) == [UPDATE]


def test_a_second_room_that_makes_it_count_rings() -> None:
    home = Home(rules_with(AlertKind.GLASS_BREAK, rooms=2))
    assert home.hears(KITCHEN, sound(SoundClass.GLASS_BREAK)) == []
    assert home.hears(HALL, sound(SoundClass.GLASS_BREAK, at=0.3)) == [RING]


def test_two_satellites_that_are_unsure_are_sure_together() -> None:
    home = Home(rules_with(AlertKind.SCREAM, least_confidence=0.9))
    assert home.hears(KITCHEN, sound(SoundClass.SCREAM, confidence=0.7)) == []
    assert home.hears(HALL, sound(SoundClass.SCREAM, at=0.3, confidence=0.7)) == [RING]


@pytest.mark.parametrize(
    ("when", "circumstances", "counts"),
    [
        (When.ALWAYS, {"away": False, "armed": False}, True),
        (When.NEVER, {}, False),
        (When.AWAY, {"away": True}, True),
        (When.AWAY, {"away": False}, False),
        (When.ARMED, {"armed": True}, True),
        (When.ARMED, {"armed": False}, False),
        (When.NIGHT, {"local": time(23, 0)}, True),
        (When.NIGHT, {"local": time(6, 59)}, True),
        (When.NIGHT, {"local": time(7, 0)}, False),
        (When.NIGHT, {"local": time(12, 0)}, False),
        (When.DAY, {"local": time(7, 0)}, True),
        (When.DAY, {"local": time(21, 59)}, True),
        (When.DAY, {"local": time(22, 0)}, False),
        (When.DAY, {"local": time(3, 0)}, False),
    ],
)
def test_when_a_kind_counts(when: When, circumstances: dict[str, Any], *, counts: bool) -> None:
    home = Home(rules_with(AlertKind.DOG, when=when), **circumstances)
    assert bool(home.hears(KITCHEN, sound(SoundClass.DOG))) is counts


def test_what_begins_to_count_while_it_goes_on_is_told() -> None:
    home = Home(armed=False)
    start = sound(SoundClass.PRESENCE)
    assert home.hears(KITCHEN, start) == []
    home.circumstances = replace(home.circumstances, armed=True)
    assert home.decide(start.id, NIGHT + timedelta(seconds=30)) is not None


def test_quiet_hours_hush_what_is_normal_only() -> None:
    rules = Rules(quiet=Hours(start=time(22), end=time(7)))
    home = Home(rules, local=time(3))
    assert home.hears(KITCHEN, sound(SoundClass.DOG))[0].severity is Severity.SILENT
    assert home.hears(KITCHEN, sound(SoundClass.BABY_CRY))[0].severity is Severity.HIGH
    assert home.hears(KITCHEN, sound(SoundClass.SCREAM)) == [RING]
    assert Home(rules, local=time(12)).hears(KITCHEN, sound(SoundClass.DOG))[0].severity is Severity.NORMAL


def test_a_snooze_is_for_one_kind_and_one_place_and_ends() -> None:
    home = Home()
    until = NIGHT + timedelta(hours=1)
    home.policy.snooze(Quiet(kind=AlertKind.ALARM, place=KITCHEN.key, until=until))
    start = sound()
    assert home.hears(KITCHEN, start) == []
    assert home.hears(KITCHEN, becomes(start, AlarmPattern.T3), 8) == [RING]
    assert home.hears(HALL, sound(SoundClass.SCREAM, at=10)) == [RING]
    home.ends(KITCHEN, start, 30)
    assert home.hears(HALL, sound(at=40)) == [RING]
    assert home.hears(KITCHEN, sound(at=3601)) == [RING]


@pytest.mark.parametrize(
    ("pattern", "kind"), [(AlarmPattern.T3, AlertKind.SMOKE_ALARM), (AlarmPattern.T4, AlertKind.CO_ALARM)]
)
@pytest.mark.parametrize("place", [None, KITCHEN.key])
def test_no_snooze_silences_smoke_or_carbon_monoxide(
    pattern: AlarmPattern, kind: AlertKind, place: str | None
) -> None:
    home = Home()
    for snoozed in AlertKind:
        home.policy.snooze(Quiet(kind=snoozed, place=place, until=NIGHT + timedelta(hours=1)))
    assert home.hears(KITCHEN, sound(pattern=AlarmPattern.SIREN)) == []
    assert home.hears(KITCHEN, sound(pattern=pattern, at=60)) == [RING]
    assert kind not in [item.kind for item in home.policy.snoozed]


def test_the_end_of_a_snooze_of_everywhere_is_its_end_in_each_place() -> None:
    home = Home()
    for place in (KITCHEN.key, HALL.key):
        home.policy.snooze(Quiet(kind=AlertKind.SCREAM, place=place, until=NIGHT + timedelta(hours=1)))
    home.policy.snooze(Quiet(kind=AlertKind.SCREAM, place=None, until=NIGHT))
    assert home.hears(KITCHEN, sound(SoundClass.SCREAM)) == [RING]


def test_late_news_is_told_once_and_never_holds_back_fresh_news() -> None:
    home = Home()
    late = Decision(telling=Telling.LATE, severity=Severity.HIGH)
    first = sound(SoundClass.SCREAM, at=0, replayed=True)
    assert home.hears(KITCHEN, first, 1800, late=True) == [late]
    assert home.ends(KITCHEN, first, 1) == []
    assert home.hears(HALL, sound(SoundClass.SCREAM, at=1, replayed=True), 1801, late=True) == []
    assert home.hears(KITCHEN, sound(SoundClass.SCREAM, at=90, replayed=True), 1801, late=True) == []
    assert home.hears(KITCHEN, sound(SoundClass.SCREAM, at=1802)) == [RING]


def test_old_news_that_turns_out_to_be_smoke_says_so_without_ringing() -> None:
    home = Home()
    start = sound(replayed=True)
    assert home.hears(KITCHEN, start, 1800, late=True)[0].telling is Telling.LATE
    known = replace(becomes(start, AlarmPattern.T3), replayed=True)
    assert home.hears(KITCHEN, known, 1800, late=True) == [UPDATE]


def test_news_older_than_an_hour_is_history() -> None:
    home = Home()
    first = sound(at=-10, replayed=True)
    assert home.hears(KITCHEN, first, 3601, late=True) == []
    assert home.hears(KITCHEN, replace(first, phase=Phase.END, duration_s=1.0), 3601, late=True) == []
    assert home.hears(KITCHEN, sound(at=10, replayed=True), 3602, late=True)[0].telling is Telling.LATE


def test_the_end_of_what_was_never_heard_to_begin_is_not_told() -> None:
    home = Home()
    start = sound(SoundClass.SCREAM)
    assert home.ends(KITCHEN, start, 1) == []
    assert home.hears(KITCHEN, start, 1) == [RING]


def test_what_turns_out_to_be_one_sound_is_not_told_again() -> None:
    home = Home()
    for place, at in ((KITCHEN, 0.0), (HALL, 3.0)):
        start = sound(SoundClass.GUNSHOT, at=at)
        assert home.hears(place, start) == [RING]
        home.ends(place, start, at + 0.2)
    between = replace(KITCHEN, satellite_id="x" * 32)
    assert home.hears(between, sound(SoundClass.GUNSHOT, at=1.5), 3.5) == []
    (only,) = home.incidents
    assert home.policy.told[only.id].places == {"Kitchen", "Hall"}


def test_memory_is_bounded() -> None:
    home = Home()
    for number in range(policy_module.REMEMBERED + 50):
        start = sound(SoundClass.DOG, at=number * 61.0)
        home.hears(KITCHEN, start)
        home.ends(KITCHEN, start, number * 61.0 + 1)
    assert len(home.policy.told) == policy_module.REMEMBERED


def test_every_kind_has_a_rule() -> None:
    assert set(DEFAULT_RULES) == set(AlertKind)
    assert Rules(kinds={}).rule(AlertKind.SIREN) == DEFAULT_RULES[AlertKind.SIREN]
    assert Rule(severity=Severity.HIGH).when is When.ALWAYS


@given(
    st.lists(
        st.tuples(
            st.integers(min_value=3, max_value=90),
            st.sampled_from([SoundClass.DOG, SoundClass.ALARM]),
            st.sampled_from([KITCHEN, HALL]),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_no_kind_is_told_twice_in_a_place_within_its_cooldown_and_the_first_always_is(
    steps: list[tuple[int, SoundClass, Place, bool]],
) -> None:
    home = Home()
    told: dict[tuple[SoundClass, Place], float] = {}
    at = 0.0
    for pause, sound_class, place, test in steps:
        at += pause
        start = sound(sound_class, at=at, test=test)
        decisions = home.hears(place, start)
        home.ends(place, start, at + 0.5)
        if test:
            assert [item.telling for item in decisions] == [Telling.TEST]
            continue
        last = told.get((sound_class, place))
        due = last is None or at - last >= 60
        assert [item.telling for item in decisions] == ([Telling.NEW] if due else [])
        if due:
            told[sound_class, place] = at
