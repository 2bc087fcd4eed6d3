"""Adding a satellite by hand or by discovery, and pairing it; the household that comes with the first one."""

from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState, FlowType
from homeassistant.const import CONF_CODE, CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet import pairing_attempt
from custom_components.echonet.client import ImpostorSuspected, UnsupportedProtocol
from custom_components.echonet.const import CONF_FINGERPRINT, DOMAIN, HOUSEHOLD_UNIQUE_ID
from custom_components.echonet.household.recipients import recipients_of
from custom_components.echonet.protocol import SERVICE_TYPE
from tests.integration.conftest import StartSatellite
from tests.integration.flows import (
    WRONG_CODE,
    announcement,
    answer,
    discover,
    move,
    satellite_entry,
    start_by_hand,
    unload_all,
)
from tests.support.satellite import SatelliteUnderTest


async def test_a_discovered_satellite_is_paired_with_its_code(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    result = await discover(hass, announcement(satellite))
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "pair"
    assert result["description_placeholders"] == {
        "name": "Hallway",
        "host": f"127.0.0.1:{satellite.port}",
        "command": "sudo echonet-satellite pair",
    }
    code = satellite.open_pairing()
    typed = f" {code[:4]}-{code[4:8]} {code[8:12]}-{code[12:]} ".lower()
    result = await answer(hass, result, **{CONF_CODE: typed})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Hallway"
    assert result["result"].unique_id == satellite.satellite_id
    assert result["data"][CONF_HOST] == "127.0.0.1"
    assert result["data"][CONF_PORT] == satellite.port
    assert result["data"][CONF_FINGERPRINT] == satellite.fingerprint
    assert result["result"].state is ConfigEntryState.LOADED
    await satellite.wait_connected()
    assert "Home Assistant" in satellite.connected[0]
    await unload_all(hass)


async def test_the_first_satellite_brings_the_household_and_asks_for_a_recipient(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    first, second = await start_satellite(), await start_satellite(name="Garage")
    result = await discover(hass, announcement(first))
    result = await answer(hass, result, **{CONF_CODE: first.open_pairing()})
    household = hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, HOUSEHOLD_UNIQUE_ID)
    assert household is not None
    assert household.state is ConfigEntryState.LOADED
    kind, flow_id = result["next_flow"]
    assert kind == FlowType.CONFIG_SUBENTRIES_FLOW
    form = await hass.config_entries.subentries.async_configure(flow_id)
    assert form["step_id"] == "user"
    added = await hass.config_entries.subentries.async_configure(
        flow_id, {"target": "action:notify.persistent_notification"}
    )
    assert added["type"] is FlowResultType.CREATE_ENTRY
    assert [item.name for item in recipients_of(household)] == ["Persistent notification"]

    # The second one finds recipients, and asks for nothing more.
    result = await discover(hass, announcement(second, name=f"Garage.{SERVICE_TYPE}"))
    result = await answer(hass, result, **{CONF_CODE: second.open_pairing()})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert "next_flow" not in result
    await unload_all(hass)


async def test_a_removed_household_stays_away_until_it_is_wanted(
    hass: HomeAssistant, start_satellite: StartSatellite, loaded: MockConfigEntry
) -> None:
    second = await start_satellite(name="Garage")
    result = await discover(hass, announcement(second))
    result = await answer(hass, result, **{CONF_CODE: second.open_pairing()})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert "next_flow" not in result

    result = await start_by_hand(hass)
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == ["satellite", "household"]
    result = await answer(hass, result, next_step_id="household")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Household alerts"
    await unload_all(hass)


async def test_there_is_one_household(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    first, second = await start_by_hand(hass), await start_by_hand(hass)
    first = await answer(hass, first, next_step_id="household")
    assert first["type"] is FlowResultType.CREATE_ENTRY
    second = await answer(hass, second, next_step_id="household")
    assert second["type"] is FlowResultType.ABORT
    assert second["reason"] == "already_configured"
    result = await start_by_hand(hass)
    assert result["step_id"] == "satellite"


async def test_a_satellite_is_added_by_its_address(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    result = await start_by_hand(hass)
    assert result["step_id"] == "satellite"
    result = await answer(hass, result, **{CONF_HOST: f" https://127.0.0.1:{satellite.port}/ "})
    assert result["step_id"] == "pair"
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"][CONF_HOST] == "127.0.0.1"
    await unload_all(hass)


async def test_a_wrong_address_can_be_corrected(
    hass: HomeAssistant, satellite: SatelliteUnderTest, unused_tcp_port: int
) -> None:
    result = await start_by_hand(hass)
    result = await answer(hass, result, **{CONF_HOST: f"127.0.0.1:{unused_tcp_port}"})
    assert result["step_id"] == "satellite"
    assert result["errors"] == {"base": "cannot_connect"}
    result = await answer(hass, result, **{CONF_HOST: f"127.0.0.1:{satellite.port}"})
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await unload_all(hass)


async def test_a_discovered_satellite_that_is_off_can_be_switched_on(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    info = announcement(satellite)
    await satellite.stop()
    result = await discover(hass, info)
    result = await answer(hass, result, **{CONF_CODE: WRONG_CODE})
    assert result["step_id"] == "pair"
    assert result["errors"] == {"base": "cannot_connect"}
    await satellite.start()
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await unload_all(hass)


@pytest.mark.parametrize("typed", ["too short", WRONG_CODE])
async def test_a_wrong_code_can_be_corrected(
    hass: HomeAssistant, satellite: SatelliteUnderTest, typed: str
) -> None:
    result = await discover(hass, announcement(satellite))
    code = satellite.open_pairing()
    result = await answer(hass, result, **{CONF_CODE: typed})
    assert result["errors"] == {"base": "invalid_code"}
    result = await answer(hass, result, **{CONF_CODE: code})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await unload_all(hass)


async def test_a_closed_window_can_be_opened(hass: HomeAssistant, satellite: SatelliteUnderTest) -> None:
    result = await discover(hass, announcement(satellite))
    result = await answer(hass, result, **{CONF_CODE: WRONG_CODE})
    assert result["errors"] == {"base": "pairing_closed"}
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await unload_all(hass)


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (ImpostorSuspected("somebody stands in between"), "impostor"),
        (UnsupportedProtocol("another version"), "unsupported_protocol"),
        (RuntimeError("a defect"), "unknown"),
    ],
)
async def test_other_errors_can_be_overcome(
    hass: HomeAssistant, satellite: SatelliteUnderTest, error: Exception, key: str
) -> None:
    result = await discover(hass, announcement(satellite))
    with patch.object(pairing_attempt, "async_pair", side_effect=error):
        result = await answer(hass, result, **{CONF_CODE: WRONG_CODE})
    assert result["errors"] == {"base": key}
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await unload_all(hass)


async def test_pairing_a_known_satellite_renews_its_entry(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    token = loaded.data[CONF_TOKEN]
    await move(satellite)
    result = await start_by_hand(hass)
    result = await answer(hass, result, next_step_id="satellite")
    result = await answer(hass, result, **{CONF_HOST: f"127.0.0.1:{satellite.port}"})
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "paired_again"
    assert satellite_entry(hass) is loaded
    assert loaded.data[CONF_PORT] == satellite.port
    assert loaded.data[CONF_TOKEN] != token
