"""The satellite's server against strangers: web pages, unknown hosts, senseless requests, old or no TLS."""

import asyncio
import json
import socket
import ssl
from typing import Any

import aiohttp
import pytest

from echonet_satellite import controllers
from echonet_satellite.errors import StateError
from echonet_satellite.protocol import PATH_PAIR, PATH_PAIR_FINISH, PATH_PAIR_START, PATH_SOCKET
from echonet_satellite.server.guard import TokenBucket
from tests.support.raw import Raw
from tests.support.satellite import SatelliteUnderTest

START = {"protocol": 1, "nonce": "A" * 43, "controller_name": "Home"}


def url(satellite: SatelliteUnderTest, path: str) -> str:
    return f"https://127.0.0.1:{satellite.port}{path}"


async def post(
    session: aiohttp.ClientSession, satellite: SatelliteUnderTest, path: str, body: Any, **headers: str
) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body)
    async with session.post(url(satellite, path), data=data, headers=headers, ssl=False) as response:
        assert response.headers["Server"] == "echonet"
        return response.status, json.loads(await response.text())


@pytest.mark.parametrize("path", [PATH_SOCKET, PATH_PAIR_START, PATH_PAIR_FINISH, "/", "/pair/start/../x"])
async def test_a_web_page_is_refused(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession, path: str
) -> None:
    satellite.open_pairing()
    for origin in ("https://evil.example", "null", f"https://127.0.0.1:{satellite.port}"):
        assert await post(session, satellite, path, START, Origin=origin) == (403, {"error": "forbidden"})
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await Raw(session, satellite).open(Origin="https://evil.example")
    assert caught.value.status == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "local", ".local", "127.0.0.1.evil.example", ""]
)
async def test_an_unknown_host_is_refused(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession, host: str
) -> None:
    satellite.open_pairing()
    assert await post(session, satellite, PATH_PAIR_START, START, Host=host) == (
        421,
        {"error": "unknown_host"},
    )


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "192.168.1.20:8765",
        "[fe80::1%eth0]:8765",
        "[::1]",
        "localhost:1",
        "EchoNet-Hall.local.",
        "hall.local:8765",
        socket.gethostname(),
    ],
)
async def test_own_names_are_known(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession, host: str
) -> None:
    satellite.open_pairing()
    status, answer = await post(session, satellite, PATH_PAIR_START, START, Host=host)
    assert status == 200
    assert answer["satellite_id"] == satellite.satellite_id


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        (PATH_PAIR_START, b"", 400),
        (PATH_PAIR_START, b"\xff", 400),
        (PATH_PAIR_START, b"[" * 4000, 400),
        (PATH_PAIR_START, [], 400),
        (PATH_PAIR_START, {}, 400),
        (PATH_PAIR_START, {**START, "nonce": "A"}, 400),
        (PATH_PAIR_START, {**START, "nonce": 7}, 400),
        (PATH_PAIR_START, {**START, "controller_name": ""}, 400),
        (PATH_PAIR_START, {**START, "controller_name": "a\nb"}, 400),
        (PATH_PAIR_START, {**START, "protocol": 2}, 426),
        (PATH_PAIR_START, b" " * 5000, 413),
        (PATH_PAIR_FINISH, {}, 400),
        (PATH_PAIR_FINISH, {"attempt": 1, "proof": "A" * 43}, 400),
        (PATH_PAIR_FINISH, {"attempt": "unknown", "proof": "A" * 43}, 403),
        ("/", {}, 404),
        (PATH_SOCKET, {}, 405),
    ],
)
async def test_requests_that_make_no_sense(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession, path: str, body: Any, expected: int
) -> None:
    code = satellite.open_pairing()
    status, answer = await post(session, satellite, path, body)
    assert status == expected
    assert set(answer) == {"error"}
    assert satellite.window.code == code


async def test_pairing_requests_are_rate_limited(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    statuses = [(await post(session, satellite, PATH_PAIR_START, START))[0] for _ in range(30)]
    assert set(statuses) == {403, 429}
    assert statuses.count(403) >= 20


def test_a_token_bucket_fills_with_time() -> None:
    now = 0.0
    bucket = TokenBucket(burst=2, per_second=0.5, clock=lambda: now)
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now = 1.9
    assert not bucket.take()
    now = 2.1
    assert bucket.take()
    now = 1000.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]


async def test_a_failure_shows_nothing_of_the_inside(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    satellite.open_pairing()
    satellite.window.start = None  # type: ignore[assignment,method-assign]
    assert await post(session, satellite, PATH_PAIR_START, START) == (500, {"error": "internal"})


async def test_tls_1_2_is_refused(satellite: SatelliteUnderTest) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", satellite.port, ssl=context)
    assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
    writer.close()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("127.0.0.1", satellite.port, ssl=context)


async def test_plaintext_is_refused(satellite: SatelliteUnderTest) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", satellite.port)
    writer.write(b"GET /socket HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert not (await reader.read()).startswith(b"HTTP")
    writer.close()


async def test_only_who_is_paired_can_end_a_pairing(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    satellite.issue_token("Home")
    for headers in (None, {"Authorization": "Bearer wrong"}):
        async with session.delete(url(satellite, PATH_PAIR), ssl=False, headers=headers) as response:
            assert response.status == 401
    assert len(satellite.controllers.all) == 1


async def test_a_pairing_that_the_disk_does_not_let_go_of_goes_on(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StateError("cannot write: no space left")

    token = satellite.issue_token("Home")
    monkeypatch.setattr(controllers, "write_private", full)
    async with session.delete(
        url(satellite, PATH_PAIR), ssl=False, headers={"Authorization": f"Bearer {token}"}
    ) as response:
        assert response.status == 503
    assert satellite.controllers.authenticate(token) is not None
    assert satellite.announced == []
