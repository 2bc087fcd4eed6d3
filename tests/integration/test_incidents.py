"""What several satellites hear of one sound is one incident."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, strategies as st

from custom_components.echonet.household.incidents import Change, Incidents, Place
from custom_components.echonet.protocol import AlarmPattern, Detection, Phase, SoundClass
from tests.integration.sounds import HALL, KITCHEN, NIGHT, SHED, incident, sound


def add(incidents: Incidents, place: Place, detection: Detection, after: float = 0.0) -> Change:
    change = incidents.add(place, detection, detection.onset + timedelta(seconds=after))
    assert change is not None
    return change


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
    early = add(incidents, HALL, sound(SoundClass.GUNSHOT, at=0.0))
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
    add(incidents, KITCHEN, replace(start, phase=Phase.END, duration_s=5.0))
    assert add(incidents, HALL, sound(at=4.9)).incident.id == first.incident.id

    start = sound(SoundClass.DOG, at=0.0)
    first = add(incidents, KITCHEN, start)
    add(incidents, KITCHEN, replace(start, phase=Phase.END, duration_s=5.0))
    assert add(incidents, HALL, sound(SoundClass.DOG, at=5.1)).incident.id != first.incident.id


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


def test_updates_and_ends_of_unknown_detections_are_left_out() -> None:
    incidents = Incidents()
    assert incidents.add(KITCHEN, sound(phase=Phase.UPDATE), NIGHT) is None
    assert incidents.add(KITCHEN, sound(phase=Phase.END), NIGHT) is None
    assert not list(incidents)


def test_an_incident_knows_the_loudest_the_surest_and_the_pattern() -> None:
    both = incident(
        (KITCHEN, sound(peak_dbfs=-30.0, confidence=0.9, pattern=AlarmPattern.T3)),
        (HALL, sound(peak_dbfs=-10.0, confidence=0.7, pattern=AlarmPattern.UNKNOWN)),
        (SHED, sound(peak_dbfs=-50.0, confidence=0.6, pattern=AlarmPattern.SIREN)),
    )
    assert both.loudest.place == HALL
    assert both.confidence == 0.9
    assert both.pattern is AlarmPattern.T3
    assert both.places == (HALL, KITCHEN, SHED)
    assert incident((KITCHEN, sound(pattern=AlarmPattern.UNKNOWN))).pattern is AlarmPattern.UNKNOWN
    assert incident((KITCHEN, sound(SoundClass.DOG))).pattern is None


def test_a_satellite_that_vanished_does_not_keep_an_incident_open() -> None:
    incidents = Incidents()
    first = add(incidents, KITCHEN, sound(at=0.0))
    assert add(incidents, HALL, sound(at=599.0)).incident.id == first.incident.id
    # Now it is the hall that was heard last: ten minutes after that the incident is forgotten.
    assert add(incidents, HALL, sound(at=599.0 + 600.0)).incident.id != first.incident.id
    assert len(list(incidents)) == 1


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
