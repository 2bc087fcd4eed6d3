"""One controller that is connected: what it has missed, what happens, and its commands the other way."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
import logging
from typing import Final

from aiohttp import web

from ..codec import encode
from ..controllers import Controller
from ..errors import EchonetError, JournalError, ProtocolError
from ..protocol import (
    AUTHENTICATION_TIMEOUT_S,
    CLOSE_BAD_MESSAGE,
    CLOSE_SLOW_CONTROLLER,
    HEARTBEAT_S,
    Ack,
    ClockReport,
    Configure,
    Forget,
    Label,
    Level,
    Message,
    Mute,
    SelfTest,
    Teach,
    Test,
    TimeReply,
    TimeRequest,
    Watch,
)
from ..station import Station
from .door import STAY_S, STRANGERS, STRANGERS_PER_ADDRESS
from .frames import Ended, close, next_message

_LOGGER = logging.getLogger(__name__)

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


class Link:
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
        await close(self._socket, self._request, code, reason)

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
            message = await next_message(
                self._socket, silence_s=self._limits.heartbeat_s * 1.5, skipped=self._skipped
            )
            try:
                await self._obey(message)
            except ProtocolError as err:
                raise Ended(CLOSE_BAD_MESSAGE, str(err)) from None
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
                await station.drills.hold(message)
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
        learning = self._station.learning
        match message:
            case Label():
                await learning.label(message)
            case Forget():
                await learning.forget(message)
            case Teach():
                learning.teach(message, listening=self._station.settings.listening)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._limits.heartbeat_s)
            await self._socket.ping()

    async def _watch_overflow(self) -> None:
        await self._overflowed.wait()
        raise Ended(CLOSE_SLOW_CONTROLLER, "too slow")
