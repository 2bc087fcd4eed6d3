"""The device page of a satellite: its room, what stands up front, and an icon for each thing."""

from collections import Counter
import json
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet.const import DOMAIN
from custom_components.echonet.device import async_suggest_area
from tests.integration.conftest import StartSatellite, make_entry, setup, state_of

ICONS = Path(__file__).parents[2] / "custom_components" / DOMAIN / "icons.json"


@pytest.mark.parametrize(
    ("name", "area"),
    [
        ("Kitchen", "Kitchen"),
        ("kitchen satellite", "Kitchen"),
        ("Upstairs-Living_Room", "Living Room"),
        ("Ears of the Lounge", "Living Room"),
        ("Kitchenette", None),
        ("raspberrypi", None),
    ],
)
def test_an_area_is_suggested_whose_name_the_satellite_bears(
    hass: HomeAssistant, name: str, area: str | None
) -> None:
    registry = ar.async_get(hass)
    for known in ("Kitchen", "Room", "Living Room"):
        registry.async_get_or_create(known)
    registry.async_update(registry.async_get_or_create("Living Room").id, aliases={"lounge"})
    assert async_suggest_area(hass, name) == area
    assert len(registry.areas) == 3


async def test_a_new_satellite_is_in_the_room_of_its_name(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    area = ar.async_get(hass).async_get_or_create("Bedroom")
    satellite = await start_satellite(name="Bedroom")
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.area_id == area.id
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize(
    ("name", "area", "expected"),
    [
        ("Kitchen", "Kitchen", "kitchen_alarm"),
        ("kitchen satellite", "Kitchen", "kitchen_satellite_alarm"),
        ("K\u00fcche", "K\u00fcche", "kuche_alarm"),
        # What bears no area's name follows Home Assistant's own rule.
        ("Hallway", None, "hallway_alarm"),
        ("Alarm", None, "alarm_alarm"),
    ],
)
async def test_an_entity_id_names_the_room_once(
    hass: HomeAssistant, start_satellite: StartSatellite, name: str, area: str | None, expected: str
) -> None:
    """Home Assistant puts the area before the name of a device: `binary_sensor.kitchen_kitchen_alarm`."""
    if area is not None:
        ar.async_get(hass).async_get_or_create(area)
    satellite = await start_satellite(name=name)
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id("binary_sensor", DOMAIN, f"{entry.unique_id}-alarm")
    assert entity_id == f"binary_sensor.{expected}"
    # So does the button "Recreate entity IDs".
    assert registry.async_regenerate_entity_id(registry.entities[entity_id]) == entity_id
    await hass.config_entries.async_unload(entry.entry_id)


async def test_the_owners_own_rule_for_entity_ids_stands(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    ar.async_get(hass).async_get_or_create("Kitchen")
    registry = er.async_get(hass)
    registry.async_update_settings(entity_id_parts=[er.EntityNamePart.DEVICE, er.EntityNamePart.ENTITY])
    entry = make_entry(await start_satellite(name="Kitchen satellite"))
    entry.add_to_hass(hass)
    await setup(hass, entry)
    alarm = registry.async_get_entity_id("binary_sensor", DOMAIN, f"{entry.unique_id}-alarm")
    assert alarm == "binary_sensor.kitchen_satellite_alarm"
    assert registry.entities[alarm].suggested_object_id is None
    await hass.config_entries.async_unload(entry.entry_id)


async def test_what_a_household_uses_stands_up_front(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    registry = er.async_get(hass)
    entities = er.async_entries_for_config_entry(registry, loaded.entry_id)
    up_front = {item.entity_id for item in entities if item.entity_category is None}
    assert {"switch.hallway_listening", "button.hallway_send_test_alert"} <= up_front
    assert all("_sensitivity_" not in entity_id for entity_id in up_front)


async def test_the_model_is_a_figure_of_its_own(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    registry = er.async_get(hass)
    registry.async_update_entity("sensor.hallway_sound_model", disabled_by=None)
    await hass.config_entries.async_reload(loaded.entry_id)
    assert state_of(hass, "sensor.hallway_sound_model").state == "echonet 1.0.0"


def test_no_two_sensitivities_look_alike() -> None:
    icons = json.loads(ICONS.read_text(encoding="utf-8"))["entity"]["select"]
    used = Counter(item["default"] for name, item in icons.items() if name.endswith("_sensitivity"))
    assert set(used.values()) == {1}
