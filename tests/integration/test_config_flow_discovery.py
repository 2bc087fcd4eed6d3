"""What an announcement may do: begin a flow, be refused, or move a satellite to an address that is proven first."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_IGNORE, SOURCE_USER, ConfigEntryState
from homeassistant.const import CONF_CODE, CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import pytest_socket

from custom_components.echonet.const import DOMAIN
from custom_components.echonet.protocol import SERVICE_TYPE
from tests.integration.conftest import StartSatellite, is_in, setup, wait_for
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
        (f"\x1b[31mRed{'x' * 100}.{SERVICE_TYPE}", f"31mRed{'x' * 58}"),
        (f"[Click](https://www.example.org) *now*.{SERVICE_TYPE}", "Click (https www example org) now"),
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
    result = await answer(hass, result, **{CONF_HOST: f"127.0.0.1:{satellite.port}"})
    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert satellite_entry(hass).source == SOURCE_USER
    await unload_all(hass)


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


# On loopback, so that nothing leaves the machine; nobody listens there unless a test sees to it.
ELSEWHERE, NOWHERE = "127.0.0.2", "127.0.0.3"


@pytest.fixture
def _all_of_loopback(socket_enabled: None) -> Iterator[None]:
    """Allow the addresses of loopback that the harness forbids."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", ELSEWHERE, NOWHERE])
    yield
    pytest_socket.socket_allow_hosts(["127.0.0.1"])


def at(satellite: SatelliteUnderTest, *hosts: str) -> ZeroconfServiceInfo:
    """What mDNS tells of a satellite with several addresses."""
    addresses = [ip_address(host) for host in hosts]
    return announcement(satellite, ip_address=addresses[0], ip_addresses=addresses)


@pytest.mark.usefixtures("_all_of_loopback")
async def test_pairing_tries_every_announced_address(
    hass: HomeAssistant, satellite: SatelliteUnderTest, start_satellite: StartSatellite
) -> None:
    """A Pi with Docker or a VPN announced an address that Home Assistant could not reach first: no pairing.

    One that is reached may belong to another satellite; that one learns nothing and loses no try.
    """
    stranger = await start_satellite(name="Stranger")
    await stranger.stop()
    stranger.host, stranger.port = ELSEWHERE, satellite.port
    await stranger.start()
    stranger.open_pairing()
    result = await discover(hass, at(satellite, NOWHERE, ELSEWHERE, "127.0.0.1"))

    result = await answer(hass, result, **{CONF_CODE: satellite.open_pairing()})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"][CONF_HOST] == "127.0.0.1"
    assert result["result"].unique_id == satellite.satellite_id
    assert stranger.controllers.all == ()
    await unload_all(hass)


@pytest.mark.usefixtures("_all_of_loopback")
async def test_a_wrong_code_costs_one_try_however_many_addresses_there_are(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    result = await discover(hass, at(satellite, NOWHERE, "127.0.0.1", ELSEWHERE))
    code = satellite.open_pairing()
    for _ in range(4):
        result = await answer(hass, result, **{CONF_CODE: WRONG_CODE})
        assert result["errors"] == {"base": "invalid_code"}
    result = await answer(hass, result, **{CONF_CODE: code})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await unload_all(hass)


@pytest.mark.usefixtures("_all_of_loopback")
async def test_a_satellite_is_followed_to_whichever_address_it_can_be_reached_at(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    """Also where the address has been announced all along, and only now leads nowhere."""
    hass.config_entries.async_update_entry(loaded, data={**loaded.data, CONF_HOST: NOWHERE})
    await satellite.stop()
    await wait_for(lambda: not loaded.runtime_data.last_update_success)
    await satellite.start()

    await discover(hass, at(satellite, NOWHERE, ELSEWHERE, "127.0.0.1"))

    assert loaded.data[CONF_HOST] == "127.0.0.1"
    await wait_for(lambda: loaded.runtime_data.last_update_success)


async def test_the_announced_name_is_its_owners_without_the_digits_of_the_service(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    properties = {"id": satellite.satellite_id, "name": "Bedroom", "install": "service"}
    info = announcement(satellite, name=f"Bedroom 4c2ad3d2.{SERVICE_TYPE}", properties=properties)

    await discover(hass, info)

    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["title_placeholders"] == {"name": "Bedroom"}


async def test_two_satellites_of_one_name_are_told_apart(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    """Two called raspberrypi were the same to a reader."""
    first, second = await start_satellite(name="raspberrypi"), await start_satellite(name="raspberrypi")
    for satellite in (first, second):
        properties = {"id": satellite.satellite_id, "name": "raspberrypi"}
        await discover(hass, announcement(satellite, properties=properties))

    flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    names = [flow["context"]["title_placeholders"]["name"] for flow in flows]
    assert sorted(names) == ["raspberrypi", f"raspberrypi ({second.satellite_id[:4].upper()})"]

    ids = {flow["context"]["unique_id"]: flow for flow in flows}
    for satellite in (first, second):
        result = await answer(hass, ids[satellite.satellite_id], **{CONF_CODE: satellite.open_pairing()})
        assert result["type"] is FlowResultType.CREATE_ENTRY
    titles = {
        entry.title for entry in hass.config_entries.async_entries(DOMAIN) if "raspberrypi" in entry.title
    }
    assert len(titles) == 2
    await unload_all(hass)
