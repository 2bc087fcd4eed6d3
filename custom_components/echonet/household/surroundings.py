"""What alerts say of places, read from Home Assistant: rooms, floors, the home's address, the page of an incident."""

from datetime import datetime

from homeassistant.components.event import DOMAIN as EVENT_DOMAIN
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
)
from homeassistant.util import dt as dt_util

from ..const import ALERT_UNIQUE_ID, CONF_ADDRESS, DOMAIN
from ..device import async_find_device, async_name_room
from ..protocol import Location, Welcome
from .alerts import Home
from .incident import Place
from .texts import nearest_language


@callback
def async_get_place(
    hass: HomeAssistant, device_id: str, welcome: Welcome, welcomed_at: datetime, source: str = ""
) -> Place:
    """Return where a satellite is; `welcomed_at` is when it said what `welcome` says.

    Of a satellite that hears several rooms, `source` is what it calls one. Its area is that of its own device, else one
    of this name.
    """
    device = dr.async_get(hass).async_get(device_id)
    here = device
    if source:
        here = async_find_device(hass, welcome.satellite_id, source)
    areas = ar.async_get(hass)
    area = areas.async_get_area(here.area_id) if here is not None and here.area_id is not None else None
    if area is None and source:
        area = areas.async_get_area_by_name(source)
    floor_id = area.floor_id if area is not None else None
    floor = fr.async_get(hass).async_get_floor(floor_id) if floor_id is not None else None
    name = welcome.name
    if device is not None:
        name = device.name_by_user or device.name or name
    room = async_name_room(hass, welcome.satellite_id, source) if source else None
    return Place(
        satellite_id=welcome.satellite_id,
        name=name,
        room=area.name if area is not None else room,
        floor=floor.name if floor is not None else None,
        location=welcome.location,
        location_source=welcome.location_source,
        located_at=welcomed_at,
        source=source,
    )


@callback
def async_get_home(hass: HomeAssistant, entry: ConfigEntry) -> Home:
    """Return what all alerts of the household share."""
    return Home(
        location=Location(latitude=hass.config.latitude, longitude=hass.config.longitude),
        zone=dt_util.get_default_time_zone(),
        language=nearest_language(hass.config.language),
        address=entry.options.get(CONF_ADDRESS, ""),
    )


@callback
def async_get_page(hass: HomeAssistant) -> str:
    """Return the page that shows the last incident: its history, and in front of it what was told."""
    entity_id = er.async_get(hass).async_get_entity_id(EVENT_DOMAIN, DOMAIN, ALERT_UNIQUE_ID)
    if entity_id is None:
        return "/history"
    return f"/history?entity_id={entity_id}&more-info-entity-id={entity_id}"
