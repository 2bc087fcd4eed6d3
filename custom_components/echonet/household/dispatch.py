"""Takes news to the recipients of this moment, and notes at the desk who is owed it and who has it."""

import asyncio
from collections.abc import Callable
import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from .alerts import Alert
from .courier import Courier
from .desk import Desk
from .kinds import Severity
from .news import News
from .recipients import Recipient, recipients_of, waves_of
from .sender import Tellable

_LOGGER = logging.getLogger(__name__)


class Dispatch:
    """The way of each alert from the desk to the courier; it waits until the household is `ready`."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        desk: Desk,
        courier: Courier,
        *,
        ready: asyncio.Event,
        announce: Callable[[Alert, list[str]], None],
        store: Callable[[], None],
    ) -> None:
        """Send nothing yet.

        Args:
            hass: Home Assistant.
            entry: The household.
            desk: What knows whom an alert is owed to.
            courier: What brings it.
            ready: Set when alerts may go out.
            announce: Called with each alert and the names of those whom it is sent to.
            store: Called when the desk knows something that is to outlive a restart.
        """
        self._hass = hass
        self._entry = entry
        self._desk = desk
        self._courier = courier
        self._ready = ready
        self._announce = announce
        self._store = store

    @callback
    def async_send_soon(self, news: News, alert: Alert) -> None:
        """Send, in the background, what the news says in words."""
        # Not a task of the entry: the courier's stop decides what a reload ends.
        self._hass.async_create_background_task(
            self._async_send(news, alert), f"{DOMAIN} alert {alert.incident_id}"
        )

    async def _async_send(self, news: News, alert: Alert) -> None:
        await self._ready.wait()
        if not self._desk.is_wanted(alert.incident_id, alert.severity, dt_util.utcnow()):
            return
        first = news.waves - news.skipped
        waves = [
            tuple(item for item in wave if news.concerns(item.subentry_id, reserve=number >= first))
            for number, wave in enumerate(
                waves_of(recipients_of(self._entry), alert.sound_class)[news.skipped :]
            )
        ]
        recipients = [recipient for wave in waves[:first] for recipient in wave]
        if news.only is None:
            self._announce(alert, [recipient.name for recipient in recipients])
        owed = {recipient.subentry_id for recipient in recipients}
        if alert.severity is Severity.SILENT:
            owed |= self._courier.audience.stand_ins(alert.incident_id)
        self._desk.ledger.owe(alert.incident_id, owed, alert.telling)
        if not recipients:
            if news.only is None and not news.without:
                _LOGGER.warning("Nobody is told, because no recipient is set up: %s", alert.title)
            return

        @callback
        def told(recipient: Recipient, alert: Tellable) -> None:
            self._desk.ledger.delivered(alert.incident_id, recipient.subentry_id, alert.severity, news.number)
            self._desk.rang(news.incident, recipient.subentry_id, alert.telling, dt_util.utcnow())
            self._store()

        @callback
        def told_part(_: Recipient, part: str) -> None:
            self._desk.ledger.delivered_part(alert.incident_id, part)
            self._store()

        await self._courier.async_deliver(
            alert, waves, first=first, had=news.parts, on_told=told, on_part=told_part
        )
