"""Alerts name the room where it probably was: three real satellites, one sound."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import area_registry as ar, device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from custom_components.echonet import timekeeping
from custom_components.echonet.clocks import Offset, SatelliteClock
from custom_components.echonet.household import policy
from custom_components.echonet.household.whereabouts import CLOSE_ENOUGH
from custom_components.echonet.protocol import Configure, SoundClass
from tests.integration.conftest import StartSatellite, make_entry, setup, state_of, wait_for
from tests.integration.phones import add_recipient
from tests.support.satellite import SatelliteUnderTest

SENSOR = "sensor.echonet_household_likely_room"

type House = dict[str, tuple[SatelliteUnderTest, MockConfigEntry]]


@pytest.fixture
async def house(
    hass: HomeAssistant,
    household: MockConfigEntry,
    start_satellite: StartSatellite,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[House]:
    """Three rooms with a satellite each, whose clocks are asked for often."""
    monkeypatch.setattr(timekeeping, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(timekeeping, "PAUSE_S", 0.05)
    monkeypatch.setattr(policy, "UPDATE_SPACING", timedelta(0))
    house: House = {}
    for room in ("Kitchen", "Hall", "Attic"):
        satellite = await start_satellite(name=f"Ear {room}")
        entry = make_entry(satellite)
        entry.add_to_hass(hass)
        house[room] = (satellite, entry)
    await setup(hass, household)
    for room, (_, entry) in house.items():
        devices = dr.async_get(hass)
        (device,) = dr.async_entries_for_config_entry(devices, entry.entry_id)
        devices.async_update_device(device.id, area_id=ar.async_get(hass).async_get_or_create(room).id)
    yield house
    for _, entry in house.values():
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture
def phone(hass: HomeAssistant, household: MockConfigEntry) -> list[ServiceCall]:
    """Anna's phone: what it was sent."""
    add_recipient(hass, household, "notify.mobile_app_anna", name="Anna")
    calls: list[ServiceCall] = async_mock_service(hass, "notify", "mobile_app_anna")
    return calls


async def told(phone: list[ServiceCall], count: int) -> str:
    """Wait for so many notifications, and return what the last one says."""
    await wait_for(lambda: len(phone) == count)
    return str(phone[-1].data["message"])


def clock_known(entry: MockConfigEntry, ahead: timedelta) -> bool:
    """Tell whether a satellite's clock is known well enough to tell rooms apart."""
    offset: Offset | None = entry.runtime_data.clock_offset
    return (
        offset is not None
        and offset.uncertainty <= CLOSE_ENOUGH / 2
        and abs(offset.ahead - ahead) <= offset.uncertainty
    )


async def test_a_glass_break_is_probably_where_it_was_loudest(
    hass: HomeAssistant, house: House, phone: list[ServiceCall]
) -> None:
    onset = datetime.now(UTC)
    for count, (room, level) in enumerate({"Hall": -45.0, "Kitchen": -12.0, "Attic": -55.0}.items(), start=1):
        house[room][0].emit(SoundClass.GLASS_BREAK, peak_dbfs=level, onset=onset)
        message = await told(phone, count)
        if count < 3:
            # The others may only be late to tell: nothing can be said of them yet.
            assert "Probably" not in message
            assert state_of(hass, SENSOR).state == STATE_UNKNOWN
    assert "Probably in the kitchen (" in message
    assert state_of(hass, SENSOR).state == "Kitchen"


async def test_a_gunshot_that_fills_every_microphone_is_where_it_was_heard_first(
    hass: HomeAssistant, house: House, phone: list[ServiceCall], monkeypatch: pytest.MonkeyPatch
) -> None:
    # One of the clocks is wrong, and that is known.
    house["Hall"][0].utc = lambda: datetime.now(UTC) + timedelta(hours=3)
    await wait_for(
        lambda: all(
            clock_known(entry, timedelta(hours=3 if room == "Hall" else 0))
            for room, (_, entry) in house.items()
        ),
        within_s=30,
    )
    # What is known by now holds still: on a busy machine the next answer may be a slow one.
    monkeypatch.setattr(SatelliteClock, "take", lambda *_: None)
    # Half a second ago: what begins in the future is not believed.
    now = datetime.now(UTC) - timedelta(seconds=0.5)
    for count, (room, late_ms) in enumerate({"Kitchen": 60, "Hall": 0, "Attic": 75}.items(), start=1):
        satellite = house[room][0]
        ahead = satellite.utc() - datetime.now(UTC)
        satellite.emit(SoundClass.GUNSHOT, peak_dbfs=0.0, onset=now + timedelta(milliseconds=late_ms) + ahead)
        message = await told(phone, count)
    assert "Probably in the hall (" in message


async def test_who_does_not_listen_says_nothing_by_being_silent(
    hass: HomeAssistant, house: House, phone: list[ServiceCall]
) -> None:
    attic = house["Attic"][1].runtime_data
    await attic.async_send(Configure(listening=False))
    await wait_for(lambda: not attic.data.settings.listening)
    # Long enough ago that who has not told by now has not heard it.
    onset = datetime.now(UTC) - timedelta(seconds=10)
    for count, (room, level) in enumerate({"Kitchen": -12.0, "Hall": -45.0}.items(), start=1):
        house[room][0].emit(SoundClass.GLASS_BREAK, peak_dbfs=level, onset=onset)
        message = await told(phone, count)
    assert "Probably" not in message


async def test_who_listens_and_hears_nothing_says_something(
    hass: HomeAssistant, house: House, phone: list[ServiceCall]
) -> None:
    onset = datetime.now(UTC) - timedelta(seconds=10)
    for count, (room, level) in enumerate({"Kitchen": -12.0, "Hall": -50.0}.items(), start=1):
        house[room][0].emit(SoundClass.GLASS_BREAK, peak_dbfs=level, onset=onset)
        message = await told(phone, count)
    assert "Probably in the kitchen (" in message
