"""Tells in the logbook of detections that arrived too late to be events."""

from collections.abc import Callable
from typing import Any

from homeassistant.components.logbook import LOGBOOK_ENTRY_MESSAGE, LOGBOOK_ENTRY_NAME
from homeassistant.const import ATTR_NAME
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .const import ATTR_ONSET, ATTR_PATTERN, ATTR_SOUND_CLASS, DOMAIN, EVENT_LATE_DETECTION
from .household.wording import describe_moment, describe_sound
from .protocol import AlarmPattern, SoundClass


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[Event], dict[str, Any]]], None],
) -> None:
    """Register the description."""

    @callback
    def describe(event: Event) -> dict[str, Any]:
        data = event.data
        pattern = data.get(ATTR_PATTERN)
        sound = describe_sound(SoundClass(data[ATTR_SOUND_CLASS]), AlarmPattern(pattern) if pattern else None)
        onset = dt_util.parse_datetime(data[ATTR_ONSET], raise_on_error=True)
        moment = describe_moment(dt_util.as_local(onset), dt_util.now())
        return {
            LOGBOOK_ENTRY_NAME: data[ATTR_NAME],
            LOGBOOK_ENTRY_MESSAGE: (
                f"heard {moment}: {sound[0].lower()}{sound[1:]} (told after the connection came back)"
            ),
        }

    async_describe_event(DOMAIN, EVENT_LATE_DETECTION, describe)
