"""The event entity that shows every alert, so that automations can act on alerts as well."""

from typing import override

from homeassistant.const import ATTR_LATITUDE, ATTR_LONGITUDE
from homeassistant.core import callback

from ..const import (
    ALERT_UNIQUE_ID,
    ATTR_CONFIDENCE,
    ATTR_ONSET,
    ATTR_PATTERN,
)
from ..event_types import LATE, TEST, FiredEvents, event_type_of, event_types_of, name_of
from ..fresh_event import FreshEvent
from ..protocol import SoundClass
from .alerts import Alert
from .entity import household_device
from .policy import Telling
from .runtime import Household

_EVENTS = {Telling.TEST: TEST, Telling.LATE: LATE}


class AlertEvent(FreshEvent):
    """Fires with each alert, and when it becomes known what it is; the event type says that."""

    _attr_has_entity_name = True
    _attr_translation_key = "alert"
    _attr_should_poll = False
    _attr_unique_id = ALERT_UNIQUE_ID

    def __init__(self, household: Household) -> None:
        """Attach the entity to the household."""
        self._household = household
        self._fired = FiredEvents()
        for incident, told in household.desk.announced:
            for event_type in (
                [_EVENTS[told.telling]]
                if told.telling in _EVENTS
                else [name_of(change.kind) for change in incident.history]
            ):
                # What an earlier run has fired unlocks no door once more.
                self._fired.is_first(incident.id, event_type)
        self._attr_event_types = event_types_of(SoundClass)
        self._attr_device_info = household_device()

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to listen."""
        self.async_on_remove(self._household.async_subscribe_alerts(self._async_handle_alert))

    @callback
    def _async_handle_alert(self, alert: Alert, recipients: list[str]) -> None:
        event_type = _EVENTS.get(alert.telling) or event_type_of(alert.sound_class, alert.pattern)
        if not self._fired.is_first(alert.incident_id, event_type):
            return
        self._trigger_event(
            event_type,
            {
                "incident": alert.incident_id,
                "telling": alert.telling.value,
                "text": alert.text,
                "rooms": list(alert.rooms),
                "recipients": recipients,
                "critical": alert.critical,
                ATTR_PATTERN: alert.pattern,
                ATTR_CONFIDENCE: round(alert.confidence, 3),
                ATTR_ONSET: alert.onset.isoformat(),
                ATTR_LATITUDE: alert.position.latitude,
                ATTR_LONGITUDE: alert.position.longitude,
                "map_url": alert.position.map_url,
                "emergency_text": alert.notice().emergency,
                "geo_uri": alert.position.geo_uri,
            },
        )
        self.async_write_ha_state()
