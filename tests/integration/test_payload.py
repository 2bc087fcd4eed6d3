"""What a phone is given: how loud, what a touch opens, which buttons."""

from dataclasses import replace
import json
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest

from custom_components.echonet.household.alerts import Alert
from custom_components.echonet.household.incident import Place
from custom_components.echonet.household.kinds import Severity
from custom_components.echonet.household.payload import Answer, action_id, companion_data, key_of, read_action
from custom_components.echonet.household.policy import Telling
from custom_components.echonet.household.texts import TEXTS, Language
from custom_components.echonet.protocol import AlarmPattern, Location, SoundClass
from tests.integration.sounds import HALL, HOME, KITCHEN, alert, sound

OPENS = "/history?entity_id=event.alert&more-info-entity-id=event.alert"


def data_of(told: Alert, language: Language = Language.ENGLISH) -> dict[str, Any]:
    return companion_data(told, told.notice(language), TEXTS[language], opens=OPENS)


def titles(told: Alert) -> list[str]:
    return [button["title"] for button in data_of(told)["actions"]]


def test_the_place_is_the_nearest_satellite_else_the_home() -> None:
    here = Location(latitude=52.123456789, longitude=-0.5)
    garden = Place(satellite_id="g" * 32, name="Garden", room="Garden", location=here)
    home = (HOME.location.latitude, HOME.location.longitude)
    for heard, place in (
        ([(KITCHEN, sound())], home),
        ([(KITCHEN, sound(peak_dbfs=-30)), (garden, sound(peak_dbfs=-10))], (52.123456789, -0.5)),
        ([(KITCHEN, sound(peak_dbfs=-10)), (garden, sound(peak_dbfs=-30))], home),
    ):
        position = alert(*heard).position
        assert (position.latitude, position.longitude) == place
    position = alert((garden, sound())).position
    assert position.map_url == (
        "https://www.openstreetmap.org/?mlat=52.123457&mlon=-0.500000#map=18/52.123457/-0.500000"
    )
    assert position.geo_uri == "geo:52.123457,-0.500000?q=52.123457,-0.500000"


@pytest.mark.parametrize(
    ("severity", "level", "channel"),
    [
        (Severity.CRITICAL, "critical", "alarm_stream"),
        (Severity.HIGH, "time-sensitive", "EchoNet"),
        (Severity.NORMAL, "active", "EchoNet notices"),
        (Severity.SILENT, "passive", "EchoNet updates"),
    ],
)
def test_only_what_is_critical_breaks_through_silence(severity: Severity, level: str, channel: str) -> None:
    told = alert((KITCHEN, sound()), severity=severity)
    data = data_of(told)
    assert told.critical is (severity is Severity.CRITICAL)
    assert data["push"]["interruption-level"] == level
    assert data["channel"] == channel
    if severity is not Severity.SILENT:
        assert (data["ttl"], data["priority"]) == (0, "high")
    if severity is Severity.CRITICAL:
        assert data["push"]["sound"] == {"name": "default", "critical": 1, "volume": 1.0}


def test_an_update_replaces_silently() -> None:
    start = sound(SoundClass.GUNSHOT)
    first = data_of(alert((KITCHEN, start)))
    update = data_of(
        alert(
            (KITCHEN, start),
            (HALL, sound(SoundClass.GUNSHOT)),
            telling=Telling.UPDATE,
            severity=Severity.SILENT,
        )
    )
    assert update["tag"] == first["tag"]
    assert update["alert_once"] is True
    assert update["push"] == {"interruption-level": "passive", "sound": "none"}
    assert "ttl" not in update


def test_a_touch_opens_the_incident_and_the_map_is_a_button() -> None:
    told = alert((KITCHEN, sound()))
    data = data_of(told)
    assert data["url"] == data["clickAction"] == OPENS
    assert {"action": "URI", "title": "Show on map", "uri": told.position.map_url} in data["actions"]
    assert (data["latitude"], data["longitude"]) == (52.5, 13.4)


def test_the_most_needed_buttons_are_among_the_three_that_android_shows() -> None:
    siren = sound(pattern=AlarmPattern.SIREN)
    assert titles(alert((KITCHEN, siren))) == [
        "Acknowledge",
        "False alarm",
        "Show on map",
        "Mute for 1 h",
        "Forward as text message",
    ]
    dog = alert((KITCHEN, sound(SoundClass.DOG)), severity=Severity.NORMAL)
    assert titles(dog) == ["False alarm", "Mute for 1 h", "Show on map", "Acknowledge"]
    assert titles(alert((KITCHEN, siren), telling=Telling.ALL_CLEAR)) == ["False alarm", "Show on map"]
    assert titles(alert((KITCHEN, siren), telling=Telling.TEST)) == ["Acknowledge", "Show on map"]


@pytest.mark.parametrize("pattern", [AlarmPattern.T3, AlarmPattern.T4])
def test_nobody_is_offered_to_mute_smoke_or_carbon_monoxide(pattern: AlarmPattern) -> None:
    assert "Mute for 1 h" not in titles(alert((KITCHEN, sound(pattern=pattern))))


def test_the_emergency_text_is_one_touch_from_a_text_message() -> None:
    told = alert((KITCHEN, sound()), home=replace(HOME, address="Straße 1 & Hof, 10827 Berlin"))
    uri = data_of(told)["actions"][-1]["uri"]
    assert uri.startswith("sms:?&body=")
    assert unquote(uri.removeprefix("sms:?&body=")) == told.notice().emergency
    assert parse_qs(uri.removeprefix("sms:?"))["body"] == [told.notice().emergency]


def test_a_button_says_which_incident_it_means() -> None:
    for answer in Answer:
        assert read_action(action_id(answer, "3b-1")) == (answer, "3b-1")
    for foreign in (
        "",
        "URI",
        "ECHONET",
        "ECHONET-",
        "ECHONET-MUTE",
        "ECHONET-MUTE-",
        "ECHONET-BURN-1",
        "x-MUTE-1",
    ):
        assert read_action(foreign) is None


def test_what_a_satellite_made_up_as_id_does_not_break_a_notification() -> None:
    assert key_of("a" * 40) == "a" * 40
    for bad in ("a" * 256, "ü", "\N{PILE OF POO}" * 200):
        assert len(key_of(bad).encode()) <= 40
        assert key_of(bad).isascii()
    assert key_of("ü") != key_of("ö")


@pytest.mark.parametrize("language", list(Language))
def test_the_longest_notification_fits_through_the_push_services(language: Language) -> None:
    name = "界" * 300
    heard = [
        (Place(satellite_id=str(number), name=name, room=f"{number}{name}", floor=f"{number}{name}"), sound())
        for number in range(9)
    ]
    told = alert(*heard, telling=Telling.ESCALATED, home=replace(HOME, address="ü" * 200))
    notice = told.notice(language, [name] * 9)
    payload = {
        "title": notice.title,
        "message": notice.message,
        "data": companion_data(told, notice, TEXTS[language], opens=OPENS),
    }
    assert len(json.dumps(payload, ensure_ascii=False).encode()) < 4096


def test_what_was_not_delivered_keeps_its_loudness() -> None:
    heard = (KITCHEN, sound())
    first = alert(heard)
    update = alert(heard, telling=Telling.UPDATE, severity=Severity.SILENT)
    assert update.as_loud_as(first).severity is Severity.CRITICAL
    assert update.as_loud_as(first).telling is Telling.NEW
    assert first.as_loud_as(update) is first
    clear = alert(heard, telling=Telling.ALL_CLEAR, severity=Severity.SILENT).as_loud_as(first)
    assert (clear.telling, clear.severity) == (Telling.ALL_CLEAR, Severity.HIGH)
