"""The client against servers that are no satellite: whatever they say is one clear error."""

import aiohttp
from aiohttp import web
import pytest

from tests.support.connections import connect, drain, pair
from tests.support.satellite import SatelliteUnderTest
from tests.support.wire import client, protocol


class Stranger:
    """A server that answers as no satellite does."""

    def __init__(self, *frames: str | bytes, status: int = 200, body: str = "{}", code: int = 1000) -> None:
        self.frames = frames
        self.status = status
        self.body = body
        self.code = code

    async def post(self, _request: web.Request) -> web.Response:
        return web.Response(status=self.status, text=self.body, headers={"Location": "https://127.0.0.1/"})

    async def socket(self, request: web.Request) -> web.StreamResponse:
        if self.status != 200:
            return web.Response(status=self.status)
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        for frame in self.frames:
            await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
        await socket.close(code=self.code)
        return socket


async def meet(
    stranger: Stranger, satellite: SatelliteUnderTest, session: aiohttp.ClientSession, *, pairing: bool
) -> None:
    application = web.Application()
    application.router.add_post(protocol.PATH_PAIR_START, stranger.post)
    application.router.add_get(protocol.PATH_SOCKET, stranger.socket)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=satellite.identity.ssl_context())
    await site.start()
    port = runner.addresses[0][1]
    try:
        if pairing:
            await pair(session, satellite, "0" * 16, port)
        else:
            connection = await connect(session, satellite, token="token", port=port)
            await drain(connection)
    finally:
        await runner.cleanup()


GREETING = (
    '{"type": "hello", "protocol": 1, "satellite_id": "ID"}',
    (
        '{"type": "welcome", "satellite_id": "ID", "name": "n", "version": "1", "hardware": "h", '
        '"model_name": "m", "model_version": "1", "classes": []}'
    ),
    '{"type": "snapshot", "active": [], "health": {}, "settings": {"listening": true, "sensitivity": {}}}',
)


@pytest.mark.parametrize(
    ("frames", "code", "error"),
    [
        (['{"type": "hello", "protocol": 2, "satellite_id": "ID"}'], 1000, client.IntegrationOutdated),
        (['{"type": "hello", "protocol": 1, "satellite_id": "x"}'], 1000, client.WrongSatellite),
        (['{"type": "ack", "sequence": 1}'], 1000, client.CannotConnect),
        (["nonsense"], 1000, client.CannotConnect),
        ([b"binary"], 1000, client.CannotConnect),
        ([], 1000, client.CannotConnect),
        pytest.param(["x" * 70_000], 1000, client.CannotConnect, id="too long"),
        ([*GREETING, "{}"], 1000, client.CannotConnect),
        ([*GREETING, b"binary"], 1000, client.CannotConnect),
        pytest.param([*GREETING, "x" * 70_000], 1000, client.CannotConnect, id="too long later"),
        (GREETING[:1], 4401, client.InvalidToken),
        (GREETING[:1], 4426, client.UnsupportedProtocol),
        (GREETING[:1], 4403, client.CannotConnect),
        (GREETING, 4401, client.InvalidToken),
        (GREETING, 4413, client.CannotConnect),
        (GREETING, 1011, client.CannotConnect),
    ],
)
async def test_what_no_satellite_says_is_an_error(
    satellite: SatelliteUnderTest,
    session: aiohttp.ClientSession,
    frames: list[str | bytes],
    code: int,
    error: type[Exception],
) -> None:
    named = [
        frame.replace("ID", satellite.satellite_id) if isinstance(frame, str) else frame for frame in frames
    ]
    with pytest.raises(error) as caught:
        await meet(Stranger(*named, code=code), satellite, session, pairing=False)
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)


async def test_the_greeting_of_a_stranger_is_complete(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    """The oracle of the test above: with these frames and an orderly end nothing is wrong."""
    named = [frame.replace("ID", satellite.satellite_id) for frame in GREETING]
    await meet(Stranger(*named), satellite, session, pairing=False)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, "{}", client.CannotConnect),
        (200, "no JSON", client.NotASatellite),
        (200, "[]", client.NotASatellite),
        pytest.param(200, " " * 100_000, client.NotASatellite, id="much of nothing"),
        (200, '{"satellite_id": "\\u001b[31m"}', client.CannotConnect),
        (302, "{}", client.NotASatellite),
        (404, "{}", client.NotASatellite),
        (421, '{"error": "unknown_host"}', client.UnknownName),
        (429, '{"error": "too_many_requests"}', client.TooManyAttempts),
        (403, '{"error": "pairing_closed"}', client.PairingClosed),
        (426, '{"error": "protocol_version"}', client.UnsupportedProtocol),
    ],
)
async def test_what_no_satellite_answers_is_an_error(
    satellite: SatelliteUnderTest,
    session: aiohttp.ClientSession,
    status: int,
    body: str,
    error: type[Exception],
) -> None:
    with pytest.raises(error) as caught:
        await meet(Stranger(status=status, body=body), satellite, session, pairing=True)
    assert type(caught.value) is error
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("status", [200, 403, 404, 421, 429, 500])
async def test_a_refused_upgrade_is_an_error(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession, status: int
) -> None:
    with pytest.raises(client.CannotConnect):
        await meet(Stranger(status=status), satellite, session, pairing=False)
