"""An address is proven before a code is asked for, and each trouble is told in its own true words."""

import asyncio
from datetime import timedelta
from types import ModuleType
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_CODE, CONF_HOST
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet import client, errors, greeting
from custom_components.echonet.const import DOMAIN, HOUSEHOLD_UNIQUE_ID
from custom_components.echonet.pairing_attempt import pairing_command
from custom_components.echonet.protocol import SERVICE_TYPE, Installation
from echonet_satellite.server import sockets
from tests.integration.conftest import StartSatellite, setup
from tests.integration.flows import WRONG_CODE, announcement, answer, discover, start_by_hand, unload_all
from tests.support.satellite import SatelliteUnderTest

REFUSED = pytest.mark.parametrize("expected_lingering_timers", [True])


async def type_address(hass: HomeAssistant, satellite: SatelliteUnderTest) -> Any:
    result = await start_by_hand(hass)
    if result["type"] is FlowResultType.MENU:
        result = await answer(hass, result, next_step_id="satellite")
    return await answer(hass, result, **{CONF_HOST: f"127.0.0.1:{satellite.port}"})


async def open_dialog(hass: HomeAssistant, result: Any) -> Any:
    """Open the dialog of a flow that was discovered, as the frontend does."""
    return await hass.config_entries.flow.async_configure(result["flow_id"])


def speak(monkeypatch: pytest.MonkeyPatch, version: int, *modules: ModuleType) -> None:
    for module in modules:
        monkeypatch.setattr(module, "PROTOCOL_VERSION", version)


async def test_a_satellite_that_shows_a_code_is_asked_for_it_with_its_clock(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    code = satellite.open_pairing()
    result = await type_address(hass, satellite)
    assert result["step_id"] == "code"
    until = result["description_placeholders"]["until"]
    left = timedelta(seconds=satellite.window.remaining_s)
    assert until in {f"{dt_util.now() + left + timedelta(minutes=more):%H:%M}" for more in (-1, 0, 1)}
    assert result["description_placeholders"]["name"] == "Hallway"
    result = await answer(hass, result, **{CONF_CODE: code})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await unload_all(hass)


async def test_a_satellite_is_looked_up_when_the_dialog_is_opened(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    result = await discover(hass, announcement(satellite))
    assert result["step_id"] == "pair"
    code = satellite.open_pairing()
    result = await open_dialog(hass, result)
    assert result["step_id"] == "code"
    # Tried until the satellite gives up: then there is a command to run, and no code to type.
    for _ in range(5):
        result = await answer(hass, result, **{CONF_CODE: WRONG_CODE})
        assert result["errors"] == {"base": "invalid_code"}
    result = await answer(hass, result, **{CONF_CODE: code})
    assert (result["step_id"], result["errors"]) == ("pair", {"base": "pairing_closed"})
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await unload_all(hass)


async def test_an_open_dialog_says_at_once_that_nothing_answers(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    result = await discover(hass, announcement(satellite))
    await satellite.stop()
    result = await open_dialog(hass, result)
    assert (result["step_id"], result["errors"]) == ("pair", {"base": "cannot_connect"})
    await satellite.start()
    assert not (await open_dialog(hass, result))["errors"]


async def test_an_announcement_that_names_another_satellite_is_told_so_before_any_code(
    hass: HomeAssistant, start_satellite: StartSatellite, satellite: SatelliteUnderTest
) -> None:
    other = await start_satellite(name="Other")
    properties = {"id": other.satellite_id, "paired": "0"}
    result = await discover(hass, announcement(satellite, properties=properties))
    assert (await open_dialog(hass, result))["errors"] == {"base": "wrong_satellite"}


async def test_what_is_no_satellite_is_told_so(hass: HomeAssistant) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    result = await answer(hass, await start_by_hand(hass), **{CONF_HOST: f"127.0.0.1:{port}"})
    assert (result["step_id"], result["errors"]) == ("satellite", {"base": "no_satellite_there"})
    server.close()
    await server.wait_closed()
    result = await answer(hass, result, **{CONF_HOST: "not an address"})
    assert result["errors"] == {"base": "invalid_address"}


@pytest.mark.parametrize(
    ("modules", "key"),
    [((sockets,), "integration_outdated"), ((client, errors, greeting), "satellite_outdated")],
)
@REFUSED
async def test_a_version_mismatch_says_what_to_update(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    satellite: SatelliteUnderTest,
    monkeypatch: pytest.MonkeyPatch,
    modules: tuple[ModuleType, ...],
    key: str,
) -> None:
    speak(monkeypatch, 2, *modules)
    result = await type_address(hass, satellite)
    assert result["errors"] == {"base": key}
    await setup(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == key
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"{key}_{entry.entry_id}")
    assert issue is not None
    assert issue.learn_more_url is not None
    monkeypatch.undo()
    await hass.config_entries.async_reload(entry.entry_id)
    assert ir.async_get(hass).async_get_issue(DOMAIN, f"{key}_{entry.entry_id}") is None
    await unload_all(hass)


async def test_a_greeting_that_only_a_newer_version_understands_is_no_missing_satellite(
    hass: HomeAssistant,
    satellite: SatelliteUnderTest,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was told that the satellite does not answer, and has no power."""
    monkeypatch.setattr(sockets, "encode", lambda _: '{"type": "hello", "protocol": 2, "who": [1, 2]}')
    assert (await type_address(hass, satellite))["errors"] == {"base": "integration_outdated"}
    result = await entry.start_reconfigure_flow(hass)
    result = await answer(hass, result, **{CONF_HOST: f"127.0.0.1:{satellite.port}"})
    assert result["errors"] == {"base": "integration_outdated"}


@REFUSED
async def test_an_address_that_another_satellite_got_is_no_changed_certificate(
    hass: HomeAssistant,
    start_satellite: StartSatellite,
    entry: MockConfigEntry,
    satellite: SatelliteUnderTest,
) -> None:
    await satellite.stop()
    await start_satellite(name="Other", port=satellite.port)
    await setup(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "wrong_satellite"
    assert not ir.async_get(hass).issues


async def test_who_should_hear_of_alerts_is_asked_once(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    first, second = await start_satellite(), await start_satellite(name="Garage")
    result = await answer(
        hass, await discover(hass, announcement(first)), **{CONF_CODE: first.open_pairing()}
    )
    assert "next_flow" in result
    # The question is closed without an answer, and the next satellite does not ask it again.
    hass.config_entries.subentries.async_abort(result["next_flow"][1])
    result = await discover(hass, announcement(second, name=f"Garage.{SERVICE_TYPE}"))
    result = await answer(hass, result, **{CONF_CODE: second.open_pairing()})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert "next_flow" not in result
    await unload_all(hass)


async def test_the_household_is_called_in_the_language_of_the_home(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    hass.config.language = "fr"
    result = await discover(hass, announcement(satellite))
    await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    household = hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, HOUSEHOLD_UNIQUE_ID)
    assert household is not None
    assert household.title == "Alertes du foyer"
    await unload_all(hass)


@pytest.mark.parametrize(
    ("installation", "command"),
    [
        (None, "sudo echonet-satellite pair"),
        (Installation.SERVICE, "sudo echonet-satellite pair"),
        (Installation.CONTAINER, "docker exec -it echonet-satellite echonet-satellite pair"),
        (Installation.USER, "~/echonet-satellite/bin/echonet-satellite pair"),
        (Installation.COMMAND, "echonet-satellite pair"),
    ],
)
def test_every_kind_of_installation_has_its_command(installation: Installation | None, command: str) -> None:
    assert pairing_command(installation) == command


async def test_an_app_is_asked_for_the_code_in_its_log(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    """It said to run a command, which nobody can in an app of Home Assistant."""
    properties = {"id": satellite.satellite_id, "install": "app"}
    result = await discover(hass, announcement(satellite, properties=properties))
    assert result["step_id"] == "app"
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await unload_all(hass)
