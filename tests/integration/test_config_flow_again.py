"""Changing what is set up: pairing again, a new address by hand, and the settings of the household."""

from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import CONF_CODE, CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet import config_flow, pairing_attempt
from custom_components.echonet.const import CONF_FINGERPRINT, DOMAIN
from tests.integration.conftest import StartSatellite, setup
from tests.integration.flows import WRONG_CODE, answer, move, unload_all
from tests.support.satellite import SatelliteUnderTest

REFUSED = pytest.mark.parametrize("expected_lingering_timers", [True])


async def start_reauth(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    result = await entry.start_reauth_flow(hass)
    assert result["step_id"] == "reauth_confirm"
    assert result["description_placeholders"]["name"] == "Hallway"
    return result


async def test_pairing_again_gives_a_new_token(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    token = loaded.data[CONF_TOKEN]
    result = await start_reauth(hass, loaded)
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert loaded.data[CONF_TOKEN] != token
    assert loaded.state is ConfigEntryState.LOADED


async def test_pairing_again_takes_a_new_certificate_once_the_code_has_proved_it(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await satellite.stop()
    satellite.new_identity()
    await satellite.start()
    assert entry.data[CONF_FINGERPRINT] != satellite.fingerprint
    result = await start_reauth(hass, entry)
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["reason"] == "reauth_successful"
    assert entry.data[CONF_FINGERPRINT] == satellite.fingerprint
    assert entry.state is ConfigEntryState.LOADED
    await unload_all(hass)


@REFUSED
async def test_errors_while_pairing_again_can_be_overcome(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    satellite.forget_controllers()
    await setup(hass, entry)
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == SOURCE_REAUTH
    result: Any = flow
    for error, typed in (("pairing_closed", WRONG_CODE), ("invalid_code", "?")):
        result = await answer(hass, result, **{CONF_CODE: typed})
        assert result["errors"] == {"base": error}
    await satellite.stop()
    result = await answer(hass, result, **{CONF_CODE: WRONG_CODE})
    assert result["errors"] == {"base": "cannot_connect"}
    await satellite.start()
    with patch.object(pairing_attempt, "async_pair", side_effect=RuntimeError("a defect")):
        result = await answer(hass, result, **{CONF_CODE: WRONG_CODE})
    assert result["errors"] == {"base": "unknown"}
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["reason"] == "reauth_successful"
    assert entry.state is ConfigEntryState.LOADED
    await unload_all(hass)


async def test_another_satellite_cannot_take_the_place_of_this_one(
    hass: HomeAssistant,
    start_satellite: StartSatellite,
    entry: MockConfigEntry,
    satellite: SatelliteUnderTest,
) -> None:
    before = dict(entry.data)
    await satellite.stop()
    other = await start_satellite(port=satellite.port)
    result = await start_reauth(hass, entry)
    result = await answer(hass, result, **{CONF_CODE: other.open_pairing()})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "wrong_satellite"
    assert entry.data == before


async def test_a_new_address_is_taken_once_it_is_proven(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest, unused_tcp_port: int
) -> None:
    result = await loaded.start_reconfigure_flow(hass)
    assert result["step_id"] == "reconfigure"
    result = await answer(hass, result, **{CONF_HOST: f"127.0.0.1:{unused_tcp_port}"})
    assert result["errors"] == {"base": "cannot_connect"}
    with patch.object(config_flow, "async_connect", side_effect=RuntimeError("a defect")):
        result = await answer(hass, result, **{CONF_HOST: f"127.0.0.1:{satellite.port}"})
    assert result["errors"] == {"base": "unknown"}
    await move(satellite)
    result = await answer(hass, result, **{CONF_HOST: f"127.0.0.1:{satellite.port}"})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert loaded.data[CONF_PORT] == satellite.port
    assert loaded.state is ConfigEntryState.LOADED


@REFUSED
async def test_a_new_address_is_refused_where_another_answers(
    hass: HomeAssistant,
    start_satellite: StartSatellite,
    entry: MockConfigEntry,
    satellite: SatelliteUnderTest,
) -> None:
    other = await start_satellite(name="Other")
    before = dict(entry.data)
    result = await entry.start_reconfigure_flow(hass)
    result = await answer(hass, result, **{CONF_HOST: f"127.0.0.1:{other.port}"})
    assert result["errors"] == {"base": "wrong_satellite"}
    satellite.forget_controllers()
    result = await answer(hass, result, **{CONF_HOST: f"127.0.0.1:{satellite.port}"})
    assert result["errors"] == {"base": "invalid_token"}
    assert entry.data == before


def test_a_satellite_has_no_recipients(entry: MockConfigEntry, household: MockConfigEntry) -> None:
    handler = config_flow.EchonetConfigFlow
    assert handler.async_supports_options_flow(entry)
    assert not handler.async_get_supported_subentry_types(entry)
    assert handler.async_supports_options_flow(household)
    assert set(handler.async_get_supported_subentry_types(household)) == {"recipient"}
