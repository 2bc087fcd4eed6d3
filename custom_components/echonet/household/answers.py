"""What people answer to an alert, from a phone or the interface, and whom that is passed on to."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
import logging
from typing import Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..const import DOMAIN
from ..coordinator import SatelliteCoordinator
from ..helpers import async_get_satellites
from ..protocol import Label, Message, Mute, SoundClass, Verdict
from .asking import async_ask
from .incident import Incident
from .kinds import UNMUTABLE, kinds_of
from .payload import Answer, key_of, read_action
from .runtime import Household

_LOGGER = logging.getLogger(__name__)

EVENT_ACTION: Final = "mobile_app_notification_action"
MUTE_DURATION: Final = timedelta(hours=1)
MAX_MUTE: Final = timedelta(hours=24)


@callback
def async_listen_for_answers(hass: HomeAssistant) -> None:
    """Take the buttons of notifications, whenever they are pressed: also while the household is loaded anew."""

    async def on_action(event: Event) -> None:
        read = read_action(str(event.data.get("action", "")))
        if read is None:
            return
        answer, key = read
        try:
            by = await _async_name(hass, event)
            if await async_answer(hass, answer, lambda household: _find(household, key), by=by) is None:
                _LOGGER.info("An answer to an alert that is long over is left out")
        except HomeAssistantError as err:
            # The household has taken the answer; nobody at the phone could read what a satellite has missed.
            _LOGGER.warning("An answer did not reach everybody: %s", err)

    hass.bus.async_listen(EVENT_ACTION, on_action)


async def async_answer(
    hass: HomeAssistant,
    answer: Answer,
    find: Callable[[Household], Incident | None],
    *,
    by: str | None = None,
) -> Incident | None:
    """Take an answer to an incident, and return that.

    Args:
        hass: Home Assistant.
        answer: What somebody says of it.
        find: Says what is answered, None if it is not remembered any more.
        by: Who says so.

    Raises:
        ServiceValidationError: it cannot be muted, or there is no household.
        HomeAssistantError: a satellite that has to know is not connected.
    """

    def take(household: Household) -> Incident | None:
        incident = find(household)
        if incident is None:
            return None
        match answer:
            case Answer.ACKNOWLEDGE:
                return household.async_acknowledge(incident.id, by=by)
            case Answer.FALSE_ALARM:
                return household.async_false_alarm(incident.id, by=by)
            case Answer.MUTE:
                if incident.kind in UNMUTABLE:
                    raise ServiceValidationError(translation_domain=DOMAIN, translation_key="cannot_mute")
                return household.async_mute(incident.id, MUTE_DURATION, by=by)

    incident = await async_ask(hass, take)
    if incident is not None and answer is Answer.FALSE_ALARM:
        await async_label(hass, incident, Verdict.FALSE_ALARM)
    elif incident is not None and answer is Answer.MUTE:
        await _async_send(hass, _mutes(incident))
    return incident


def _mutes(incident: Incident) -> dict[str, list[Message]]:
    """Return what silences a sound where it is heard: in the rooms of a satellite, and not in all that it hears."""
    sources: dict[str, list[str]] = {}
    for place in incident.places:
        sources.setdefault(place.satellite_id, []).append(place.source)
    return {
        satellite_id: [
            Mute(
                duration_s=MUTE_DURATION.total_seconds(),
                classes=(incident.sound_class,),
                rooms=() if "" in rooms else tuple(rooms),
            )
        ]
        for satellite_id, rooms in sources.items()
    }


async def async_label(hass: HomeAssistant, incident: Incident, verdict: Verdict) -> None:
    """Tell each satellite what a person says of what it heard.

    Raises:
        HomeAssistantError: one of them is not connected.
    """
    messages: dict[str, list[Message]] = {}
    for item in incident.observations:
        label = Label(detection_id=item.detection.id, verdict=verdict)
        messages.setdefault(item.place.satellite_id, []).append(label)
    await _async_send(hass, messages)


async def async_mute(hass: HomeAssistant, duration: timedelta, classes: Iterable[SoundClass]) -> None:
    """Tell nothing of these classes for a while, whoever hears them; a duration of zero ends it.

    The household keeps quiet also where a satellite is not connected now, so that this is no error. Smoke and carbon
    monoxide alarms are told all the same, by the household and by the satellites.
    """
    chosen = tuple(dict.fromkeys(classes)) or tuple(SoundClass)

    def snooze(household: Household) -> None:
        for sound_class in chosen:
            for kind in kinds_of(sound_class) - UNMUTABLE:
                household.async_snooze(kind, duration)

    await async_ask(hass, snooze)
    message = Mute(duration_s=duration.total_seconds(), classes=chosen)
    satellites = _async_get_coordinators(hass)
    try:
        await _async_send(hass, {satellite_id: [message] for satellite_id in satellites})
    except HomeAssistantError as err:
        _LOGGER.info("A satellite does not know that it is muted, and goes on telling the household: %s", err)


@callback
def async_get_waiting(household: Household) -> list[Incident]:
    """Return what was told, goes on or rings, and has no answer yet."""
    desk = household.desk
    return [
        item
        for item in _told(household)
        if not item.answered and (item.over_at is None or desk.escalation.rings(item.id))
    ]


@callback
def async_get_last(household: Household) -> Incident:
    """Return the incident that was told last.

    Raises:
        ServiceValidationError: there is none.
    """
    told = _told(household)
    if not told:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_incident")
    return household.current or max(told, key=lambda item: item.onset)


def _told(household: Household) -> list[Incident]:
    return [
        item for item in household.desk.incidents if item.id in household.desk.policy.told and not item.test
    ]


def _find(household: Household, key: str) -> Incident | None:
    """Return the incident that a button stands for; one that merged into another is found in that."""
    if (found := household.async_get_incident(key)) is not None:
        return found
    return next((item for item in household.desk.incidents if key in _keys(item)), None)


def _keys(incident: Incident) -> set[str]:
    return {key_of(incident.id), *(key_of(item.detection.id) for item in incident.observations)}


async def _async_name(hass: HomeAssistant, event: Event) -> str | None:
    user = await hass.auth.async_get_user(event.context.user_id) if event.context.user_id else None
    return user.name if user is not None else None


@callback
def _async_get_coordinators(hass: HomeAssistant) -> dict[str, SatelliteCoordinator]:
    return {
        entry.unique_id: entry.runtime_data
        for entry in async_get_satellites(hass)
        if entry.unique_id is not None and entry.state is ConfigEntryState.LOADED
    }


async def _async_send(hass: HomeAssistant, messages: Mapping[str, Iterable[Message]]) -> None:
    """Send to all that can be reached, then raise for the first that could not."""
    coordinators = _async_get_coordinators(hass)

    async def send(satellite_id: str) -> None:
        coordinator = coordinators.get(satellite_id)
        if coordinator is None:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="satellite_not_set_up")
        for message in messages[satellite_id]:
            await coordinator.async_send(message)

    results = await asyncio.gather(*(send(item) for item in messages), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
