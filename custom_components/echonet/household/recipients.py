"""Who hears of alerts, and how a notification reaches them."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
import logging
from typing import Any

from homeassistant.components.notify import (
    ATTR_DATA,
    ATTR_MESSAGE,
    ATTR_TITLE,
    DOMAIN as NOTIFY_DOMAIN,
    SERVICE_SEND_MESSAGE,
    NotifyEntityFeature,
)
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import (
    ATTR_ENTITY_ID,
    ATTR_SUPPORTED_FEATURES,
    CONF_TARGET,
    EVENT_HOMEASSISTANT_STARTED,
)
from homeassistant.core import CoreState, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from ..const import CONF_KIND, SUBENTRY_RECIPIENT
from ..issues import async_clear_recipient_issue, async_report_recipient_issue
from .alerts import Alert

_LOGGER = logging.getLogger(__name__)

SEND_TIMEOUT_S = 30.0
START_TIMEOUT_S = 180.0
COMPANION_PREFIX = f"{NOTIFY_DOMAIN}.mobile_app_"


class RecipientKind(StrEnum):
    """What `notify` offers: an action of its own, or an entity."""

    ACTION = "action"
    ENTITY = "entity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Someone to tell; `target` is the name of an action or the id of an entity."""

    subentry_id: str
    name: str
    kind: RecipientKind
    target: str

    @classmethod
    def from_subentry(cls, subentry: ConfigSubentry) -> Recipient:
        """Read what the owner has entered."""
        return cls(
            subentry_id=subentry.subentry_id,
            name=subentry.title,
            kind=RecipientKind(subentry.data[CONF_KIND]),
            target=subentry.data[CONF_TARGET],
        )

    @property
    def companion(self) -> bool:
        """Whether it is a phone with the companion app, which understands critical sound, tags and buttons."""
        return self.kind is RecipientKind.ACTION and self.target.startswith(COMPANION_PREFIX)


def recipients_of(entry: ConfigEntry) -> list[Recipient]:
    """Return the recipients of a household."""
    return [
        Recipient.from_subentry(subentry)
        for subentry in entry.subentries.values()
        if subentry.subentry_type == SUBENTRY_RECIPIENT
    ]


async def async_tell(hass: HomeAssistant, recipient: Recipient, alert: Alert) -> None:
    """Send an alert to one recipient; a failure becomes a repair issue and never an exception."""
    try:
        await _async_wait_for_start(hass, recipient)
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await _async_send(hass, recipient, alert)
    except Exception as err:
        # Whatever a notifier raises, the other recipients must still be told.
        expected = isinstance(err, HomeAssistantError | TimeoutError)
        _LOGGER.error(
            "Could not alert %s through %s: %s",
            recipient.name,
            recipient.target,
            str(err) or type(err).__name__,
            exc_info=None if expected else err,
        )
        async_report_recipient_issue(hass, recipient.subentry_id, recipient.name, recipient.target)
    else:
        async_clear_recipient_issue(hass, recipient.subentry_id)


async def _async_send(hass: HomeAssistant, recipient: Recipient, alert: Alert) -> None:
    if recipient.kind is RecipientKind.ENTITY:
        state = hass.states.get(recipient.target)
        if state is None:
            raise HomeAssistantError(f"there is no {recipient.target}")
        features = NotifyEntityFeature(state.attributes.get(ATTR_SUPPORTED_FEATURES, 0))
        payload: dict[str, Any] = {ATTR_ENTITY_ID: recipient.target}
        if NotifyEntityFeature.TITLE in features:
            payload |= {ATTR_TITLE: alert.title, ATTR_MESSAGE: _with_map(alert.message, alert)}
        else:
            payload[ATTR_MESSAGE] = _with_map(alert.text, alert)
        await hass.services.async_call(NOTIFY_DOMAIN, SERVICE_SEND_MESSAGE, payload, blocking=True)
        return
    payload = {ATTR_TITLE: alert.title}
    if recipient.companion:
        payload |= {ATTR_MESSAGE: alert.message, ATTR_DATA: alert.companion_data()}
    else:
        # Other notifiers refuse or ignore data that is not theirs: the map goes into the text.
        payload[ATTR_MESSAGE] = _with_map(alert.message, alert)
    action = recipient.target.removeprefix(f"{NOTIFY_DOMAIN}.")
    await hass.services.async_call(NOTIFY_DOMAIN, action, payload, blocking=True)


def _with_map(text: str, alert: Alert) -> str:
    return f"{text}\n{alert.map_url}"


async def _async_wait_for_start(hass: HomeAssistant, recipient: Recipient) -> None:
    """While Home Assistant starts, phones may not be set up yet: wait for the one that is needed."""
    if _is_there(hass, recipient) or hass.state is CoreState.running:
        return
    started = asyncio.Event()

    @callback
    def on_started(_: Event) -> None:
        started.set()

    cancel = hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STARTED, on_started)
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            await started.wait()
    finally:
        if not started.is_set():
            cancel()


def _is_there(hass: HomeAssistant, recipient: Recipient) -> bool:
    if recipient.kind is RecipientKind.ENTITY:
        return hass.states.get(recipient.target) is not None
    return hass.services.has_service(NOTIFY_DOMAIN, recipient.target.removeprefix(f"{NOTIFY_DOMAIN}."))
