"""Asks whoever listens at an address whether it is a satellite, before anybody has to type a code for it."""

import asyncio

import aiohttp

from .client import raise_for_version
from .codec import decode
from .errors import (
    REQUEST_TIMEOUT_S,
    CannotConnect,
    NotASatellite,
    reason_of,
    refused,
    satellite_url,
    shown,
    unsupported,
)
from .pairing import SeenCertificate
from .protocol import MAX_FRAME_BYTES, PATH_SOCKET, PROTOCOL_VERSION, Hello, Message, ProtocolError


async def async_greet(session: aiohttp.ClientSession, host: str, port: int) -> Hello:
    """Return what the satellite at an address says to anybody. It proves nothing.

    Raises:
        NotASatellite: something else answers.
        UnsupportedProtocol: the satellite speaks another version.
        CannotConnect: nothing answers.
    """
    try:
        async with (
            asyncio.timeout(REQUEST_TIMEOUT_S),
            session.ws_connect(
                satellite_url(host, port, PATH_SOCKET), ssl=SeenCertificate(), max_msg_size=MAX_FRAME_BYTES
            ) as socket,
        ):
            frame = await socket.receive()
    except aiohttp.WSServerHandshakeError as err:
        raise refused(err.status, host) from None
    except (aiohttp.ClientSSLError, aiohttp.ServerDisconnectedError, aiohttp.ClientResponseError) as err:
        raise NotASatellite(f"what answers at {shown(host)} is not a satellite: {reason_of(err)}") from err
    except (aiohttp.ClientError, OSError, TimeoutError) as err:
        raise CannotConnect(f"nothing answers at {shown(host)}: {reason_of(err)}") from err
    if frame.type is not aiohttp.WSMsgType.TEXT:
        raise NotASatellite(f"what answers at {shown(host)} does not greet as a satellite does")
    try:
        hello: Message | None = decode(frame.data)
    except ProtocolError:
        raise_for_version(frame.data)
        hello = None
    if not isinstance(hello, Hello):
        raise NotASatellite(f"what answers at {shown(host)} does not greet as a satellite does")
    if hello.protocol != PROTOCOL_VERSION:
        raise unsupported(hello.protocol)
    return hello
