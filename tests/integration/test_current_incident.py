"""What the household says that goes on now."""

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from echonet_satellite.protocol import AlarmPattern, Phase, SoundClass
from tests.integration.conftest import state_of, wait_for, wait_for_state
from tests.support.satellite import SatelliteUnderTest

INCIDENT = "sensor.echonet_household_current_incident"
ROOMS = "sensor.echonet_household_current_incident_heard_in"
SINCE = "sensor.echonet_household_current_incident_since"


async def test_the_incident_that_goes_on_is_shown_until_it_is_over(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    assert state_of(hass, INCIDENT).state == "none"
    assert state_of(hass, ROOMS).state == STATE_UNKNOWN
    detection = satellite.emit(SoundClass.BABY_CRY)
    await wait_for_state(hass, INCIDENT, "baby_cry")
    assert state_of(hass, ROOMS).state == "Kitchen"
    assert state_of(hass, SINCE).state != STATE_UNKNOWN
    satellite.emit(SoundClass.BABY_CRY, Phase.END, id=detection, duration_s=1.0)
    await wait_for_state(hass, INCIDENT, "none")


async def test_what_is_worse_is_shown_first_and_by_what_it_is(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    satellite.emit(SoundClass.DOG)
    alarm = satellite.emit(SoundClass.ALARM)
    await wait_for_state(hass, INCIDENT, "alarm")
    satellite.emit(SoundClass.ALARM, Phase.UPDATE, id=alarm, pattern=AlarmPattern.T3)
    await wait_for_state(hass, INCIDENT, "smoke_alarm")


async def test_a_test_is_no_incident(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await hass.services.async_call(
        "button", "press", {"entity_id": "button.hallway_send_test_alert"}, blocking=True
    )
    await wait_for(lambda: state_of(hass, "event.echonet_household_alert").attributes["event_type"] == "test")
    assert state_of(hass, INCIDENT).state == "none"
