"""Announces the satellite in the local network (zeroconf), and again when the network or the pairing changes."""

import asyncio
from collections.abc import Callable
import contextlib
from dataclasses import dataclass, replace
import ipaddress
import logging
from typing import Final

from zeroconf import Error as ZeroconfError, IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from .addresses import local_addresses, multicast_addresses
from .protocol import PROTOCOL_VERSION, SERVICE_TYPE, Installation

_LOGGER = logging.getLogger(__name__)

_CHECK_EVERY_S: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What everybody in the network may know; it proves nothing."""

    satellite_id: str
    name: str
    version: str
    model: str
    port: int
    paired: bool
    installation: Installation

    def properties(self) -> dict[str, str]:
        """Return the TXT record."""
        return {
            "id": self.satellite_id,
            "proto": str(PROTOCOL_VERSION),
            "version": self.version,
            "model": self.model,
            "paired": "1" if self.paired else "0",
            "name": self.name,
            "install": self.installation.value,
        }


class Discovery:
    """Keeps an announcement in the network until it is stopped; a network that is not there yet is waited for."""

    def __init__(
        self,
        announcement: Announcement,
        *,
        addresses: Callable[[], tuple[str, ...]] | None = None,
        check_every_s: float = _CHECK_EVERY_S,
    ) -> None:
        """Announce on the addresses that `addresses` names, else on all of this machine."""
        self._announcement = announcement
        self._addresses = addresses or local_addresses
        self._check_every_s = check_every_s
        self._announced: tuple[str, ...] = ()
        self._zeroconf: AsyncZeroconf | None = None
        self._info: AsyncServiceInfo | None = None
        self._task: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    @property
    def announced_addresses(self) -> tuple[str, ...]:
        """The addresses under which the satellite is announced now."""
        return self._announced

    async def start(self) -> None:
        """Begin to announce; trouble with the network is logged and tried again."""
        self._task = asyncio.create_task(self._keep_announced())

    async def stop(self) -> None:
        """Say goodbye to the network."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        async with self._lock:
            await self._withdraw()

    async def set_paired(self, paired: bool) -> None:
        """Update what is said about pairing."""
        async with self._lock:
            if paired is self._announcement.paired:
                return
            self._announcement = replace(self._announcement, paired=paired)
            if self._zeroconf is None:
                return
            info = self._make_info(self._announced)
            try:
                await (await self._zeroconf.async_update_service(info))
            except (OSError, ZeroconfError) as err:
                _LOGGER.warning("Cannot update the announcement: %s", err)
            self._info = info

    async def _keep_announced(self) -> None:
        while True:
            async with self._lock:
                addresses = self._addresses()
                if addresses != self._announced:
                    try:
                        await self._withdraw()
                        await self._announce(addresses)
                    except (OSError, ZeroconfError) as err:
                        _LOGGER.warning(
                            "Cannot announce the satellite, trying again: %s", str(err) or type(err).__name__
                        )
                        await self._withdraw()
            await asyncio.sleep(self._check_every_s)

    async def _announce(self, addresses: tuple[str, ...]) -> None:
        if not addresses:
            _LOGGER.warning("There is no network to announce the satellite in; waiting for one")
            self._announced = addresses
            return
        # These very addresses: on the loopback interface nobody listens, and sending there fails; so it may in a VPN.
        interfaces = multicast_addresses(addresses)
        self._zeroconf = AsyncZeroconf(interfaces=list(interfaces), ip_version=_ip_version(interfaces))
        self._info = self._make_info(addresses)
        self._announced = addresses
        # The id makes the name unique; two satellites may well be called alike.
        await (await self._zeroconf.async_register_service(self._info, allow_name_change=True))
        _LOGGER.debug("Announced on %s", ", ".join(addresses))

    async def _withdraw(self) -> None:
        self._announced = ()
        zeroconf = self._zeroconf
        if zeroconf is None:
            return
        try:
            with contextlib.suppress(OSError, ZeroconfError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await zeroconf.async_unregister_all_services()
        finally:
            # Also when `stop` interrupts: its sockets would stay open for ever.
            self._zeroconf = None
            await zeroconf.async_close()

    def _make_info(self, addresses: tuple[str, ...]) -> AsyncServiceInfo:
        said = self._announcement
        short_id = said.satellite_id[:8]
        # A label holds 63 bytes; dots would end it.
        label = said.name.replace(".", " ").encode()[:50].decode(errors="ignore").strip()
        return AsyncServiceInfo(
            SERVICE_TYPE,
            f"{label} {short_id}.{SERVICE_TYPE}",
            port=said.port,
            parsed_addresses=list(addresses),
            properties=said.properties(),
            server=f"echonet-{said.satellite_id[:12]}.local.",
        )


def _ip_version(addresses: tuple[str, ...]) -> IPVersion:
    if all(ipaddress.ip_address(address).version == 4 for address in addresses):
        return IPVersion.V4Only
    return IPVersion.All
