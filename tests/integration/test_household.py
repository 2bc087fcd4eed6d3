"""From a sound to the phones: real satellites, the real household, and what `notify` was given."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

from homeassistant.components.notify import NotifyEntityFeature
from homeassistant.components.notify.const import DATA_COMPONENT
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant, ServiceCall
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_mock_service,
)

from custom_components.echonet.household.kinds import AlertKind
from custom_components.echonet.household.options import CONF_COOLDOWN, CONF_KINDS, options_of_rule
from echonet_satellite.protocol import AlarmPattern, Location, Phase, SoundClass
from tests.integration.conftest import (
    StartSatellite,
    make_entry,
    set_away_since,
    setup,
    wait_for,
    wait_for_state,
)
from tests.integration.phones import ALERT, Notifier, add_recipient, alert_attributes
from tests.support.satellite import SatelliteUnderTest


def has_calls(calls: list[ServiceCall], count: int) -> bool:
    return len(calls) >= count


async def test_a_sound_reaches_every_phone(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    anna = async_mock_service(hass, "notify", "mobile_app_anna")
    ben = async_mock_service(hass, "notify", "mobile_app_ben")
    add_recipient(hass, home, "notify.mobile_app_anna", name="Anna")
    add_recipient(hass, home, "notify.mobile_app_ben", name="Ben")
    await hass.config.async_set_time_zone("Europe/Berlin")
    detection = satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.T3, confidence=0.94)
    await wait_for(lambda: anna and ben)
    (call,) = anna
    assert call.data["title"] == "Smoke alarm in the kitchen"
    assert call.data["message"].startswith("Heard at ")
    assert call.data["message"].splitlines()[0].endswith(" with high confidence (94 %).")
    assert call.data["data"]["push"]["interruption-level"] == "critical"
    assert call.data["data"]["tag"] == f"echonet-{detection}"
    assert call.data["data"]["latitude"] == hass.config.latitude
    assert ben[0].data == call.data

    attributes = alert_attributes(hass)
    assert attributes["event_type"] == "smoke_alarm"
    assert attributes["telling"] == "new"
    assert attributes["rooms"] == ["Kitchen"]
    assert attributes["recipients"] == ["Anna", "Ben"]
    assert attributes["text"] == f"{call.data['title']}. {call.data['message']}"
    assert attributes["map_url"] in [button.get("uri") for button in call.data["data"]["actions"]]
    assert f"entity_id={ALERT}" in call.data["data"]["url"]
    assert attributes["emergency_text"].startswith("Smoke alarm, heard on ")
    assert attributes["critical"] is True


async def test_the_cooldown_can_be_set_without_a_reload(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    now = datetime.now(UTC)
    for number in range(2):
        satellite.emit(SoundClass.GUNSHOT, Phase.START, onset=now - timedelta(seconds=20 - 10 * number))
    satellite.emit(SoundClass.DOG)
    await wait_for(lambda: len(calls) == 2)
    assert [call.data["title"].split(" in ")[0] for call in calls] == ["Gunshot", "Barking dog"]

    screams = options_of_rule(AlertKind.SCREAM) | {CONF_COOLDOWN: 0}
    hass.config_entries.async_update_entry(home, options={CONF_KINDS: {AlertKind.SCREAM.value: screams}})
    first = satellite.emit(SoundClass.SCREAM, onset=now - timedelta(seconds=20))
    satellite.emit(SoundClass.SCREAM, Phase.END, id=first, onset=now - timedelta(seconds=20), duration_s=1.0)
    satellite.emit(SoundClass.SCREAM, onset=now - timedelta(seconds=10))
    await wait_for(lambda: len(calls) == 4)


async def test_one_sound_in_two_rooms_is_one_alert_and_one_silent_update(
    hass: HomeAssistant, start_satellite: StartSatellite, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "mobile_app_anna")
    add_recipient(hass, home, "notify.mobile_app_anna")
    garage = await start_satellite(name="Garage", location=Location(latitude=1.5, longitude=2.5))
    entry = make_entry(garage)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    onset = datetime.now(UTC)
    satellite.emit(SoundClass.GLASS_BREAK, onset=onset, peak_dbfs=-30.0)
    await wait_for(lambda: len(calls) == 1)
    garage.emit(SoundClass.GLASS_BREAK, onset=onset + timedelta(seconds=0.3), peak_dbfs=-10.0)
    await wait_for(lambda: len(calls) == 2)
    first, update = (call.data for call in calls)
    assert update["data"]["tag"] == first["data"]["tag"]
    assert update["data"]["alert_once"] is True
    assert (update["data"]["latitude"], update["data"]["longitude"]) == (1.5, 2.5)
    # It is the same glass that breaks: an automation must not run twice.
    assert alert_attributes(hass)["telling"] == "new"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_an_update_waits_for_the_alert_that_it_replaces(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    order: list[str] = []
    release = asyncio.Event()

    async def slow(call: ServiceCall) -> None:
        if not order:
            order.append("first begins")
            await release.wait()
        order.append(call.data["title"])

    hass.services.async_register("notify", "slow", slow)
    add_recipient(hass, home, "notify.slow")
    detection = satellite.emit(SoundClass.ALARM)
    await wait_for(lambda: order)
    satellite.emit(SoundClass.ALARM, Phase.UPDATE, id=detection, pattern=AlarmPattern.T4)
    await wait_for(lambda: alert_attributes(hass)["telling"] == "update")
    release.set()
    await wait_for(lambda: len(order) == 3)
    assert order == ["first begins", "Alarm in the kitchen", "Carbon monoxide alarm in the kitchen"]


async def test_the_test_button_reaches_the_phone_as_a_test(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "mobile_app_anna")
    add_recipient(hass, home, "notify.mobile_app_anna")
    for count in (1, 2):
        await hass.services.async_call(
            "button", "press", {ATTR_ENTITY_ID: "button.hallway_send_test_alert"}, blocking=True
        )
        await wait_for(partial(has_calls, calls, count))
    assert calls[0].data["title"] == "Test: alarm in the kitchen"
    assert alert_attributes(hass)["telling"] == "test"


async def test_what_happened_meanwhile_is_told_late_once(
    hass: HomeAssistant, home: MockConfigEntry, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "mobile_app_anna")
    add_recipient(hass, home, "notify.mobile_app_anna")
    await satellite.server.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", "off")
    set_away_since(loaded, hours=4)
    for minutes in (180, 30, 20):
        onset = datetime.now(UTC) - timedelta(minutes=minutes)
        detection = satellite.emit(SoundClass.GLASS_BREAK, onset=onset)
        satellite.emit(SoundClass.GLASS_BREAK, Phase.END, id=detection, onset=onset, duration_s=1.0)
    satellite.port = await satellite.server.start(satellite.port, [satellite.host])
    await wait_for(lambda: calls)
    satellite.emit(SoundClass.GLASS_BREAK)
    await wait_for(lambda: len(calls) == 2)
    assert "You are told late" in calls[0].data["message"]
    assert calls[0].data["data"]["push"]["interruption-level"] == "time-sensitive"
    assert "late" not in calls[1].data["message"]
    assert calls[1].data["data"]["push"]["interruption-level"] == "critical"


async def test_other_notifiers_get_the_map_in_the_text(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "telegram")
    add_recipient(hass, home, "notify.telegram")
    satellite.emit(SoundClass.DOG)
    await wait_for(lambda: calls)
    assert set(calls[0].data) == {"title", "message"}
    assert calls[0].data["message"].splitlines()[1].startswith("https://www.openstreetmap.org/")


async def test_notify_entities_with_and_without_a_title(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    plain = Notifier("Plain", NotifyEntityFeature(0))
    titled = Notifier("Titled", NotifyEntityFeature.TITLE)
    await hass.data[DATA_COMPONENT].async_add_entities([plain, titled])
    add_recipient(hass, home, "notify.plain", kind="entity")
    add_recipient(hass, home, "notify.titled", kind="entity")
    satellite.emit(SoundClass.SCREAM)
    await wait_for(lambda: plain.told and titled.told)
    ((message, title),) = plain.told
    assert message.startswith("Scream in the kitchen. Heard at ")
    assert title is None
    ((message, title),) = titled.told
    assert message.startswith("Heard at ")
    assert title == "Scream in the kitchen"


async def test_without_recipients_the_alert_is_still_an_event(
    hass: HomeAssistant,
    home: MockConfigEntry,
    satellite: SatelliteUnderTest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    events = async_capture_events(hass, "state_changed")
    satellite.emit(SoundClass.GUNSHOT)
    await wait_for(lambda: "no recipient is set up: Gunshot in the kitchen" in caplog.text)
    assert ALERT in [event.data["entity_id"] for event in events]
    assert alert_attributes(hass)["recipients"] == []
