"""Every blueprint, loaded by Home Assistant's own loader and run by its own automation engine, with real events."""

import asyncio
from typing import Any

from awesomeversion import AwesomeVersion
from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.const import ATTR_ENTITY_ID, STATE_ON, __version__ as ha_version
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from custom_components.echonet.event_types import event_types_of
from custom_components.echonet.protocol import SoundClass as OurClass
from echonet_satellite.protocol import AlarmPattern, Phase, SoundClass
from tests.integration.conftest import BLUEPRINTS, state_of, wait_for, wait_for_state
from tests.integration.phones import ALERT
from tests.support.satellite import SatelliteUnderTest

NAMES = sorted(path.stem for path in BLUEPRINTS.glob("*.yaml"))
EVENT = "event.hallway_sound_detection"


@pytest.fixture(autouse=True)
def _in_a_home_with_blueprints(blueprints: None, home: MockConfigEntry) -> None:
    """The household, next to a satellite in the kitchen."""


async def automate(hass: HomeAssistant, name: str, **inputs: Any) -> None:
    """Make an automation of a blueprint, as the interface does."""
    use = {"path": f"echonet/{name}.yaml", "input": inputs}
    config = {"automation": [{"alias": name, "use_blueprint": use}]}
    assert await async_setup_component(hass, "automation", config)
    await hass.async_block_till_done()
    assert state_of(hass, f"automation.{name}").state == STATE_ON


async def nothing_more(hass: HomeAssistant, satellite: SatelliteUnderTest) -> None:
    """Wait until everything that was told has been acted on."""
    detection = satellite.emit(SoundClass.SCREAM, confidence=0.5)
    await wait_for(lambda: state_of(hass, EVENT).attributes.get("id") == detection)
    await hass.async_block_till_done()


async def send_test(hass: HomeAssistant) -> None:
    await hass.services.async_call(
        "button", "press", {ATTR_ENTITY_ID: "button.hallway_send_test_alert"}, blocking=True
    )
    await wait_for(lambda: state_of(hass, EVENT).attributes["event_type"] == "test")


@pytest.mark.parametrize("name", NAMES)
async def test_home_assistant_loads_it(hass: HomeAssistant, name: str) -> None:
    assert await async_setup_component(hass, "automation", {})
    blueprint = await async_get_blueprints(hass).async_get_blueprint(f"echonet/{name}.yaml")
    metadata = blueprint.metadata
    needed = AwesomeVersion(metadata["homeassistant"]["min_version"])
    assert (blueprint.validate() is None) is (AwesomeVersion(ha_version) >= needed)
    assert metadata["name"].startswith("EchoNet: ")
    assert metadata["source_url"].endswith(f"/blueprints/automation/echonet/{name}.yaml")
    assert all(item["name"] for item in blueprint.inputs.values())
    types = blueprint.inputs.get("event_types")
    if types is not None:
        options = {option["value"] for option in types["selector"]["select"]["options"]}
        assert options <= set(event_types_of(OurClass)) - {"test", "late"}
        assert set(types["default"]) <= options


def test_there_is_one_for_each_use() -> None:
    assert NAMES == [
        "baby_monitor",
        "barking_while_away",
        "camera_snapshot",
        "flashing_lights",
        "lights_and_announcement",
        "presence_while_armed",
        "unlock_on_smoke_alarm",
    ]


async def test_a_smoke_alarm_unlocks_the_doors_and_a_test_does_not(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    unlocked = async_mock_service(hass, "lock", "unlock")
    await automate(hass, "unlock_on_smoke_alarm", events=[EVENT], locks=["lock.front", "lock.back"])
    await send_test(hass)
    satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.CLOCK)
    await nothing_more(hass, satellite)
    assert not unlocked
    detection = satellite.emit(SoundClass.ALARM)
    satellite.emit(SoundClass.ALARM, Phase.UPDATE, id=detection, pattern=AlarmPattern.T3)
    await wait_for(lambda: len(unlocked) == 2)
    assert [call.data[ATTR_ENTITY_ID] for call in unlocked] == [["lock.front"], ["lock.back"]]


async def test_the_doors_stay_locked_where_somebody_has_to_be_at_home(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    unlocked = async_mock_service(hass, "lock", "unlock")
    hass.states.async_set("person.anna", "not_home")
    await automate(
        hass, "unlock_on_smoke_alarm", events=[EVENT], locks=["lock.front"], people=["person.anna"]
    )
    satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.T3)
    await nothing_more(hass, satellite)
    assert not unlocked
    hass.states.async_set("person.anna", "home")
    satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.T3)
    await wait_for(lambda: unlocked)


async def test_lights_go_on_and_it_is_said_what_was_heard(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    lights = async_mock_service(hass, "light", "turn_on")
    spoken = async_mock_service(hass, "tts", "speak")
    await automate(
        hass,
        "lights_and_announcement",
        events=[ALERT],
        lights={"entity_id": ["light.bedroom"]},
        loudspeakers=["media_player.bedroom"],
        voice=["tts.home"],
    )
    satellite.emit(SoundClass.GLASS_BREAK)
    await wait_for(lambda: spoken)
    assert lights[0].data[ATTR_ENTITY_ID] == ["light.bedroom"]
    assert spoken[0].data["media_player_entity_id"] == ["media_player.bedroom"]
    assert spoken[0].data["message"].startswith("Breaking glass in the kitchen")


async def test_lights_flash_and_are_then_as_they_were(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    assert await async_setup_component(hass, "scene", {})
    hass.states.async_set("light.bedroom", "off")
    flashed: list[str] = []

    async def turn(call: ServiceCall) -> None:
        flashed.append(call.service)
        hass.states.async_set("light.bedroom", "on" if call.service == "turn_on" else "off")

    hass.services.async_register("light", "turn_on", turn)
    hass.services.async_register("light", "turn_off", turn)
    await automate(hass, "flashing_lights", events=[EVENT], lights=["light.bedroom"], flashes=2)
    satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.T4)
    await wait_for(lambda: hass.states.get("scene.echonet_before_flashing"))
    await wait_for(lambda: len(flashed) >= 4)
    assert flashed[:4] == ["turn_on", "turn_off"] * 2
    await wait_for(lambda: state_of(hass, "automation.flashing_lights").attributes["current"] == 0)
    assert state_of(hass, "light.bedroom").state == "off"


async def test_a_baby_that_cries_is_told_and_the_light_goes_out_again(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    on, off = async_mock_service(hass, "light", "turn_on"), async_mock_service(hass, "light", "turn_off")
    told = async_mock_service(hass, "notify", "send_message")
    await automate(
        hass,
        "baby_monitor",
        sensors=["binary_sensor.hallway_baby_cry"],
        cries_for={"milliseconds": 50},
        quiet_for={"milliseconds": 50},
        recipients=["notify.anna"],
        light=["light.nursery"],
    )
    detection = satellite.emit(SoundClass.BABY_CRY)
    await wait_for(lambda: told)
    assert told[0].data["message"] == "The baby is crying."
    assert on[0].data["brightness_pct"] == 10
    assert not off
    satellite.emit(SoundClass.BABY_CRY, Phase.END, id=detection, duration_s=1.0)
    await wait_for(lambda: off)


async def test_barking_is_told_while_everybody_is_away_and_not_again_at_once(
    hass: HomeAssistant, satellite: SatelliteUnderTest
) -> None:
    told = async_mock_service(hass, "notify", "send_message")
    music = async_mock_service(hass, "media_player", "media_play")
    for name in ("anna", "ben"):
        hass.states.async_set(f"person.{name}", "home" if name == "ben" else "not_home")
    await automate(
        hass,
        "barking_while_away",
        sensors=["binary_sensor.hallway_dog"],
        people=["person.anna", "person.ben"],
        barks_for={"milliseconds": 0},
        recipients=["notify.anna"],
        calming=[{"action": "media_player.media_play", "target": {"entity_id": "media_player.kitchen"}}],
    )

    async def bark() -> None:
        detection = satellite.emit(SoundClass.DOG)
        await wait_for_state(hass, "binary_sensor.hallway_dog", "on")
        satellite.emit(SoundClass.DOG, Phase.END, id=detection, duration_s=1.0)
        await wait_for_state(hass, "binary_sensor.hallway_dog", "off")
        await asyncio.sleep(0.05)

    await bark()
    assert not told
    hass.states.async_set("person.ben", "not_home")
    await bark()
    await wait_for(lambda: told and music)
    await bark()
    assert len(told) == 1
    await hass.services.async_call(
        "automation", "turn_off", {ATTR_ENTITY_ID: "automation.barking_while_away"}, blocking=True
    )
