"""Reads the frames of a WebSocket as messages, and ends the connection: in order, or hard where nobody reads."""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import WSCloseCode, WSMsgType, web

from ..codec import decode
from ..protocol import CLOSE_BAD_MESSAGE, Message, ProtocolError, UnknownMessage
from .door import hang_up

CLOSE_S: Final = 1.0


class Ended(Exception):
    """The connection is to be closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def next_message(
    socket: web.WebSocketResponse,
    *,
    silence_s: float | None = None,
    skipped: Callable[[str], None] | None = None,
) -> Message:
    """Return the next message; answer pings on the way, and skip what only a newer peer knows where that is told.

    Raises:
        Ended: the frame is no message, or none at all came for `silence_s` seconds.
        ConnectionResetError: the peer has closed the connection, or it broke.
    """
    while True:
        try:
            frame = await socket.receive(timeout=silence_s)
        except TimeoutError:
            if silence_s is None:
                raise
            raise Ended(WSCloseCode.GOING_AWAY, "silent") from None
        match frame.type:
            case WSMsgType.TEXT:
                try:
                    return decode(frame.data, skipped or (lambda _: None))
                except ProtocolError as err:
                    if skipped is not None and isinstance(err, UnknownMessage):
                        skipped(str(err))
                        continue
                    raise Ended(CLOSE_BAD_MESSAGE, str(err)) from None
            case WSMsgType.PING:
                await socket.pong(frame.data)
            case WSMsgType.PONG:
                pass
            case WSMsgType.BINARY:
                raise Ended(CLOSE_BAD_MESSAGE, "frames are text")
            case _:
                raise ConnectionResetError


async def close(socket: web.WebSocketResponse, request: web.Request, code: int, reason: str) -> None:
    """Close in order where the peer still reads, and hard where it does not."""
    try:
        async with asyncio.timeout(CLOSE_S * 1.5):
            await socket.close(code=code, message=reason.encode()[:120])
    except ConnectionError:
        pass  # It has gone by itself.
    except TimeoutError:
        if request.transport is not None:
            hang_up(request.transport)
