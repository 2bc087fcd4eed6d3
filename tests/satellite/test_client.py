"""The client against a real satellite over TLS."""

from pathlib import Path

import aiohttp

from tests.support.satellite import running_satellite
from tests.support.wire import client


async def test_pair_and_connect(tmp_path: Path) -> None:
    async with running_satellite(tmp_path) as satellite, aiohttp.ClientSession() as session:
        code = satellite.open_pairing()
        pairing = await client.async_pair(
            session, satellite.host, satellite.port, code, controller_name="Home"
        )
        connection = await client.async_connect(
            session,
            satellite.host,
            satellite.port,
            satellite_id=pairing.satellite_id,
            fingerprint=pairing.fingerprint,
            token=pairing.token,
        )
        assert connection.welcome.name == "Hallway"
        await connection.close()
