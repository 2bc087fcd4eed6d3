"""What to attach to a bug report, without anything that would let somebody in or find the house."""

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.const import CONF_HOST, CONF_LATITUDE, CONF_LONGITUDE, CONF_NAME, CONF_TARGET, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_integration

from . import EchonetConfigEntry
from .const import CONF_ADDRESS, CONF_FINGERPRINT, DOMAIN, SUBENTRY_RECIPIENT
from .household.runtime import Household
from .protocol import PROTOCOL_VERSION, Health, Problem

TO_REDACT = {
    CONF_ADDRESS,
    CONF_FINGERPRINT,
    CONF_HOST,
    CONF_LATITUDE,
    CONF_LONGITUDE,
    CONF_NAME,
    CONF_TARGET,
    CONF_TOKEN,
    "accuracy_m",
    "by",
    "floor",
    "room",
    "satellite_id",
    "source",
    "title",
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: EchonetConfigEntry
) -> dict[str, Any]:
    """Return the diagnostics of a satellite or of the household."""
    runtime = entry.runtime_data
    integration = await async_get_integration(hass, DOMAIN)
    diagnostics: dict[str, Any] = {
        "version": str(integration.version),
        "protocol": PROTOCOL_VERSION,
        "entry": dict(entry.data),
        "options": dict(entry.options),
    }
    if isinstance(runtime, Household):
        diagnostics["recipients"] = [
            {"title": subentry.title, **subentry.data}
            for subentry in entry.subentries.values()
            if subentry.subentry_type == SUBENTRY_RECIPIENT
        ]
        diagnostics["incidents"] = [asdict(incident) for incident in runtime.desk.incidents]
    else:
        diagnostics["connected"] = runtime.last_update_success
        diagnostics["connection"] = _without(runtime.record.as_dict(), str(entry.data[CONF_HOST]))
        offset = runtime.clock_offset
        diagnostics["clock_ahead_s"] = offset and offset.ahead.total_seconds()
        # Which is which matters, and what they are called is nobody's business.
        rooms = dict.fromkeys(runtime.data.welcome.rooms)
        numbers = {room: f"room {number}" for number, room in enumerate(rooms, start=1)}
        diagnostics["satellite"] = {
            "welcome": {**asdict(runtime.data.welcome), "rooms": list(numbers.values())},
            "health": {**asdict(runtime.data.health), "sources": _numbered(runtime.data.health, numbers)},
            "settings": asdict(runtime.data.settings),
            "learning": asdict(runtime.data.learning),
            "active": sorted(
                f"{item.sound_class} {numbers.get(item.room, '')}".strip()
                for item in runtime.data.active.values()
            ),
        }
    redacted: dict[str, Any] = async_redact_data(_listed(diagnostics), TO_REDACT)
    return redacted


def _numbered(health: Health, numbers: dict[str, str]) -> dict[str, list[Problem]]:
    return {numbers.get(source.room, "another room"): list(source.problems) for source in health.sources}


def _without(record: dict[str, Any], host: str) -> dict[str, Any]:
    """Leave the address out of what errors say."""
    for item in record["last_errors"]:
        item["error"] = item["error"].replace(host, REDACTED)
    return record


def _listed(value: Any) -> Any:
    """Turn tuples into lists, because Home Assistant does not look into tuples when it redacts."""
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(item) for item in value]
    return value
