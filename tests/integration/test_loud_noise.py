"""The event entity of loud noises, fed by a real satellite."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.echonet.const import DOMAIN
from echonet_satellite.protocol import LoudNoise, Phase, Problem
from tests.integration.conftest import setup, state_of, wait_for, wait_for_state
from tests.support.satellite import SatelliteUnderTest


@pytest.fixture
def _enabled(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Its owner has enabled the entity."""
    er.async_get(hass).async_get_or_create(
        "event", DOMAIN, f"{entry.unique_id}-loud_noise", config_entry=entry, suggested_object_id="loud"
    )


@pytest.mark.usefixtures("_enabled")
async def test_a_loud_noise_fires_when_it_begins_and_when_it_is_over(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await setup(hass, entry)
    await satellite.wait_connected()
    onset = datetime(2026, 11, 27, 12, tzinfo=UTC)
    begun = LoudNoise(id="n1", phase=Phase.START, onset=onset, peak_dbfs=-3.0, pulses=3)

    satellite.station.on_noise(begun)
    await wait_for(lambda: state_of(hass, "event.loud").attributes.get("event_type") == "began")
    satellite.station.on_noise(replace(begun, phase=Phase.END, pulses=25, duration_s=1.5))
    await wait_for(lambda: state_of(hass, "event.loud").attributes.get("event_type") == "ended")

    attributes = state_of(hass, "event.loud").attributes
    assert attributes["pulses"] == 25
    assert attributes["duration"] == 1.5
    assert attributes["level"] == -3.0
    assert attributes["onset"] == onset.isoformat()
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.usefixtures("_enabled")
async def test_a_loud_noise_while_home_assistant_was_away_is_told_late_and_once(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await setup(hass, entry)
    await satellite.wait_connected()
    await hass.config_entries.async_unload(entry.entry_id)
    onset = datetime.now(UTC) - timedelta(minutes=10)
    noise = LoudNoise(id="n1", phase=Phase.START, onset=onset, peak_dbfs=-3.0, room="Garden")
    satellite.station.on_noise(noise)
    satellite.station.on_noise(replace(noise, phase=Phase.END, duration_s=1.5))
    told = satellite.journal.last_sequence
    events = async_capture_events(hass, EVENT_STATE_CHANGED)

    assert await hass.config_entries.async_setup(entry.entry_id)
    await satellite.wait_connected()
    (controller,) = satellite.controllers.all
    await wait_for(lambda: satellite.journal.acknowledged(controller.id) >= told)
    await hass.config_entries.async_reload(entry.entry_id)
    await satellite.wait_connected()
    await hass.async_block_till_done()

    late = [
        event.data["new_state"].attributes
        for event in events
        if event.data["entity_id"] == "event.loud"
        and event.data["new_state"] is not None
        and event.data["new_state"].attributes.get("event_type") is not None
    ]
    assert [(item["event_type"], item["room"], item["duration"]) for item in late] == [
        ("late", "Garden", 1.5)
    ]
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_deaf_microphone_is_a_problem_of_the_microphone(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await wait_for_state(hass, "binary_sensor.hallway_microphone", "off")
    satellite.set_health(Problem.MICROPHONE_DEAF)
    await wait_for_state(hass, "binary_sensor.hallway_microphone", "on")
    satellite.set_health(Problem.SENSOR_SILENT)
    await wait_for_state(hass, "binary_sensor.hallway_microphone", "off")
    await wait_for_state(hass, "sensor.hallway_health", "sensor_silent")


async def test_the_level_is_asked_for_only_where_its_sensor_is_enabled(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    er.async_get(hass).async_get_or_create(
        "sensor", DOMAIN, f"{entry.unique_id}-sound_level", config_entry=entry, suggested_object_id="level"
    )
    await setup(hass, entry)
    await satellite.wait_connected()

    def known() -> bool:
        satellite.set_level(-42.0)
        return state_of(hass, "sensor.level").state == "-42.0"

    await wait_for(known)
    # Not several a second: the history would be full of it.
    satellite.set_level(-10.0)
    satellite.emit("scream")
    await wait_for_state(hass, "binary_sensor.hallway_scream", "on")
    assert state_of(hass, "sensor.level").state == "-42.0"
    await hass.config_entries.async_unload(entry.entry_id)
