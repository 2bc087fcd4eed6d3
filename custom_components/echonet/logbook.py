"""Puts the sounds of the activity into words, and what became of verdicts, in the language of the home."""

from collections.abc import Callable
from typing import Any, Final

from homeassistant.components.logbook import (
    LOGBOOK_ENTRY_ICON,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.const import ATTR_NAME
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .activity_texts import ACTIVITY_TEXTS, say_heard, say_late
from .const import (
    ATTR_CONFIDENCE,
    ATTR_LATE,
    ATTR_ONSET,
    ATTR_OUTCOME,
    ATTR_PATTERN,
    ATTR_SOUND_CLASS,
    ATTR_TEST,
    DOMAIN,
    EVENT_LESSON,
    EVENT_SOUND,
)
from .household.kinds import AlertKind, kind_of
from .household.texts import TEXTS, nearest_language
from .household.wording import describe_moment
from .lesson_texts import LESSON_TEXTS
from .protocol import AlarmPattern, LessonOutcome, SoundClass

# What is written on the detectors themselves.
_RHYTHMS: Final = {AlertKind.SMOKE_ALARM: "T3", AlertKind.CO_ALARM: "T4"}
_LESSON_ICON: Final = "mdi:school-outline"
_TEST_ICON: Final = "mdi:bell-ring-outline"
_LATE_ICON: Final = "mdi:history"
_ICONS: Final = {
    AlertKind.GUNSHOT: "mdi:pistol",
    AlertKind.GLASS_BREAK: "mdi:glass-fragile",
    AlertKind.BABY_CRY: "mdi:baby-face-outline",
    AlertKind.FIRE: "mdi:fire",
    AlertKind.DOG: "mdi:dog",
    AlertKind.PRESENCE: "mdi:account-voice",
    AlertKind.SCREAM: "mdi:bullhorn",
    AlertKind.SMOKE_ALARM: "mdi:smoke-detector-variant-alert",
    AlertKind.CO_ALARM: "mdi:molecule-co",
    AlertKind.SIREN: "mdi:alarm-light",
    AlertKind.ALARM: "mdi:bell",
    AlertKind.ALARM_CLOCK: "mdi:alarm",
    AlertKind.LOW_BATTERY: "mdi:battery-alert-variant-outline",
}


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[Event], dict[str, Any]]], None],
) -> None:
    """Register the description."""

    @callback
    def describe(event: Event) -> dict[str, Any]:
        icon, message = _say(hass, event.data)
        return {
            LOGBOOK_ENTRY_NAME: event.data[ATTR_NAME],
            LOGBOOK_ENTRY_MESSAGE: message,
            LOGBOOK_ENTRY_ICON: icon,
        }

    @callback
    def describe_lesson(event: Event) -> dict[str, Any]:
        texts = LESSON_TEXTS[nearest_language(hass.config.language)]
        return {
            LOGBOOK_ENTRY_NAME: event.data[ATTR_NAME],
            LOGBOOK_ENTRY_MESSAGE: texts[LessonOutcome(event.data[ATTR_OUTCOME])],
            LOGBOOK_ENTRY_ICON: _LESSON_ICON,
        }

    async_describe_event(DOMAIN, EVENT_SOUND, describe)
    async_describe_event(DOMAIN, EVENT_LESSON, describe_lesson)


def _say(hass: HomeAssistant, data: Any) -> tuple[str, str]:
    """Return an icon and what was heard."""
    language = nearest_language(hass.config.language)
    texts = ACTIVITY_TEXTS[language]
    if data[ATTR_TEST]:
        return _TEST_ICON, texts.test
    pattern = data[ATTR_PATTERN]
    kind = kind_of(SoundClass(data[ATTR_SOUND_CLASS]), AlarmPattern(pattern) if pattern else None)
    confidence, rhythm = data[ATTR_CONFIDENCE], _RHYTHMS.get(kind)
    if not data[ATTR_LATE]:
        return _ICONS[kind], say_heard(kind, confidence, rhythm, texts)
    onset = dt_util.as_local(dt_util.parse_datetime(data[ATTR_ONSET], raise_on_error=True))
    moment = describe_moment(onset, dt_util.now(), TEXTS[language])
    return _LATE_ICON, say_late(kind, confidence, rhythm, moment, texts)
