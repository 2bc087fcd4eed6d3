"""The WebSockets of all controllers: who they are, how many there may be, and how each begins and ends."""

import asyncio
from collections.abc import Callable
import logging

from aiohttp import WSCloseCode, web

from ..codec import ToldOnce, encode
from ..controllers import Controller, Controllers
from ..errors import StateError
from ..protocol import (
    CLOSE_AUTHENTICATION_TIMEOUT,
    CLOSE_BAD_MESSAGE,
    CLOSE_BAD_TOKEN,
    CLOSE_PROTOCOL_VERSION,
    CLOSE_TOO_MANY_CONTROLLERS,
    MAX_FRAME_BYTES,
    PROTOCOL_VERSION,
    Auth,
    Hello,
)
from ..station import Station
from .door import trust
from .frames import CLOSE_S, Ended, close, next_message
from .link import Limits, Link

_LOGGER = logging.getLogger(__name__)


class Sockets:
    """Answers `GET /socket`, and knows who is connected."""

    def __init__(
        self,
        station: Station,
        controllers: Controllers,
        limits: Limits,
        pairing_left_s: Callable[[], float],
    ) -> None:
        """Serve `station` to `controllers`; `pairing_left_s` says how long strangers may still pair."""
        self._station = station
        self._controllers = controllers
        self._limits = limits
        self._pairing_left_s = pairing_left_s
        self._links: dict[str, Link] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: list[Callable[[Controller, bool], None]] = []
        self._skipped = ToldOnce(
            lambda what: _LOGGER.warning("Skipped what only a newer satellite understands: %s", what)
        )

    @property
    def connected(self) -> tuple[Controller, ...]:
        """Who is connected and authenticated."""
        return tuple(link.controller for link in self._links.values())

    def subscribe(self, listener: Callable[[Controller, bool], None]) -> Callable[[], None]:
        """Call `listener` when a controller comes (True) or goes (False); return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one WebSocket from its beginning to its end."""
        socket = web.WebSocketResponse(
            autoping=False, max_msg_size=MAX_FRAME_BYTES, compress=False, timeout=CLOSE_S
        )
        await socket.prepare(request)
        try:
            await self._serve(socket, request)
        except Ended as end:
            await close(socket, request, end.code, end.reason)
        except (ConnectionError, TimeoutError):
            await close(socket, request, WSCloseCode.GOING_AWAY, "")
        return socket

    async def disconnect(self, controller_id: str, code: int = CLOSE_BAD_TOKEN) -> None:
        """End the connection of a controller."""
        if (link := self._links.get(controller_id)) is not None:
            await link.end(code, "no longer paired")

    async def close(self) -> None:
        """End all connections, because the satellite stops."""
        await asyncio.gather(
            *(link.end(WSCloseCode.GOING_AWAY, "the satellite stops") for link in tuple(self._links.values()))
        )

    async def _serve(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        controller = await self._greet(socket)
        trust(request)
        await self._note_address(controller, request)
        if (older := self._links.pop(controller.id, None)) is not None:
            # A controller that comes back over a new network has left a dead connection behind.
            older.replaced = True
            task = asyncio.create_task(
                older.end(WSCloseCode.GOING_AWAY, "the same controller connected again")
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if len(self._links) >= self._limits.controllers:
            raise Ended(CLOSE_TOO_MANY_CONTROLLERS, "too many controllers")
        link = Link(socket, request, controller, self._station, self._limits, self._skipped)
        self._links[controller.id] = link
        self._announce(controller, connected=True)
        try:
            await link.run()
        finally:
            if self._links.get(controller.id) is link:
                del self._links[controller.id]
            if not link.replaced:
                self._announce(controller, connected=False)

    async def _greet(self, socket: web.WebSocketResponse) -> Controller:
        info = self._station.info
        hello = Hello(
            protocol=PROTOCOL_VERSION,
            satellite_id=info.satellite_id,
            name=info.name,
            installation=info.installation,
            pairing_left_s=self._pairing_left_s(),
        )
        await socket.send_str(encode(hello))
        try:
            async with asyncio.timeout(self._limits.authentication_s):
                message = await next_message(socket)
        except TimeoutError:
            raise Ended(CLOSE_AUTHENTICATION_TIMEOUT, "no token came in time") from None
        if not isinstance(message, Auth):
            raise Ended(CLOSE_BAD_MESSAGE, "auth must come first")
        if message.protocol != PROTOCOL_VERSION:
            raise Ended(CLOSE_PROTOCOL_VERSION, f"this satellite speaks version {PROTOCOL_VERSION}")
        controller = self._controllers.authenticate(message.token)
        if controller is None:
            raise Ended(CLOSE_BAD_TOKEN, "unknown token")
        return controller

    async def _note_address(self, controller: Controller, request: web.Request) -> None:
        """Remember where a controller comes from: strangers from elsewhere make room for it."""
        try:
            await asyncio.to_thread(self._controllers.note_address, controller.id, request.remote or "")
        except StateError as err:
            _LOGGER.debug("The address of %s is not remembered: %s", controller.name, err)

    def _announce(self, controller: Controller, *, connected: bool) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(controller, connected)
            except Exception:
                _LOGGER.exception("One of those who are told of connections has failed")
