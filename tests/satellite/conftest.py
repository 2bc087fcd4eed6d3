"""A running satellite, and what speaks to it: over TLS on the loopback interface."""

from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import aiohttp
from hypothesis import HealthCheck, settings
import pytest

from tests.support.raw import Raw
from tests.support.satellite import SatelliteUnderTest, running_satellite

# A busy machine is slow, and that is no fault of what is tested.
settings.register_profile("echonet", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("echonet")


@pytest.fixture(autouse=True)
def _sockets_allowed() -> None:
    """Open the loopback interface, which the Home Assistant harness forbids by default."""
    if find_spec("pytest_socket") is not None:
        import pytest_socket  # noqa: PLC0415 - only where Home Assistant's harness is installed

        pytest_socket.enable_socket()


@pytest.fixture
async def satellite(tmp_path: Path) -> AsyncIterator[SatelliteUnderTest]:
    """One satellite with all classes, called Hallway."""
    async with running_satellite(tmp_path) as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """What a controller connects with."""
    async with aiohttp.ClientSession() as shared:
        yield shared
        for raw in Raw.opened:
            await raw.socket.close()
        Raw.opened.clear()


@pytest.fixture
def raw(session: aiohttp.ClientSession, satellite: SatelliteUnderTest) -> Raw:
    """A controller that says what it likes, not connected yet."""
    return Raw(session, satellite)
