"""Carries connections to 127.0.0.1 of this machine over to 127.0.0.1 in a network namespace.

usage: python -m house.relay PORT NAMESPACE_FILE PORT_THERE
"""

import asyncio
import contextlib
import os
from pathlib import Path
import socket
import sys


async def relay(here: int, namespace: Path, there: int) -> None:
    """Serve for ever."""
    # A socket belongs to the namespace it was made in: this one stays outside, all that follow are inside.
    listener = socket.create_server(("127.0.0.1", here))
    with namespace.open() as file:
        os.setns(file.fileno(), os.CLONE_NEWNET)

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", there)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

    server = await asyncio.start_server(carry, sock=listener)
    await server.serve_forever()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
        await writer.wait_closed()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(relay(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
