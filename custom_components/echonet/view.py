"""What those who look at a satellite are shown, in their language: how it is, its last sounds, and the alert."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr

from .coordinator import SatelliteCoordinator
from .device import async_name_room
from .event_types import name_of
from .helpers import async_get_household
from .household.incident import Incident
from .household.kinds import AlertKind, kind_of
from .household.runtime import Household
from .household.texts import TEXTS, Texts, nearest_language
from .household.wording import MAX_ROOMS
from .protocol import Level, Phase
from .recent import RecentSound


@callback
def async_view(hass: HomeAssistant, coordinator: SatelliteCoordinator, language: str) -> dict[str, Any]:
    """Return everything that is shown of a satellite, but what it sounds like."""
    texts = TEXTS[nearest_language(language)]
    household = _async_get_running_household(hass)
    data = coordinator.data
    device = dr.async_get(hass).async_get(coordinator.device_id)
    area_id = device.area_id if device is not None else None
    area = ar.async_get(hass).async_get_area(area_id) if area_id is not None else None
    name = (device.name_by_user or device.name) if device is not None else None
    return {
        "name": name or data.welcome.name,
        "room": area.name if area is not None else None,
        "connected": coordinator.last_update_success,
        "listening": data.settings.listening,
        "problems": list(data.health.problems) if coordinator.last_update_success else [],
        "classes": list(data.welcome.classes),
        "active": sorted({item.sound_class for item in data.active.values()}),
        "names": {name_of(kind): texts.sounds[kind] for kind in AlertKind},
        "sounds": [
            _sound(item, household, _async_name(hass, coordinator, item)) for item in coordinator.recent
        ],
        "alert": _alert(household, texts),
    }


def view_of_level(level: Level) -> dict[str, Any]:
    """Return what is shown of the last moment; an older satellite tells only how loud it is."""
    return {
        "rms": level.rms_dbfs,
        "peak": level.peak_dbfs,
        "probabilities": _shares(level.probabilities),
        "thresholds": _shares(level.thresholds),
        "bands": list(level.bands_dbfs),
    }


def _shares(values: Any) -> dict[str, float]:
    return {name: min(1.0, max(0.0, value)) for name, value in values.items()}


@callback
def _async_name(hass: HomeAssistant, coordinator: SatelliteCoordinator, sound: RecentSound) -> str | None:
    """Return the room of a sound; only a satellite that hears several says which."""
    room = sound.detection.room
    return async_name_room(hass, coordinator.satellite_id, room) if room else None


def _sound(sound: RecentSound, household: Household | None, room: str | None) -> dict[str, Any]:
    detection = sound.detection
    incident = household.desk.incidents.of_detection(detection.id) if household is not None else None
    answer = incident.acknowledgement if incident is not None else None
    return {
        "id": detection.id,
        "kind": name_of(kind_of(detection.sound_class, detection.pattern)),
        "sound_class": detection.sound_class,
        "room": room,
        "confidence": round(detection.confidence, 3),
        "onset": detection.onset.isoformat(),
        "going_on": detection.phase is not Phase.END and not detection.replayed,
        "test": detection.test,
        "late": sound.late,
        "incident": incident.id if incident is not None and not detection.test else None,
        "false_alarm": answer is not None and answer.false_alarm,
    }


def _alert(household: Household | None, texts: Texts) -> dict[str, Any] | None:
    """Return the incident of the whole house that matters now: who cannot hear must see it wherever it is."""
    incident = household.current if household is not None else None
    if household is None or incident is None:
        return None
    answer = incident.acknowledgement
    return {
        "incident": incident.id,
        "kind": name_of(incident.kind),
        "title": f"{texts.sounds[incident.kind]}{texts.in_rooms(_rooms(incident))}",
        "severity": household.desk.policy.told[incident.id].severity,
        "onset": incident.onset.isoformat(),
        "confidence": round(incident.confidence, 3),
        "going_on": incident.over_at is None,
        "answered": incident.answered,
        "by": answer.by if answer is not None else None,
    }


def _rooms(incident: Incident) -> list[str]:
    return list(dict.fromkeys(place.room or place.name for place in incident.places))[:MAX_ROOMS]


@callback
def _async_get_running_household(hass: HomeAssistant) -> Household | None:
    entry = async_get_household(hass)
    if entry is None or entry.state is not ConfigEntryState.LOADED:
        return None
    household: Household = entry.runtime_data
    return household
