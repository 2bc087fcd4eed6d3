"""A controller for the tests that run on every Python: it pairs and listens through the integration's client."""

import asyncio

import aiohttp

from .satellite import SatelliteUnderTest
from .wire import client, protocol


async def pair(
    session: aiohttp.ClientSession, satellite: SatelliteUnderTest, code: str, port: int | None = None
) -> client.Pairing:
    """Pair with a satellite as Home Assistant does, by the code that somebody typed."""
    return await client.async_pair(
        session, satellite.host, port or satellite.port, code, controller_name="Home"
    )


async def connect(
    session: aiohttp.ClientSession,
    satellite: SatelliteUnderTest,
    *,
    token: str | None = None,
    port: int | None = None,
    satellite_id: str | None = None,
    fingerprint: str | None = None,
    silence_timeout_s: float = 60.0,
) -> client.Connection:
    """Connect to a satellite with a token of its own, unless told otherwise."""
    return await client.async_connect(
        session,
        satellite.host,
        port or satellite.port,
        satellite_id=satellite_id or satellite.satellite_id,
        fingerprint=fingerprint or satellite.fingerprint,
        token=token or satellite.issue_token(),
        silence_timeout_s=silence_timeout_s,
    )


async def take(connection: client.Connection, count: int) -> list[protocol.Message]:
    """Return the next messages of a connection."""
    messages: list[protocol.Message] = []
    if count == 0:
        return messages
    async with asyncio.timeout(10):
        async for message in connection:
            messages.append(message)
            if len(messages) == count:
                return messages
    raise AssertionError(f"the connection ended after {messages}")


async def drain(connection: client.Connection) -> list[protocol.Message]:
    """Return everything that a connection still says."""
    async with asyncio.timeout(10):
        return [message async for message in connection]
