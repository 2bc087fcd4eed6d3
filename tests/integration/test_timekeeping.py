"""A satellite whose clock is wrong is found out over its connection, and tells of sounds at the right time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet import timekeeping
from custom_components.echonet.clocks import Offset
from custom_components.echonet.const import DOMAIN
from custom_components.echonet.reports import DetectionReport
from echonet_satellite.protocol import Phase, Problem, SoundClass
from tests.integration.conftest import StartSatellite, make_entry, setup, wait_for
from tests.support.satellite import SatelliteUnderTest

CLOSE = timedelta(seconds=2)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask so often that a test need not wait."""
    monkeypatch.setattr(timekeeping, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(timekeeping, "PAUSE_S", 0.05)


def set_clock(satellite: SatelliteUnderTest, ahead: timedelta) -> None:
    """Set a satellite's clock."""
    satellite.utc = lambda: datetime.now(UTC) + ahead


def is_ahead_by(entry: MockConfigEntry, ahead: timedelta) -> bool:
    offset: Offset | None = entry.runtime_data.clock_offset
    return offset is not None and abs(offset.ahead - ahead) <= min(offset.uncertainty, CLOSE)


def listen(entry: MockConfigEntry) -> list[DetectionReport]:
    """Return what the coordinator tells from now on."""
    reports: list[DetectionReport] = []
    entry.runtime_data.async_subscribe_detections(reports.append)
    return reports


async def test_a_clock_that_is_right_is_known_to_be(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await wait_for(lambda: is_ahead_by(loaded, timedelta(0)))
    reports = listen(loaded)
    onset = datetime.now(UTC).replace(microsecond=0)
    satellite.emit(SoundClass.DOG, onset=onset)
    await wait_for(lambda: reports)
    assert reports[0].detection.onset == onset


async def test_a_glass_break_by_a_clock_that_is_hours_wrong_was_just_now(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    satellite = await start_satellite()
    set_clock(satellite, timedelta(hours=-5))
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    await wait_for(lambda: is_ahead_by(entry, timedelta(hours=-5)))
    reports = listen(entry)
    now = datetime.now(UTC)
    detection = satellite.emit(SoundClass.GLASS_BREAK, onset=satellite.utc())
    satellite.emit(SoundClass.GLASS_BREAK, Phase.END, id=detection, onset=satellite.utc(), duration_s=1.0)
    await wait_for(lambda: len(reports) == 2)
    assert all(abs(item.detection.onset - now) < CLOSE for item in reports)
    assert not any(item.late for item in reports)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_clock_that_is_set_is_noticed(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await wait_for(lambda: is_ahead_by(loaded, timedelta(0)))
    set_clock(satellite, timedelta(days=400))
    await wait_for(lambda: is_ahead_by(loaded, timedelta(days=400)))


async def test_nothing_is_known_of_the_clock_of_a_satellite_that_is_away(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await wait_for(lambda: loaded.runtime_data.clock_offset)
    await satellite.stop()
    await wait_for(lambda: not loaded.runtime_data.last_update_success)
    assert loaded.runtime_data.clock_offset is None
    await satellite.start()
    await wait_for(lambda: is_ahead_by(loaded, timedelta(0)))


async def test_an_older_satellite_is_not_asked_and_tells_all_the_same(
    hass: HomeAssistant, start_satellite: StartSatellite, monkeypatch: pytest.MonkeyPatch
) -> None:
    satellite = await start_satellite()
    older = replace(satellite.station.welcome(), tells_time=False)
    monkeypatch.setattr(satellite.station, "welcome", lambda: older)
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    reports = listen(entry)
    satellite.emit(SoundClass.DOG)
    await wait_for(lambda: reports)
    assert entry.runtime_data.clock_offset is None
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize(
    ("ahead", "key", "difference"),
    [
        (timedelta(hours=-5), "clock_behind", "5 h"),
        (timedelta(days=3 * 365), "clock_ahead", "1095 d"),
        (timedelta(seconds=45), "clock_ahead", "45 s"),
    ],
)
async def test_a_clock_that_is_wrong_is_a_repair_and_a_problem_of_the_satellite_until_it_is_right(
    hass: HomeAssistant, start_satellite: StartSatellite, ahead: timedelta, key: str, difference: str
) -> None:
    satellite = await start_satellite()
    set_clock(satellite, ahead)
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    registry = ir.async_get(hass)
    issue_id = f"clock_wrong_{entry.entry_id}"
    await wait_for(lambda: registry.async_get_issue(DOMAIN, issue_id) is not None)
    issue = registry.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_key == key
    assert issue.translation_placeholders == {"name": entry.title, "difference": difference}
    await wait_for(lambda: entry.runtime_data.data.health.problems == (Problem.CLOCK_WRONG,))

    set_clock(satellite, timedelta(0))
    await wait_for(lambda: registry.async_get_issue(DOMAIN, issue_id) is None)
    await wait_for(lambda: entry.runtime_data.data.health.problems == ())
