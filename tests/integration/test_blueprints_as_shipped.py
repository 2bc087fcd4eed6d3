"""The blueprints that act on single satellites, in a home where nobody has enabled any entity by hand."""

from pathlib import Path
from typing import Any

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import Event, HomeAssistant, ServiceCall
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_mock_service,
)

from custom_components.echonet import event
from custom_components.echonet.const import EVENT_SOUND
from custom_components.echonet.event import SOUND_DETECTION as AS_SHIPPED
from echonet_satellite.protocol import AlarmPattern, Phase, SoundClass
from tests.integration.conftest import (
    StartSatellite,
    make_entry,
    set_away_since,
    setup,
    wait_for,
    wait_for_state,
)
from tests.support.satellite import SatelliteUnderTest


@pytest.fixture
async def sounds(
    hass: HomeAssistant,
    monkeypatch: pytest.MonkeyPatch,
    blueprints: None,
    entry: MockConfigEntry,
    satellite: SatelliteUnderTest,
) -> list[Event]:
    """A satellite as it is after pairing; the sounds that are told of it."""
    monkeypatch.setattr(event, "SOUND_DETECTION", AS_SHIPPED)
    await setup(hass, entry)
    await satellite.wait_connected()
    assert hass.states.get("event.hallway_sound_detection") is None
    told: list[Event] = async_capture_events(hass, EVENT_SOUND)
    return told


async def automate(hass: HomeAssistant, name: str, *uses: dict[str, Any]) -> None:
    """Make automations of a blueprint, as the interface does."""
    config = [
        {"alias": f"{name} {number}", "use_blueprint": {"path": f"echonet/{name}.yaml", "input": inputs}}
        for number, inputs in enumerate(uses)
    ]
    assert await async_setup_component(hass, "automation", {"automation": config})
    await hass.async_block_till_done()


async def press_test(hass: HomeAssistant, sounds: list[Event]) -> None:
    already = len(sounds)
    await hass.services.async_call(
        "button", "press", {ATTR_ENTITY_ID: "button.hallway_send_test_alert"}, blocking=True
    )
    await wait_for(lambda: len(sounds) > already)
    await hass.async_block_till_done()


async def test_a_picture_is_taken_and_sent(
    hass: HomeAssistant, satellite: SatelliteUnderTest, entry: MockConfigEntry, sounds: list[Event]
) -> None:
    order: list[ServiceCall] = []

    async def note(call: ServiceCall) -> None:
        order.append(call)

    hass.services.async_register("camera", "snapshot", note)
    hass.services.async_register("notify", "mobile_app_anna", note)
    await automate(hass, "camera_snapshot", {"camera": "camera.garden", "phone": "notify.mobile_app_anna"})
    await press_test(hass, sounds)
    satellite.emit(SoundClass.DOG)
    satellite.emit(SoundClass.GLASS_BREAK)
    await wait_for(lambda: len(order) == 2)
    snapshot, message = (call.data for call in order)
    assert snapshot[ATTR_ENTITY_ID] == ["camera.garden"]
    picture = Path(snapshot["filename"]).name
    assert snapshot["filename"] == f"/media/{picture}"
    assert message["title"] == "Glass break"
    assert message["message"] == "Hallway"
    assert message["data"]["image"] == f"/media/local/{picture}"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_only_the_satellites_near_the_camera_count(
    hass: HomeAssistant, satellite: SatelliteUnderTest, entry: MockConfigEntry, sounds: list[Event]
) -> None:
    taken = async_mock_service(hass, "camera", "snapshot")
    told = async_mock_service(hass, "notify", "mobile_app_anna")
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    phone = "notify.mobile_app_anna"
    await automate(
        hass,
        "camera_snapshot",
        {"satellites": ["another"], "camera": "camera.garden", "phone": phone},
        {"satellites": [device.id], "camera": "camera.hall", "phone": phone},
    )
    satellite.emit(SoundClass.GLASS_BREAK)
    await wait_for(lambda: told)
    await hass.async_block_till_done()
    assert [call.data[ATTR_ENTITY_ID] for call in taken] == [["camera.hall"]]
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_camera_may_look_at_one_room_or_at_all_that_a_satellite_hears(
    hass: HomeAssistant, start_satellite: StartSatellite, blueprints: None
) -> None:
    satellite = await start_satellite(rooms=("Hall", "Garage"))
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    await satellite.wait_connected()
    devices = {
        item.name: item.id for item in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    }
    taken = async_mock_service(hass, "camera", "snapshot")
    async_mock_service(hass, "notify", "mobile_app_anna")
    await automate(
        hass,
        "camera_snapshot",
        *(
            {"satellites": [device], "camera": f"camera.{name}".lower(), "phone": "notify.mobile_app_anna"}
            for name, device in devices.items()
        ),
    )
    satellite.emit(SoundClass.GLASS_BREAK, room="Garage")
    await wait_for(lambda: len(taken) == 2)
    await hass.async_block_till_done()
    cameras = sorted(call.data[ATTR_ENTITY_ID][0] for call in taken)
    assert cameras == ["camera.garage", "camera.hallway"]
    await hass.config_entries.async_unload(entry.entry_id)


async def test_people_in_an_armed_house_are_told_and_set_the_alarm_off(
    hass: HomeAssistant, satellite: SatelliteUnderTest, entry: MockConfigEntry, sounds: list[Event]
) -> None:
    told = async_mock_service(hass, "notify", "send_message")
    alarm = async_mock_service(hass, "alarm_control_panel", "alarm_trigger")
    light = async_mock_service(hass, "light", "turn_on")
    hass.states.async_set("alarm_control_panel.home", "disarmed")
    await automate(
        hass,
        "presence_while_armed",
        {
            "alarm_panel": "alarm_control_panel.home",
            "set_off": True,
            "recipients": ["notify.anna"],
            "more": [{"action": "light.turn_on", "target": {"entity_id": "light.hall"}}],
        },
    )
    satellite.emit(SoundClass.PRESENCE)
    await wait_for(lambda: sounds)
    await hass.async_block_till_done()
    assert not told
    hass.states.async_set("alarm_control_panel.home", "armed_away")
    await press_test(hass, sounds)
    assert not told
    satellite.emit(SoundClass.PRESENCE)
    await wait_for(lambda: light)
    assert told[0].data["message"] == "Presence: Hallway"
    assert alarm[0].data[ATTR_ENTITY_ID] == ["alarm_control_panel.home"]
    await hass.config_entries.async_unload(entry.entry_id)


async def test_what_is_told_says_what_it_is_and_never_takes_old_for_new(
    hass: HomeAssistant, satellite: SatelliteUnderTest, entry: MockConfigEntry, sounds: list[Event]
) -> None:
    alarm = satellite.emit(SoundClass.ALARM)
    satellite.emit(SoundClass.ALARM, Phase.UPDATE, id=alarm, pattern=AlarmPattern.T3)
    await wait_for(lambda: len(sounds) == 2)
    await satellite.server.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", "off")
    set_away_since(entry, minutes=20)
    old = satellite.utc()
    satellite.emit(SoundClass.DOG, onset=old.replace(year=old.year - 1))
    await satellite.stop()
    await satellite.start()
    await wait_for(lambda: len(sounds) == 3)
    assert [item.data["event_type"] for item in sounds] == ["alarm", "smoke_alarm", "late"]
    await hass.config_entries.async_unload(entry.entry_id)
