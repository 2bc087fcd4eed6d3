"""Setting up, unloading, and what keeps a satellite away."""

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet.const import DOMAIN
from tests.integration.conftest import StartSatellite, make_entry, setup, wait_for, wait_for_state
from tests.support.satellite import SatelliteUnderTest


async def test_set_up_registers_the_device(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    assert loaded.state is ConfigEntryState.LOADED
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, satellite.satellite_id), loaded.entry_id)
    assert device is not None
    assert device.manufacturer == "EchoNet"
    assert device.model == "Raspberry Pi 4 Model B"
    assert device.sw_version == "0.1.0"
    assert device.hw_version == "echonet 1.0.0"
    assert device.serial_number == satellite.satellite_id
    assert device.name == "Hallway"
