"""Turns the client's errors into the words of the translations, and finds the entries."""

from homeassistant.config_entries import SOURCE_IGNORE, ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_translations

from .client import (
    CertificateChanged,
    ImpostorSuspected,
    IntegrationOutdated,
    InvalidCode,
    InvalidToken,
    NotASatellite,
    PairingClosed,
    SatelliteOutdated,
    TooManyAttempts,
    UnknownName,
    UnsupportedProtocol,
    WrongSatellite,
)
from .const import DOMAIN, HOUSEHOLD_TITLE, HOUSEHOLD_UNIQUE_ID

_KEYS: dict[type[Exception], str] = {
    CertificateChanged: "certificate_changed",
    ImpostorSuspected: "impostor",
    IntegrationOutdated: "integration_outdated",
    InvalidCode: "invalid_code",
    InvalidToken: "invalid_token",
    NotASatellite: "no_satellite_there",
    PairingClosed: "pairing_closed",
    SatelliteOutdated: "satellite_outdated",
    TooManyAttempts: "too_many_attempts",
    UnknownName: "unknown_name",
    UnsupportedProtocol: "unsupported_protocol",
    WrongSatellite: "wrong_satellite",
}


def translation_key(err: Exception) -> str:
    """Return the key that names an error of the client in the translations."""
    return _KEYS.get(type(err), "cannot_connect")


@callback
def async_get_household(hass: HomeAssistant) -> ConfigEntry | None:
    """Return the household entry, if there is one."""
    return hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, HOUSEHOLD_UNIQUE_ID)


async def async_household_title(hass: HomeAssistant) -> str:
    """Return what the entry of the household is called, in the language of the home."""
    texts = await async_get_translations(hass, hass.config.language, "options", {DOMAIN})
    return texts.get(f"component.{DOMAIN}.options.step.init.title", HOUSEHOLD_TITLE)


@callback
def async_get_satellites(hass: HomeAssistant) -> list[ConfigEntry]:
    """Return the entries of all satellites that are paired."""
    return [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN)
        if entry.unique_id != HOUSEHOLD_UNIQUE_ID and entry.source != SOURCE_IGNORE
    ]
