"""A controller without the client: it speaks the frames of the protocol, or any others."""

import asyncio
from typing import ClassVar

import aiohttp

from echonet_satellite.codec import decode, encode
from echonet_satellite.protocol import PATH_SOCKET, Auth, Hello, Message, Snapshot, Welcome

from .satellite import SatelliteUnderTest


class Raw:
    """A controller that says what it likes."""

    opened: ClassVar[list["Raw"]] = []

    def __init__(self, session: aiohttp.ClientSession, satellite: SatelliteUnderTest) -> None:
        self._session = session
        self._satellite = satellite
        self.socket: aiohttp.ClientWebSocketResponse

    async def open(self, **headers: str) -> "Raw":
        """Connect, and hear the satellite say who it is."""
        self.socket = await self._session.ws_connect(
            f"https://127.0.0.1:{self._satellite.port}{PATH_SOCKET}", ssl=False, headers=headers
        )
        Raw.opened.append(self)
        hello = await self.take()
        assert isinstance(hello, Hello)
        assert hello.satellite_id == self._satellite.satellite_id
        return self

    async def greet(self, token: str | None = None) -> Snapshot:
        """Connect, show a token, and return the first snapshot."""
        await self.open()
        await self.send(Auth(token=token or self._satellite.issue_token()))
        assert isinstance(await self.take(), Welcome)
        snapshot = await self.take()
        assert isinstance(snapshot, Snapshot)
        return snapshot

    async def send(self, message: Message) -> None:
        await self.socket.send_str(encode(message))

    async def take(self, *, within_s: float = 10) -> Message:
        return decode(await self.socket.receive_str(timeout=within_s))

    async def close_code(self) -> int | None:
        """Wait for the end of the connection, and return its code."""
        async with asyncio.timeout(10):
            async for _ in self.socket:
                pass
        return self.socket.close_code
