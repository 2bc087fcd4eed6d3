"""Who may hold a socket of the satellite, how many, and who loses it: the clumsy, the forgotten and the slow."""

import asyncio
from pathlib import Path
import ssl

import aiohttp
import pytest

from echonet_satellite.codec import encode
from echonet_satellite.protocol import (
    CLOSE_AUTHENTICATION_TIMEOUT,
    CLOSE_BAD_MESSAGE,
    CLOSE_BAD_TOKEN,
    CLOSE_PROTOCOL_VERSION,
    CLOSE_SLOW_CONTROLLER,
    CLOSE_TOO_MANY_CONTROLLERS,
    Auth,
    Configure,
    Detection,
    Health,
    Hello,
    Sensitivity,
    Snapshot,
    SoundClass,
    Watch,
)
from echonet_satellite.server import Limits
from echonet_satellite.server.door import hang_up
from tests.support.raw import Raw
from tests.support.satellite import SatelliteUnderTest, running_satellite

# Closing with unread data resets the connection, and that may overtake the close frame.
TOO_BIG = (aiohttp.WSCloseCode.MESSAGE_TOO_BIG, aiohttp.WSCloseCode.ABNORMAL_CLOSURE)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (encode(Watch(enabled=True)), CLOSE_BAD_MESSAGE),
        (encode(Hello(protocol=1, satellite_id="x")), CLOSE_BAD_MESSAGE),
        ("nonsense", CLOSE_BAD_MESSAGE),
        # A stranger is not given the benefit of being newer.
        ('{"type": "reboot"}', CLOSE_BAD_MESSAGE),
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


async def test_a_newer_controller_is_served_as_far_as_it_is_understood(
    raw: Raw, satellite: SatelliteUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    await raw.greet()
    for frame in ('{"type": "reboot"}', '{"type": "test", "sound_class": "cat"}') * 3:
        await raw.socket.send_str(frame)
    await raw.socket.send_str('{"type": "configure", "sensitivity": {"cat": "low", "dog": "high"}}')
    snapshot = await raw.take()
    assert isinstance(snapshot, Snapshot)
    assert snapshot.settings.sensitivity[SoundClass.DOG] is Sensitivity.HIGH
    assert caplog.text.count("reboot") == 1
    assert satellite.connected


async def test_who_says_nothing_is_sent_away(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    async with running_satellite(tmp_path, limits=Limits(authentication_s=0.2)) as satellite:
        raw = await Raw(session, satellite).open()
        assert await raw.close_code() == CLOSE_AUTHENTICATION_TIMEOUT


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


async def test_a_connection_that_was_closed_twice_can_still_be_ended(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    """Python 3.11 lets a TLS transport forget what it would end, and raised while the satellite stopped."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", satellite.port, ssl=context)
    transport = writer.transport
    transport.close()
    transport.close()
    hang_up(transport)
    assert transport.is_closing()
