"""Adding a satellite by hand or by discovery, pairing, pairing again, and moving to a new address."""

from ipaddress import ip_address
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_REAUTH,
    SOURCE_USER,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
    FlowType,
)
from homeassistant.const import CONF_CODE, CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet import config_flow
from custom_components.echonet.client import ImpostorSuspected, UnsupportedProtocol
from custom_components.echonet.const import CONF_COOLDOWN, CONF_FINGERPRINT, DOMAIN, HOUSEHOLD_UNIQUE_ID
from custom_components.echonet.protocol import SERVICE_TYPE
from tests.integration.conftest import StartSatellite, is_in, setup, wait_for
from tests.support.satellite import SatelliteUnderTest

REFUSED = pytest.mark.parametrize("expected_lingering_timers", [True])
WRONG_CODE = "0000-0000-0000-0000"


def announcement(satellite: SatelliteUnderTest, **changes: Any) -> ZeroconfServiceInfo:
    """What mDNS tells of a satellite."""
    values: dict[str, Any] = {
        "ip_address": ip_address(satellite.host),
        "ip_addresses": [ip_address(satellite.host)],
        "port": satellite.port,
        "hostname": "hallway.local.",
        "type": SERVICE_TYPE,
        "name": f"Hallway.{SERVICE_TYPE}",
        "properties": {"id": satellite.satellite_id, "proto": "1", "version": "0.1.0", "paired": "0"},
        **changes,
    }
    return ZeroconfServiceInfo(**values)


async def discover(hass: HomeAssistant, info: ZeroconfServiceInfo) -> ConfigFlowResult:
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_ZEROCONF}, data=info)


async def start_by_hand(hass: HomeAssistant) -> ConfigFlowResult:
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})


async def answer(hass: HomeAssistant, result: Any, **data: Any) -> Any:
    result = await hass.config_entries.flow.async_configure(result["flow_id"], data)
    await hass.async_block_till_done()
    return result


async def move(satellite: SatelliteUnderTest) -> None:
    """Restart a satellite on another port."""
    await satellite.stop()
    satellite.port = 0
    await satellite.start()


async def unload_all(hass: HomeAssistant) -> None:
    for entry in hass.config_entries.async_entries(DOMAIN):
        if entry.state is ConfigEntryState.LOADED:
            await hass.config_entries.async_unload(entry.entry_id)


def satellite_entry(hass: HomeAssistant) -> ConfigEntry:
    (entry,) = (
        item for item in hass.config_entries.async_entries(DOMAIN) if item.unique_id != HOUSEHOLD_UNIQUE_ID
    )
    return entry


async def test_a_discovered_satellite_is_paired_with_its_code(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    result = await discover(hass, announcement(satellite))
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "pair"
    assert result["description_placeholders"] == {
        "name": "Hallway",
        "host": "127.0.0.1",
        "command": "echonet-satellite pair",
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
    assert [item.title for item in household.subentries.values()] == ["Persistent notification"]

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
    result = await answer(hass, result, **{CONF_HOST: " 127.0.0.1 ", CONF_PORT: satellite.port})
    assert result["step_id"] == "pair"
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"][CONF_HOST] == "127.0.0.1"
    await unload_all(hass)


async def test_a_wrong_address_can_be_corrected(
    hass: HomeAssistant, satellite: SatelliteUnderTest, unused_tcp_port: int
) -> None:
    result = await start_by_hand(hass)
    result = await answer(hass, result, **{CONF_HOST: "127.0.0.1", CONF_PORT: unused_tcp_port})
    result = await answer(hass, result, **{CONF_CODE: WRONG_CODE})
    assert result["step_id"] == "satellite"
    assert result["errors"] == {"base": "cannot_connect"}
    result = await answer(hass, result, **{CONF_HOST: "127.0.0.1", CONF_PORT: satellite.port})
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
    with patch.object(config_flow, "async_pair", side_effect=error):
        result = await answer(hass, result, **{CONF_CODE: WRONG_CODE})
    assert result["errors"] == {"base": key}
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await unload_all(hass)


@pytest.mark.parametrize(
    "changes",
    [
        {"properties": {}},
        {"properties": {"id": "../../etc/passwd"}},
        {"properties": {"id": "0" * 31}},
        {"properties": {"id": None}},
        {"port": None},
        {"port": 0},
    ],
)
async def test_an_announcement_without_proper_id_or_port_is_ignored(
    hass: HomeAssistant, satellite: SatelliteUnderTest, changes: dict[str, Any]
) -> None:
    result = await discover(hass, announcement(satellite, **changes))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "invalid_discovery"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (f"\x1b[31mRed{'x' * 100}.{SERVICE_TYPE}", f"[31mRed{'x' * 57}"),
        (f"\n.{SERVICE_TYPE}", "EchoNet"),
    ],
)
async def test_the_announced_name_is_cleaned(
    hass: HomeAssistant, satellite: SatelliteUnderTest, name: str, shown: str
) -> None:
    result = await discover(hass, announcement(satellite, name=name))
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["name"] == shown


async def test_one_flow_a_satellite(hass: HomeAssistant, satellite: SatelliteUnderTest) -> None:
    assert (await discover(hass, announcement(satellite)))["type"] is FlowResultType.FORM
    second = await discover(hass, announcement(satellite, port=1))
    assert second["type"] is FlowResultType.ABORT
    assert second["reason"] == "already_in_progress"


async def test_an_announcement_cannot_pass_one_satellite_off_as_another(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    result = await discover(hass, announcement(satellite, properties={"id": "0" * 32}))
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "wrong_satellite"
    assert not hass.config_entries.async_entries(DOMAIN)


async def test_an_ignored_satellite_stays_ignored_until_it_is_added_by_hand(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    MockConfigEntry(domain=DOMAIN, unique_id=satellite.satellite_id, source=SOURCE_IGNORE).add_to_hass(hass)
    result = await discover(hass, announcement(satellite))
    assert result["reason"] == "already_configured"

    result = await start_by_hand(hass)
    result = await answer(hass, result, **{CONF_HOST: "127.0.0.1", CONF_PORT: satellite.port})
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert satellite_entry(hass).source == SOURCE_USER
    await unload_all(hass)


async def test_pairing_a_known_satellite_renews_its_entry(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    token = loaded.data[CONF_TOKEN]
    await move(satellite)
    result = await start_by_hand(hass)
    result = await answer(hass, result, next_step_id="satellite")
    result = await answer(hass, result, **{CONF_HOST: "127.0.0.1", CONF_PORT: satellite.port})
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "paired_again"
    assert satellite_entry(hass) is loaded
    assert loaded.data[CONF_PORT] == satellite.port
    assert loaded.data[CONF_TOKEN] != token


@pytest.mark.parametrize("host", ["127.0.0.1", "Hallway.local"])
async def test_an_announcement_of_what_is_known_changes_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest, host: str
) -> None:
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_HOST: host})
    before = dict(entry.data)
    with patch("custom_components.echonet.discovery.async_connect") as connect:
        result = await discover(hass, announcement(satellite))
    assert result["reason"] == "already_configured"
    assert entry.data == before
    connect.assert_not_called()


async def test_a_proven_new_address_is_taken(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await move(satellite)
    assert loaded.data[CONF_PORT] != satellite.port
    result = await discover(hass, announcement(satellite))
    assert result["reason"] == "already_configured"
    assert loaded.data[CONF_PORT] == satellite.port
    await wait_for(lambda: loaded.runtime_data.last_update_success)


async def test_a_satellite_that_was_away_at_the_start_is_set_up_where_it_appears(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await satellite.stop()
    await setup(hass, entry)
    assert is_in(entry, ConfigEntryState.SETUP_RETRY)
    satellite.port = 0
    await satellite.start()
    await discover(hass, announcement(satellite))
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data[CONF_PORT] == satellite.port
    await unload_all(hass)


async def test_a_false_announcement_changes_nothing(
    hass: HomeAssistant,
    start_satellite: StartSatellite,
    entry: MockConfigEntry,
    satellite: SatelliteUnderTest,
) -> None:
    """Somebody announces our satellite's id at the address of a machine of theirs."""
    impostor = await start_satellite(name="Impostor")
    before = dict(entry.data)
    info = announcement(impostor, properties={"id": satellite.satellite_id})
    result = await discover(hass, info)
    assert result["reason"] == "already_configured"
    assert entry.data == before
    assert impostor.connected == ()


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
    with patch.object(config_flow, "async_pair", side_effect=RuntimeError("a defect")):
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
    result = await answer(hass, result, **{CONF_HOST: "127.0.0.1", CONF_PORT: unused_tcp_port})
    assert result["errors"] == {"base": "cannot_connect"}
    with patch.object(config_flow, "async_connect", side_effect=RuntimeError("a defect")):
        result = await answer(hass, result, **{CONF_HOST: "127.0.0.1", CONF_PORT: satellite.port})
    assert result["errors"] == {"base": "unknown"}
    await move(satellite)
    result = await answer(hass, result, **{CONF_HOST: "127.0.0.1", CONF_PORT: satellite.port})
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
    result = await answer(hass, result, **{CONF_HOST: "127.0.0.1", CONF_PORT: other.port})
    assert result["errors"] == {"base": "certificate_changed"}
    satellite.forget_controllers()
    result = await answer(hass, result, **{CONF_HOST: "127.0.0.1", CONF_PORT: satellite.port})
    assert result["errors"] == {"base": "invalid_token"}
    assert entry.data == before


async def test_the_settings_of_the_household(hass: HomeAssistant, household: MockConfigEntry) -> None:
    await setup(hass, household)
    options = await hass.config_entries.options.async_init(household.entry_id)
    assert options["step_id"] == "init"
    done = await hass.config_entries.options.async_configure(options["flow_id"], {CONF_COOLDOWN: 5.0})
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert household.options == {CONF_COOLDOWN: 5}

    result = await household.start_reconfigure_flow(hass)
    assert result["step_id"] == "reconfigure_household"
    result = await answer(hass, result, **{CONF_COOLDOWN: 120})
    assert result["reason"] == "reconfigure_successful"
    assert household.options == {CONF_COOLDOWN: 120}


def test_a_satellite_has_no_options_and_no_recipients(
    entry: MockConfigEntry, household: MockConfigEntry
) -> None:
    handler = config_flow.EchonetConfigFlow
    assert not handler.async_supports_options_flow(entry)
    assert not handler.async_get_supported_subentry_types(entry)
    assert handler.async_supports_options_flow(household)
    assert set(handler.async_get_supported_subentry_types(household)) == {"recipient"}
