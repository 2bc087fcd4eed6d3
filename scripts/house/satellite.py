"""A real satellite process, and what it says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
import json
import os
from pathlib import Path
import sys
from typing import Any

from .errors import HouseError
from .network import Network
from .processes import Program

NAME = "Living room satellite"

_START_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """The start of a detection, as the satellite told it; the times are UTC."""

    id: str
    sound_class: str
    onset: datetime
    detected: datetime
    confidence: float
    pattern: str | None


class Satellite:
    """One running satellite."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._said: list[dict[str, Any]] = []
        self._news = asyncio.Condition()
        self._listeners: list[Callable[[dict[str, Any]], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        program.listen(self._on_line)

    def listen(self, listener: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        """Call `listener` with every event from now on; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def said(self, event: str, timeout_s: float = _START_TIMEOUT_S) -> dict[str, Any]:
        """Wait for the first event of this name."""
        async with self._news:
            try:
                async with asyncio.timeout(timeout_s):
                    while True:
                        for item in self._said:
                            if item["event"] == event:
                                return item
                        if not self.program.running:
                            raise self.program.failure()
                        await self._news.wait()
            except TimeoutError:
                raise HouseError(
                    f"the satellite did not say `{event}` within {timeout_s:.0f} s; see {self.program.log}"
                ) from None

    def _on_line(self, line: str) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            return  # A warning for a person; it is in the log.
        if not isinstance(event, dict) or "event" not in event:
            return
        self._said.append(event)
        for listener in tuple(self._listeners):
            listener(event)
        task = asyncio.create_task(self._wake())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _wake(self) -> None:
        async with self._news:
            self._news.notify_all()


def sound(event: Mapping[str, Any]) -> Sound | None:
    """The start of a detection, if that is what the event is."""
    if event["event"] != "detection" or event["phase"] != "start":
        return None
    return Sound(
        id=event["id"],
        sound_class=event["sound_class"],
        onset=datetime.fromisoformat(event["onset"]),
        detected=datetime.fromisoformat(event["at"]),
        confidence=event["confidence"],
        pattern=event["pattern"],
    )


@asynccontextmanager
async def satellite(
    folder: Path,
    network: Network,
    *options: str | Path,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Satellite]:
    """Start a satellite with these options of `echonet-satellite run`."""
    program = await Program.start(
        "The satellite",
        network.satellite.command(
            Path(sys.executable).parent / "echonet-satellite",
            "run",
            "--events-json",
            "--config",
            os.devnull,
            "--name",
            NAME,
            "--state",
            folder / "satellite",
            *options,
        ),
        log=folder / "satellite.log",
        environment=_without_the_users_own(os.environ if environment is None else environment),
    )
    running = Satellite(program)
    ended = asyncio.create_task(_wake_at_end(running))
    try:
        yield running
    finally:
        ended.cancel()
        await program.stop()


def _without_the_users_own(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what configures a satellite that this machine may have besides."""
    return {name: value for name, value in environment.items() if not name.startswith("ECHONET_SATELLITE_")}


async def _wake_at_end(running: Satellite) -> None:
    # Who waits for a word must learn that there will be none.
    await running.program.wait()
    await running._wake()  # noqa: SLF001
