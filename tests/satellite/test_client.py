"""The client against a real satellite over TLS: pairing, its enemies, and what becomes of a connection."""

import asyncio
from pathlib import Path
import re
import secrets

import aiohttp
import pytest

from echonet_satellite.server import Limits
from tests.support.connections import connect, drain, pair, take
from tests.support.proxy import man_in_the_middle, wire as network
from tests.support.satellite import SatelliteUnderTest, running_satellite
from tests.support.wire import client, protocol


async def test_pairing_gives_what_a_connection_needs(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    code = satellite.open_pairing()
    sloppy = "-".join(re.findall("....", code.lower())).replace("0", "o").replace("1", "l")
    pairing = await pair(session, satellite, sloppy)
    assert pairing.satellite_id == satellite.satellite_id
    assert pairing.fingerprint == satellite.fingerprint
    assert pairing.name == "Hallway"
    assert pairing.token not in repr(pairing)
    assert pairing.token not in (satellite.state / "controllers.json").read_text()
    connection = await connect(session, satellite, token=pairing.token)
    assert connection.welcome.hardware == "Raspberry Pi 4 Model B"
    assert connection.welcome.classes == tuple(protocol.SoundClass)
    assert connection.snapshot.settings.listening
    assert connection.snapshot.active == ()
    assert satellite.connected == ("Home",)
    await connection.close()
    with pytest.raises(client.PairingClosed):
        await pair(session, satellite, code)


async def test_a_wrong_code_sends_no_proof(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    code = satellite.open_pairing()
    for _ in range(5):
        with pytest.raises(client.InvalidCode):
            await pair(session, satellite, "0" * 16)
        assert satellite.window.code == code
    with pytest.raises(client.PairingClosed):
        await pair(session, satellite, code)
    assert satellite.controllers.all == ()


@pytest.mark.parametrize("typed", ["", "123", "U" * 16, "0" * 17])
async def test_what_cannot_be_a_code_is_not_even_tried(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession, typed: str
) -> None:
    satellite.open_pairing()
    with pytest.raises(client.InvalidCode):
        await pair(session, satellite, typed)
    for _ in range(5):
        satellite.window.start(secrets.token_bytes(32), "Still five tries")


async def test_a_man_in_the_middle_learns_nothing(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    code = satellite.open_pairing()
    async with man_in_the_middle(tmp_path / "mallory", satellite.host, satellite.port) as mallory:
        with pytest.raises(client.ImpostorSuspected):
            await pair(session, satellite, code, mallory.port)
        assert b"/pair/start" in mallory.seen  # it did read along
        assert b"/pair/finish" not in mallory.seen  # and there was nothing to pass on
        with pytest.raises(client.InvalidCode):
            await pair(session, satellite, "0" * 16, mallory.port)
        token = satellite.issue_token()
        with pytest.raises(client.CertificateChanged):
            await connect(session, satellite, token=token, port=mallory.port)
        assert token.encode() not in mallory.seen
    assert (await pair(session, satellite, code)).fingerprint == satellite.fingerprint


async def test_a_certificate_that_changes_while_pairing_is_noticed(
    satellite: SatelliteUnderTest, tmp_path: Path
) -> None:
    """The first request reaches the satellite itself, and somebody else takes the second one."""
    code = satellite.open_pairing()
    async with (
        man_in_the_middle(tmp_path / "mallory", satellite.host, satellite.port) as mallory,
        network(satellite.host, satellite.port) as cable,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session,
    ):
        cable.later_port = mallory.port
        with pytest.raises(client.ImpostorSuspected):
            await pair(session, satellite, code, cable.port)
        assert cable.connections == 2
        assert mallory.seen == b""
    assert satellite.window.code == code


async def test_an_impostor_with_the_right_id_cannot_prove_the_code(
    session: aiohttp.ClientSession, satellite: SatelliteUnderTest, tmp_path: Path
) -> None:
    async with running_satellite(tmp_path / "other") as impostor:
        impostor.open_pairing()
        code = satellite.open_pairing()
        with pytest.raises(client.InvalidCode):
            await pair(session, satellite, code, impostor.port)


async def test_wrong_token(satellite: SatelliteUnderTest, session: aiohttp.ClientSession) -> None:
    with pytest.raises(client.InvalidToken):
        await connect(session, satellite, token="wrong")
    satellite.issue_token()
    satellite.forget_controllers()
    with pytest.raises(client.InvalidToken):
        await connect(session, satellite, token="wrong")


async def test_another_satellite_at_the_same_address(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    with pytest.raises(client.WrongSatellite):
        await connect(session, satellite, satellite_id="0" * 32)


async def test_another_certificate(satellite: SatelliteUnderTest, session: aiohttp.ClientSession) -> None:
    token, fingerprint = satellite.issue_token(), satellite.fingerprint
    await satellite.stop()
    satellite.new_identity()
    await satellite.start()
    assert satellite.fingerprint != fingerprint
    with pytest.raises(client.CertificateChanged):
        await connect(session, satellite, token=token, fingerprint=fingerprint)


async def test_nobody_there(satellite: SatelliteUnderTest, session: aiohttp.ClientSession) -> None:
    token = satellite.issue_token()
    await satellite.stop()
    with pytest.raises(client.CannotConnect, match="does not answer"):
        await connect(session, satellite, token=token)
    with pytest.raises(client.CannotConnect, match="no satellite answers"):
        await pair(session, satellite, "0" * 16)
    with pytest.raises(client.CannotConnect, match="is not an address"):
        await client.async_pair(session, "no host", 1, "0" * 16, controller_name="Home")


async def test_a_satellite_that_stops_ends_the_iteration(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    connection = await connect(session, satellite)
    await satellite.stop()
    assert await drain(connection) == []
    with pytest.raises(client.CannotConnect):
        await connection.send(protocol.Watch(enabled=True))
    await connection.close()


async def test_closing_ends_the_iteration_of_another_task(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    connection = await connect(session, satellite)
    reader = asyncio.create_task(drain(connection))
    await asyncio.sleep(0)
    await connection.close()
    assert await reader == []
    await satellite.wait_connected(0)


async def test_a_cut_network_is_an_error(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    async with network(satellite.host, satellite.port) as cable:
        connection = await connect(session, satellite, port=cable.port)
        cable.cut()
        with pytest.raises(client.CannotConnect):
            await drain(connection)


async def test_silence_is_an_error(satellite: SatelliteUnderTest, session: aiohttp.ClientSession) -> None:
    async with network(satellite.host, satellite.port) as cable:
        connection = await connect(session, satellite, port=cable.port, silence_timeout_s=0.3)
        cable.freeze()
        with pytest.raises(client.CannotConnect, match="silent"):
            await drain(connection)


async def test_a_satellite_that_only_pings_is_not_silent(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    async with running_satellite(tmp_path, limits=Limits(heartbeat_s=0.6)) as satellite:
        connection = await connect(session, satellite, silence_timeout_s=1.5)
        reader = asyncio.create_task(take(connection, 1))
        done, _ = await asyncio.wait([reader], timeout=3.5)
        assert not done
        identifier = satellite.emit("dog")
        (message,) = await reader
        assert isinstance(message, protocol.Detection)
        assert message.id == identifier
        await connection.close()


def test_every_error_is_a_client_error_of_echonet() -> None:
    for name in (
        "CannotConnect",
        "CertificateChanged",
        "ImpostorSuspected",
        "InvalidCode",
        "InvalidToken",
        "PairingClosed",
        "UnsupportedProtocol",
        "WrongSatellite",
    ):
        kind = getattr(client, name)
        assert issubclass(kind, client.ClientError)
        assert issubclass(kind, protocol.EchonetError)
