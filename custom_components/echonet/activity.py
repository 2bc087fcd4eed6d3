"""Tells of each sound in the activity, in one line; `logbook.py` puts it into words.

Home Assistant lists every change of a state by itself, and with no more than its name. What was heard, how surely,
whether it was a test and whether it is told late needs an event of our own.
"""

from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID, ATTR_ID, ATTR_NAME, Platform
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from .const import (
    ATTR_CONFIDENCE,
    ATTR_EVENT_TYPE,
    ATTR_LATE,
    ATTR_ONSET,
    ATTR_PATTERN,
    ATTR_ROOM,
    ATTR_ROOM_DEVICE_ID,
    ATTR_SOUND_CLASS,
    ATTR_TEST,
    DOMAIN,
    EVENT_SOUND,
)
from .coordinator import SatelliteCoordinator
from .device import async_find_device
from .entity import unique_id_of
from .event_types import FiredEvents, event_type_of, told_as
from .plain import plain_name
from .protocol import Phase
from .reports import DetectionReport


@callback
def async_tell_activity(hass: HomeAssistant, coordinator: SatelliteCoordinator) -> CALLBACK_TYPE:
    """Fire an event when a sound begins, and when it becomes known what it is; returns what ends it."""
    fired = FiredEvents()

    @callback
    def tell(report: DetectionReport) -> None:
        detection = report.detection
        kind = event_type_of(detection.sound_class, detection.pattern)
        if detection.phase is not Phase.START and kind == detection.sound_class.value:
            return
        if detection.phase is Phase.END and not fired.knows(detection.id):
            # It was told before Home Assistant or the entry was started anew.
            return
        if fired.is_first(detection.id, kind):
            hass.bus.async_fire(EVENT_SOUND, _async_describe(hass, coordinator, report))

    return coordinator.async_subscribe_detections(tell)


@callback
def _async_describe(
    hass: HomeAssistant, coordinator: SatelliteCoordinator, report: DetectionReport
) -> dict[str, str | float | bool | None]:
    detection = report.detection
    satellite_id = coordinator.satellite_id
    # Of a satellite that hears several rooms, a person wants to know which.
    # It may have no device of its own, or none any more.
    room = detection.room if detection.room in coordinator.data.rooms else ""
    device = async_find_device(hass, satellite_id, room)
    known_as = device and (device.name_by_user or device.name)
    if detection.room and not room:
        known_as = plain_name(detection.room)
    return {
        ATTR_DEVICE_ID: report.device_id,
        ATTR_ROOM_DEVICE_ID: device.id if device is not None and room else None,
        # With it, the line is also in the activity of the sensor of this class.
        ATTR_ENTITY_ID: er.async_get(hass).async_get_entity_id(
            Platform.BINARY_SENSOR, DOMAIN, unique_id_of(satellite_id, detection.sound_class, room)
        ),
        ATTR_NAME: known_as or coordinator.config_entry.title,
        ATTR_ROOM: detection.room or None,
        ATTR_ID: detection.id,
        # What automations go by, as with the event entity; a test or what is late is never taken for the real thing.
        ATTR_EVENT_TYPE: told_as(detection, late=report.late),
        ATTR_SOUND_CLASS: detection.sound_class.value,
        ATTR_PATTERN: detection.pattern,
        ATTR_CONFIDENCE: round(detection.confidence, 3),
        ATTR_ONSET: detection.onset.isoformat(),
        ATTR_TEST: detection.test,
        ATTR_LATE: report.late,
    }
