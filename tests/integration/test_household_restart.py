"""What becomes of alerts when Home Assistant stops, and who is asked again when nobody answers."""

import asyncio
from datetime import timedelta
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from custom_components.echonet.household import runtime
from custom_components.echonet.household.runtime import Household
from custom_components.echonet.household.storage import STORAGE_KEY, stored
from echonet_satellite.protocol import AlarmPattern, Phase, SoundClass
from tests.integration.conftest import wait_for, wait_for_state
from tests.integration.phones import add_recipient, alert_attributes
from tests.support.satellite import SatelliteUnderTest


def desk_of(home: MockConfigEntry) -> Any:
    household: Household = home.runtime_data
    return household.desk


async def test_what_was_not_delivered_is_told_after_the_start_once_to_each(
    hass: HomeAssistant,
    home: MockConfigEntry,
    satellite: SatelliteUnderTest,
    hass_storage: dict[str, Any],
) -> None:
    stuck = asyncio.Event()

    async def never(call: ServiceCall) -> None:
        await stuck.wait()

    anna = async_mock_service(hass, "notify", "anna")
    hass.services.async_register("notify", "ben", never)
    add_recipient(hass, home, "notify.anna")
    add_recipient(hass, home, "notify.ben")
    detection = satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.T3)
    await wait_for(lambda: len(anna) == 1 and len(desk_of(home).state.promises[0][1].told) == 1)
    # Power is cut: nothing is stored any more, and what was being sent is lost.
    at_the_cut = stored(desk_of(home).state)
    await hass.config_entries.async_unload(home.entry_id)
    hass_storage[STORAGE_KEY] = {"version": 1, "minor_version": 1, "key": STORAGE_KEY, "data": at_the_cut}
    ben = async_mock_service(hass, "notify", "ben")
    assert await hass.config_entries.async_setup(home.entry_id)
    await wait_for(lambda: ben)
    stuck.set()
    assert ben[0].data["title"] == "Smoke alarm in the kitchen"
    satellite.emit(SoundClass.ALARM, Phase.END, id=detection, pattern=AlarmPattern.T3, duration_s=2.0)
    await wait_for_state(hass, "binary_sensor.hallway_alarm", "off")
    await hass.async_block_till_done()
    assert (len(anna), len(ben)) == (1, 1)


async def test_it_is_on_disk_before_long(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest, hass_storage: dict[str, Any]
) -> None:
    async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    detection = satellite.emit(SoundClass.GUNSHOT)
    await wait_for(
        lambda: any(
            promise["told"]
            for _, promise in hass_storage.get(STORAGE_KEY, {}).get("data", {}).get("promises", [])
        )
    )
    assert hass_storage[STORAGE_KEY]["data"]["incidents"][0]["id"] == detection
    await hass.config_entries.async_remove(home.entry_id)
    assert STORAGE_KEY not in hass_storage


async def test_what_is_stored_and_damaged_harms_nobody(
    hass: HomeAssistant,
    home: MockConfigEntry,
    satellite: SatelliteUnderTest,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    await hass.config_entries.async_unload(home.entry_id)
    hass_storage[STORAGE_KEY] = {"version": 1, "minor_version": 1, "key": STORAGE_KEY, "data": {"told": 5}}
    assert await hass.config_entries.async_setup(home.entry_id)
    assert "What was stored of earlier alerts cannot be read" in caplog.text
    satellite.emit(SoundClass.GUNSHOT)
    await wait_for(lambda: calls)


async def test_nobody_answers_and_somebody_does(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "TICK_S", 0.01)
    calls = async_mock_service(hass, "notify", "mobile_app_anna")
    add_recipient(hass, home, "notify.mobile_app_anna")
    hass.config_entries.async_update_entry(home, options={"interval": 0.1})
    detection = satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.T3)
    household: Household = home.runtime_data
    seen: list[str | None] = []
    tellings: list[str] = []
    household.async_subscribe_alerts(lambda alert, _: tellings.append(alert.telling))
    household.async_subscribe_incidents(
        lambda: seen.append(household.current.id if household.current else None)
    )
    await wait_for(lambda: len(calls) >= 3)
    assert tellings[:3] == ["new", "repeat", "repeat"]
    assert {call.data["data"]["tag"] for call in calls} == {f"echonet-{detection}"}
    incident = household.async_acknowledge(detection, by="Anna")
    assert incident is not None
    assert incident.acknowledgement is not None
    assert incident.acknowledgement.by == "Anna"
    await wait_for(lambda: tellings[-1] == "update")
    satellite.emit(SoundClass.ALARM, Phase.END, id=detection, duration_s=1.0)
    await wait_for(lambda: household.current is None)
    assert seen[0] == detection
    assert household.async_acknowledge("unknown") is None
    assert household.async_false_alarm("unknown") is None
    assert household.async_mute("unknown", timedelta(hours=1)) is None


async def test_a_mute_is_for_this_sound_in_this_room(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    household: Household = home.runtime_data
    first = satellite.emit(SoundClass.SCREAM)
    await wait_for(lambda: len(calls) == 1)
    incident = household.async_mute(first, timedelta(hours=1), by="Anna")
    assert incident is not None
    assert incident.answered
    await wait_for(lambda: len(calls) == 2)
    quiet = household.desk.policy.snoozed[0]
    assert (quiet.kind, quiet.place) == ("scream", "Kitchen")
    assert quiet.until > dt_util.utcnow() + timedelta(minutes=59)
    satellite.emit(SoundClass.GUNSHOT)
    await wait_for(lambda: len(calls) == 3)
    assert household.async_false_alarm(first) is not None


async def test_a_clock_that_is_hours_wrong_is_still_told_as_fresh(
    hass: HomeAssistant,
    home: MockConfigEntry,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Live and after a short interruption: the connection is proof enough of when it happened."""
    calls = async_mock_service(hass, "notify", "mobile_app_anna")
    add_recipient(hass, home, "notify.mobile_app_anna")
    wrong = dt_util.utcnow() - timedelta(hours=5)
    satellite.emit(SoundClass.GUNSHOT, onset=wrong)
    await wait_for(lambda: len(calls) == 1)
    await satellite.server.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", "off")
    glass = satellite.emit(SoundClass.GLASS_BREAK, onset=wrong)
    satellite.emit(SoundClass.GLASS_BREAK, Phase.END, id=glass, onset=wrong, duration_s=1.0)
    satellite.port = await satellite.server.start(satellite.port, [satellite.host])
    await wait_for(lambda: len(calls) == 2)
    assert caplog.text.count("the time of arrival is told instead") == 1
    for call in calls:
        assert call.data["data"]["push"]["interruption-level"] == "critical"
    assert loaded.state is ConfigEntryState.LOADED
    assert alert_attributes(hass)["telling"] == "new"


async def test_a_sound_that_goes_on_is_told_when_its_satellite_comes_back(
    hass: HomeAssistant, home: MockConfigEntry, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    await satellite.server.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", "off")
    detection = satellite.emit(SoundClass.ALARM, onset=dt_util.utcnow() - timedelta(seconds=5))
    satellite.port = await satellite.server.start(satellite.port, [satellite.host])
    await wait_for(lambda: calls)
    assert calls[0].data["title"] == "Alarm in the kitchen"
    satellite.emit(SoundClass.ALARM, Phase.UPDATE, id=detection, pattern=AlarmPattern.T3)
    await wait_for(lambda: len(calls) == 2)


async def test_a_listener_that_fails_keeps_nobody_from_being_told(
    hass: HomeAssistant,
    home: MockConfigEntry,
    satellite: SatelliteUnderTest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("a defect")

    calls = async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    household: Household = home.runtime_data
    household.async_subscribe_alerts(fail)
    household.async_subscribe_incidents(fail)
    satellite.emit(SoundClass.GUNSHOT)
    await wait_for(lambda: calls)
    assert "A listener of the household fails" in caplog.text


async def test_a_satellite_that_is_unloaded_leaves_nothing_open(
    hass: HomeAssistant, home: MockConfigEntry, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    detection = satellite.emit(SoundClass.DOG)
    household: Household = home.runtime_data
    await wait_for(lambda: household.current is not None)
    await hass.config_entries.async_unload(loaded.entry_id)
    household.desk.incidents.expire(dt_util.utcnow() + timedelta(seconds=61))
    incident = household.async_get_incident(detection)
    assert incident is not None
    assert incident.lost
