"""The words and the payload of an alert."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.echonet.household.alerts import Alert, build_alert
from custom_components.echonet.household.incident import Place
from custom_components.echonet.household.kinds import Severity
from custom_components.echonet.household.policy import Decision, Telling
from custom_components.echonet.household.wording import describe_room, describe_sound, join_words
from custom_components.echonet.protocol import AlarmPattern, Detection, Location, SoundClass
from tests.integration.sounds import HALL, KITCHEN, NIGHT, SHED, incident, sound

HOME = Location(latitude=52.5, longitude=13.4)
BERLIN = ZoneInfo("Europe/Berlin")


def alert(
    *heard: tuple[Place, Detection],
    telling: Telling = Telling.NEW,
    severity: Severity = Severity.CRITICAL,
    after: float = 1.0,
) -> Alert:
    now = NIGHT + timedelta(seconds=after)
    return build_alert(
        incident(*heard), Decision(telling=telling, severity=severity), home=HOME, now=now, zone=BERLIN
    )


def test_a_sentence_for_three_in_the_morning() -> None:
    told = alert((KITCHEN, sound(pattern=AlarmPattern.T3)))
    assert told.text == "Smoke alarm in the kitchen. Heard at 3:12 with high confidence (94 %)."
    assert told.title == "Smoke alarm in the kitchen"


def test_all_rooms_are_named_the_loudest_first() -> None:
    told = alert(
        (KITCHEN, sound(SoundClass.GLASS_BREAK, peak_dbfs=-30)),
        (HALL, sound(SoundClass.GLASS_BREAK, peak_dbfs=-10, confidence=0.7)),
        (SHED, sound(SoundClass.GLASS_BREAK, peak_dbfs=-5)),
    )
    assert told.title == "Breaking glass in the hall and the kitchen"
    assert told.rooms == ("Garden Pi", "Hall", "Kitchen")


def test_without_a_room_the_satellite_is_named() -> None:
    assert alert((SHED, sound(SoundClass.SCREAM))).title == "Scream near Garden Pi"


def test_another_day_is_named() -> None:
    told = alert((KITCHEN, sound(SoundClass.DOG)), telling=Telling.LATE, after=86400.0)
    assert told.message == (
        "Heard on Friday at 3:12 with high confidence (94 %). "
        "You are told late because the connection to the satellite was down."
    )


def test_a_test_says_that_it_is_one() -> None:
    told = alert((KITCHEN, sound(test=True)), telling=Telling.TEST)
    assert told.text == "Test: alarm in the kitchen. This is only a test, sent at 3:12. Nothing was heard."


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(1.0, "high confidence (99 %)"), (0.85, "high confidence (85 %)"), (0.6, "medium"), (0.3, "low")],
)
def test_confidence_in_words(confidence: float, words: str) -> None:
    assert words in alert((KITCHEN, sound(confidence=confidence))).message


@pytest.mark.parametrize(
    ("sound_class", "pattern", "words"),
    [
        (SoundClass.ALARM, AlarmPattern.T4, "Carbon monoxide alarm"),
        (SoundClass.ALARM, AlarmPattern.UNKNOWN, "Alarm"),
        (SoundClass.ALARM, None, "Alarm"),
        (SoundClass.FIRE, None, "Sound of fire"),
        (SoundClass.BABY_CRY, None, "Crying baby"),
    ],
)
def test_sounds_in_words(sound_class: SoundClass, pattern: AlarmPattern | None, words: str) -> None:
    assert describe_sound(sound_class, pattern) == words


@pytest.mark.parametrize("sound_class", list(SoundClass))
def test_every_class_has_words(sound_class: SoundClass) -> None:
    assert describe_sound(sound_class, None)[0].isupper()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Kitchen", "the kitchen"),
        ("Living Room", "the living room"),
        ("Upstairs  hall", "the upstairs hall"),
        ("Anna's room", "Anna's room"),
        ("Jonas’ bedroom", "Jonas’ bedroom"),
        ("Büro", "Büro"),
        ("Bedroom 2", "Bedroom 2"),
        ("", ""),
    ],
)
def test_rooms_in_words(name: str, words: str) -> None:
    assert describe_room(name) == words


def test_joining_words() -> None:
    assert join_words([]) == ""
    assert join_words(["a"]) == "a"
    assert join_words(["a", "b"]) == "a and b"
    assert join_words(["a", "b", "c"]) == "a, b and c"


def test_the_place_is_the_nearest_satellite_else_the_home() -> None:
    here = Location(latitude=52.123456789, longitude=-0.5)
    garden = Place(satellite_id="g" * 32, name="Garden", room="Garden", location=here)
    assert alert((KITCHEN, sound())).location == HOME
    assert alert((KITCHEN, sound(peak_dbfs=-30)), (garden, sound(peak_dbfs=-10))).location == here
    assert alert((KITCHEN, sound(peak_dbfs=-10)), (garden, sound(peak_dbfs=-30))).location == HOME
    told = alert((garden, sound()))
    assert told.map_url == (
        "https://www.openstreetmap.org/?mlat=52.123457&mlon=-0.500000#map=18/52.123457/-0.500000"
    )
    assert told.geo_uri == "geo:52.123457,-0.500000?q=52.123457,-0.500000"


@pytest.mark.parametrize("severity", [Severity.CRITICAL, Severity.HIGH, Severity.NORMAL])
def test_only_what_is_critical_breaks_through_silence(severity: Severity) -> None:
    dangerous = severity is Severity.CRITICAL
    told = alert((KITCHEN, sound()), severity=severity)
    data: dict[str, Any] = told.companion_data()
    assert told.critical is dangerous
    assert data["push"]["interruption-level"] == ("critical" if dangerous else "time-sensitive")
    assert data["channel"] == ("alarm_stream" if dangerous else "EchoNet")
    assert (data["ttl"], data["priority"]) == (0, "high")
    if dangerous:
        assert data["push"]["sound"] == {"name": "default", "critical": 1, "volume": 1.0}


def test_an_update_replaces_silently() -> None:
    start = sound(SoundClass.GUNSHOT)
    first = alert((KITCHEN, start)).companion_data()
    update = alert(
        (KITCHEN, start),
        (HALL, sound(SoundClass.GUNSHOT)),
        telling=Telling.UPDATE,
        severity=Severity.SILENT,
    ).companion_data()
    assert update["tag"] == first["tag"]
    assert update["alert_once"] is True
    assert update["push"] == {"interruption-level": "passive", "sound": "none"}
    assert "ttl" not in update


def test_the_map_is_one_touch_away() -> None:
    told = alert((KITCHEN, sound()))
    data = told.companion_data()
    assert data["url"] == data["clickAction"] == told.map_url
    assert data["actions"] == [{"action": "URI", "title": "Show on map", "uri": told.map_url}]
    assert (data["latitude"], data["longitude"]) == (52.5, 13.4)
