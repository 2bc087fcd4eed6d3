"""The device of a satellite: how Home Assistant shows it, and the room that its name speaks of."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr

from .const import DOMAIN, MANUFACTURER
from .protocol import Welcome

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
        suggested_area=async_suggest_area(hass, welcome.name),
        sw_version=welcome.version,
        # One click from its device page is the card, which shows what it hears.
        configuration_url=f"homeassistant://{DOMAIN}/{entry.unique_id}",
    )
    return device.id


@callback
def async_suggest_area(hass: HomeAssistant, name: str) -> str | None:
    """Return the area of which a name speaks, such as "Kitchen" of "Kitchen satellite"; None if there is none.

    Only areas that are there already: a name alone is no reason to add a room to a home.
    """
    said = _words(name)
    found = [
        (len(words), area.name)
        for area in ar.async_get(hass).async_list_areas()
        for known_as in (area.name, *area.aliases)
        if (words := _words(known_as)) and _contains(said, words)
    ]
    # "Living room" says more than "Room".
    return max(found)[1] if found else None


def _words(name: str) -> list[str]:
    return name.casefold().replace("-", " ").replace("_", " ").split()


def _contains(words: list[str], sought: list[str]) -> bool:
    return any(words[start : start + len(sought)] == sought for start in range(len(words)))
