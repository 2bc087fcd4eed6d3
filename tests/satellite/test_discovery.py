"""The announcement, seen by a browser of its own over real multicast where the machine has a network for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from echonet_satellite.addresses import local_addresses
from echonet_satellite.discovery import Announcement, Discovery
from echonet_satellite.protocol import SERVICE_TYPE, Installation

ADDRESSES = tuple(address for address in local_addresses() if ":" not in address)

pytestmark = pytest.mark.skipif(not ADDRESSES, reason="this machine has no network to announce anything in")


class Browser:
    """What others in the network see."""

    def __init__(self, zeroconf: AsyncZeroconf) -> None:
        self._changed = asyncio.Event()
        self.names: dict[str, ServiceStateChange] = {}
        self._zeroconf = zeroconf
        self._browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE_TYPE, handlers=[self._on_change])

    def _on_change(
        self,
        zeroconf: Zeroconf,  # noqa: ARG002 - the library names the arguments
        service_type: str,  # noqa: ARG002 - likewise
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        self.names[name] = state_change
        self._changed.set()

    async def info(self, satellite_id: str, **expected: str) -> AsyncServiceInfo:
        """Wait until a satellite is seen with these properties."""
        async with asyncio.timeout(20):
            while True:
                for name, change in tuple(self.names.items()):
                    found = AsyncServiceInfo(SERVICE_TYPE, name)
                    if change is not ServiceStateChange.Removed and await found.async_request(
                        self._zeroconf.zeroconf, 1000
                    ):
                        properties = found.decoded_properties
                        wanted = {"id": satellite_id, **expected}
                        if all(properties.get(key) == value for key, value in wanted.items()):
                            return found
                await asyncio.sleep(0.05)

    async def gone(self, name: str) -> None:
        async with asyncio.timeout(20):
            while self.names.get(name) is not ServiceStateChange.Removed:
                self._changed.clear()
                await self._changed.wait()

    async def close(self) -> None:
        await self._browser.async_cancel()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    zeroconf = AsyncZeroconf(interfaces=list(ADDRESSES), ip_version=IPVersion.V4Only)
    browsing = Browser(zeroconf)
    yield browsing
    await browsing.close()
    await zeroconf.async_close()


def announcement(**changes: Any) -> Announcement:
    values: dict[str, Any] = {
        "satellite_id": "0123456789abcdef" * 2,
        "name": "Küche 2.0",
        "version": "0.1.0",
        "model": "echonet",
        "port": 8765,
        "paired": False,
        "installation": Installation.SERVICE,
    }
    return Announcement(**{**values, **changes})


async def test_everybody_in_the_network_sees_it_until_it_stops(browser: Browser) -> None:
    said = announcement()
    discovery = Discovery(said, addresses=lambda: ADDRESSES)
    await discovery.start()
    try:
        info = await browser.info(said.satellite_id)
        assert info.port == 8765
        assert set(info.parsed_addresses()) == set(ADDRESSES)
        assert info.name.startswith("Küche 2 0 01234567")
        assert info.decoded_properties == {
            "id": said.satellite_id,
            "proto": "1",
            "version": "0.1.0",
            "model": "echonet",
            "paired": "0",
            "name": "Küche 2.0",
            "install": "service",
        }
        await discovery.set_paired(True)
        await browser.info(said.satellite_id, paired="1")
    finally:
        await discovery.stop()
    await browser.gone(info.name)


async def test_a_network_that_comes_later_and_goes_again(browser: Browser) -> None:
    addresses: tuple[str, ...] = ()
    said = announcement(satellite_id="f" * 32)
    discovery = Discovery(said, addresses=lambda: addresses, check_every_s=0.05)
    await discovery.start()
    try:
        await discovery.set_paired(True)
        assert discovery.announced_addresses == ()
        addresses = ADDRESSES
        info = await browser.info(said.satellite_id, paired="1")
        assert discovery.announced_addresses == ADDRESSES
        addresses = ()
        await browser.gone(info.name)
    finally:
        await discovery.stop()


async def test_trouble_with_the_network_is_no_end() -> None:
    # An address of the documentation range: nobody has it, so that nothing can be bound to it.
    discovery = Discovery(announcement(), addresses=lambda: ("203.0.113.1",), check_every_s=0.05)
    await discovery.start()
    await asyncio.sleep(0.3)
    await discovery.stop()
    assert discovery.announced_addresses == ()


async def test_a_long_name_fits_into_a_label() -> None:
    info = Discovery(announcement(name="ü" * 40))._make_info(("192.0.2.1",))
    label = info.name.removesuffix(f".{SERVICE_TYPE}")
    assert len(label.encode()) <= 63
    assert label.endswith(" 01234567")
