"""Tells systemd that the satellite is ready and alive, so that one that hangs is started again (`sd_notify(3)`)."""

import asyncio
from collections.abc import Callable
import logging
import os
import socket
from typing import Final

_LOGGER = logging.getLogger(__name__)

_LOOK_S: Final = 10.0


class Supervisor:
    """Speaks to the service manager, where there is one."""

    def __init__(self) -> None:
        """Find out from the environment whom to tell, and how often."""
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        self._watchdog_s = _watchdog_s()
        self._said: str | None = None

    def ready(self, status: str) -> None:
        """Say that the satellite serves."""
        self._tell(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        """Say that it ends."""
        self._tell("STOPPING=1")

    async def watch(self, trouble: Callable[[], str | None]) -> None:
        """Say again and again that the satellite is alive, from its event loop: one that hangs says nothing.

        `trouble` returns what only a restart can mend; as long as it does, nothing is said either.
        """
        while True:
            found = trouble()
            if found is None:
                self._tell("WATCHDOG=1")
            elif found != self._said:
                _LOGGER.error("%s; systemd is left to start the satellite again", found)
            self._said = found
            await asyncio.sleep(_LOOK_S if self._watchdog_s is None else self._watchdog_s / 3)

    def _tell(self, message: str) -> None:
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
                link.setblocking(False)
                link.sendto(message.encode(), address)
        except OSError as err:
            _LOGGER.debug("The service manager was not told: %s", err)


def _watchdog_s() -> float | None:
    """Return within which time systemd wants to hear of us."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    text = os.environ.get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isdecimal() and int(text) > 0 else None
