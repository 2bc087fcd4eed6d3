"""Brings alerts to their recipients: tries again where one cannot be reached, and tells the next ones meanwhile."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..const import DOMAIN
from ..issues import async_clear_recipient_issue, async_report_recipient_issue
from .audience import Audience, Informed
from .channels import Channel, async_get_channels
from .errand import Errand, PartListener, ToldListener, part_of, take_over
from .kinds import Severity
from .recipients import Recipient, recipients_of
from .sender import Failure, Sender, Tellable

_LOGGER = logging.getLogger(__name__)

# Ten minutes in all: what somebody could not be told by then, others know, or it is no news any more.
RETRY_PAUSES_S: tuple[float, ...] = (2.0, 5.0, 15.0, 40.0, 60.0, 120.0, 180.0, 180.0)
# Who is being told when the household is loaded anew is told to the end: a push service is given as long as this.
STOP_GRACE_S = 10.0


class Courier:
    """Brings alerts; one for the household, so that a later alert takes the place of one that is still on its way.

    Nothing is sent that is not wanted any more, however long it has waited, and nothing is done any more once
    `async_stop` has returned.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        opens: Callable[[], str],
        picture: Callable[[str], str | None],
        is_wanted: Callable[[Tellable], bool] = lambda _: True,
    ) -> None:
        """Bring nothing yet.

        Args:
            hass: Home Assistant.
            entry: The household.
            opens: Says which page a touch on a notification opens.
            picture: Says which picture an incident has, if any.
            is_wanted: Says whether anybody still wants to hear of an alert; asked before each attempt.
        """
        self._hass = hass
        self._entry = entry
        self._is_wanted = is_wanted
        self._sender = Sender(hass, opens, picture, self._may_send)
        self._stopped = False
        self.audience = Audience()
        self._errands: dict[tuple[str, str], Errand] = {}
        self._first_tries: dict[tuple[str, str], asyncio.Event] = {}
        self._sends: set[asyncio.Task[Failure | None]] = set()
        self._work: set[asyncio.Future[None]] = set()

    async def async_deliver(
        self,
        alert: Tellable,
        waves: Sequence[Sequence[Recipient]],
        *,
        first: int = 1,
        had: Collection[str] = (),
        on_told: ToldListener | None = None,
        on_part: PartListener | None = None,
    ) -> None:
        """Tell the first waves, and where somebody of them cannot be reached, the next one as well.

        Whoever cannot be reached is tried again in the background. Failures become repair issues, never exceptions.

        Args:
            alert: What to tell.
            waves: Whom, in their order.
            first: How many waves are told whatever happens.
            had: What `on_part` has named before, and so is not told again.
            on_told: Called for each recipient whom it has reached, at once or later.
            on_part: Called where it has reached some members of a group, and others not.
        """
        await self._async_note(self._async_deliver(alert, waves, first, frozenset(had), on_told, on_part))

    async def _async_deliver(
        self,
        alert: Tellable,
        waves: Sequence[Sequence[Recipient]],
        first: int,
        had: frozenset[str],
        on_told: ToldListener | None,
        on_part: PartListener | None,
    ) -> None:
        async def tell(recipients: Iterable[Recipient], instead_of: Sequence[str] = ()) -> list[str]:
            """Tell a wave, and return the names of those whom that has not reached."""
            errands = [
                Errand(
                    recipient=recipient,
                    alert=alert,
                    parts=[
                        (channel, alert)
                        for channel in async_get_channels(self._hass, recipient.kind, recipient.target)
                        if part_of(recipient, channel) not in had
                    ],
                    instead_of=instead_of,
                    on_told=on_told,
                    on_part=on_part,
                )
                for recipient in recipients
            ]
            told = await asyncio.gather(*(self._async_tell(errand) for errand in errands))
            return [
                errand.recipient.name for errand, reached in zip(errands, told, strict=True) if not reached
            ]

        unreached: list[str] = []
        for number, wave in enumerate(waves, start=1):
            if not self._may_send(alert):
                return
            if number <= first:
                unreached += await tell(wave)
            elif unreached and alert.severity is not Severity.SILENT:
                # One wave of those in reserve stands in for the one before it.
                self.audience.note_stand_ins(alert.incident_id, (item.subentry_id for item in wave))
                unreached = await tell(wave, unreached)
            else:
                # Who stood in before hears how it goes on.
                stand_ins = self.audience.stand_ins(alert.incident_id)
                await tell(recipient for recipient in wave if recipient.subentry_id in stand_ins)
        if unreached:
            _LOGGER.error("Nobody is left to tell instead of %s: %s", ", ".join(unreached), alert.title)

    async def async_tell_again(self, incident_id: str) -> None:
        """Let those who have been told of an incident see its picture, quietly and in the place of what they see.

        Only the companion apps can show one. Who has not been reached yet gets the picture with the alert.
        """
        await self._async_note(self._async_tell_again(incident_id))

    async def _async_tell_again(self, incident_id: str) -> None:
        for informed in self.audience.informed(incident_id):
            recipient, alert = informed.recipient, informed.alert
            if (recipient.subentry_id, incident_id) in self._errands:
                continue
            for channel in async_get_channels(self._hass, recipient.kind, recipient.target):
                if not channel.companion or not self._may_send(alert):
                    continue
                send = self._async_send(channel, recipient, alert, informed.instead_of, quiet=True)
                await asyncio.wait([send])
                if not send.cancelled() and (failure := send.result()) is not None:
                    _LOGGER.debug("The picture did not reach %s: %s", recipient.name, failure.reason)

    @callback
    def async_forget(self, incident_id: str) -> None:
        """Owe nobody an incident any more, because somebody has taken care of it; what is being sent is given up."""
        for key in [key for key in self._errands if key[1] == incident_id]:
            self._errands.pop(key).call_off()

    async def async_stop(self) -> None:
        """Do nothing any more; who is being told this moment is told to the end, if that does not take too long."""
        self._stopped = True
        for errand in self._errands.values():
            if errand.task is not None and not errand.sends:
                errand.call_off()
        if self._sends:
            await asyncio.wait(self._sends, timeout=STOP_GRACE_S)
        for errand in self._errands.values():
            errand.call_off()
        for send in self._sends:
            send.cancel()
        if self._work:
            await asyncio.wait(self._work)
        self._errands.clear()

    def _may_send(self, alert: Tellable) -> bool:
        return not self._stopped and self._is_wanted(alert)

    async def _async_note(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that `async_stop` waits for."""
        done: asyncio.Future[None] = self._hass.loop.create_future()
        self._work.add(done)
        try:
            await work
        finally:
            self._work.discard(done)
            done.set_result(None)

    async def _async_tell(self, errand: Errand) -> bool:
        """Try once, and arrange for more where that fails; tell whether it was enough."""
        key = (errand.recipient.subentry_id, errand.alert.incident_id)
        # An update must not overtake the alert that it replaces.
        before = self._first_tries.get(key)
        done = self._first_tries[key] = asyncio.Event()
        try:
            if before is not None:
                await before.wait()
            return await self._async_try_first(key, errand)
        finally:
            done.set()
            if self._first_tries.get(key) is done:
                del self._first_tries[key]

    async def _async_try_first(self, key: tuple[str, str], errand: Errand) -> bool:
        owed = self._errands.get(key)
        if owed is not None:
            await self._async_replace(key, owed)
            take_over(errand, owed)
        if not self._may_send(errand.alert):
            return True
        self._errands[key] = errand
        if await self._async_try(errand, again=owed is not None):
            self._finish(key, errand)
            return True
        if errand.off or self._stopped:
            # Somebody has answered, or the next run takes it over: nobody has to stand in.
            self._finish(key, errand)
            return True
        errand.task = self._hass.async_create_background_task(
            self._async_note(self._async_retry(key, errand)), f"{DOMAIN} retry {errand.recipient.name}"
        )
        return False

    async def _async_replace(self, key: tuple[str, str], owed: Errand) -> None:
        """End the attempts of an errand whose place another one takes; one under way may still succeed."""
        owed.replaced = True
        if owed.task is not None and not owed.task.done():
            if not owed.sends:
                owed.task.cancel()
            await asyncio.wait([owed.task])
        self._finish(key, owed)

    async def _async_retry(self, key: tuple[str, str], errand: Errand) -> None:
        try:
            for pause in RETRY_PAUSES_S:
                await asyncio.sleep(pause)
                if not self._may_send(errand.alert) or not self._is_current(errand):
                    return
                if await self._async_try(errand, again=True) or errand.off or errand.replaced:
                    return
            _LOGGER.error("Gave up telling %s: %s", errand.recipient.name, errand.alert.title)
        finally:
            if not errand.replaced:
                self._finish(key, errand)

    def _is_current(self, errand: Errand) -> bool:
        """Look whether the owner still wants a recipient to be told, and where; tell whether so."""
        recipient = next(
            (item for item in recipients_of(self._entry) if item.subentry_id == errand.recipient.subentry_id),
            None,
        )
        if recipient is None:
            return False
        if (recipient.kind, recipient.target) != (errand.recipient.kind, errand.recipient.target):
            # What is owed is owed to a person, not to a phone.
            channels = async_get_channels(self._hass, recipient.kind, recipient.target)
            errand.parts = [(channel, errand.alert) for channel in channels]
        errand.recipient = recipient
        return True

    def _finish(self, key: tuple[str, str], errand: Errand) -> None:
        if self._errands.get(key) is errand:
            del self._errands[key]

    async def _async_try(self, errand: Errand, *, again: bool) -> bool:
        """Try each channel that is still owed the alert; those of a group that have it are not told twice."""
        recipient, parts = errand.recipient, errand.parts
        errand.sends = [
            self._async_send(channel, recipient, alert, errand.instead_of) for channel, alert in parts
        ]
        if errand.sends:
            await asyncio.wait(errand.sends)
        sends, errand.sends = errand.sends, []
        errand.off |= any(send.cancelled() for send in sends)
        results = [
            (part, None if send.cancelled() else send.result(), send.cancelled())
            for part, send in zip(parts, sends, strict=True)
        ]
        failures = [failure for _, failure, _ in results if failure is not None]
        errand.parts = [part for part, failure, off in results if off or failure is not None]
        self._report(recipient, failures, again=again)
        if not errand.parts:
            async_clear_recipient_issue(self._hass, recipient.subentry_id)
            self._note_told(errand)
            return True
        if errand.on_part is not None:
            for (channel, _), failure, off in results:
                if failure is None and not off:
                    errand.on_part(recipient, part_of(recipient, channel))
        return False

    @callback
    def _async_send(
        self,
        channel: Channel,
        recipient: Recipient,
        alert: Tellable,
        instead_of: Sequence[str],
        *,
        quiet: bool = False,
    ) -> asyncio.Task[Failure | None]:
        # Not a task of the entry, which its reload would cancel: `async_stop` knows better.
        send = self._hass.async_create_background_task(
            self._sender.async_send(channel, recipient, alert, instead_of, quiet=quiet),
            f"{DOMAIN} alert {alert.incident_id}",
        )
        self._sends.add(send)
        send.add_done_callback(self._sends.discard)
        return send

    def _report(self, recipient: Recipient, failures: Sequence[Failure], *, again: bool) -> None:
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

    def _note_told(self, errand: Errand) -> None:
        recipient, alert = errand.recipient, errand.alert
        self.audience.note_informed(Informed(recipient=recipient, alert=alert, instead_of=errand.instead_of))
        if errand.on_told is not None:
            errand.on_told(recipient, alert)
