"""Lets connections in: few of strangers, the oldest of whom make room, and those of paired controllers always."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
import errno
import ipaddress
import logging
import socket
import ssl
from typing import Any, Final

from aiohttp import web

from ..output import escaped
from .guard import refusal, say_no_version

_LOGGER = logging.getLogger(__name__)

STRANGERS: Final = 32
STRANGERS_PER_ADDRESS: Final = 8
# Handshake, greeting and token, or both requests of pairing, take no longer.
STAY_S: Final = 20.0
_HANDSHAKE_S: Final = 10.0
_BACKLOG: Final = 64
_PAUSE_S: Final = 0.1


def hang_up(transport: asyncio.WriteTransport) -> None:
    """End a connection without a word."""
    # A TLS transport of Python 3.11 that was closed twice has forgotten what it would end, and raises.
    with suppress(AttributeError):
        transport.abort()


class Visitor(web.RequestHandler):
    """The HTTP side of one connection; a stranger until somebody trusts it."""

    def __init__(self, server: web.Server, left: Callable[["Visitor"], None], **options: Any) -> None:
        """Serve as `server` does; `left` is called when the connection has ended."""
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._left = left
        self.trusted = False

    def connection_lost(self, exc: BaseException | None) -> None:
        """Make room for others."""
        super().connection_lost(exc)
        self._left(self)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no request: without a traceback in the log, and without a version in the answer."""
        if status < 500:
            _LOGGER.debug("Refused what is no request: %s", escaped(message or str(exc)))
        else:
            _LOGGER.error("Unexpected error while answering a request", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has been sent in part")
        answer = refusal(status)
        say_no_version(answer)
        answer.force_close()
        return answer


def trust(request: web.BaseRequest) -> None:
    """Count the connection of a request no more among those of strangers: a paired controller has it."""
    if isinstance(request.protocol, Visitor):
        request.protocol.trusted = True


class _Connection:
    """One connection, from its first byte on: the handshake of TLS takes the most memory."""

    def __init__(self, plain: socket.socket, address: str, since: float) -> None:
        self.plain = plain
        self.address = address
        self.group = _group(address)
        self.since = since
        self.visitor: Visitor | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def strange(self) -> bool:
        return self.visitor is None or not self.visitor.trusted

    def end(self) -> None:
        """End it at once; in good order would take as long as the other side likes."""
        if self.visitor is not None and self.visitor.transport is not None:
            hang_up(self.visitor.transport)
        elif self.task is not None:
            self.task.cancel()
        with suppress(OSError):  # It may have ended already.
            self.plain.shutdown(socket.SHUT_RDWR)


class Door:
    """Accepts connections for one server."""

    def __init__(
        self,
        server: web.Server,
        context: ssl.SSLContext,
        known: Callable[[], Collection[str]],
        *,
        strangers: int = STRANGERS,
        per_address: int = STRANGERS_PER_ADDRESS,
        stay_s: float = STAY_S,
    ) -> None:
        """Let in at most so many strangers; `known` names the addresses that paired controllers came from."""
        self._server = server
        self._context = context
        self._known = known
        self._most = strangers
        self._most_per_address = per_address
        self._stay_s = stay_s
        self._listening: list[socket.socket] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._connections: list[_Connection] = []

    @property
    def strangers(self) -> int:
        """How many connections nobody vouches for."""
        return sum(item.strange for item in self._connections)

    async def listen(self, port: int, addresses: Sequence[str]) -> int:
        """Listen on these addresses (none: on all), and return the port.

        Raises:
            OSError: the port is taken or may not be used, or an address is not ours.
        """
        loop = asyncio.get_running_loop()
        for address in addresses or (None,):
            found = await loop.getaddrinfo(
                address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
            )
            bound = 0
            for family, _, _, _, place in dict.fromkeys(found):
                try:
                    listening = _bind(family, place)
                except OSError as err:
                    # A machine without IPv6 still names its addresses.
                    if err.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL) and address is None:
                        continue
                    raise
                bound += 1
                self._listening.append(listening)
                port = port or int(listening.getsockname()[1])
            if not bound:
                raise OSError(errno.EADDRNOTAVAIL, "no address")
        self._tasks = [asyncio.create_task(self._accept(item)) for item in self._listening]
        return port

    async def close(self) -> None:
        """Let nobody in any more, and send strangers away."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for listening in self._listening:
            listening.close()
        handshakes = [item.task for item in self._connections if item.task is not None]
        for connection in tuple(self._connections):
            if connection.strange:
                connection.end()
            elif connection.task is not None:
                connection.task.cancel()  # It only waits to see whether a stranger stays.
        await asyncio.gather(*handshakes, return_exceptions=True)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                plain, place = await loop.sock_accept(listening)
            except OSError as err:
                # No more files may be open; those who are here leave in time.
                _LOGGER.warning("A connection could not be taken: %s", err.strerror)
                await asyncio.sleep(_PAUSE_S)
                continue
            connection = _Connection(plain, str(place[0]), loop.time())
            self._make_room(connection)
            self._connections.append(connection)
            connection.task = loop.create_task(self._welcome(connection))
            # A flood of connections must leave a turn to those who are connected.
            await asyncio.sleep(0)

    def _make_room(self, new: _Connection) -> None:
        """Send the oldest stranger of the same address away, or of the address that has most of them."""
        strange = [item for item in self._connections if item.strange]
        same = [item for item in strange if item.group == new.group]
        if len(same) >= self._most_per_address:
            self._send_away(same[0])
        elif len(strange) >= self._most:
            known = {_group(address) for address in self._known()}
            count = Counter(item.group for item in strange)
            self._send_away(
                min(strange, key=lambda item: (item.group in known, -count[item.group], item.since))
            )

    def _send_away(self, connection: _Connection) -> None:
        self._connections.remove(connection)
        connection.end()

    async def _welcome(self, connection: _Connection) -> None:
        loop = asyncio.get_running_loop()
        visitor = Visitor(self._server, lambda _: self._forget(connection), **self._server._kwargs)  # noqa: SLF001
        try:
            await loop.connect_accepted_socket(
                lambda: visitor,
                connection.plain,
                ssl=self._context,
                ssl_handshake_timeout=_HANDSHAKE_S,
                ssl_shutdown_timeout=1.0,
            )
        except (OSError, TimeoutError):
            self._forget(connection)
            return
        except asyncio.CancelledError:
            self._forget(connection)
            raise
        connection.visitor = visitor
        if connection not in self._connections:
            connection.end()
            return
        await asyncio.sleep(max(0.0, connection.since + self._stay_s - loop.time()))
        if connection.strange and connection in self._connections:
            self._send_away(connection)

    def _forget(self, connection: _Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
        if connection.task is not None and connection.visitor is not None:
            connection.task.cancel()


def _bind(family: int, place: tuple[Any, ...]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.setblocking(False)
        listening.bind(place)
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _group(address: str) -> str:
    """Return what one stranger has many of: the whole network of an IPv6 address is often one machine's."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
