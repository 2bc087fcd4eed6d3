"""What a satellite tells that is over as soon as it is told: loud noises, clips, lessons, what became of a wish."""

from collections.abc import Callable
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_DEVICE_ID, ATTR_ID, ATTR_NAME
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send

from .const import ATTR_OUTCOME, EVENT_LESSON
from .protocol import Clip, Lesson, Message
from .reports import SIGNAL_CLIP, ClipReport


class Moments:
    """Hands the passing messages of one satellite to whoever waits for them; nothing of them is kept."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Begin with nobody who waits."""
        self._hass = hass
        self._entry = entry
        self._listeners: list[tuple[type[Message], Callable[[Any], None]]] = []

    @callback
    def async_subscribe[M: Message](self, kind: type[M], listener: Callable[[M], None]) -> CALLBACK_TYPE:
        """Call `listener` with each message of a kind from now on; returns what ends it."""
        subscription = (kind, listener)
        self._listeners.append(subscription)
        return lambda: self._listeners.remove(subscription)

    @callback
    def async_take(self, message: Message, device_id: str) -> None:
        """Hand a message out; `device_id` is the device of the satellite."""
        if isinstance(message, Lesson):
            self._async_log_lesson(message, device_id)
        elif isinstance(message, Clip):
            report = ClipReport(entry_id=self._entry.entry_id, clip=message)
            async_dispatcher_send(self._hass, SIGNAL_CLIP, report)
        for kind, listener in tuple(self._listeners):
            if isinstance(message, kind):
                listener(message)

    @callback
    def _async_log_lesson(self, lesson: Lesson, device_id: str) -> None:
        """Let the logbook say what became of a verdict."""
        self._hass.bus.async_fire(
            EVENT_LESSON,
            {
                ATTR_DEVICE_ID: device_id,
                ATTR_NAME: self._entry.title,
                ATTR_ID: lesson.detection_id,
                ATTR_OUTCOME: lesson.outcome.value,
            },
        )
