"""Talk to a satellite: pair with it, connect to it, listen and command. Knows nothing of Home Assistant."""

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib
from dataclasses import dataclass
import json
from typing import ClassVar, TypeVar

import aiohttp

from .codec import decode, encode
from .errors import (
    REQUEST_TIMEOUT_S,
    CannotConnect,
    CertificateChanged,
    ClientError,
    ImpostorSuspected,
    IntegrationOutdated,
    InvalidCode,
    InvalidToken,
    NotASatellite,
    PairingClosed,
    SatelliteOutdated,
    TooManyAttempts,
    UnknownName,
    UnsupportedProtocol,
    WrongSatellite,
    reason_of,
    refused,
    satellite_url,
    shown,
    unsupported,
)
from .pace import Pace
from .pairing import Pairing, async_pair, normalize_code
from .protocol import (
    AUTHENTICATION_TIMEOUT_S,
    CLOSE_AUTHENTICATION_TIMEOUT,
    CLOSE_BAD_MESSAGE,
    CLOSE_BAD_TOKEN,
    CLOSE_PROTOCOL_VERSION,
    CLOSE_SLOW_CONTROLLER,
    CLOSE_TOO_MANY_CONTROLLERS,
    MAX_FRAME_BYTES,
    PATH_SOCKET,
    PROTOCOL_VERSION,
    SILENCE_TIMEOUT_S,
    Auth,
    Detection,
    Hello,
    Message,
    ProtocolError,
    Snapshot,
    UnknownMessage,
    Welcome,
)

__all__ = [
    "CannotConnect",
    "CertificateChanged",
    "ClientError",
    "Connection",
    "ImpostorSuspected",
    "IntegrationOutdated",
    "InvalidCode",
    "InvalidToken",
    "NotASatellite",
    "Pairing",
    "PairingClosed",
    "SatelliteOutdated",
    "Skipped",
    "TooManyAttempts",
    "UnknownName",
    "UnsupportedProtocol",
    "WrongSatellite",
    "async_connect",
    "async_pair",
    "normalize_code",
]

_Kind = TypeVar("_Kind", bound=Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped(Message):
    """A detection that only a newer controller would understand: it has arrived and may be acknowledged."""

    type: ClassVar[str] = "skipped"
    sequence: int


async def async_connect(
    session: aiohttp.ClientSession,
    host: str,
    port: int,
    *,
    satellite_id: str,
    fingerprint: str,
    token: str,
    silence_timeout_s: float = SILENCE_TIMEOUT_S,
    skipped: Callable[[str], None] = lambda _: None,
) -> "Connection":
    """Connect to a paired satellite and authenticate; `skipped` is told what only a newer controller understands.

    Raises:
        CertificateChanged: the certificate is not the pinned one.
        WrongSatellite: another satellite answers.
        InvalidToken: the satellite refuses the token.
        UnsupportedProtocol: the satellite speaks another version.
        CannotConnect: no satellite answers, or it ends the connection.
    """
    url = satellite_url(host, port, PATH_SOCKET)
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            socket = await session.ws_connect(
                url,
                ssl=aiohttp.Fingerprint(bytes.fromhex(fingerprint)),
                autoping=False,  # The satellite's pings are what breaks a silence: we must see them.
                max_msg_size=MAX_FRAME_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=5.0),
            )
    except aiohttp.ServerFingerprintMismatch:
        raise CertificateChanged(
            "the satellite's certificate is not the one it was paired with: pair again only if you know why"
        ) from None
    except aiohttp.WSServerHandshakeError as err:
        raise refused(err.status, host) from None
    except (aiohttp.ClientError, OSError, TimeoutError) as err:
        raise CannotConnect(f"the satellite at {shown(host)} does not answer: {reason_of(err)}") from err
    try:
        async with asyncio.timeout(AUTHENTICATION_TIMEOUT_S):
            return await _authenticate(_Frames(socket, silence_timeout_s, skipped), satellite_id, token)
    except TimeoutError:
        await _abandon(socket)
        raise CannotConnect("the satellite does not finish its greeting: restart it") from None
    except BaseException:
        await _abandon(socket)
        raise


class Connection:
    """One authenticated connection; iterate over it for what the satellite tells, until it ends.

    Iteration ends when either side closes in order (the satellite stops), and raises a `ClientError` when the
    connection breaks, falls silent or is refused.
    """

    def __init__(self, frames: "_Frames", welcome: Welcome, snapshot: Snapshot) -> None:
        """Wrap a WebSocket on which the satellite has said `welcome` and `snapshot`."""
        self.welcome = welcome
        self.snapshot = snapshot
        self._frames = frames

    async def __aiter__(self) -> AsyncIterator[Message]:
        """Yield each message of the satellite."""
        while (message := await self._frames.receive()) is not None:
            yield message

    async def send(self, message: Message) -> None:
        """Send a command.

        Raises:
            CannotConnect: the connection has ended.
        """
        await self._frames.send(message)

    async def close(self) -> None:
        """End the connection in order; harmless when it has ended already."""
        await _abandon(self._frames.socket)


class _Frames:
    """The frames of one WebSocket as messages, and its silence as an error."""

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        silence_timeout_s: float,
        skipped: Callable[[str], None],
    ) -> None:
        self.socket = socket
        self._silence_timeout_s = silence_timeout_s
        self._skipped = skipped
        self._pace = Pace(asyncio.get_running_loop().time)
        self._pause = 0.0

    async def send(self, message: Message) -> None:
        try:
            await self.socket.send_str(encode(message))
        except (aiohttp.ClientError, OSError) as err:
            raise CannotConnect(f"the connection to the satellite has ended: {reason_of(err)}") from err

    async def expect(self, kind: type[_Kind]) -> _Kind:
        message = await self.receive()
        if message is None:
            raise CannotConnect("the satellite ended the connection while greeting")
        if not isinstance(message, kind):
            raise CannotConnect(f"the satellite sent {message.type} where {kind.type} was due")
        return message

    async def receive(self) -> Message | None:
        """Return the next message, or None when the connection ended in order.

        Frames that have arrived already are read without waiting, so that a flood of them would let nobody else have
        a turn: the pause between two frames is never left out, and grows when there are too many.
        """
        while True:
            await asyncio.sleep(self._pause)
            frame = await self._next_frame()
            match frame.type:
                case aiohttp.WSMsgType.TEXT:
                    message = await self._decode(frame.data)
                    replayed = isinstance(message, Detection) and message.replayed
                    self._pause = self._pace.take(replayed=replayed)
                    if message is not None:
                        return message
                case aiohttp.WSMsgType.PING:
                    self._pause = self._pace.take(replayed=False)
                    await self._pong(frame.data)
                case aiohttp.WSMsgType.PONG:
                    self._pause = self._pace.take(replayed=False)
                case aiohttp.WSMsgType.BINARY:
                    await _abandon(self.socket, CLOSE_BAD_MESSAGE)
                    raise CannotConnect("the satellite sent a frame that is not text")
                case _:
                    self._raise_unless_in_order(frame)
                    return None

    def _raise_unless_in_order(self, frame: aiohttp.WSMessage) -> None:
        if frame.type is aiohttp.WSMsgType.CLOSE:
            if (refusal := _closed(frame.data)) is not None:
                raise refusal
            return
        error = frame.data if frame.type is aiohttp.WSMsgType.ERROR else self.socket.exception()
        if error is not None or self.socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE:
            raise _broken(error)

    async def _next_frame(self) -> aiohttp.WSMessage:
        try:
            return await self.socket.receive(timeout=self._silence_timeout_s)
        except TimeoutError:
            await _abandon(self.socket)
            raise CannotConnect(
                f"the satellite has been silent for {self._silence_timeout_s:g} seconds"
            ) from None
        except (aiohttp.ClientError, OSError) as err:
            raise _broken(err) from err

    async def _decode(self, text: str) -> Message | None:
        try:
            return decode(text, self._skipped)
        except UnknownMessage as err:
            self._skipped(str(err))
            return None if err.sequence is None else Skipped(sequence=err.sequence)
        except ProtocolError as err:
            await _abandon(self.socket, CLOSE_BAD_MESSAGE)
            raise_for_version(text)
            raise CannotConnect(f"the satellite sent something unintelligible: {err}") from None

    async def _pong(self, data: bytes) -> None:
        try:
            await self.socket.pong(data)
        except (aiohttp.ClientError, OSError) as err:
            raise _broken(err) from err


async def _authenticate(frames: _Frames, satellite_id: str, token: str) -> Connection:
    hello = await frames.expect(Hello)
    if hello.protocol != PROTOCOL_VERSION:
        raise unsupported(hello.protocol)
    if hello.satellite_id != satellite_id:
        raise WrongSatellite("another satellite answers at this address")
    await frames.send(Auth(token=token))
    welcome = await frames.expect(Welcome)
    if welcome.satellite_id != satellite_id:
        raise WrongSatellite("another satellite answers at this address")
    return Connection(frames, welcome, await frames.expect(Snapshot))


def raise_for_version(text: str) -> None:
    """Raise if a frame that we do not understand greets in another version of the protocol, which may look different.

    Raises:
        UnsupportedProtocol: it does.
    """
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(frame, dict) and frame.get("type") == Hello.type:
        version = frame.get("protocol")
        if isinstance(version, int) and version != PROTOCOL_VERSION:
            raise unsupported(version)


def _broken(error: object) -> CannotConnect:
    reason = reason_of(error) if isinstance(error, BaseException) else "it ended without a word"
    return CannotConnect(f"the connection to the satellite broke: {reason}")


def _closed(code: int | None) -> ClientError | None:
    match code:
        case aiohttp.WSCloseCode.OK | aiohttp.WSCloseCode.GOING_AWAY:
            return None
        case _ if code == CLOSE_BAD_TOKEN:
            return InvalidToken("the satellite does not know this controller any more: pair again")
        case _ if code == CLOSE_PROTOCOL_VERSION:
            return UnsupportedProtocol("the satellite refuses our version of the protocol: update both")
    reasons = {
        CLOSE_BAD_MESSAGE: "it did not understand us",
        CLOSE_TOO_MANY_CONTROLLERS: "it has as many controllers as it can serve",
        CLOSE_AUTHENTICATION_TIMEOUT: "it did not get our token in time",
        CLOSE_SLOW_CONTROLLER: "we were too slow to take what it tells",
    }
    return CannotConnect(f"the satellite ended the connection: {reasons.get(code or 0, f'code {code}')}")


async def _abandon(socket: aiohttp.ClientWebSocketResponse, code: int = aiohttp.WSCloseCode.OK) -> None:
    # Where it is gone already, that is what was wanted.
    with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
        await socket.close(code=code)
