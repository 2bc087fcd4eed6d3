"""The devices of a satellite: how Home Assistant shows it and its rooms, and the area that a name speaks of."""

from collections.abc import Iterable

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er

from .const import DOMAIN, MANUFACTURER
from .plain import plain_name
from .protocol import Welcome
from .satellite_state import rooms_of

# As many digits of the id as a satellite adds to its name on the network: enough to tell two of a house apart.
SERIAL_DIGITS = 8


@callback
def async_register_device(hass: HomeAssistant, entry: ConfigEntry, welcome: Welcome) -> str:
    """Have the device of a satellite, as it calls itself, and return the device's id."""
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, entry.unique_id or "")},
        manufacturer=MANUFACTURER,
        model=welcome.hardware,
        name=welcome.name,
        serial_number=welcome.satellite_id[:SERIAL_DIGITS],
        # What hears several rooms is in none of them more than in the others.
        suggested_area=None if rooms_of(welcome) else async_suggest_area(hass, welcome.name),
        sw_version=welcome.version,
        # One click from its device page is the card, which shows what it hears.
        configuration_url=f"homeassistant://{DOMAIN}/{entry.unique_id}",
    )
    return device.id


@callback
def async_register_rooms(hass: HomeAssistant, entry: ConfigEntry, welcome: Welcome, via: str) -> None:
    """Have a device for each room of a satellite that hears several, by way of the device `via` of the satellite."""
    for room in rooms_of(welcome):
        name = plain_name(room)
        dr.async_get(hass).async_get_or_create(
            config_entry_id=entry.entry_id,
            identifiers={identifier_of(entry.unique_id or "", room)},
            manufacturer=MANUFACTURER,
            model=welcome.hardware,
            name=name,
            # The kitchen garden is not in the kitchen.
            suggested_area=async_suggest_area(hass, name, whole=True),
            sw_version=welcome.version,
            via_device_id=via,
            configuration_url=f"homeassistant://{DOMAIN}/{entry.unique_id}",
        )


@callback
def async_forget_rooms(hass: HomeAssistant, entry: ConfigEntry, welcome: Welcome) -> None:
    """Remove the devices of rooms, with their entities, that a satellite says not to hear any more."""
    satellite_id = entry.unique_id or ""
    heard = {identifier_of(satellite_id, room) for room in ("", *rooms_of(welcome))}
    registry = dr.async_get(hass)
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        if device.identifiers.isdisjoint(heard):
            registry.async_remove_device(device.id)


def identifier_of(satellite_id: str, room: str = "") -> tuple[str, str]:
    """Return what the device of a satellite, or of one of its rooms, is known by."""
    return (DOMAIN, f"{satellite_id}/{room}" if room else satellite_id)


@callback
def async_find_device(hass: HomeAssistant, satellite_id: str, room: str = "") -> dr.DeviceEntry | None:
    """Return the device of a satellite, or the one of a room if it has one of its own."""
    entry = hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, satellite_id)
    if entry is None:
        return None
    return dr.async_get(hass).async_get_device_by_identifier(
        identifier_of(satellite_id, room), entry.entry_id
    )


@callback
def async_name_room(hass: HomeAssistant, satellite_id: str, room: str) -> str:
    """Return what people call a room of a satellite: as its device is called, if it has one."""
    device = async_find_device(hass, satellite_id, room)
    return (device and (device.name_by_user or device.name)) or plain_name(room)


@callback
def async_room_of(hass: HomeAssistant, satellite_id: str, device_id: str, rooms: Iterable[str]) -> str:
    """Return the room whose device this is; empty if it is that of the satellite."""
    device = dr.async_get(hass).async_get(device_id)
    known = {identifier_of(satellite_id, room): room for room in rooms}
    return next((known[item] for item in device.identifiers if item in known), "") if device else ""


@callback
def async_entity_name_without_repetition(
    hass: HomeAssistant, satellite_id: str, room: str, name: str
) -> str | None:
    """Return what the id of a new entity is made of, where Home Assistant's own rule would name the area twice.

    It puts the area of a device before its name: of what is called "Kitchen" and is in the kitchen, the alarm would be
    `kitchen_kitchen_alarm`. None where that rule does well, or the owner has chosen another one.
    """
    if er.async_get(hass).settings.entity_id_parts is not None:
        return None
    device = async_find_device(hass, satellite_id, room)
    area_id = device.area_id if device is not None else None
    area = ar.async_get(hass).async_get_area(area_id) if area_id is not None else None
    if device is None or area is None:
        return None
    called = device.name_by_user or device.name or ""
    return f"{called} {name}" if _contains(_words(called), _words(area.name)) else None


@callback
def async_suggest_area(hass: HomeAssistant, name: str, *, whole: bool = False) -> str | None:
    """Return the area of which a name speaks, such as "Kitchen" of "Kitchen satellite"; None if there is none.

    Only areas that are there already: a name alone is no reason to add a room to a home. With `whole`, the name must be
    that of the area, and no more.
    """
    said = _words(name)
    found = [
        (len(words), area.name)
        for area in ar.async_get(hass).async_list_areas()
        for known_as in (area.name, *area.aliases)
        if (words := _words(known_as)) and (words == said if whole else _contains(said, words))
    ]
    # "Living room" says more than "Room".
    return max(found)[1] if found else None


def _words(name: str) -> list[str]:
    return name.casefold().replace("-", " ").replace("_", " ").split()


def _contains(words: list[str], sought: list[str]) -> bool:
    return any(words[start : start + len(sought)] == sought for start in range(len(words)))
