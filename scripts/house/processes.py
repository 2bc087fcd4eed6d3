"""Programs that we start, watch and always stop again."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
import contextlib
from pathlib import Path
import signal
from typing import Self

from .errors import HouseError

_STOP_TIMEOUT_S = 15.0


class Program:
    """A running program; every line that it prints goes to its log file and to `on_line`."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self.last_lines: deque[str] = deque(maxlen=20)
        self._process = process
        self._listeners: list[Callable[[str], None]] = []
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str],
        folder: Path | None = None,
    ) -> Self:
        """Start `command`, in a session of its own, so that an interrupt at the terminal reaches only us."""
        try:
            process = await asyncio.create_subprocess_exec(
                # Should we be killed outright, the kernel stops the program for us.
                "setpriv",
                "--pdeathsig",
                "SIGTERM",
                "--",
                *map(str, command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
                limit=1 << 20,
            )
        except OSError as error:
            raise HouseError(f"{name} cannot be started: {error}") from error
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process.returncode is None

    def listen(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener` with every line from now on; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def wait(self) -> int:
        """Wait until it has ended by itself and everything it said is read."""
        code = await self._process.wait()
        await self._reader
        return code

    def failure(self) -> HouseError:
        """An error for a program that should be running and is not."""
        last = next((line for line in reversed(self.last_lines) if line.strip()), "it said nothing")
        return HouseError(
            f"{self.name} stopped: {last.rpartition('error: ')[2]} (all it said is in {self.log})"
        )

    async def stop(self) -> None:
        """Ask it to stop, and make it stop if it does not."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), _STOP_TIMEOUT_S)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
        await self.wait()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        with self.log.open("a", encoding="utf-8") as log:
            async for raw in self._process.stdout:
                line = raw.decode(errors="replace").rstrip("\n")
                self.last_lines.append(line)
                log.write(line + "\n")
                log.flush()
                for listener in tuple(self._listeners):
                    listener(line)
