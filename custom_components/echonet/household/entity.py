"""The device that stands for the household, to which its entities belong, and where the integration page shows it."""

from types import MappingProxyType
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo

from ..const import DOMAIN, HOUSEHOLD_UNIQUE_ID, MANUFACTURER, SUBENTRY_HOME
from .texts import Language, nearest_language

_TITLES: Final = {
    Language.ENGLISH: "Whole home",
    Language.GERMAN: "Ganzes Zuhause",
    Language.FRENCH: "Toute la maison",
    Language.SPANISH: "Toda la casa",
}


def household_device() -> DeviceInfo:
    """Return what the registry is told of it."""
    return DeviceInfo(
        identifiers={(DOMAIN, HOUSEHOLD_UNIQUE_ID)},
        entry_type=DeviceEntryType.SERVICE,
        manufacturer=MANUFACTURER,
        translation_key="household",
    )


def home_subentry_of(entry: ConfigEntry) -> str | None:
    """Return the id of the subentry that the household's device belongs to."""
    return next(
        (item.subentry_id for item in entry.subentries.values() if item.subentry_type == SUBENTRY_HOME), None
    )


@callback
def async_add_home_subentry(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """See to it that there is one, also where its owner has deleted it."""
    if home_subentry_of(entry) is None:
        hass.config_entries.async_add_subentry(
            entry,
            ConfigSubentry(
                data=MappingProxyType({}),
                subentry_type=SUBENTRY_HOME,
                title=_TITLES[nearest_language(hass.config.language)],
                unique_id=HOUSEHOLD_UNIQUE_ID,
            ),
        )
