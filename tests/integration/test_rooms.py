"""A satellite that hears several rooms: each sound is told with its room, each microphone with its own problem."""

from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet.household.runtime import Household
from custom_components.echonet.view import async_view
from echonet_satellite.protocol import Health, Phase, Problem, SoundClass, SourceHealth
from tests.integration.conftest import StartSatellite, setup, state_of, wait_for, wait_for_state
from tests.support.satellite import SatelliteUnderTest


@pytest.fixture
async def satellite(start_satellite: StartSatellite) -> SatelliteUnderTest:
    """One satellite that hears two rooms."""
    return await start_satellite(rooms=("Kitchen", "Nursery"))


async def test_a_sound_names_its_room(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    first = satellite.emit(SoundClass.DOG, room="Kitchen")
    second = satellite.emit(SoundClass.DOG, room="Nursery")
    await wait_for(lambda: len(loaded.runtime_data.data.active) == 2)
    assert state_of(hass, "event.hallway_sound_detection").attributes["room"] == "Nursery"
    satellite.emit(SoundClass.DOG, Phase.END, id=first, room="Kitchen")
    await wait_for(lambda: len(loaded.runtime_data.data.active) == 1)
    assert state_of(hass, "binary_sensor.hallway_dog").state == STATE_ON
    # On the card, too, which names a sound by its class.
    shown = async_view(hass, loaded.runtime_data, "en")["sounds"]
    assert {(sound["id"], sound["room"]) for sound in shown} == {(first, "Kitchen"), (second, "Nursery")}
    satellite.emit(SoundClass.DOG, Phase.END, id=second, room="Nursery")
    await wait_for_state(hass, "binary_sensor.hallway_dog", STATE_OFF)


async def test_the_microphone_of_each_room_has_its_own_problem(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    kitchen, nursery = (f"binary_sensor.hallway_microphone_in_{room}" for room in ("kitchen", "nursery"))
    assert state_of(hass, kitchen).state == state_of(hass, nursery).state == STATE_OFF
    satellite.station.on_health(
        Health(
            problems=(Problem.MICROPHONE_MISSING,),
            sources=(
                SourceHealth(room="Kitchen"),
                SourceHealth(room="Nursery", problems=(Problem.MICROPHONE_MISSING,)),
            ),
        )
    )
    await wait_for_state(hass, nursery, STATE_ON)
    assert state_of(hass, kitchen).state == STATE_OFF
    assert state_of(hass, "binary_sensor.hallway_microphone").state == STATE_ON


async def test_one_room_that_has_gone_quiet_does_not_end_the_sound_of_another(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    """Each room has a microphone of its own: two alarms on one satellite are heard in both."""
    ar.async_get(hass).async_get_or_create("Nursery")
    household: Household = home.runtime_data
    first = satellite.emit(SoundClass.ALARM, room="Kitchen", peak_dbfs=-30.0)
    satellite.emit(SoundClass.ALARM, room="Nursery", peak_dbfs=-10.0)
    await wait_for(lambda: any(len(incident.places) == 2 for incident in household.desk.incidents))
    (incident,) = household.desk.incidents
    assert [place.room for place in incident.places] == ["Nursery", "Kitchen"]
    assert {item.detection.id for item in incident.observations if item.ended is None} > {first}


async def test_what_goes_on_when_a_satellite_is_connected_keeps_its_room(
    hass: HomeAssistant, household: MockConfigEntry, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    satellite.emit(SoundClass.BABY_CRY, room="Nursery")
    await setup(hass, household)
    await setup(hass, entry)
    runtime: Household = household.runtime_data
    await wait_for(lambda: bool(list(runtime.desk.incidents)))
    (incident,) = runtime.desk.incidents
    assert [place.room for place in incident.places] == ["Nursery"]
