"""What the service manager is told, over a socket as systemd has one."""

import asyncio
from contextlib import suppress
from pathlib import Path
import socket

import pytest

from echonet_satellite.supervisor import Supervisor


def drain(manager: socket.socket) -> None:
    with suppress(BlockingIOError):
        while True:
            manager.recv(4096)


async def test_systemd_hears_that_it_is_ready_alive_and_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "60000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        supervisor = Supervisor()

        async def heard() -> str:
            return (await asyncio.to_thread(manager.recv, 4096)).decode()

        supervisor.ready("listens")
        assert await heard() == "READY=1\nSTATUS=listens"
        trouble: list[str | None] = [None]
        watching = asyncio.create_task(supervisor.watch(lambda: trouble[0]))
        assert await heard() == "WATCHDOG=1"
        assert await heard() == "WATCHDOG=1"
        trouble[0] = "the hearing hangs"
        await asyncio.sleep(0.1)
        manager.setblocking(False)
        drain(manager)
        await asyncio.sleep(0.2)
        with pytest.raises(BlockingIOError):
            manager.recv(4096)
        manager.settimeout(30)
        trouble[0] = None
        assert await heard() == "WATCHDOG=1"
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await asyncio.sleep(0)
        supervisor.stopping()
        while (said := await heard()) == "WATCHDOG=1":
            pass
        assert said == "STOPPING=1"


async def test_without_systemd_nothing_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Supervisor().ready("listens")
