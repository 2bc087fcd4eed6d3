"""What one satellite sounds like now, for those who look: asked of it while there are any, and of nobody else."""

from collections.abc import Callable, Coroutine
import logging
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, callback

from .client import ClientError
from .protocol import EchonetError, Level, Watch

_LOGGER = logging.getLogger(__name__)

# Dashboards on every wall and phone of a house; more are a mistake or an attack.
MAX_VIEWERS: Final = 32
# A satellite sends six a second; some more may come at once after the network has stalled.
LEVELS_PER_S: Final = 8.0
BURST: Final = 4.0


class TooManyViewers(EchonetError):
    """So many look already that nobody else can."""


class LiveFeed:
    """Turns a satellite's levels on for the first viewer and off after the last, and hands them out."""

    def __init__(
        self,
        send: Callable[[Watch], Coroutine[Any, Any, None]],
        run: Callable[[Coroutine[Any, Any, None]], object],
        clock: Callable[[], float],
    ) -> None:
        """Ask through `send`, in tasks that `run` starts."""
        self._send = send
        self._run = run
        self._clock = clock
        self._viewers: list[Callable[[Level], None]] = []
        self._asked = False
        self._connections = 0
        self._settling = False
        self._left = BURST
        self._at = clock()

    @callback
    def async_subscribe(self, viewer: Callable[[Level], None]) -> CALLBACK_TYPE:
        """Call `viewer` with each level from now on; returns what ends it.

        Raises:
            TooManyViewers: there are `MAX_VIEWERS` already.
        """
        if len(self._viewers) >= MAX_VIEWERS:
            raise TooManyViewers

        @callback
        def unsubscribe() -> None:
            if viewer in self._viewers:
                self._viewers.remove(viewer)
                self._async_settle()

        self._viewers.append(viewer)
        self._async_settle()
        return unsubscribe

    @callback
    def async_connected(self) -> None:
        """Know that a new connection has begun: of its satellite nothing has been asked yet."""
        self._connections += 1
        self._asked = False
        self._async_settle()

    @callback
    def async_take(self, level: Level) -> None:
        """Hand a level out, unless too many come: they are worth something only while they are fresh."""
        now = self._clock()
        self._left = min(BURST, self._left + (now - self._at) * LEVELS_PER_S)
        self._at = now
        if self._left < 1:
            return
        self._left -= 1
        for viewer in tuple(self._viewers):
            viewer(level)

    @callback
    def _async_settle(self) -> None:
        if not self._settling and self._asked is not bool(self._viewers):
            self._settling = True
            self._run(self._async_ask())

    async def _async_ask(self) -> None:
        """Tell the satellite what is so; viewers who come and go meanwhile are told of as well, in order."""
        try:
            while self._asked is not (wanted := bool(self._viewers)):
                self._asked = wanted
                connection = self._connections
                try:
                    await self._send(Watch(enabled=wanted))
                except ClientError as err:
                    _LOGGER.debug("Levels cannot be asked for: %s", err)
                    if connection == self._connections:
                        # With the next connection it is asked again.
                        return
        finally:
            self._settling = False
