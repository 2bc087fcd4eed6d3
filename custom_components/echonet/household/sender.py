"""Sends one alert through one channel, and says why where that fails."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
import logging

from homeassistant.components.notify import DOMAIN as NOTIFY_DOMAIN
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from ..errors import printable
from .alerts import Alert
from .channels import Channel, Obstacle, async_get_obstacle
from .letters import Letter, async_get_payload
from .overhear import overhear_companion
from .payload import companion_data
from .recipients import Recipient
from .silence_notice import SilenceNotice
from .texts import TEXTS

_LOGGER = logging.getLogger(__name__)

SEND_TIMEOUT_S = 30.0
START_TIMEOUT_S = 180.0

type Tellable = Alert | SilenceNotice


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an alert did not get through a channel, in words for the log."""

    channel: Channel
    obstacle: Obstacle
    reason: str
    unexpected: Exception | None = None


class Sender:
    """Puts alerts into words, and hands them to `notify`."""

    def __init__(
        self,
        hass: HomeAssistant,
        opens: Callable[[], str],
        picture: Callable[[str], str | None],
        is_wanted: Callable[[Tellable], bool],
    ) -> None:
        """Send nothing yet.

        Args:
            hass: Home Assistant.
            opens: Says which page a touch on a notification opens.
            picture: Says which picture an incident has, if any.
            is_wanted: Says whether anybody still wants to hear of an alert.
        """
        self._hass = hass
        self._opens = opens
        self._picture = picture
        self._is_wanted = is_wanted

    async def async_send(
        self,
        channel: Channel,
        recipient: Recipient,
        alert: Tellable,
        instead_of: Sequence[str],
        *,
        quiet: bool = False,
    ) -> Failure | None:
        """Send, and return why that has failed, None if it has not.

        Raises:
            CancelledError: nobody wants to hear of it any more.
        """
        try:
            await _async_wait_for_start(self._hass, channel)
            if not self._is_wanted(alert):
                # Somebody has answered while it waited.
                raise asyncio.CancelledError
            obstacle = async_get_obstacle(self._hass, channel)
            if obstacle is not None:
                return Failure(channel=channel, obstacle=obstacle, reason=f"it is {obstacle}")
            letter = self._letter(recipient, alert, instead_of, quiet=quiet)
            payload = async_get_payload(self._hass, channel, letter)
            async with asyncio.timeout(SEND_TIMEOUT_S):
                with overhear_companion() as complaints:
                    await self._hass.services.async_call(
                        NOTIFY_DOMAIN, channel.action, payload, blocking=True
                    )
        except (HomeAssistantError, TimeoutError) as err:
            return Failure(channel=channel, obstacle=Obstacle.FAILED, reason=_reason(err))
        except Exception as err:  # noqa: BLE001  # whatever a notifier raises, the other recipients must still be told
            return Failure(channel=channel, obstacle=Obstacle.FAILED, reason=_reason(err), unexpected=err)
        if complaints:
            return Failure(channel=channel, obstacle=Obstacle.FAILED, reason=printable(complaints[0]))
        _LOGGER.info(
            "Told %s through %s (%s, %s): %s",
            recipient.name,
            channel.target,
            alert.telling,
            alert.severity,
            alert.title,
        )
        return None

    @callback
    def _letter(
        self, recipient: Recipient, alert: Tellable, instead_of: Sequence[str], *, quiet: bool
    ) -> Letter:
        if isinstance(alert, SilenceNotice):
            return alert.letter(recipient.language, instead_of)
        notice = alert.notice(recipient.language, instead_of)
        data = companion_data(
            alert,
            notice,
            TEXTS[recipient.language or alert.language],
            opens=self._opens(),
            picture=self._picture(alert.incident_id),
            quiet=quiet,
        )
        return Letter(title=notice.title, message=notice.message, data=data, link=alert.position.map_url)


async def _async_wait_for_start(hass: HomeAssistant, channel: Channel) -> None:
    """While Home Assistant starts, phones may not be set up yet: wait for the one that is needed."""
    if hass.state is CoreState.running or async_get_obstacle(hass, channel) is None:
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


def _reason(err: Exception) -> str:
    return printable(str(err)) or type(err).__name__
