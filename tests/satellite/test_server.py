"""The satellite's server against whoever may come along: strangers, browsers, clumsy and slow controllers."""

import asyncio
from collections.abc import AsyncIterator
import json
from pathlib import Path
import socket
import ssl
from typing import Any, ClassVar

import aiohttp
import pytest

from echonet_satellite.protocol import (
    CLOSE_AUTHENTICATION_TIMEOUT,
    CLOSE_BAD_MESSAGE,
    CLOSE_BAD_TOKEN,
    CLOSE_PROTOCOL_VERSION,
    CLOSE_SLOW_CONTROLLER,
    CLOSE_TOO_MANY_CONTROLLERS,
    PATH_PAIR_FINISH,
    PATH_PAIR_START,
    PATH_SOCKET,
    Ack,
    Auth,
    Configure,
    Detection,
    Health,
    Hello,
    Label,
    Level,
    Message,
    Mute,
    Phase,
    Problem,
    Sensitivity,
    Snapshot,
    SoundClass,
    Test,
    Verdict,
    Watch,
    Welcome,
    decode,
    encode,
)
from echonet_satellite.server import Limits
from echonet_satellite.server.guard import TokenBucket
from tests.support.satellite import SatelliteUnderTest, running_satellite


@pytest.fixture
async def satellite(tmp_path: Path) -> AsyncIterator[SatelliteUnderTest]:
    async with running_satellite(tmp_path) as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as shared:
        yield shared
        for raw in Raw.opened:
            await raw.socket.close()
        Raw.opened.clear()


class Raw:
    """A controller that says what it likes."""

    opened: ClassVar[list["Raw"]] = []

    def __init__(self, session: aiohttp.ClientSession, satellite: SatelliteUnderTest) -> None:
        self._session = session
        self._satellite = satellite
        self.socket: aiohttp.ClientWebSocketResponse

    async def open(self, **headers: str) -> "Raw":
        self.socket = await self._session.ws_connect(
            f"https://127.0.0.1:{self._satellite.port}{PATH_SOCKET}", ssl=False, headers=headers
        )
        Raw.opened.append(self)
        hello = await self.take()
        assert isinstance(hello, Hello)
        assert hello.satellite_id == self._satellite.satellite_id
        return self

    async def greet(self, token: str | None = None) -> Snapshot:
        await self.open()
        await self.send(Auth(token=token or self._satellite.issue_token()))
        assert isinstance(await self.take(), Welcome)
        snapshot = await self.take()
        assert isinstance(snapshot, Snapshot)
        return snapshot

    async def send(self, message: Message) -> None:
        await self.socket.send_str(encode(message))

    async def take(self) -> Message:
        return decode(await self.socket.receive_str(timeout=10))

    async def close_code(self) -> int | None:
        async with asyncio.timeout(10):
            async for _ in self.socket:
                pass
        return self.socket.close_code


@pytest.fixture
def raw(session: aiohttp.ClientSession, satellite: SatelliteUnderTest) -> Raw:
    return Raw(session, satellite)


def url(satellite: SatelliteUnderTest, path: str) -> str:
    return f"https://127.0.0.1:{satellite.port}{path}"


async def post(
    session: aiohttp.ClientSession, satellite: SatelliteUnderTest, path: str, body: Any, **headers: str
) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body)
    async with session.post(url(satellite, path), data=data, headers=headers, ssl=False) as response:
        assert response.headers["Server"] == "echonet"
        return response.status, json.loads(await response.text())


# Closing with unread data resets the connection, and that may overtake the close frame.
TOO_BIG = (aiohttp.WSCloseCode.MESSAGE_TOO_BIG, aiohttp.WSCloseCode.ABNORMAL_CLOSURE)
START = {"protocol": 1, "nonce": "A" * 43, "controller_name": "Home"}


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


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (encode(Watch(enabled=True)), CLOSE_BAD_MESSAGE),
        (encode(Hello(protocol=1, satellite_id="x")), CLOSE_BAD_MESSAGE),
        ("nonsense", CLOSE_BAD_MESSAGE),
        (b"binary", CLOSE_BAD_MESSAGE),
        ("x" * 65_537, TOO_BIG),
        (encode(Auth(token="wrong")), CLOSE_BAD_TOKEN),
        (encode(Auth(token="")), CLOSE_BAD_TOKEN),
        (encode(Auth(token="wrong", protocol=2)), CLOSE_PROTOCOL_VERSION),
    ],
)
async def test_what_is_no_good_first_frame(raw: Raw, frame: str | bytes, code: int | tuple[int, ...]) -> None:
    await raw.open()
    await (raw.socket.send_str(frame) if isinstance(frame, str) else raw.socket.send_bytes(frame))
    assert await raw.close_code() in (code if isinstance(code, tuple) else (code,))


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (encode(Auth(token="again")), CLOSE_BAD_MESSAGE),
        (encode(Health()), CLOSE_BAD_MESSAGE),
        ('{"type": "reboot"}', CLOSE_BAD_MESSAGE),
        ('{"type": "mute", "duration_s": -1}', CLOSE_BAD_MESSAGE),
        (b"binary", CLOSE_BAD_MESSAGE),
        ("x" * 65_537, TOO_BIG),
    ],
)
async def test_what_is_no_command(
    raw: Raw, satellite: SatelliteUnderTest, frame: str | bytes, code: int | tuple[int, ...]
) -> None:
    await raw.greet()
    await (raw.socket.send_str(frame) if isinstance(frame, str) else raw.socket.send_bytes(frame))
    assert await raw.close_code() in (code if isinstance(code, tuple) else (code,))
    await satellite.wait_connected(0)


async def test_who_says_nothing_is_sent_away(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    async with running_satellite(tmp_path, limits=Limits(authentication_s=0.2)) as satellite:
        raw = await Raw(session, satellite).open()
        assert await raw.close_code() == CLOSE_AUTHENTICATION_TIMEOUT


async def test_strangers_are_counted(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    async with running_satellite(tmp_path, limits=Limits(strangers=1)) as satellite:
        stranger = await Raw(session, satellite).open()
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await Raw(session, satellite).open()
        assert caught.value.status == 429
        await stranger.socket.close()
        await Raw(session, satellite).greet()


async def test_four_controllers_and_no_more(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    tokens = [satellite.issue_token(f"Home {number}") for number in range(5)]
    four = [Raw(session, satellite) for _ in range(4)]
    for controller, token in zip(four, tokens, strict=False):
        await controller.greet(token)
    fifth = await Raw(session, satellite).open()
    await fifth.send(Auth(token=tokens[4]))
    assert await fifth.close_code() == CLOSE_TOO_MANY_CONTROLLERS
    assert satellite.connected == ("Home 0", "Home 1", "Home 2", "Home 3")


async def test_a_controller_that_comes_back_replaces_itself(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    token = satellite.issue_token()
    seen: list[bool] = []
    satellite.server.sockets.subscribe(lambda _, connected: seen.append(connected))
    first = Raw(session, satellite)
    await first.greet(token)
    second = Raw(session, satellite)
    await second.greet(token)
    assert await first.close_code() == aiohttp.WSCloseCode.GOING_AWAY
    satellite.emit("dog")
    assert isinstance(await second.take(), Detection)
    assert satellite.connected == ("Home",)
    assert False not in seen


async def test_a_forgotten_controller_is_sent_away(raw: Raw, satellite: SatelliteUnderTest) -> None:
    await raw.greet()
    (controller,) = satellite.controllers.all
    await asyncio.gather(satellite.server.sockets.disconnect(controller.id), raw.close_code())
    assert raw.socket.close_code == CLOSE_BAD_TOKEN


async def test_detections_are_told_as_they_happen(raw: Raw, satellite: SatelliteUnderTest) -> None:
    await raw.greet()
    identifier = satellite.emit("alarm", confidence=0.5)
    satellite.emit("alarm", "update", id=identifier, confidence=0.8, pattern="t3")  # type: ignore[arg-type]
    satellite.emit("alarm", "end", id=identifier, duration_s=4.0)
    told = [await raw.take() for _ in range(3)]
    assert all(isinstance(item, Detection) and item.id == identifier for item in told)
    detections = [item for item in told if isinstance(item, Detection)]
    assert [item.phase for item in detections] == [Phase.START, Phase.UPDATE, Phase.END]
    first = detections[0].sequence
    assert [item.sequence for item in detections] == [first, first + 1, first + 2]
    assert not any(item.replayed or item.test for item in detections)


async def test_what_is_going_on_is_in_the_snapshot(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    identifier = satellite.emit("fire")
    satellite.set_health(Problem.MICROPHONE_SILENT)
    await asyncio.sleep(0)
    snapshot = await Raw(session, satellite).greet()
    assert [item.id for item in snapshot.active] == [identifier]
    assert snapshot.health.problems == (Problem.MICROPHONE_SILENT,)
    satellite.emit("fire", "end", id=identifier)
    await asyncio.sleep(0)
    assert (await Raw(session, satellite).greet()).active == ()


async def test_what_was_missed_comes_again_and_only_until_it_is_acknowledged(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    tokens = [satellite.issue_token(name) for name in ("One", "Two")]
    first = Raw(session, satellite)
    await first.greet(tokens[0])
    identifiers = [satellite.emit("dog"), satellite.emit("scream")]
    told = [await first.take() for _ in identifiers]
    assert isinstance(told[0], Detection)
    await first.send(Ack(sequence=told[0].sequence))
    await first.socket.close()
    await satellite.wait_connected(0)

    again = Raw(session, satellite)
    await again.greet(tokens[0])
    missed = await again.take()
    assert isinstance(missed, Detection)
    assert (missed.id, missed.replayed) == (identifiers[1], True)

    # The other controller has acknowledged nothing; each has its own place in the journal.
    other = Raw(session, satellite)
    await other.greet(tokens[1])
    replayed = [await other.take() for _ in identifiers]
    assert [item.id for item in replayed if isinstance(item, Detection)] == identifiers
    live = satellite.emit("gunshot")
    for controller in (again, other):
        message = await controller.take()
        assert isinstance(message, Detection)
        assert (message.id, message.replayed) == (live, False)


async def test_an_acknowledgement_from_the_future_loses_nothing(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    token = satellite.issue_token()
    raw = Raw(session, satellite)
    await raw.greet(token)
    await raw.send(Ack(sequence=2**52))
    await raw.socket.close()
    await satellite.wait_connected(0)
    identifier = satellite.emit("dog")
    await raw.greet(token)
    missed = await raw.take()
    assert isinstance(missed, Detection)
    assert missed.id == identifier


async def test_a_new_controller_is_not_told_old_stories(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    satellite.emit("dog")
    raw = Raw(session, satellite)
    await raw.greet()
    live = satellite.emit("fire")
    message = await raw.take()
    assert isinstance(message, Detection)
    assert message.id == live


async def test_a_restart_of_the_satellite_loses_nothing(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    token = satellite.issue_token()
    identifier = satellite.emit("glass_break")
    await satellite.stop()
    port = satellite.port
    await satellite.start()
    assert satellite.port == port
    raw = Raw(session, satellite)
    snapshot = await raw.greet(token)
    assert snapshot.active == ()
    messages = [await raw.take(), await raw.take()]
    told = [(item.id, item.phase, item.replayed) for item in messages if isinstance(item, Detection)]
    assert told == [(identifier, Phase.START, True), (identifier, Phase.END, True)]


async def test_a_slow_controller_is_dropped_and_gets_everything_later(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    async with running_satellite(tmp_path, limits=Limits(outgoing_messages=8)) as satellite:
        token = satellite.issue_token()
        raw = Raw(session, satellite)
        await raw.greet(token)
        identifiers = [
            satellite.emit("dog") for _ in range(20)
        ]  # in one step, so that nothing is sent between
        assert await raw.close_code() == CLOSE_SLOW_CONTROLLER
        await satellite.wait_connected(0)
        await raw.greet(token)
        missed = [await raw.take() for _ in identifiers]
        assert [item.id for item in missed if isinstance(item, Detection)] == identifiers
        assert all(isinstance(item, Detection) and item.replayed for item in missed)


async def test_a_controller_that_never_reads_is_dropped(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """The network is full towards it, so that not even the close frame gets through."""
    async with running_satellite(tmp_path, limits=Limits(outgoing_messages=8)) as satellite:
        for _ in range(100):
            satellite.emit("dog")  # they make a snapshot of 25 kB
        raw = Raw(session, satellite)
        await raw.greet()
        assert raw.socket._response.connection is not None
        transport = raw.socket._response.connection.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        async with asyncio.timeout(60):
            while satellite.connected:
                await satellite.station.configure(Configure())
        transport.abort()


async def test_settings_are_changed_kept_and_told_to_all(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    one, two = Raw(session, satellite), Raw(session, satellite)
    before = await one.greet()
    await two.greet()
    assert before.settings.sensitivity == dict.fromkeys(SoundClass, Sensitivity.MEDIUM)
    await one.send(Configure(listening=False, sensitivity={SoundClass.DOG: Sensitivity.OFF}))
    for controller in (one, two):
        message = await controller.take()
        assert isinstance(message, Snapshot)
        settings = message.settings
        assert not message.settings.listening
        assert message.settings.sensitivity[SoundClass.DOG] is Sensitivity.OFF
        assert message.settings.sensitivity[SoundClass.FIRE] is Sensitivity.MEDIUM
    assert satellite.configured[-1] == settings
    await satellite.stop()
    await satellite.start()
    assert satellite.station.settings == settings


async def test_levels_only_for_who_watches(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    watching, other = Raw(session, satellite), Raw(session, satellite)
    await watching.greet()
    await other.greet()
    await watching.send(Watch(enabled=True))
    await watching.send(Mute(duration_s=0))  # a command with an answer-free end, to let the first one arrive
    async with asyncio.timeout(10):
        message: Message | None = None
        while message is None:
            satellite.set_level(-20.0)
            try:
                message = decode(await watching.socket.receive_str(timeout=0.05))
            except TimeoutError:
                continue
    assert isinstance(message, Level)
    identifier = satellite.emit("dog")
    first = await other.take()
    assert isinstance(first, Detection)
    assert first.id == identifier


async def test_a_test_detection_begins_and_ends(raw: Raw, satellite: SatelliteUnderTest) -> None:
    await raw.greet()
    await raw.send(Configure(listening=False))
    assert isinstance(await raw.take(), Snapshot)
    await raw.send(Test(sound_class=SoundClass.ALARM))
    start, end = await raw.take(), await raw.take()
    assert isinstance(start, Detection)
    assert isinstance(end, Detection)
    assert (start.phase, end.phase) == (Phase.START, Phase.END)
    assert start.test
    assert end.test
    assert start.id == end.id


async def test_a_label_is_kept(raw: Raw, satellite: SatelliteUnderTest) -> None:
    await raw.greet()
    identifier = satellite.emit("gunshot")
    await raw.take()
    await raw.send(Label(detection_id="unknown", verdict=Verdict.CORRECT))
    await raw.send(Label(detection_id=identifier, verdict=Verdict.FALSE_ALARM))
    await raw.send(Configure())
    assert isinstance(await raw.take(), Snapshot)  # commands are obeyed one after the other
    assert satellite.journal.labels() == {identifier: Verdict.FALSE_ALARM}
