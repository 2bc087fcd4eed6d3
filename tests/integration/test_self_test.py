"""The self-test of a satellite, asked for from Home Assistant."""

from homeassistant.components.button import DOMAIN as BUTTON_DOMAIN, SERVICE_PRESS
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet import button
from custom_components.echonet.const import DOMAIN
from echonet_satellite.protocol import RoomResult, SelfTestOutcome, SelfTestResult
from tests.integration.conftest import StartSatellite, make_entry, setup
from tests.support.satellite import SatelliteUnderTest


async def press(hass: HomeAssistant, satellite: SatelliteUnderTest) -> None:
    entity_id = er.async_get(hass).async_get_entity_id(
        BUTTON_DOMAIN, DOMAIN, f"{satellite.satellite_id}-self_test"
    )
    await hass.services.async_call(BUTTON_DOMAIN, SERVICE_PRESS, {ATTR_ENTITY_ID: entity_id}, blocking=True)


def answer(satellite: SatelliteUnderTest, outcome: SelfTestOutcome) -> None:
    async def run(*, aloud: bool) -> SelfTestResult:
        assert not aloud
        return SelfTestResult(outcome=outcome)

    satellite.station.self_test = run


@pytest.mark.parametrize("outcome", SelfTestOutcome)
async def test_it_says_where_the_sound_was_lost(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest, outcome: SelfTestOutcome
) -> None:
    answer(satellite, outcome)
    if outcome is SelfTestOutcome.PASSED:
        await press(hass, satellite)
        return
    with pytest.raises(HomeAssistantError) as caught:
        await press(hass, satellite)
    assert caught.value.translation_key == f"self_test_{outcome}"
    assert loaded.title in str(caught.value)


async def test_it_says_in_which_rooms_the_sound_was_lost(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    satellite = await start_satellite(rooms=("Kitchen", "Garage", "Attic"))
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    await satellite.wait_connected()
    outcomes = (SelfTestOutcome.PASSED, SelfTestOutcome.MICROPHONE, SelfTestOutcome.SOURCE_ENDED)

    async def run(*, aloud: bool) -> SelfTestResult:
        assert not aloud
        rooms = (
            RoomResult(room=room, outcome=outcome)
            for room, outcome in zip(satellite.rooms, outcomes, strict=True)
        )
        return SelfTestResult(outcome=SelfTestOutcome.MICROPHONE, rooms=tuple(rooms))

    satellite.station.self_test = run
    with pytest.raises(HomeAssistantError) as caught:
        await press(hass, satellite)
    assert caught.value.translation_key == "self_test_microphone"
    assert caught.value.translation_placeholders == {"name": "Hallway (Garage)"}
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_satellite_that_knows_no_self_test(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(button, "SELF_TEST_TIMEOUT_S", 0.2)
    with pytest.raises(HomeAssistantError) as caught:
        await press(hass, satellite)
    assert caught.value.translation_key == "self_test_no_answer"
