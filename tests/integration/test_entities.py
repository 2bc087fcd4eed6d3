"""What a satellite hears and how it is, as states and events."""

from datetime import UTC, datetime, timedelta

from homeassistant.const import ATTR_ENTITY_ID, STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.echonet import protocol
from custom_components.echonet.const import EVENT_SOUND
from custom_components.echonet.event_types import event_types_of
from custom_components.echonet.protocol import Configure, Sensitivity, Watch
from echonet_satellite.protocol import AlarmPattern, Phase, Problem, SoundClass
from tests.integration.conftest import (
    StartSatellite,
    make_entry,
    set_away_since,
    setup,
    state_of,
    wait_for,
    wait_for_state,
)
from tests.support.satellite import SatelliteUnderTest

EVENT = "event.hallway_sound_detection"


def fired(events: list[Event], entity_id: str = EVENT) -> list[dict[str, object]]:
    """The attributes of each event that an event entity has fired; its state is the moment of the last one."""
    states = [event.data["new_state"] for event in events if event.data["entity_id"] == entity_id]
    moments = {
        state.state: dict(state.attributes)
        for state in states
        if state.state not in (STATE_UNKNOWN, STATE_UNAVAILABLE)
    }
    return list(moments.values())


@pytest.mark.parametrize("sound_class", list(SoundClass))
async def test_a_sound_turns_its_sensor_on_and_off(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest, sound_class: SoundClass
) -> None:
    entity_id = f"binary_sensor.hallway_{sound_class}"
    assert state_of(hass, entity_id).state == STATE_OFF
    detection = satellite.emit(sound_class)
    await wait_for_state(hass, entity_id, STATE_ON)
    others = [item for item in SoundClass if item is not sound_class]
    assert all(state_of(hass, f"binary_sensor.hallway_{item}").state == STATE_OFF for item in others)
    satellite.emit(sound_class, Phase.END, id=detection, duration_s=1.0)
    await wait_for_state(hass, entity_id, STATE_OFF)


async def test_a_sensor_stays_on_until_the_last_of_two_sounds_ends(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    first, second = satellite.emit(SoundClass.DOG), satellite.emit(SoundClass.DOG)
    await wait_for(lambda: len(loaded.runtime_data.data.active) == 2)
    satellite.emit(SoundClass.DOG, Phase.END, id=first)
    await wait_for(lambda: len(loaded.runtime_data.data.active) == 1)
    assert state_of(hass, "binary_sensor.hallway_dog").state == STATE_ON
    satellite.emit(SoundClass.DOG, Phase.END, id=second)
    await wait_for_state(hass, "binary_sensor.hallway_dog", STATE_OFF)


@pytest.mark.parametrize(
    ("sound_class", "device_class"),
    [
        (SoundClass.GLASS_BREAK, "glass_break"),
        (SoundClass.PRESENCE, "occupancy"),
        (SoundClass.ALARM, "sound"),
        (SoundClass.FIRE, "sound"),
    ],
)
async def test_device_classes_promise_no_smoke_detector(
    hass: HomeAssistant, loaded: MockConfigEntry, sound_class: SoundClass, device_class: str
) -> None:
    assert state_of(hass, f"binary_sensor.hallway_{sound_class}").attributes["device_class"] == device_class


async def test_a_start_fires_one_event(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    events = async_capture_events(hass, "state_changed")
    onset = datetime.now(UTC).replace(microsecond=0)
    detection = satellite.emit(
        SoundClass.ALARM, onset=onset, confidence=0.94321, peak_dbfs=-12.34, pattern=AlarmPattern.T3
    )
    satellite.emit(SoundClass.ALARM, Phase.UPDATE, id=detection, pattern=AlarmPattern.T3)
    satellite.emit(SoundClass.ALARM, Phase.END, id=detection, duration_s=3.0)
    last = satellite.emit(SoundClass.DOG)
    await wait_for(lambda: len(fired(events)) == 2)
    first, second = fired(events)
    assert first | {"friendly_name": None, "event_types": None} == {
        "event_type": "smoke_alarm",
        "event_types": None,
        "friendly_name": None,
        "id": detection,
        "sound_class": "alarm",
        "confidence": 0.943,
        "onset": onset.isoformat(),
        "level": -12.3,
        "pattern": "t3",
        "replayed": False,
        "room": None,
    }
    assert set(state_of(hass, EVENT).attributes["event_types"]) == {
        *SoundClass,
        *("smoke_alarm", "co_alarm", "siren", "alarm_clock", "low_battery_chirp", "test", "late"),
    }
    assert second["id"] == last


async def test_detections_are_acknowledged_and_not_told_again(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    events = async_capture_events(hass, "state_changed")
    satellite.emit(SoundClass.DOG)
    (controller,) = satellite.controllers.all
    await wait_for(
        lambda: not satellite.journal.pending(controller.id, up_to=satellite.journal.last_sequence)
    )
    await satellite.stop()
    await satellite.start()
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_OFF)
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_ON)
    satellite.emit(SoundClass.SCREAM)
    await wait_for_state(hass, "binary_sensor.hallway_scream", STATE_ON)
    assert [item["event_type"] for item in fired(events)] == ["dog", "scream"]


async def test_what_happened_meanwhile_fires_but_never_turns_a_sensor_on(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    events = async_capture_events(hass, "state_changed")
    told = async_capture_events(hass, EVENT_SOUND)
    server_only = satellite.server
    await server_only.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_OFF)
    set_away_since(loaded, minutes=20)
    now = datetime.now(UTC)
    old = satellite.emit(SoundClass.GUNSHOT, onset=now - timedelta(minutes=10))
    satellite.emit(SoundClass.GUNSHOT, Phase.END, id=old, onset=now - timedelta(minutes=10), duration_s=1.0)
    recent = satellite.emit(SoundClass.DOG, onset=now - timedelta(seconds=5))
    satellite.emit(SoundClass.DOG, Phase.END, id=recent, onset=now - timedelta(seconds=5), duration_s=1.0)
    await satellite.stop()
    await satellite.start()
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_ON)
    await wait_for(lambda: fired(events) and told)
    satellite.emit(SoundClass.SCREAM)
    await wait_for_state(hass, "binary_sensor.hallway_scream", STATE_ON)

    assert [(item["event_type"], item["replayed"]) for item in fired(events)] == [
        ("late", True),
        ("dog", True),
        ("scream", False),
    ]
    assert [(event.data["sound_class"], event.data["late"]) for event in told] == [
        ("gunshot", True),
        ("dog", False),
        ("scream", False),
    ]
    turned_on = {
        event.data["entity_id"]
        for event in events
        if event.data["entity_id"].startswith("binary_sensor.") and event.data["new_state"].state == STATE_ON
    }
    assert turned_on == {"binary_sensor.hallway_connection", "binary_sensor.hallway_scream"}


async def test_a_sound_that_began_meanwhile_and_goes_on_is_shown(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    events = async_capture_events(hass, "state_changed")
    await satellite.server.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_OFF)
    started = datetime.now(UTC) - timedelta(minutes=5)
    detection = satellite.emit(SoundClass.ALARM, onset=started)
    satellite.port = await satellite.server.start(satellite.port, [satellite.host])
    await wait_for_state(hass, "binary_sensor.hallway_alarm", STATE_ON)
    # It is not over, so it is news, however long ago it began.
    await wait_for(lambda: fired(events))
    assert fired(events)[0]["id"] == detection


async def test_a_test_is_an_event_but_no_state(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    events = async_capture_events(hass, "state_changed")
    await hass.services.async_call(
        "button", "press", {ATTR_ENTITY_ID: "button.hallway_send_test_alert"}, blocking=True
    )
    await wait_for(lambda: fired(events))
    assert fired(events)[0]["event_type"] == "test"
    assert fired(events)[0]["sound_class"] == "alarm"
    satellite.emit(SoundClass.DOG)
    await wait_for_state(hass, "binary_sensor.hallway_dog", STATE_ON)
    assert not [event for event in events if event.data["entity_id"] == "binary_sensor.hallway_alarm"]


async def test_a_model_without_alarms_is_tested_with_what_it_knows(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    satellite = await start_satellite(classes=(SoundClass.DOG, SoundClass.FIRE))
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    events = async_capture_events(hass, "state_changed")
    assert hass.states.get("binary_sensor.hallway_alarm") is None
    await hass.services.async_call(
        "button", "press", {ATTR_ENTITY_ID: "button.hallway_send_test_alert"}, blocking=True
    )
    await wait_for(lambda: fired(events))
    assert fired(events)[0]["sound_class"] == "dog"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_new_model_brings_and_takes_classes(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    satellite = await start_satellite(classes=(SoundClass.DOG, SoundClass.FIRE))
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    await satellite.stop()
    satellite.classes = (SoundClass.DOG, SoundClass.ALARM)
    await satellite.start()
    await wait_for(lambda: hass.states.get("binary_sensor.hallway_alarm"))
    await hass.async_block_till_done()
    assert state_of(hass, "binary_sensor.hallway_alarm").state == STATE_OFF
    assert state_of(hass, "select.hallway_sensitivity_alarm").state == Sensitivity.MEDIUM
    assert state_of(hass, "binary_sensor.hallway_fire").state == STATE_UNAVAILABLE
    assert state_of(hass, EVENT).attributes["event_types"] == event_types_of(
        (protocol.SoundClass.DOG, protocol.SoundClass.ALARM)
    )
    satellite.emit(SoundClass.ALARM)
    await wait_for_state(hass, "binary_sensor.hallway_alarm", STATE_ON)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_health(hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest) -> None:
    assert state_of(hass, "sensor.hallway_health").state == "ok"
    assert state_of(hass, "binary_sensor.hallway_microphone").state == STATE_OFF
    satellite.set_health(Problem.MICROPHONE_SILENT)
    await wait_for_state(hass, "binary_sensor.hallway_microphone", STATE_ON)
    assert state_of(hass, "sensor.hallway_health").state == "microphone_silent"
    satellite.set_health(Problem.DISK_FULL)
    await wait_for_state(hass, "binary_sensor.hallway_microphone", STATE_OFF)
    assert state_of(hass, "sensor.hallway_health").state == "disk_full"
    satellite.set_health()
    await wait_for_state(hass, "sensor.hallway_health", "ok")


async def test_figures_for_experts_are_off_at_first(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    registry = er.async_get(hass)
    for entity_id in ("sensor.hallway_lost_sound_blocks", "sensor.hallway_processing_load"):
        entity = registry.async_get(entity_id)
        assert entity is not None
        assert entity.disabled_by is er.RegistryEntryDisabler.INTEGRATION
        registry.async_update_entity(entity_id, disabled_by=None)
    await hass.config_entries.async_reload(loaded.entry_id)
    satellite.set_health(dropped_blocks=7, realtime_factor=0.25)
    await wait_for_state(hass, "sensor.hallway_lost_sound_blocks", "7")
    assert state_of(hass, "sensor.hallway_processing_load").state == "0.25"


async def test_listening_can_be_switched(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    target = {ATTR_ENTITY_ID: "switch.hallway_listening"}
    assert state_of(hass, "switch.hallway_listening").state == STATE_ON
    await hass.services.async_call("switch", "turn_off", target, blocking=True)
    await wait_for_state(hass, "switch.hallway_listening", STATE_OFF)
    assert satellite.configured[-1].listening is False
    await hass.services.async_call("switch", "turn_on", target, blocking=True)
    await wait_for_state(hass, "switch.hallway_listening", STATE_ON)
    assert satellite.configured[-1].listening is True


async def test_sensitivity_can_be_turned(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    entity_id = "select.hallway_sensitivity_dog"
    assert state_of(hass, entity_id).attributes["options"] == ["off", "low", "medium", "high"]
    await hass.services.async_call(
        "select", "select_option", {ATTR_ENTITY_ID: entity_id, "option": "high"}, blocking=True
    )
    await wait_for_state(hass, entity_id, "high")
    assert satellite.configured[-1].sensitivity[SoundClass.DOG] == "high"
    assert state_of(hass, "select.hallway_sensitivity_alarm").state == "medium"


async def test_commands_without_a_connection_fail_clearly(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await satellite.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_OFF)
    with pytest.raises(HomeAssistantError) as caught:
        await loaded.runtime_data.async_send(Configure(listening=True))
    assert caught.value.translation_key == "not_connected"
    assert caught.value.translation_placeholders == {"name": "Hallway"}


async def test_unique_ids_do_not_depend_on_name_or_address(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    entities = er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    assert len(entities) == 2 + 8 + 8 + 2 + 1 + 1 + 1 + 1 + 4 + 2 + (1 + 8 + 1 + 2 + 1)
    assert all(item.unique_id.startswith(f"{satellite.satellite_id}-") for item in entities)
    assert all(item.has_entity_name and item.translation_key for item in entities)


async def test_levels_are_for_those_who_watch(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await loaded.runtime_data.async_send(Watch(enabled=True))
    events = async_capture_events(hass, "state_changed")
    satellite.set_level(-20.0)
    satellite.emit(SoundClass.SCREAM)
    await wait_for_state(hass, "binary_sensor.hallway_scream", STATE_ON)
    assert {event.data["entity_id"] for event in events} == {EVENT, "binary_sensor.hallway_scream"}
