"""Tells in the logbook of detections that arrived too late to be events."""

from collections.abc import Callable
from typing import Any

from homeassistant.components.logbook import LOGBOOK_ENTRY_MESSAGE, LOGBOOK_ENTRY_NAME
from homeassistant.const import ATTR_NAME
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .const import ATTR_ONSET, ATTR_PATTERN, ATTR_SOUND_CLASS, DOMAIN, EVENT_LATE_DETECTION
from .household.kinds import kind_of
from .household.texts import TEXTS, nearest_language
from .household.wording import describe_moment, in_sentence
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
        texts = TEXTS[nearest_language(hass.config.language)]
        pattern = data.get(ATTR_PATTERN)
        kind = kind_of(SoundClass(data[ATTR_SOUND_CLASS]), AlarmPattern(pattern) if pattern else None)
        onset = dt_util.parse_datetime(data[ATTR_ONSET], raise_on_error=True)
        moment = describe_moment(dt_util.as_local(onset), dt_util.now(), texts)
        return {
            LOGBOOK_ENTRY_NAME: data[ATTR_NAME],
            LOGBOOK_ENTRY_MESSAGE: texts.logbook_late.format(
                moment=moment, sound=in_sentence(texts.sounds[kind], texts)
            ),
        }

    async_describe_event(DOMAIN, EVENT_LATE_DETECTION, describe)
