"""Keeps asking a satellite for the time, as long as it is connected and answers."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import chain, repeat
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .client import ClientError
from .clocks import Offset, SatelliteClock
from .const import DOMAIN
from .issues import async_clear_clock_issue, async_report_clock_issue
from .protocol import ClockReport, Detection, LoudNoise, Message, TimeReply

# A few questions at once find a quick answer; then now and then, because clocks run apart.
FIRST_QUESTIONS: Final = 8
FIRST_PAUSE_S: Final = 0.25
PAUSE_S: Final = 30.0
# What a satellite tells later, when it was away, is told at the wrong time by a clock that is off by more.
WRONG: Final = timedelta(seconds=30)


class Timekeeper:
    """The clock of one satellite, over one connection after the other."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Know nothing yet."""
        self._hass = hass
        self._entry = entry
        self._clock = SatelliteClock()
        self._asking: asyncio.Task[None] | None = None

    @property
    def offset(self) -> Offset | None:
        """How far the satellite's clock is ahead of ours; None if it is not connected or tells no time."""
        return self._clock.offset(self._hass.loop.time(), dt_util.utcnow().timestamp())

    def correct[Heard: (Detection, LoudNoise)](self, heard: Heard) -> Heard:
        """Return a message of a sound with its onset by Home Assistant's clock."""
        return self._clock.correct(heard, self.offset)

    @callback
    def async_begin(self, send: Callable[[Message], Awaitable[None]]) -> None:
        """Ask over a new connection, as long as it lasts."""
        self._asking = self._entry.async_create_background_task(
            self._hass,
            async_ask(self._clock, send, self._hass.loop.time, lambda: self.offset),
            f"{DOMAIN} {self._entry.title} clock",
        )

    @callback
    def async_take(self, reply: TimeReply) -> None:
        """Take an answer in; a clock that is wrong is shown, until it is right again."""
        self._clock.take(reply, self._hass.loop.time())
        if (offset := self.offset) is None:
            return
        if abs(offset.ahead) - offset.uncertainty > WRONG:
            async_report_clock_issue(self._hass, self._entry, offset.ahead)
        else:
            async_clear_clock_issue(self._hass, self._entry)

    @callback
    def async_end(self) -> None:
        """Ask no more, and forget: a satellite that was away may have started again, with another clock."""
        self._clock.forget()
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None


async def async_ask(
    clock: SatelliteClock,
    send: Callable[[Message], Awaitable[None]],
    monotonic: Callable[[], float],
    known: Callable[[], Offset | None],
) -> None:
    """Ask until the connection has ended, and tell the satellite what is known of its clock."""
    for pause_s in chain(repeat(FIRST_PAUSE_S, FIRST_QUESTIONS), repeat(PAUSE_S)):
        try:
            if (offset := known()) is not None:
                await send(
                    ClockReport(
                        ahead_s=offset.ahead.total_seconds(),
                        uncertainty_s=offset.uncertainty.total_seconds(),
                    )
                )
            await send(clock.ask(monotonic()))
        except ClientError:
            return
        await asyncio.sleep(pause_s)
