"""What several satellites hear of one sound is one incident."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.echonet.household.incident import Acknowledgement, Place
from custom_components.echonet.household.incidents import (
    LOST_AFTER,
    MAX_INCIDENTS,
    MAX_OBSERVATIONS,
    Change,
    Incidents,
)
from custom_components.echonet.household.kinds import AlertKind
from custom_components.echonet.protocol import AlarmPattern, Detection, Phase, SoundClass
from tests.integration.sounds import HALL, KITCHEN, NIGHT, SHED, incident, sound


def add(incidents: Incidents, place: Place, detection: Detection, after: float = 0.0) -> Change:
    (change,) = incidents.add(place, detection, detection.onset + timedelta(seconds=after))
    return change


def later(detection: Detection, phase: Phase, **fields: object) -> Detection:
    return replace(detection, phase=phase, **fields)  # type: ignore[arg-type]


def test_onsets_within_two_seconds_are_one_incident() -> None:
    incidents = Incidents()
    first = add(incidents, KITCHEN, sound(SoundClass.GUNSHOT, at=0.0))
    assert first.before is None
    second = add(incidents, HALL, sound(SoundClass.GUNSHOT, at=2.0))
    assert second.before == first.incident
    assert second.incident.id == first.incident.id
    assert second.incident.places == (KITCHEN, HALL)


def test_an_earlier_onset_that_arrives_later_belongs_too() -> None:
    incidents = Incidents()
    late = add(incidents, KITCHEN, sound(SoundClass.GUNSHOT, at=1.5))
    early = add(incidents, HALL, sound(SoundClass.GUNSHOT, at=0.0), after=2.0)
    assert early.incident.id == late.incident.id
    assert early.incident.onset == NIGHT
    assert early.incident.earliest.place == HALL


def test_what_begins_while_it_goes_on_belongs_to_it() -> None:
    incidents = Incidents()
    first = add(incidents, KITCHEN, sound(at=0.0))
    assert add(incidents, HALL, sound(at=120.0)).incident.id == first.incident.id


def test_what_begins_after_its_end_is_another() -> None:
    incidents = Incidents()
    start = sound(at=0.0)
    first = add(incidents, KITCHEN, start)
    add(incidents, KITCHEN, later(start, Phase.END, duration_s=5.0), after=5.0)
    assert add(incidents, HALL, sound(at=4.9)).incident.id == first.incident.id

    start = sound(SoundClass.DOG, at=0.0)
    first = add(incidents, KITCHEN, start)
    add(incidents, KITCHEN, later(start, Phase.END, duration_s=5.0), after=5.0)
    assert add(incidents, HALL, sound(SoundClass.DOG, at=5.1)).incident.id != first.incident.id


def test_what_bridges_two_incidents_makes_them_one() -> None:
    incidents = Incidents()
    ids = []
    for place, at in ((KITCHEN, 0.0), (HALL, 3.0)):
        start = sound(SoundClass.GUNSHOT, at=at)
        ids.append(add(incidents, place, start).incident.id)
        add(incidents, place, later(start, Phase.END, duration_s=0.2), after=0.2)
    bridge = add(incidents, SHED, sound(SoundClass.GUNSHOT, at=1.5), after=3.0)
    assert bridge.incident.id == ids[0]
    assert bridge.absorbed == (ids[1],)
    assert [item.id for item in incidents] == [ids[0]]
    assert len(bridge.incident.observations) == 3


def test_other_classes_and_tests_stay_apart() -> None:
    incidents = Incidents()
    ids = {
        add(incidents, KITCHEN, sound(SoundClass.ALARM)).incident.id,
        add(incidents, KITCHEN, sound(SoundClass.FIRE)).incident.id,
        add(incidents, KITCHEN, sound(SoundClass.ALARM, test=True)).incident.id,
        add(incidents, KITCHEN, sound(SoundClass.ALARM, test=True)).incident.id,
    }
    assert len(ids) == 4
    assert [item.test for item in incidents] == [False, False, True, True]


def test_an_end_alone_is_remembered_as_not_begun() -> None:
    incidents = Incidents()
    start = sound()
    end = add(incidents, KITCHEN, later(start, Phase.END, duration_s=1.0), after=1.0)
    assert not end.incident.begun
    assert add(incidents, KITCHEN, start).incident.begun


def test_an_update_alone_opens_an_incident() -> None:
    incidents = Incidents()
    change = add(incidents, KITCHEN, sound(phase=Phase.UPDATE, pattern=AlarmPattern.T3), after=600.0)
    assert change.before is None
    assert (change.incident.begun, change.incident.kind) == (True, AlertKind.SMOKE_ALARM)
    assert change.incident.onset == NIGHT


def test_an_incident_knows_the_loudest_the_kind_and_the_places() -> None:
    both = incident(
        (KITCHEN, sound(peak_dbfs=-30.0, pattern=AlarmPattern.T3)),
        (HALL, sound(peak_dbfs=-10.0, pattern=AlarmPattern.UNKNOWN)),
        (SHED, sound(peak_dbfs=-50.0, pattern=AlarmPattern.SIREN)),
    )
    assert both.loudest.place == HALL
    assert both.pattern is AlarmPattern.T3
    assert both.kind is AlertKind.SMOKE_ALARM
    assert both.places == (HALL, KITCHEN, SHED)
    assert incident((KITCHEN, sound(pattern=AlarmPattern.UNKNOWN))).pattern is AlarmPattern.UNKNOWN
    assert incident((KITCHEN, sound(SoundClass.DOG))).pattern is None


def test_confidence_is_combined_as_independent_evidence() -> None:
    both = incident(
        (KITCHEN, sound(SoundClass.DOG, confidence=0.7)),
        (KITCHEN, sound(SoundClass.DOG, confidence=0.5)),
        (HALL, sound(SoundClass.DOG, confidence=0.7)),
    )
    assert both.confidence == pytest.approx(1 - 0.3 * 0.3)
    assert incident((KITCHEN, sound(confidence=1.0))).confidence == pytest.approx(0.99)


def test_an_alarm_clock_in_the_kitchen_and_later_a_smoke_alarm_in_the_hall_are_two() -> None:
    incidents = Incidents()
    clock = add(incidents, KITCHEN, sound(at=0, pattern=AlarmPattern.CLOCK))
    hall = sound(at=300)
    assert add(incidents, HALL, hall).incident.id != clock.incident.id
    smoke = add(incidents, HALL, later(hall, Phase.UPDATE, pattern=AlarmPattern.T3), after=8.0)
    assert smoke.incident.id == hall.id
    assert [item.kind for item in incidents] == [AlertKind.ALARM_CLOCK, AlertKind.SMOKE_ALARM]


def test_what_turns_out_to_be_another_alarm_leaves_the_incident() -> None:
    incidents = Incidents()
    kitchen, hall = sound(at=0), sound(at=20)
    add(incidents, KITCHEN, kitchen)
    assert add(incidents, HALL, hall).incident.id == kitchen.id
    add(incidents, KITCHEN, later(kitchen, Phase.UPDATE, pattern=AlarmPattern.T3), after=25.0)
    rest, new = incidents.add(
        HALL, later(hall, Phase.UPDATE, pattern=AlarmPattern.T4), NIGHT + timedelta(seconds=40)
    )
    assert (rest.incident.id, rest.incident.kind) == (kitchen.id, AlertKind.SMOKE_ALARM)
    assert (new.incident.id, new.incident.kind, new.before) == (hall.id, AlertKind.CO_ALARM, None)


def test_the_one_that_opened_it_may_be_the_one_that_leaves() -> None:
    incidents = Incidents()
    kitchen, hall = sound(at=0), sound(at=20)
    add(incidents, KITCHEN, kitchen)
    add(incidents, HALL, hall)
    rest, new = incidents.add(
        KITCHEN, later(kitchen, Phase.UPDATE, pattern=AlarmPattern.CLOCK), NIGHT + timedelta(seconds=25)
    )
    assert (rest.incident.id, rest.incident.places) == (kitchen.id, (HALL,))
    assert (new.incident.id, new.incident.places) == (f"{kitchen.id}-alarm_clock", (KITCHEN,))
    add(incidents, KITCHEN, later(kitchen, Phase.END, duration_s=30.0), after=30.0)
    found, other = incidents.of_detection(kitchen.id), incidents.get(kitchen.id)
    assert found is not None
    assert other is not None
    assert (found.id, other.id) == (new.incident.id, kitchen.id)
    assert found.over_at is not None
    assert other.over_at is None


def test_one_that_changes_its_kind_keeps_its_id_and_its_history() -> None:
    incidents = Incidents()
    start = sound(at=0)
    add(incidents, KITCHEN, start)
    for after, pattern in ((6.0, AlarmPattern.CLOCK), (12.0, AlarmPattern.T3), (13.0, AlarmPattern.UNKNOWN)):
        change = add(incidents, KITCHEN, later(start, Phase.UPDATE, pattern=pattern), after=after)
        assert change.incident.id == start.id
    assert change.incident.kind is AlertKind.SMOKE_ALARM
    assert [item.kind for item in change.incident.history] == ["alarm", "alarm_clock", "smoke_alarm"]


def test_a_pattern_that_comes_after_the_end_is_not_lost() -> None:
    incidents = Incidents()
    start = sound()
    add(incidents, KITCHEN, start)
    add(incidents, KITCHEN, later(start, Phase.END, duration_s=9.0), after=9.0)
    change = add(incidents, KITCHEN, later(start, Phase.UPDATE, pattern=AlarmPattern.T3), after=10.0)
    assert change.incident.kind is AlertKind.SMOKE_ALARM
    assert change.incident.over_at == NIGHT + timedelta(seconds=9)


def test_a_satellite_that_dies_in_the_middle_of_a_sound_leaves_nothing_open() -> None:
    incidents = Incidents()
    first = add(incidents, KITCHEN, sound(SoundClass.GLASS_BREAK))
    incidents.lost(KITCHEN.satellite_id, NIGHT + timedelta(seconds=1))
    assert not incidents.expire(NIGHT + timedelta(seconds=1) + LOST_AFTER - timedelta(seconds=1))
    (change,) = incidents.expire(NIGHT + timedelta(seconds=1) + LOST_AFTER)
    assert change.incident.over_at == NIGHT + timedelta(seconds=1)
    assert change.incident.lost
    assert not incidents.expire(NIGHT + 2 * LOST_AFTER)
    nine_minutes_later = add(incidents, HALL, sound(SoundClass.GLASS_BREAK, at=540.0))
    assert nine_minutes_later.incident.id != first.incident.id


def test_the_snapshot_says_what_is_over_and_what_goes_on() -> None:
    incidents = Incidents()
    over, on = sound(SoundClass.DOG), sound()
    add(incidents, KITCHEN, over)
    add(incidents, KITCHEN, on)
    incidents.lost(KITCHEN.satellite_id, NIGHT)
    assert len(incidents.expire(NIGHT + timedelta(minutes=5))) == 2
    unknown = sound(SoundClass.FIRE, at=-400)
    back = NIGHT + timedelta(minutes=6)
    changes = {item.incident.id: item for item in incidents.back(KITCHEN, [on, unknown], back)}
    assert not changes[over.id].incident.lost
    assert changes[over.id].incident.over_at == NIGHT
    assert changes[on.id].incident.over_at is None
    assert changes[unknown.id].before is None
    # It began before Home Assistant heard of it, and that can be.
    assert changes[unknown.id].incident.onset == unknown.onset
    assert not incidents.back(KITCHEN, [on, unknown], back)


def test_a_lost_end_does_not_swallow_the_next_sound_of_that_satellite() -> None:
    incidents = Incidents()
    first = add(incidents, KITCHEN, sound(SoundClass.DOG))
    ended, new = incidents.add(KITCHEN, sound(SoundClass.DOG, at=540), NIGHT + timedelta(seconds=540))
    assert (ended.incident.id, ended.incident.over_at) == (first.incident.id, NIGHT)
    assert new.before is None


@pytest.mark.parametrize("year", [1970, 2200])
def test_an_onset_that_cannot_be_is_replaced_by_the_time_of_arrival(year: int) -> None:
    incidents = Incidents()
    wrong = sound(SoundClass.GLASS_BREAK, onset=datetime(year, 1, 1, tzinfo=UTC))
    (first,) = incidents.add(KITCHEN, wrong, NIGHT)
    assert (first.incident.onset, first.incident.believed) == (NIGHT, False)
    assert add(incidents, HALL, sound(SoundClass.GLASS_BREAK, at=0.4)).incident.id == wrong.id
    (ended,) = incidents.add(KITCHEN, later(wrong, Phase.END, duration_s=1.0), NIGHT + timedelta(seconds=1))
    assert ended.incident.onset == NIGHT


def test_an_absurd_duration_harms_nobody() -> None:
    incidents = Incidents()
    start = sound(SoundClass.DOG)
    add(incidents, KITCHEN, start)
    end = add(incidents, KITCHEN, later(start, Phase.END, duration_s=2.0**52), after=3.0)
    assert end.incident.over_at == NIGHT + timedelta(seconds=3)
    assert not end.incident.believed
    assert add(incidents, HALL, sound(SoundClass.DOG, at=10)).before is None


def test_an_answer_holds_until_it_turns_out_to_be_dangerous() -> None:
    incidents = Incidents()
    start = sound()
    add(incidents, KITCHEN, start)
    answer = Acknowledgement(at=NIGHT, by="Anna", kind=AlertKind.ALARM)
    change = incidents.acknowledge(start.id, answer)
    assert change is not None
    assert change.incident.answered
    change = add(incidents, KITCHEN, later(start, Phase.UPDATE, pattern=AlarmPattern.T3), after=8.0)
    assert not change.incident.answered
    assert incidents.acknowledge("unknown", answer) is None


def test_memory_is_bounded() -> None:
    incidents = Incidents()
    for number in range(MAX_INCIDENTS + 50):
        start = sound(SoundClass.DOG, at=number * 5.0)
        add(incidents, KITCHEN, start)
        add(incidents, KITCHEN, later(start, Phase.END, duration_s=1.0), after=1.0)
    assert MAX_INCIDENTS <= len(list(incidents)) <= MAX_INCIDENTS + 1
    add(incidents, KITCHEN, sound(SoundClass.DOG, at=5000.0))
    assert len(list(incidents)) <= MAX_INCIDENTS


def test_a_dog_that_barks_in_the_hall_while_another_barks_seventy_times_in_the_kitchen_falls_silent() -> None:
    incidents = Incidents()
    long = sound(SoundClass.DOG)
    add(incidents, HALL, long)
    for number in range(MAX_OBSERVATIONS + 6):
        bark = sound(SoundClass.DOG, at=number / 2)
        add(incidents, KITCHEN, bark)
        add(incidents, KITCHEN, later(bark, Phase.END, duration_s=0.4), after=0.4)
    assert add(incidents, HALL, later(long, Phase.END, duration_s=40.0), after=40.0).incident.over_at
    (incident,) = incidents
    assert len(incident.observations) == MAX_OBSERVATIONS


def test_what_is_told_of_a_sound_that_was_forgotten_for_newer_ones_is_taken_in_anew() -> None:
    incidents = Incidents()
    barks = [
        (replace(KITCHEN, satellite_id=f"{number:032x}"), sound(SoundClass.DOG, at=number / 100))
        for number in range(MAX_OBSERVATIONS + 6)
    ]
    for place, bark in barks:
        add(incidents, place, bark)
    for place, bark in barks:
        add(incidents, place, later(bark, Phase.END, duration_s=1.0), after=1.0)
    (incident,) = incidents
    assert len(incident.observations) == MAX_OBSERVATIONS
    assert incident.over_at is not None


starts = st.lists(
    st.builds(
        lambda at, length, place, sound_class: (place, sound(sound_class, at=at), length),
        at=st.integers(min_value=0, max_value=200).map(lambda tenths: tenths / 10),
        length=st.integers(min_value=0, max_value=40).map(lambda tenths: tenths / 10),
        place=st.sampled_from([KITCHEN, HALL, SHED]),
        sound_class=st.sampled_from([SoundClass.DOG, SoundClass.ALARM]),
    ),
    max_size=12,
)


@given(starts)
def test_every_detection_is_in_exactly_one_incident_of_its_class(
    heard: list[tuple[Place, Detection, float]],
) -> None:
    incidents = Incidents()
    for place, start, length in heard:
        add(incidents, place, start)
        add(incidents, place, replace(start, phase=Phase.END, duration_s=length), after=length)
    members = [item.detection.id for each in incidents for item in each.observations]
    assert sorted(members) == sorted(start.id for _, start, _ in heard)
    for each in incidents:
        assert {item.detection.sound_class for item in each.observations} == {each.sound_class}
        assert {place.satellite_id for place in each.places} == {
            item.place.satellite_id for item in each.observations
        }


@given(starts)
def test_in_order_of_onset_the_incidents_are_the_connected_groups(
    heard: list[tuple[Place, Detection, float]],
) -> None:
    """The oracle: sweep over each class in time, and begin a group wherever no earlier sound reaches."""
    heard = sorted(heard, key=lambda item: item[1].onset)
    groups: list[set[str]] = []
    for sound_class in (SoundClass.DOG, SoundClass.ALARM):
        reach = None
        for _, start, length in heard:
            if start.sound_class is not sound_class:
                continue
            if reach is None or start.onset > reach:
                groups.append(set())
            groups[-1].add(start.id)
            end = start.onset + timedelta(seconds=max(length, 2.0))
            reach = end if reach is None or start.onset > reach else max(reach, end)

    incidents = Incidents()
    for place, start, length in heard:
        add(incidents, place, start)
        add(incidents, place, replace(start, phase=Phase.END, duration_s=length), after=length)
    found = [{item.detection.id for item in each.observations} for each in incidents]
    assert sorted(map(sorted, found)) == sorted(map(sorted, groups))


@st.composite
def one_sound(draw: st.DrawFn) -> list[tuple[Place, Detection]]:
    """Everything that up to three satellites say of one sound, in any order, some of it twice."""
    sound_class = draw(st.sampled_from(list(SoundClass)))
    length = draw(st.floats(min_value=0, max_value=4))
    pattern = draw(st.sampled_from([None, AlarmPattern.UNKNOWN, AlarmPattern.T3, AlarmPattern.CLOCK]))
    messages: list[tuple[Place, Detection]] = []
    for place in draw(st.lists(st.sampled_from([KITCHEN, HALL, SHED]), min_size=1, max_size=3, unique=True)):
        # A clock is off by up to half a second either way, or by years.
        skew = draw(st.floats(min_value=-0.5, max_value=0.5))
        onset = NIGHT + timedelta(seconds=skew)
        if draw(st.booleans()):
            onset = draw(
                st.sampled_from([datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)])
            )
        start = sound(sound_class, onset=onset, replayed=draw(st.booleans()))
        heard = [
            start,
            later(start, Phase.UPDATE, pattern=draw(st.sampled_from([None, pattern]))),
            later(start, Phase.END, pattern=pattern, duration_s=length),
        ]
        messages += [(place, item) for item in heard]
    messages += draw(st.lists(st.sampled_from(messages), max_size=4))
    return draw(st.permutations(messages))


@given(one_sound())
def test_one_sound_is_one_incident_in_whatever_order_it_is_told(
    messages: list[tuple[Place, Detection]],
) -> None:
    incidents = Incidents()
    now = NIGHT + timedelta(seconds=1)
    for number, (place, detection) in enumerate(messages):
        incidents.add(place, detection, now + timedelta(milliseconds=number))
    (only,) = incidents
    assert only.begun
    assert only.over_at is not None
    assert len(only.observations) == len({item.id for _, item in messages})
