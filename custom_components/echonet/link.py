"""Keeps one connection to one satellite, and comes back when it was lost."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
import logging
from typing import Final, Protocol

from .backoff import Backoff
from .client import CannotConnect, ClientError, Connection, InvalidToken
from .errors import Chatterbox
from .protocol import Ack, Message

_LOGGER = logging.getLogger(__name__)

# However often a satellite announces itself, attempts to reach it are at least this far apart.
ATTEMPT_SPACING_S: float = 1.0
# A connection that lasted this long was a good one: the next pause is short again. Longer than any failing attempt.
STABLE_AFTER_S: float = 60.0
# A satellite that was dropped because it never stops talking stays away for this long, whatever it announces.
BANISHED_S: Final = 600.0


class Hearer(Protocol):
    """What is told of the connection and of everything that comes over it."""

    def on_connected(self, connection: Connection) -> None:
        """Take a fresh connection into use, with the state that came with it."""

    def on_message(self, message: Message) -> None:
        """Take in what the satellite says."""

    def on_stable(self) -> None:
        """Know that the connection has lasted for a while."""

    def on_lost(self, reason: str) -> None:
        """Know that the connection is gone."""

    def on_chatterbox(self) -> None:
        """Know that the satellite was dropped because it never stops talking."""

    def on_refused(self) -> None:
        """Know that the satellite does not accept us any more: it is not tried again."""

    @property
    def settled(self) -> int:
        """The sequence number up to which everything has been delivered."""


class Link:
    """Connects, listens, acknowledges what was delivered, and connects again, until `close`."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], hearer: Hearer, name: str) -> None:
        """Prepare; `connect` makes one attempt, or raises a `ClientError`."""
        self._connect = connect
        self._hearer = hearer
        self._name = name
        self._connection: Connection | None = None
        self._backoff = Backoff()
        self._wake = asyncio.Event()
        self._acknowledged = 0

    async def async_open(self) -> None:
        """Connect for the first time, or raise a `ClientError`."""
        self._adopt(await self._connect())

    async def async_close(self) -> None:
        """Close the connection; whoever runs `async_run` ends that first."""
        if (connection := self._connection) is not None:
            self._connection = None
            await connection.close()

    def wake(self) -> None:
        """Try to connect now rather than after the pause, because the satellite has shown itself."""
        self._wake.set()

    async def async_send(self, message: Message) -> None:
        """Send a command.

        Raises:
            CannotConnect: there is no connection.
        """
        if self._connection is None:
            raise CannotConnect("the satellite is not connected")
        await self._connection.send(message)

    async def async_acknowledge(self) -> None:
        """Let the satellite forget what everybody has."""
        settled = self._hearer.settled
        if self._connection is not None and settled > self._acknowledged:
            self._acknowledged = settled
            await self._connection.send(Ack(sequence=settled))

    async def async_run(self) -> None:
        """Listen, and reconnect whenever the connection ends, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            try:
                if self._connection is None:
                    self._adopt(await self._connect())
                    _LOGGER.info("%s is back", self._name)
                assert self._connection is not None
                await self._listen(self._connection)
                reason = "the satellite ended the connection"
            except InvalidToken as err:
                await self._lost(str(err))
                self._hearer.on_refused()
                return
            except Chatterbox as err:
                await self._lost(str(err))
                self._hearer.on_chatterbox()
                await asyncio.sleep(BANISHED_S)
                continue
            except ClientError as err:
                reason = str(err)
            except Exception:
                # A defect of ours must not leave a house without ears.
                _LOGGER.exception("Unexpected error while listening to %s", self._name)
                reason = "unexpected error"
            await self._lost(reason)
            if loop.time() - begun > STABLE_AFTER_S:
                self._backoff.reset()
            await self._pause()

    def _adopt(self, connection: Connection) -> None:
        self._connection = connection
        self._acknowledged = 0
        self._hearer.on_connected(connection)

    async def _listen(self, connection: Connection) -> None:
        stable = asyncio.get_running_loop().call_later(STABLE_AFTER_S, self._hearer.on_stable)
        try:
            async for message in connection:
                self._hearer.on_message(message)
                await self.async_acknowledge()
        finally:
            stable.cancel()

    async def _lost(self, reason: str) -> None:
        await self.async_close()
        self._hearer.on_lost(reason)

    async def _pause(self) -> None:
        await asyncio.sleep(ATTEMPT_SPACING_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._backoff.next()):
                await self._wake.wait()
        self._wake.clear()
