"""A real Home Assistant, and real satellites to go with it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
import shutil
from typing import Any
from unittest.mock import MagicMock

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet import event, link, sensor
from custom_components.echonet.const import CONF_FINGERPRINT, DOMAIN, HOUSEHOLD_TITLE, HOUSEHOLD_UNIQUE_ID
from custom_components.echonet.household.sensor import INCIDENT_SENSORS
from custom_components.echonet.household.where_entities import LikelyRoomSensor
from tests.support.satellite import SatelliteUnderTest, running_satellite

BLUEPRINTS = Path(__file__).parents[2] / "blueprints" / "automation" / "echonet"

type StartSatellite = Callable[..., Awaitable[SatelliteUnderTest]]


@pytest.fixture
def _database(request: pytest.FixtureRequest) -> None:
    """Let the recorder have its database before there is a Home Assistant, as the harness demands."""
    if "recorder_mock" in request.fixturenames:
        request.getfixturevalue("recorder_db_url")


@pytest.fixture(autouse=True)
def _with_entities_that_are_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enable what an owner would have to: the events of the satellites, and more of the current incident."""
    description = replace(event.SOUND_DETECTION, entity_registry_enabled_default=True)
    monkeypatch.setattr(event, "SOUND_DETECTION", description)
    enabled = [replace(item, entity_registry_enabled_default=True) for item in INCIDENT_SENSORS]
    monkeypatch.setattr(sensor, "INCIDENT_SENSORS", enabled)
    monkeypatch.setattr(LikelyRoomSensor, "_attr_entity_registry_enabled_default", True)


@pytest.fixture(autouse=True)
def _integration_under_test(
    _database: None, enable_custom_integrations: None, mock_async_zeroconf: MagicMock, socket_enabled: None
) -> None:
    """Let Home Assistant load ours, without mDNS on the real network."""


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect without the pauses that spare a real network."""
    monkeypatch.setattr(link, "ATTEMPT_SPACING_S", 0.02)


@pytest.fixture
async def start_satellite(tmp_path: Path) -> AsyncIterator[StartSatellite]:
    """Start a satellite; each has its own state, and ends with the test."""
    async with AsyncExitStack() as stack:
        count = 0

        async def start(**options: Any) -> SatelliteUnderTest:
            nonlocal count
            count += 1
            return await stack.enter_async_context(running_satellite(tmp_path / str(count), **options))

        yield start


@pytest.fixture
async def satellite(start_satellite: StartSatellite) -> SatelliteUnderTest:
    """One satellite with all classes, called Hallway."""
    return await start_satellite()


@pytest.fixture
async def unanswering_port() -> AsyncIterator[int]:
    """A port that takes connections and never says anything."""
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    for writer in writers:
        writer.close()
    server.close()
    await server.wait_closed()


def make_entry(satellite: SatelliteUnderTest, **changes: Any) -> MockConfigEntry:
    """Return the entry of a satellite that has been paired."""
    data = {
        CONF_HOST: satellite.host,
        CONF_PORT: satellite.port,
        CONF_FINGERPRINT: satellite.fingerprint,
        CONF_TOKEN: satellite.issue_token(),
        **changes,
    }
    return MockConfigEntry(domain=DOMAIN, unique_id=satellite.satellite_id, title=satellite.name, data=data)


@pytest.fixture
def entry(hass: HomeAssistant, satellite: SatelliteUnderTest) -> MockConfigEntry:
    """The entry of the satellite, not set up yet."""
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
async def loaded(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> AsyncIterator[MockConfigEntry]:
    """The entry of the satellite, set up and connected."""
    await setup(hass, entry)
    await satellite.wait_connected()
    yield entry
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture
def household(hass: HomeAssistant) -> MockConfigEntry:
    """The household, not set up yet and without recipients."""
    entry = MockConfigEntry(domain=DOMAIN, unique_id=HOUSEHOLD_UNIQUE_ID, title=HOUSEHOLD_TITLE)
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
async def home(hass: HomeAssistant, household: MockConfigEntry, loaded: MockConfigEntry) -> MockConfigEntry:
    """The household, next to a satellite in the kitchen."""
    await setup(hass, household)
    area = ar.async_get(hass).async_get_or_create("Kitchen")
    devices = dr.async_get(hass)
    device = devices.async_get_device_by_identifier((DOMAIN, loaded.unique_id or ""), loaded.entry_id)
    assert device is not None
    devices.async_update_device(device.id, area_id=area.id)
    return household


@pytest.fixture
def blueprints(hass: HomeAssistant, tmp_path: Path) -> None:
    """The blueprints where Home Assistant looks for them."""
    hass.config.config_dir = str(tmp_path)
    shutil.copytree(BLUEPRINTS, tmp_path / "blueprints" / "automation" / "echonet")


async def setup(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set an entry up, with all that Home Assistant does because of it.

    The first one of an integration takes all others with it.
    """
    if entry.state is ConfigEntryState.NOT_LOADED:
        await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def wait_for(condition: Callable[[], Any], *, within_s: float = 10.0) -> None:
    """Wait for something that happens over a real connection."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  # a state machine offers no event for "whatever is asked here"
            await asyncio.sleep(0.005)


def state_of(hass: HomeAssistant, entity_id: str) -> State:
    """Return the state of an entity that must be there."""
    state = hass.states.get(entity_id)
    assert state is not None, entity_id
    return state


def is_in(entry: ConfigEntry, state: ConfigEntryState) -> bool:
    """Tell whether an entry is in a state that may change from one line to the next."""
    return entry.state is state


def set_away_since(entry: ConfigEntry, **ago: float) -> None:
    """Let a satellite that is not connected have been away for longer than it was."""
    entry.runtime_data._intake.away_since = dt_util.utcnow() - timedelta(**ago)


async def wait_for_state(hass: HomeAssistant, entity_id: str, state: str) -> None:
    """Wait until an entity has a state."""

    def reached() -> bool:
        current = hass.states.get(entity_id)
        return current is not None and current.state == state

    try:
        await wait_for(reached)
    except TimeoutError:
        pytest.fail(f"{entity_id} is {hass.states.get(entity_id)}, never {state}")
