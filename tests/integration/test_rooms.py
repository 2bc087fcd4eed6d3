"""A satellite that hears several rooms: each sound is told with its room, each microphone with its own problem."""

from datetime import timedelta

from homeassistant.components.button import DOMAIN as BUTTON_DOMAIN, SERVICE_PRESS
from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID, STATE_OFF, STATE_ON, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_mock_service,
)

from custom_components.echonet import coordinator
from custom_components.echonet.const import DOMAIN, EVENT_SOUND
from custom_components.echonet.diagnostics import async_get_config_entry_diagnostics
from custom_components.echonet.household.runtime import Household
from custom_components.echonet.household.walk import WalkState
from custom_components.echonet.view import async_view
from echonet_satellite.protocol import Health, Phase, Problem, SoundClass, SourceHealth
from tests.integration.conftest import (
    StartSatellite,
    make_entry,
    setup,
    state_of,
    wait_for,
    wait_for_state,
)
from tests.integration.phones import add_recipient
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
    kitchen, nursery = (f"binary_sensor.{room}_microphone" for room in ("kitchen", "nursery"))
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


def device_of(hass: HomeAssistant, entry: MockConfigEntry, room: str = "") -> dr.DeviceEntry | None:
    identifier = f"{entry.unique_id}/{room}" if room else entry.unique_id or ""
    return dr.async_get(hass).async_get_device_by_identifier((DOMAIN, identifier), entry.entry_id)


def names_of(hass: HomeAssistant, entry: MockConfigEntry) -> set[str | None]:
    return {item.name for item in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)}


async def restart(satellite: SatelliteUnderTest, *, rooms: tuple[str, ...]) -> None:
    """Let the satellite hear other rooms, as after a change of its configuration."""
    await satellite.stop()
    satellite.rooms = rooms
    await satellite.start()
    await satellite.wait_connected()


async def test_each_room_is_a_device_of_its_own_by_way_of_the_satellite(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    entry = make_entry(await start_satellite(rooms=("Nursery garden", "Nursery")))
    entry.add_to_hass(hass)
    nursery = ar.async_get(hass).async_get_or_create("Nursery")
    ar.async_get(hass).async_get_or_create("Hallway")
    await setup(hass, entry)
    satellite, *rooms = (device_of(hass, entry, room) for room in ("", "Nursery garden", "Nursery"))
    assert satellite is not None
    assert satellite.area_id is None
    assert [room and (room.name, room.via_device_id, room.area_id) for room in rooms] == [
        ("Nursery garden", satellite.id, None),
        ("Nursery", satellite.id, nursery.id),
    ]
    await hass.config_entries.async_unload(entry.entry_id)


async def test_an_automation_can_ask_in_which_room_it_is(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    everywhere, kitchen, nursery = (
        f"binary_sensor.{name}_baby_cry" for name in ("hallway", "kitchen", "nursery")
    )
    crying = satellite.emit(SoundClass.BABY_CRY, room="Nursery")
    await wait_for_state(hass, nursery, STATE_ON)
    assert [state_of(hass, item).state for item in (everywhere, kitchen)] == [STATE_ON, STATE_OFF]
    assert state_of(hass, "event.nursery_sound_detection").attributes["event_type"] == "baby_cry"
    assert state_of(hass, "event.kitchen_sound_detection").state == STATE_UNKNOWN
    other = satellite.emit(SoundClass.BABY_CRY, room="Kitchen")
    await wait_for_state(hass, kitchen, STATE_ON)
    satellite.emit(SoundClass.BABY_CRY, Phase.END, id=crying, room="Nursery")
    await wait_for_state(hass, nursery, STATE_OFF)
    assert [state_of(hass, item).state for item in (everywhere, kitchen)] == [STATE_ON, STATE_ON]
    satellite.emit(SoundClass.BABY_CRY, Phase.END, id=other, room="Kitchen")
    await wait_for_state(hass, everywhere, STATE_OFF)


async def test_one_room_is_one_device(hass: HomeAssistant, start_satellite: StartSatellite) -> None:
    entry = make_entry(await start_satellite(rooms=("Kitchen",)))
    entry.add_to_hass(hass)
    await setup(hass, entry)
    assert names_of(hass, entry) == {"Hallway"}
    ids = {item.unique_id for item in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)}
    assert f"{entry.unique_id}-baby_cry" in ids
    assert not any("Kitchen" in item for item in ids)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_rooms_come_and_go_with_the_configuration_of_the_satellite(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    before = state_of(hass, "binary_sensor.hallway_dog")
    await restart(satellite, rooms=("Kitchen", "Garage"))
    await wait_for_state(hass, "binary_sensor.garage_dog", STATE_OFF)
    assert names_of(hass, loaded) == {"Hallway", "Kitchen", "Garage"}
    await wait_for(lambda: hass.states.get("binary_sensor.nursery_dog") is None)
    satellite.emit(SoundClass.DOG, room="Garage")
    await wait_for_state(hass, "binary_sensor.garage_dog", STATE_ON)
    await restart(satellite, rooms=("Kitchen", "Nursery"))
    await wait_for_state(hass, "binary_sensor.nursery_dog", STATE_OFF)
    assert names_of(hass, loaded) == {"Hallway", "Kitchen", "Nursery"}
    await restart(satellite, rooms=())
    await wait_for(lambda: names_of(hass, loaded) == {"Hallway"})
    assert state_of(hass, "binary_sensor.hallway_dog").attributes == before.attributes


async def test_activity_is_that_of_the_room(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    told = async_capture_events(hass, EVENT_SOUND)
    device = device_of(hass, loaded, "Nursery")
    assert device is not None
    dr.async_get(hass).async_update_device(device.id, name_by_user="Emma")
    satellite.emit(SoundClass.BABY_CRY, room="Nursery")
    await wait_for(lambda: told)
    data = told[0].data
    # By the device of the satellite, automations know any of its rooms.
    assert (data[ATTR_DEVICE_ID], data["room_device_id"]) == (device.via_device_id, device.id)
    assert data[ATTR_ENTITY_ID] == "binary_sensor.nursery_baby_cry"
    assert (data["name"], data["room"]) == ("Emma", "Nursery")


async def test_an_alert_names_the_area_that_the_room_was_given(
    hass: HomeAssistant, home: MockConfigEntry, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    area = ar.async_get(hass).async_get_or_create("Upstairs bedroom")
    device = device_of(hass, loaded, "Nursery")
    assert device is not None
    dr.async_get(hass).async_update_device(device.id, area_id=area.id)
    satellite.emit(SoundClass.ALARM, room="Nursery")
    household: Household = home.runtime_data
    await wait_for(lambda: list(household.desk.incidents))
    (incident,) = household.desk.incidents
    assert [place.room for place in incident.places] == ["Upstairs bedroom"]


async def test_a_test_alert_of_a_room_names_the_room(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    told = async_capture_events(hass, EVENT_SOUND)
    await hass.services.async_call(
        BUTTON_DOMAIN, SERVICE_PRESS, {ATTR_ENTITY_ID: "button.nursery_send_test_alert"}, blocking=True
    )
    await wait_for(lambda: told)
    device = device_of(hass, loaded, "Kitchen")
    assert device is not None
    await hass.services.async_call(DOMAIN, "test_alert", {ATTR_DEVICE_ID: device.id}, blocking=True)
    await wait_for(lambda: len(told) == 2)
    assert [(event.data["room"], event.data["event_type"]) for event in told] == [
        ("Nursery", "test"),
        ("Kitchen", "test"),
    ]


async def test_how_loud_it_is_in_each_room(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    for name in ("hallway", "nursery"):
        er.async_get(hass).async_update_entity(f"sensor.{name}_sound_level", disabled_by=None)
    await hass.config_entries.async_reload(loaded.entry_id)
    await wait_for(lambda: satellite.watched[-1:] == [True])
    satellite.set_level(-20.0, rooms={"Kitchen": -20.0, "Nursery": -55.0})
    await wait_for_state(hass, "sensor.nursery_sound_level", "-55.0")
    assert state_of(hass, "sensor.hallway_sound_level").state == "-20.0"


async def test_what_a_room_that_is_gone_has_heard_is_told_all_the_same(
    hass: HomeAssistant, home: MockConfigEntry, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    told = async_capture_events(hass, EVENT_SOUND)
    await hass.config_entries.async_unload(loaded.entry_id)
    await satellite.wait_connected(0)
    satellite.emit(SoundClass.ALARM, room="Nursery")
    await satellite.stop()
    satellite.rooms = ("Kitchen", "Garage")
    await satellite.start()
    await hass.config_entries.async_setup(loaded.entry_id)
    await wait_for(lambda: told)
    assert {event.data["name"] for event in told} == {"Nursery"}
    household: Household = home.runtime_data
    await wait_for(lambda: list(household.desk.incidents))
    (incident,) = household.desk.incidents
    assert [place.room for place in incident.places] == ["Nursery"]
    assert names_of(hass, loaded) == {"Hallway", "Kitchen", "Garage"}


async def test_a_room_that_is_renamed_while_an_alarm_rings_ends_it_where_it_was(
    hass: HomeAssistant, home: MockConfigEntry, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    household: Household = home.runtime_data
    satellite.emit(SoundClass.ALARM, room="Nursery")
    await wait_for_state(hass, "binary_sensor.nursery_alarm", STATE_ON)
    await restart(satellite, rooms=("Kitchen", "Emma's room"))
    await wait_for_state(hass, "binary_sensor.emma_s_room_alarm", STATE_OFF)
    await wait_for(lambda: all(item.over_at is not None for item in household.desk.incidents))
    assert state_of(hass, "binary_sensor.hallway_alarm").state == STATE_OFF
    satellite.emit(SoundClass.ALARM, room="Emma's room")
    await wait_for_state(hass, "binary_sensor.emma_s_room_alarm", STATE_ON)
    rooms = [place.room for item in household.desk.incidents for place in item.places]
    assert rooms[-1] == "Emma's room"


LONG = "a very " * 36 + "long"
ODD = (
    "\u063a\u0631\u0641\u0629 \u0627\u0644\u0646\u0648\u0645",
    "\U0001f6cf\ufe0f",
    "\U0001f697",
    "<b>[Den](http://x)</b>",
    LONG,
    "Nursery",
    "nursery",
    "5",
)


async def test_rooms_of_any_name_are_told_apart(hass: HomeAssistant, start_satellite: StartSatellite) -> None:
    satellite = await start_satellite(rooms=ODD)
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    await satellite.wait_connected()
    registry = er.async_get(hass)
    sensors = [
        registry.async_get_entity_id("binary_sensor", DOMAIN, f"{entry.unique_id}-dog-{room}") for room in ODD
    ]
    assert len(set(sensors)) == len(ODD) == 8
    for room, sensor in zip(ODD, sensors, strict=True):
        satellite.emit(SoundClass.DOG, room=room)
        await wait_for_state(hass, str(sensor), STATE_ON)
    devices = [device_of(hass, entry, room) for room in ODD]
    names = [device.name or "" for device in devices if device is not None]
    assert names[0] == ODD[0]
    assert len(set(names[1:3])) == 2
    assert not set("<[*_") & set("".join(names))
    assert max(map(len, names)) <= 64
    await hass.config_entries.async_unload(entry.entry_id)


async def test_two_satellites_whose_rooms_have_the_same_names(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    start_satellite: StartSatellite,
) -> None:
    second = await start_satellite(name="Annex", rooms=satellite.rooms)
    other = make_entry(second)
    other.add_to_hass(hass)
    await setup(hass, other)
    await second.wait_connected()
    registry = er.async_get(hass)
    mine, theirs = (
        str(registry.async_get_entity_id("binary_sensor", DOMAIN, f"{item.unique_id}-dog-Nursery"))
        for item in (loaded, other)
    )
    second.emit(SoundClass.DOG, room="Nursery")
    await wait_for_state(hass, theirs, STATE_ON)
    assert state_of(hass, mine).state == STATE_OFF
    await restart(second, rooms=())
    await wait_for(lambda: names_of(hass, other) == {"Annex"})
    assert names_of(hass, loaded) == {"Hallway", "Kitchen", "Nursery"}
    await hass.config_entries.async_unload(other.entry_id)


async def test_a_satellite_that_has_other_rooms_each_time_does_not_fill_the_registry(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(coordinator, "MAX_ROOMS_ADMITTED", 4)
    await restart(satellite, rooms=("One", "Two", "Three", "Four", "Five"))
    await wait_for(lambda: names_of(hass, loaded) == {"Hallway", "One", "Two"})


async def test_diagnostics_tell_rooms_apart_without_naming_them(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    satellite.emit(SoundClass.DOG, room="Nursery")
    satellite.station.on_health(
        Health(sources=(SourceHealth(room="Nursery", problems=(Problem.MICROPHONE_SILENT,)),))
    )
    data = loaded.runtime_data
    await wait_for(lambda: data.data.active and data.data.health.sources)
    told = (await async_get_config_entry_diagnostics(hass, loaded))["satellite"]
    assert told["health"]["sources"] == {"room 2": ["microphone_silent"]}
    assert told["active"] == ["dog room 2"]
    assert "Nursery" not in str(told)


async def test_each_room_that_is_not_heard_is_told_of_by_its_name(
    hass: HomeAssistant, home: MockConfigEntry, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    """That one room has been deaf for days must not hide that another has become so."""
    calls = async_mock_service(hass, "notify", "mobile_app_anna")
    add_recipient(hass, home, "notify.mobile_app_anna")
    household: Household = home.runtime_data
    now = dt_util.utcnow()
    for minute, deaf in enumerate((("Kitchen",), ("Kitchen", "Nursery"))):
        satellite.station.on_health(
            Health(
                problems=(Problem.MICROPHONE_MISSING,),
                sources=tuple(
                    SourceHealth(room=room, problems=(Problem.MICROPHONE_MISSING,) if room in deaf else ())
                    for room in satellite.rooms
                ),
            )
        )
        await wait_for_state(hass, f"binary_sensor.{deaf[-1].lower()}_microphone", STATE_ON)
        for seconds in (0, 301):
            await household.silence.async_look(now + timedelta(seconds=minute * 600 + seconds))
    assert [call.data["title"] for call in calls] == [
        "Kitchen (Hallway) is deaf",
        "Nursery (Hallway) is deaf",
    ]
    satellite.set_health()
    await wait_for_state(hass, "binary_sensor.kitchen_microphone", STATE_OFF)
    await household.silence.async_look(now + timedelta(seconds=1300))
    assert not [issue for _, issue in ir.async_get(hass).issues if issue.startswith("microphone_dead")]


async def test_the_walk_test_goes_through_each_room_of_a_satellite(
    hass: HomeAssistant, home: MockConfigEntry, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    phone = async_mock_service(hass, "notify", "mobile_app_anna")
    add_recipient(hass, home, "notify.mobile_app_anna")
    household: Household = home.runtime_data
    household.walk_test.async_start()
    for room in ("kitchen", "nursery"):
        await wait_for(lambda: phone)
        call = phone.pop()
        assert room in call.data["title"]
        action = call.data["data"]["actions"][0]["action"]
        hass.bus.async_fire("mobile_app_notification_action", {"action": action})
    await wait_for(lambda: household.walk_test.state is WalkState.PASSED)


async def test_a_mute_of_one_room_leaves_the_others_heard(
    hass: HomeAssistant, home: MockConfigEntry, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    """Who mutes what broke in the kitchen for an hour must hear of the window of the nursery."""
    phone = async_mock_service(hass, "notify", "mobile_app_anna")
    add_recipient(hass, home, "notify.mobile_app_anna")
    satellite.emit(SoundClass.GLASS_BREAK, room="Kitchen")
    await wait_for(lambda: phone)
    mute = next(
        item["action"] for item in phone[0].data["data"]["actions"] if "MUTE" in item["action"].upper()
    )
    hass.bus.async_fire("mobile_app_notification_action", {"action": mute})
    # The satellite ends at once what is muted.
    await wait_for_state(hass, "binary_sensor.kitchen_glass_break", STATE_OFF)
    satellite.emit(SoundClass.GLASS_BREAK, room="Kitchen")
    satellite.emit(SoundClass.GLASS_BREAK, room="Nursery", onset=satellite.utc() + timedelta(seconds=3))
    await wait_for(lambda: "nursery" in phone[-1].data["title"])
    assert state_of(hass, "binary_sensor.kitchen_glass_break").state == STATE_OFF
