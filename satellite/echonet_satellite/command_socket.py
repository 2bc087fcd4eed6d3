"""How a command on the same machine speaks to the running satellite: a Unix socket that only its owner may open."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, contextmanager, suppress
import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .errors import NotRunningError, StateError
from .hardware import what_to_type
from .state import FILE_MODE

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOGGER = logging.getLogger(__name__)

SOCKET_NAME: Final = "command.sock"
_MAX_LINE: Final = 4096
_TRY_AGAIN_S: Final = 5.0
_MAX_PATH: Final = 100  # a Unix socket's address has room for 107 bytes

Handler = Callable[[], AsyncIterator[dict[str, Any]]]


class CommandServer:
    """Answers commands, each with a stream of JSON lines."""

    def __init__(self, state: Path, commands: dict[str, Handler]) -> None:
        """Serve `commands` by name, through a socket in the state directory."""
        self._path = state / SOCKET_NAME
        self._commands = commands
        self._server: asyncio.Server | None = None
        self._held = ExitStack()
        self._task: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Begin to listen; where the disk is full or read-only, as soon as it takes the socket."""
        if not await self._listen(_LOGGER.warning):
            self._task = asyncio.create_task(self._listen_later())

    async def _listen_later(self) -> None:
        while True:
            await asyncio.sleep(_TRY_AGAIN_S)
            if await self._listen(_LOGGER.debug):
                return

    async def _listen(self, log: Callable[..., None]) -> bool:
        try:
            self._path.unlink(missing_ok=True)
            path = self._held.enter_context(_short(self._path))
            # The folder is private already; so is the socket, from its first moment on.
            mask = os.umask(0o777 & ~FILE_MODE)
            try:
                self._server = await asyncio.start_unix_server(self._serve, path, limit=_MAX_LINE)
            finally:
                os.umask(mask)
        except OSError as err:
            self._held.close()
            log("`pair` and `unpair` do not work: cannot make %s: %s", self._path, err.strerror or err)
            return False
        return True

    async def stop(self) -> None:
        """End all conversations and remove the socket."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await asyncio.sleep(0)  # The loop itself may remove the socket when it has closed it.
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
        self._held.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            request = json.loads(await reader.readline())
            name = request.get("command") if isinstance(request, dict) else None
            handler = self._commands.get(name) if isinstance(name, str) else None
            if handler is None:
                writer.write(b'{"error": "unknown command"}\n')
                await writer.drain()
                return
            async for line in handler():
                writer.write(json.dumps(line).encode() + b"\n")
                await writer.drain()
        except (ValueError, ConnectionError):
            pass  # The other side has gone, or was never one of ours.
        except asyncio.CancelledError:
            pass  # The satellite stops; the end of the stream says so.
        finally:
            writer.close()


async def converse(state: Path, command: str, take: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Send a command to the satellite with this state directory and take its answers until it is done.

    Raises:
        NotRunningError: no satellite runs with this state directory.
        StateError: one may run, but not for this user.
    """
    path = state / SOCKET_NAME
    try:
        with _short(path) as short:
            reader, writer = await asyncio.open_unix_connection(short, limit=_MAX_LINE)
    except PermissionError:
        raise StateError(
            f"{path} belongs to another user: run the command as that user, or with sudo"
        ) from None
    except OSError:
        raise NotRunningError(
            f"no satellite is running with the state directory {state}: start it with `{what_to_type('run')}`, "
            "or name its directory with --state"
        ) from None
    try:
        writer.write(json.dumps({"command": command}).encode() + b"\n")
        await writer.drain()
        while line := await reader.readline():
            await take(json.loads(line))
    except (ConnectionError, ValueError):
        raise NotRunningError(
            f"the satellite has stopped: start it again with `{what_to_type('run')}`"
        ) from None
    finally:
        writer.close()


@contextmanager
def _short(path: Path) -> "Iterator[str]":
    """Give a Unix socket a path that is short enough, wherever the state directory lies."""
    if len(os.fsencode(path)) <= _MAX_PATH:
        yield str(path)
        return
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)
