"""Three satellites, one sound: one incident, one alert for each recipient, answered from a phone or handed on."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from homeassistant.core import HomeAssistant, ServiceCall
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from echonet_satellite.protocol import AlarmPattern, SoundClass
from tests.integration.conftest import StartSatellite, make_entry, setup, wait_for
from tests.integration.phones import add_recipient
from tests.support.satellite import SatelliteUnderTest


@pytest.fixture
async def three(
    hass: HomeAssistant, household: MockConfigEntry, start_satellite: StartSatellite
) -> AsyncIterator[list[SatelliteUnderTest]]:
    """Three satellites of a household that rings again every second, and hands on after the first time."""
    hass.config_entries.async_update_entry(household, options={"interval": 1, "patience": 1, "most": 30})
    await setup(hass, household)
    satellites = [await start_satellite(name=name) for name in ("Hall", "Kitchen", "Attic")]
    entries = [make_entry(satellite) for satellite in satellites]
    for entry, satellite in zip(entries, satellites, strict=True):
        entry.add_to_hass(hass)
        await setup(hass, entry)
        await satellite.wait_connected()
    yield satellites
    for entry in entries:
        await hass.config_entries.async_unload(entry.entry_id)


def hear(satellites: list[SatelliteUnderTest]) -> None:
    """Let all of them hear one smoke alarm, each a little later than the one before."""
    now = datetime.now(UTC)
    for number, satellite in enumerate(satellites):
        satellite.emit(
            SoundClass.ALARM,
            onset=now + timedelta(milliseconds=5 * number),
            pattern=AlarmPattern.T3,
            peak_dbfs=-10.0 * (number + 1),
        )


def rings(calls: list[ServiceCall]) -> list[ServiceCall]:
    return [call for call in calls if call.data["data"]["push"]["interruption-level"] == "critical"]


async def test_one_alert_for_each_acknowledged_by_a_phone(
    hass: HomeAssistant, household: MockConfigEntry, three: list[SatelliteUnderTest]
) -> None:
    anna = async_mock_service(hass, "notify", "mobile_app_anna")
    ben = async_mock_service(hass, "notify", "mobile_app_ben")
    neighbour = async_mock_service(hass, "notify", "mobile_app_neighbour")
    add_recipient(hass, household, "notify.mobile_app_anna", name="Anna")
    add_recipient(hass, household, "notify.mobile_app_ben", name="Ben", language="de")
    add_recipient(hass, household, "notify.mobile_app_neighbour", name="Neighbour", order=2)
    hear(three)
    await wait_for(lambda: anna and ben)
    assert len(rings(anna)) == len(rings(ben)) == 1
    action = anna[0].data["data"]["actions"][0]["action"]
    hass.bus.async_fire("mobile_app_notification_action", {"action": action})
    await wait_for(lambda: "Bestätigt von" in ben[-1].data["message"])
    (incident,) = household.runtime_data.desk.incidents
    assert len(incident.places) == 3
    assert incident.answered
    assert len({call.data["data"]["tag"] for call in (*anna, *ben)}) == 1
    assert household.runtime_data.desk.escalation.rings(incident.id) is False
    assert not neighbour


async def test_what_nobody_answers_rings_again_and_is_handed_on(
    hass: HomeAssistant, household: MockConfigEntry, three: list[SatelliteUnderTest]
) -> None:
    anna = async_mock_service(hass, "notify", "mobile_app_anna")
    neighbour = async_mock_service(hass, "notify", "mobile_app_neighbour")
    add_recipient(hass, household, "notify.mobile_app_anna", name="Anna")
    add_recipient(hass, household, "notify.mobile_app_neighbour", name="Neighbour", order=2)
    hear(three)
    await wait_for(lambda: neighbour, within_s=30.0)
    # Who is told first of two is not settled.
    await wait_for(lambda: "Nobody has acknowledged this yet." in rings(anna)[-1].data["message"])
    assert "Passed on because nobody has acknowledged it yet." in neighbour[0].data["message"]
    assert len(rings(neighbour)) >= 1
    (incident,) = household.runtime_data.desk.incidents
    assert not incident.answered
