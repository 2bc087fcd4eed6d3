"""Brings alerts to their recipients: tries again where one cannot be reached, and tells the next ones meanwhile."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
import logging

from homeassistant.components.notify import DOMAIN as NOTIFY_DOMAIN
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN
from ..errors import printable
from ..issues import async_clear_recipient_issue, async_report_recipient_issue
from .alerts import Alert
from .channels import Channel, Obstacle, async_get_channels, async_get_obstacle
from .kinds import Severity
from .letters import Letter, async_get_payload
from .overhear import overhear_companion
from .payload import companion_data
from .recipients import Recipient, recipients_of
from .silence_notice import SilenceNotice
from .texts import TEXTS

_LOGGER = logging.getLogger(__name__)

SEND_TIMEOUT_S = 30.0
START_TIMEOUT_S = 180.0
# Ten minutes in all: what somebody could not be told by then, others know, or it is no news any more.
RETRY_PAUSES_S: tuple[float, ...] = (2.0, 5.0, 15.0, 40.0, 60.0, 120.0, 180.0, 180.0)
REMEMBERED = 256

type Tellable = Alert | SilenceNotice
type ToldListener = Callable[[Recipient, Tellable], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an alert did not get through a channel, in words for the log."""

    channel: Channel
    obstacle: Obstacle
    reason: str
    unexpected: Exception | None = None


@dataclass(slots=True, kw_only=True)
class _Errand:
    """What is still owed to one recipient of one incident."""

    alert: Tellable
    channels: list[Channel]
    task: asyncio.Task[None] | None = None


class Courier:
    """Brings alerts; one for the household, so that a later alert takes the place of one that is still on its way."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        opens: Callable[[], str],
        picture: Callable[[str], str | None],
    ) -> None:
        """Bring nothing yet.

        Args:
            hass: Home Assistant.
            entry: The household.
            opens: Says which page a touch on a notification opens.
            picture: Says which picture an incident has, if any.
        """
        self._hass = hass
        self._entry = entry
        self._opens = opens
        self._picture = picture
        self._told: dict[str, dict[str, tuple[Recipient, Tellable, Sequence[str]]]] = {}
        self._errands: dict[tuple[str, str], _Errand] = {}
        self._first_tries: dict[tuple[str, str], asyncio.Event] = {}
        self._stand_ins: dict[str, frozenset[str]] = {}

    async def async_deliver(
        self,
        alert: Tellable,
        waves: Sequence[Sequence[Recipient]],
        *,
        first: int = 1,
        on_told: ToldListener | None = None,
    ) -> None:
        """Tell the first waves, and where somebody of them cannot be reached, the next one as well.

        Whoever cannot be reached is tried again in the background. Failures become repair issues, never exceptions.

        Args:
            alert: What to tell.
            waves: Whom, in their order.
            first: How many waves are told whatever happens.
            on_told: Called for each recipient whom it has reached, at once or later.
        """
        unreached: list[str] = []
        for number, wave in enumerate(waves, start=1):
            if number <= first:
                unreached += await self._async_tell_all(wave, alert, (), on_told)
            elif unreached and alert.severity is not Severity.SILENT:
                # One wave of those in reserve stands in for the one before it.
                self._note_stand_ins(alert.incident_id, wave)
                unreached = await self._async_tell_all(wave, alert, unreached, on_told)
            else:
                # Who stood in before hears how it goes on.
                stand_ins = self._stand_ins.get(alert.incident_id, frozenset())
                again = [recipient for recipient in wave if recipient.subentry_id in stand_ins]
                await self._async_tell_all(again, alert, (), on_told)
        if unreached:
            _LOGGER.error("Nobody is left to tell instead of %s: %s", ", ".join(unreached), alert.title)

    async def _async_tell_all(
        self,
        wave: Sequence[Recipient],
        alert: Tellable,
        instead_of: Sequence[str],
        on_told: ToldListener | None,
    ) -> list[str]:
        """Tell a wave, and return the names of those whom that has not reached."""
        told = await asyncio.gather(
            *(self._async_tell(recipient, alert, instead_of, on_told) for recipient in wave)
        )
        return [recipient.name for recipient, reached in zip(wave, told, strict=True) if not reached]

    def _note_stand_ins(self, incident_id: str, wave: Sequence[Recipient]) -> None:
        before = self._stand_ins.pop(incident_id, frozenset())
        self._stand_ins[incident_id] = before | {recipient.subentry_id for recipient in wave}
        while len(self._stand_ins) > REMEMBERED:
            del self._stand_ins[next(iter(self._stand_ins))]

    async def async_tell_again(self, incident_id: str) -> None:
        """Let those who have been told of an incident see its picture, quietly and in the place of what they see.

        Only the companion apps can show one. Who has not been reached yet gets the picture with the alert.
        """
        for recipient, alert, instead_of in tuple(self._told.get(incident_id, {}).values()):
            if (recipient.subentry_id, incident_id) in self._errands:
                continue
            for channel in async_get_channels(self._hass, recipient.kind, recipient.target):
                if not channel.companion:
                    continue
                failure = await self._async_send(channel, recipient, alert, instead_of, quiet=True)
                if failure is not None:
                    _LOGGER.debug("The picture did not reach %s: %s", recipient.name, failure.reason)

    def _note_told(self, recipient: Recipient, alert: Tellable, instead_of: Sequence[str]) -> None:
        told = self._told.pop(alert.incident_id, {})
        self._told[alert.incident_id] = {**told, recipient.subentry_id: (recipient, alert, instead_of)}
        while len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]

    @callback
    def async_forget(self, incident_id: str) -> None:
        """Owe nobody an incident any more, because somebody has taken care of it."""
        for key in [key for key in self._errands if key[1] == incident_id]:
            errand = self._errands.pop(key)
            if errand.task is not None:
                errand.task.cancel()

    async def _async_tell(
        self, recipient: Recipient, alert: Tellable, instead_of: Sequence[str], on_told: ToldListener | None
    ) -> bool:
        """Try once, and arrange for more where that fails; tell whether it was enough."""
        key = (recipient.subentry_id, alert.incident_id)
        # An update must not overtake the alert that it replaces.
        before = self._first_tries.get(key)
        done = self._first_tries[key] = asyncio.Event()
        if before is not None:
            await before.wait()
        try:
            return await self._async_try_first(key, recipient, alert, instead_of, on_told)
        finally:
            done.set()
            if self._first_tries.get(key) is done:
                del self._first_tries[key]

    async def _async_try_first(
        self,
        key: tuple[str, str],
        recipient: Recipient,
        alert: Tellable,
        instead_of: Sequence[str],
        on_told: ToldListener | None,
    ) -> bool:
        owed = self._errands.pop(key, None)
        if owed is not None:
            if owed.task is not None:
                owed.task.cancel()
            alert = _as_loud_as(alert, owed.alert)
        errand = _Errand(
            alert=alert, channels=async_get_channels(self._hass, recipient.kind, recipient.target)
        )
        self._errands[key] = errand
        if await self._async_try(recipient, errand, instead_of, again=owed is not None):
            self._finish(key, errand)
            self._note_told(recipient, alert, instead_of)
            if on_told is not None:
                on_told(recipient, alert)
            return True
        if self._errands.get(key) is errand:
            errand.task = self._hass.async_create_background_task(
                self._async_retry(recipient, key, errand, instead_of, on_told),
                f"{DOMAIN} retry {recipient.name}",
            )
        return False

    async def _async_retry(
        self,
        recipient: Recipient,
        key: tuple[str, str],
        errand: _Errand,
        instead_of: Sequence[str],
        on_told: ToldListener | None,
    ) -> None:
        for pause in RETRY_PAUSES_S:
            await asyncio.sleep(pause)
            if recipient not in recipients_of(self._entry):
                # The owner has removed or changed it, and what is wrong with it now is not known.
                break
            if await self._async_try(recipient, errand, instead_of, again=True):
                self._finish(key, errand)
                self._note_told(recipient, errand.alert, instead_of)
                if on_told is not None:
                    on_told(recipient, errand.alert)
                return
        else:
            _LOGGER.error("Gave up telling %s: %s", recipient.name, errand.alert.title)
        self._finish(key, errand)

    def _finish(self, key: tuple[str, str], errand: _Errand) -> None:
        if self._errands.get(key) is errand:
            del self._errands[key]

    async def _async_try(
        self, recipient: Recipient, errand: _Errand, instead_of: Sequence[str], *, again: bool = False
    ) -> bool:
        """Try each channel that is still owed the alert; those of a group that have it are not told twice."""
        results = await asyncio.gather(
            *(self._async_send(channel, recipient, errand.alert, instead_of) for channel in errand.channels)
        )
        failures = [failure for failure in results if failure is not None]
        errand.channels = [failure.channel for failure in failures]
        for failure in failures:
            _LOGGER.log(
                # One line is enough to know; the retries say the same.
                logging.DEBUG if again else logging.ERROR,
                "Could not alert %s through %s: %s",
                recipient.name,
                failure.channel.target,
                failure.reason,
                exc_info=failure.unexpected,
            )
        if failures:
            first = failures[0]
            async_report_recipient_issue(
                self._hass,
                recipient.subentry_id,
                name=recipient.name,
                target=recipient.target,
                through=first.channel.target,
                obstacle=first.obstacle,
            )
            return False
        async_clear_recipient_issue(self._hass, recipient.subentry_id)
        return True

    async def _async_send(
        self,
        channel: Channel,
        recipient: Recipient,
        alert: Tellable,
        instead_of: Sequence[str],
        *,
        quiet: bool = False,
    ) -> Failure | None:
        try:
            await _async_wait_for_start(self._hass, channel)
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


def _as_loud_as(alert: Tellable, earlier: Tellable) -> Tellable:
    if isinstance(alert, Alert) and isinstance(earlier, Alert):
        return alert.as_loud_as(earlier)
    return alert


def _reason(err: Exception) -> str:
    return printable(str(err)) or type(err).__name__


__all__ = ["RETRY_PAUSES_S", "Courier", "Failure", "Tellable", "ToldListener"]
