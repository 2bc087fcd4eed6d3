"""A satellite that is off when Home Assistant starts is shown as away, and is taken back when it comes."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet import last_known
from echonet_satellite.protocol import Location
from tests.integration.conftest import (
    StartSatellite,
    is_in,
    make_entry,
    setup,
    state_of,
    wait_for,
    wait_for_state,
)


async def test_connection_is_off_and_not_unavailable_after_a_restart_with_the_satellite_off(
    hass: HomeAssistant,
    start_satellite: StartSatellite,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(last_known, "SAVE_DELAY_S", 0.0)
    satellite = await start_satellite(location=Location(latitude=1.5, longitude=2.5))
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    key = f"echonet.satellite.{entry.entry_id}"
    await wait_for(lambda: key in hass_storage)
    assert "2.5" not in str(hass_storage[key])
    await hass.config_entries.async_unload(entry.entry_id)
    await satellite.stop()
    await hass.config_entries.async_setup(entry.entry_id)
    assert is_in(entry, ConfigEntryState.LOADED)
    assert state_of(hass, "binary_sensor.hallway_connection").state == STATE_OFF
    assert state_of(hass, "binary_sensor.hallway_dog").state == STATE_UNAVAILABLE
    await satellite.start()
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_ON)
    assert state_of(hass, "binary_sensor.hallway_dog").state == STATE_OFF
    await hass.config_entries.async_remove(entry.entry_id)
    assert key not in hass_storage


@pytest.mark.parametrize("data", [{}, {"welcome": "?", "snapshot": "?"}, {"welcome": 5, "snapshot": None}])
async def test_what_was_kept_and_cannot_be_read_is_left_out(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    start_satellite: StartSatellite,
    hass_storage: dict[str, Any],
    data: dict[str, Any],
) -> None:
    satellite = await start_satellite(name="Off")
    off = make_entry(satellite)
    off.add_to_hass(hass)
    await satellite.stop()
    key = f"echonet.satellite.{off.entry_id}"
    hass_storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": data}
    await setup(hass, off)
    assert is_in(off, ConfigEntryState.SETUP_RETRY)
    await hass.config_entries.async_unload(entry.entry_id)
