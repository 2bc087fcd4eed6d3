"""The WebSocket of paired controllers: greeting, what was missed, then what happens; commands the other way."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
import logging
from typing import Final

from aiohttp import WSCloseCode, WSMsgType, web

from ..codec import ToldOnce, decode, encode
from ..controllers import Controller, Controllers
from ..errors import EchonetError, JournalError, ProtocolError, StateError
from ..protocol import (
    AUTHENTICATION_TIMEOUT_S,
    CLOSE_AUTHENTICATION_TIMEOUT,
    CLOSE_BAD_MESSAGE,
    CLOSE_BAD_TOKEN,
    CLOSE_PROTOCOL_VERSION,
    CLOSE_SLOW_CONTROLLER,
    CLOSE_TOO_MANY_CONTROLLERS,
    HEARTBEAT_S,
    MAX_FRAME_BYTES,
    PROTOCOL_VERSION,
    Ack,
    Auth,
    ClockReport,
    Configure,
    Forget,
    Hello,
    Label,
    Level,
    Message,
    Mute,
    SelfTest,
    Teach,
    Test,
    TimeReply,
    TimeRequest,
    UnknownMessage,
    Watch,
)
from ..station import Station
from .door import STAY_S, STRANGERS, STRANGERS_PER_ADDRESS, hang_up, trust

_LOGGER = logging.getLogger(__name__)

_CLOSE_S: Final = 1.0
_READ_AGAIN_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one satellite bears."""

    controllers: int = 4
    strangers: int = STRANGERS  # connections that have not authenticated yet
    strangers_per_address: int = STRANGERS_PER_ADDRESS
    stranger_stays_s: float = STAY_S
    authentication_s: float = AUTHENTICATION_TIMEOUT_S
    heartbeat_s: float = HEARTBEAT_S
    outgoing_messages: int = 256


class _Ended(Exception):
    """The connection is to be closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


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
        self._links: dict[str, _Link] = {}
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
            autoping=False, max_msg_size=MAX_FRAME_BYTES, compress=False, timeout=_CLOSE_S
        )
        await socket.prepare(request)
        try:
            await self._serve(socket, request)
        except _Ended as end:
            await _close(socket, request, end.code, end.reason)
        except (ConnectionError, TimeoutError):
            await _close(socket, request, WSCloseCode.GOING_AWAY, "")
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
            raise _Ended(CLOSE_TOO_MANY_CONTROLLERS, "too many controllers")
        link = _Link(socket, request, controller, self._station, self._limits, self._skipped)
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
                message = await _next_message(socket)
        except TimeoutError:
            raise _Ended(CLOSE_AUTHENTICATION_TIMEOUT, "no token came in time") from None
        if not isinstance(message, Auth):
            raise _Ended(CLOSE_BAD_MESSAGE, "auth must come first")
        if message.protocol != PROTOCOL_VERSION:
            raise _Ended(CLOSE_PROTOCOL_VERSION, f"this satellite speaks version {PROTOCOL_VERSION}")
        controller = self._controllers.authenticate(message.token)
        if controller is None:
            raise _Ended(CLOSE_BAD_TOKEN, "unknown token")
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


class _Link:
    """One authenticated connection: a bounded queue towards the controller, and its commands."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        request: web.Request,
        controller: Controller,
        station: Station,
        limits: Limits,
        skipped: Callable[[str], None],
    ) -> None:
        self.controller = controller
        self.replaced = False
        self._socket = socket
        self._request = request
        self._station = station
        self._limits = limits
        self._skipped = skipped
        self._outgoing: deque[Message] = deque()
        self._wake = asyncio.Event()
        self._overflowed = asyncio.Event()
        self._unwatch: Callable[[], None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._sent = 0
        # Until all that was missed has been sent, an acknowledgement of what is newer says nothing of it.
        self._acknowledges_up_to: int | None = 0

    async def run(self) -> None:
        """Serve until the controller goes, breaks the rules, or is too slow."""
        station = self._station
        # In one step of the event loop: what is told later is in the queue, what was told before is in the journal.
        unsubscribe = station.subscribe(self._queue)
        told = station.told_sequence
        greeting = (station.welcome(), station.snapshot())
        tasks = [
            asyncio.create_task(self._send(greeting, told)),
            asyncio.create_task(self._receive()),
            asyncio.create_task(self._beat()),
            asyncio.create_task(self._watch_overflow()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            unsubscribe()
            self._watch(enabled=False)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def end(self, code: int, reason: str) -> None:
        """Close the connection from our side."""
        await _close(self._socket, self._request, code, reason)

    def _queue(self, message: Message) -> None:
        if isinstance(message, Level) and (self._unwatch is None or self._outgoing):
            return  # Levels are worth something only while they are fresh.
        if len(self._outgoing) >= self._limits.outgoing_messages:
            self._overflowed.set()
            return
        self._outgoing.append(message)
        self._wake.set()

    async def _send(self, greeting: tuple[Message, ...], told: int) -> None:
        for message in greeting:
            await self._socket.send_str(encode(message))
        await self._send_missed(told)
        while True:
            await self._send_outgoing()
            self._wake.clear()
            await self._wake.wait()

    async def _send_missed(self, told: int) -> None:
        """Send what this controller has missed; while the journal cannot be read, what happens now goes first."""
        while True:
            try:
                missed = await self._station.pending(self.controller.id, after=self._sent, up_to=told)
            except JournalError as err:
                _LOGGER.warning("What %s has missed is told later: %s", self.controller.name, err)
                await self._send_outgoing()
                await asyncio.sleep(_READ_AGAIN_S)
                continue
            if not missed:
                self._acknowledges_up_to = None
                return
            for detection in missed:
                await self._socket.send_str(encode(detection))
            self._sent = self._acknowledges_up_to = missed[-1].sequence

    async def _send_outgoing(self) -> None:
        while self._outgoing:
            await self._socket.send_str(encode(self._outgoing.popleft()))

    async def _receive(self) -> None:
        while True:
            # Our pings make the other side answer; half a beat more than one is enough for that.
            message = await _next_message(
                self._socket, silence_s=self._limits.heartbeat_s * 1.5, skipped=self._skipped
            )
            try:
                await self._obey(message)
            except ProtocolError as err:
                raise _Ended(CLOSE_BAD_MESSAGE, str(err)) from None
            except EchonetError as err:
                _LOGGER.error("A command of %s failed: %s", self.controller.name, err)

    async def _obey(self, message: Message) -> None:
        station = self._station
        match message:
            case Ack():
                most = self._acknowledges_up_to
                sequence = message.sequence if most is None else min(message.sequence, most)
                await station.acknowledge(self.controller.id, sequence)
            case Configure():
                await station.configure(message)
            case Mute():
                await station.mute(message)
            case Test():
                await station.test(message)
            case Label() | Forget() | Teach():
                await self._learn(message)
            case Watch():
                self._watch(enabled=message.enabled)
            case ClockReport():
                station.measured(message)
            case SelfTest():
                # It takes long, and other commands do not wait for it.
                task = asyncio.create_task(self._self_test())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case TimeRequest():
                # Past the queue: what waits in it would make the answer late, and so worth less.
                reply = TimeReply(number=message.number, time_s=station.utc().timestamp())
                await self._socket.send_str(encode(reply))
            case _:
                raise ProtocolError(f"{message.type} is not a command")

    def _watch(self, *, enabled: bool) -> None:
        if enabled and self._unwatch is None:
            self._unwatch = self._station.watch()
        elif not enabled and self._unwatch is not None:
            self._unwatch()
            self._unwatch = None

    async def _self_test(self) -> None:
        await self._station.run_self_test()

    async def _learn(self, message: Label | Forget | Teach) -> None:
        match message:
            case Label():
                await self._station.label(message)
            case Forget():
                await self._station.forget(message)
            case Teach():
                await self._station.teach(message)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._limits.heartbeat_s)
            await self._socket.ping()

    async def _watch_overflow(self) -> None:
        await self._overflowed.wait()
        raise _Ended(CLOSE_SLOW_CONTROLLER, "too slow")


async def _next_message(
    socket: web.WebSocketResponse,
    *,
    silence_s: float | None = None,
    skipped: Callable[[str], None] | None = None,
) -> Message:
    """Return the next message; answer pings on the way, and skip what only a newer peer knows where that is told.

    Raises:
        _Ended: the frame is no message, or none at all came for `silence_s` seconds.
        ConnectionResetError: the peer has closed the connection, or it broke.
    """
    while True:
        try:
            frame = await socket.receive(timeout=silence_s)
        except TimeoutError:
            if silence_s is None:
                raise
            raise _Ended(WSCloseCode.GOING_AWAY, "silent") from None
        match frame.type:
            case WSMsgType.TEXT:
                try:
                    return decode(frame.data, skipped or (lambda _: None))
                except ProtocolError as err:
                    if skipped is not None and isinstance(err, UnknownMessage):
                        skipped(str(err))
                        continue
                    raise _Ended(CLOSE_BAD_MESSAGE, str(err)) from None
            case WSMsgType.PING:
                await socket.pong(frame.data)
            case WSMsgType.PONG:
                pass
            case WSMsgType.BINARY:
                raise _Ended(CLOSE_BAD_MESSAGE, "frames are text")
            case _:
                raise ConnectionResetError


async def _close(socket: web.WebSocketResponse, request: web.Request, code: int, reason: str) -> None:
    """Close in order where the peer still reads, and hard where it does not."""
    try:
        async with asyncio.timeout(_CLOSE_S * 1.5):
            await socket.close(code=code, message=reason.encode()[:120])
    except ConnectionError:
        pass  # It has gone by itself.
    except TimeoutError:
        if request.transport is not None:
            hang_up(request.transport)
