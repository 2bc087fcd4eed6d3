"""Does a thing at once, and then not more often than every so many seconds, however often it is asked for."""

import asyncio
from collections.abc import Callable

from homeassistant.core import callback


class Settle:
    """What is asked for meanwhile is done once, as soon as it may be; the last wish is never left out."""

    def __init__(self, loop: asyncio.AbstractEventLoop, every_s: float, work: Callable[[], None]) -> None:
        """Do `work`, which raises nothing."""
        self._loop = loop
        self._every_s = every_s
        self._work = work
        self._timer: asyncio.TimerHandle | None = None
        self._asked = False

    @callback
    def async_ask(self) -> None:
        """Do it now, or as soon as it may be done again."""
        if self._timer is not None:
            self._asked = True
            return
        self._timer = self._loop.call_later(self._every_s, self._async_again)
        self._work()

    @callback
    def async_end(self) -> None:
        """Do nothing any more of what was asked for."""
        self._asked = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @callback
    def _async_again(self) -> None:
        self._timer = None
        if self._asked:
            self._asked = False
            self.async_ask()
