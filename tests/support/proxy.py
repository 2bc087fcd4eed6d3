"""Real things that stand between a controller and a satellite: one that reads along, one that stops to pass on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
import ssl

from echonet_satellite.identity import load_or_create
from echonet_satellite.state import prepare_directory


class Proxy:
    """Passes bytes on in both directions; `freeze` stops that without closing anything."""

    def __init__(self, host: str, port: int, *, inner: ssl.SSLContext | None) -> None:
        self._target = (host, port)
        self._inner = inner
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.port = 0
        self.later_port: int | None = None  # where connections after the first one go
        self.seen = bytearray()
        self.connections = 0

    def freeze(self) -> None:
        self._flowing.clear()

    def cut(self) -> None:
        """Break all connections, as a network does."""
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        host, port = self._target
        if self.connections > 1 and self.later_port is not None:
            port = self.later_port
        far_reader, far_writer = await asyncio.open_connection(host, port, ssl=self._inner)
        self._writers += [writer, far_writer]
        for source, target in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._pass_on(source, target))
            self._tasks.add(task)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._flowing.wait()
                self.seen += data
                writer.write(data)
                await writer.drain()
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()

    async def close(self) -> None:
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def man_in_the_middle(state: Path, host: str, port: int) -> AsyncIterator[Proxy]:
    """Show a certificate of one's own to the controller, and read everything on the way to the satellite."""
    prepare_directory(state)
    inner = ssl.create_default_context()
    inner.check_hostname = False
    inner.verify_mode = ssl.CERT_NONE
    async with _running(Proxy(host, port, inner=inner), load_or_create(state).ssl_context()) as proxy:
        yield proxy


@asynccontextmanager
async def wire(host: str, port: int) -> AsyncIterator[Proxy]:
    """Pass the encrypted bytes on, as a network does."""
    async with _running(Proxy(host, port, inner=None), None) as proxy:
        yield proxy


@asynccontextmanager
async def _running(proxy: Proxy, context: ssl.SSLContext | None) -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=context)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
