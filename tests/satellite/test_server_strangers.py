"""Whoever is in the network may knock as often as they like: memory stays bounded, and the owner gets in."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
import logging
from pathlib import Path
import socket
import ssl

import aiohttp
import pytest

from echonet_satellite.output import OneLineFormatter
from echonet_satellite.protocol import Auth, Snapshot, Welcome
from echonet_satellite.server import Limits
from tests.support.raw import Raw
from tests.support.satellite import SatelliteUnderTest, running_satellite

NO_REQUESTS = [
    b"\x00\x01\x02\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: \x1b[31mred\r\n\r\n",
    b"POST /pair/start HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
    b"POST /pair/start HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
    b"GET /socket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: the unexpected\r\nConnection: close\r\n\r\n",
    b"GET /\x7f\xff HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
]


async def settled(satellite: SatelliteUnderTest, strangers: int) -> None:
    door = satellite.server._door
    assert door is not None
    async with asyncio.timeout(30):
        while door.strangers > strangers:  # noqa: ASYNC110 - the door tells nobody
            await asyncio.sleep(0.01)


def resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise AssertionError


async def test_24_silent_websockets_do_not_keep_the_owner_out(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    token = satellite.issue_token()
    for _ in range(24):
        await Raw(session, satellite).open()
    for _ in range(5):
        await Raw(session, satellite).greet(token)


async def test_500_connections_without_a_word_leave_room_and_take_no_memory_for_long(
    satellite: SatelliteUnderTest,
    session: aiohttp.ClientSession,
    record_property: Callable[[str, object], None],
) -> None:
    before = resident_mb()
    token = satellite.issue_token()
    with ExitStack() as stack:
        for number in range(500):
            plain = stack.enter_context(socket.socket())
            plain.setblocking(False)
            plain.bind((f"127.0.0.{2 + number % 200}", 0))
            with pytest.raises(BlockingIOError):
                plain.connect((satellite.host, satellite.port))
            if number % 100 == 50:
                await Raw(session, satellite).greet(token)
        await settled(satellite, satellite.limits.strangers)
        record_property("measured", f"{max(0.0, resident_mb() - before):.0f} MB more while they were there")
        await Raw(session, satellite).greet(token)
    await settled(satellite, 0)


async def test_a_stranger_makes_room_for_the_next(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    async with running_satellite(tmp_path, limits=Limits(strangers_per_address=1)) as satellite:
        first = await Raw(session, satellite).open()
        second = await Raw(session, satellite).open()
        assert await first.close_code() is not None
        await second.send(Auth(token=satellite.issue_token()))
        assert isinstance(await second.take(), Welcome)
        assert isinstance(await second.take(), Snapshot)
        await Raw(session, satellite).open()  # who is trusted makes room for nobody
        await second.socket.ping()
        assert satellite.connected


async def test_a_stranger_from_elsewhere_makes_room_for_the_house(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    async with running_satellite(tmp_path, limits=Limits(strangers=4)) as satellite:
        token = satellite.issue_token()
        await Raw(session, satellite).greet(token)  # from now on its address is known
        again = await Raw(session, satellite).open()
        with ExitStack() as stack:
            for number in range(20):
                plain = stack.enter_context(socket.socket())
                plain.bind((f"127.0.0.{2 + number}", 0))
                plain.connect((satellite.host, satellite.port))
                await asyncio.sleep(0)
            await settled(satellite, 4)
            await again.send(Auth(token=token))
            assert isinstance(await again.take(), Welcome)


async def test_whoever_does_not_finish_is_sent_away(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    async with running_satellite(tmp_path, limits=Limits(stranger_stays_s=0.2)) as satellite:
        reader, writer = await asyncio.open_connection(
            satellite.host, satellite.port, ssl=_trusting_anybody(), server_hostname=""
        )
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")  # and never more
        async with asyncio.timeout(30):
            assert await reader.read() == b""
        writer.close()
        await settled(satellite, 0)


@pytest.mark.parametrize("request_bytes", NO_REQUESTS)
async def test_what_is_no_request_shows_no_version_and_writes_no_traceback(
    satellite: SatelliteUnderTest, caplog: pytest.LogCaptureFixture, request_bytes: bytes
) -> None:
    reader, writer = await asyncio.open_connection(
        satellite.host, satellite.port, ssl=_trusting_anybody(), server_hostname=""
    )
    writer.write(request_bytes)
    async with asyncio.timeout(30):
        answer = await reader.read()
    writer.close()
    for name in (b"aiohttp", b"Python", b"python"):
        assert name not in answer
    for record in caplog.records:
        assert record.exc_info is None
        assert OneLineFormatter().format(record).isprintable()


def test_what_a_stranger_sends_makes_one_line_of_the_log() -> None:
    record = logging.makeLogRecord({"msg": "from %s", "args": ("\x1b[2J\nERROR: forged\r\u202e",)})
    line = OneLineFormatter().format(record)
    assert line == "from \\x1b[2J\\nERROR: forged\\r\\u202e"


def _trusting_anybody() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
