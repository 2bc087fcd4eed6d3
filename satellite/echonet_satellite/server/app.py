"""Puts the TLS server together, and starts and stops it."""

from collections.abc import Collection, Sequence
import errno
import socket
from typing import Final, Protocol

from aiohttp import web

from ..controllers import Controllers
from ..errors import ServerError
from ..identity import Identity
from ..pairing_window import PairingWindow
from ..protocol import PATH_SOCKET
from ..station import Station
from .door import Door
from .guard import TokenBucket, guard, hide_software
from .link import Limits
from .pairing_routes import MAX_BODY_BYTES, PairingRoutes
from .sockets import Sockets

_ANY_IPV4: Final = "0.0.0.0"  # noqa: S104 - Home Assistant is another machine; who may speak is decided later


class Service(Protocol):
    """Something more that is served."""

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add its routes."""

    def close(self) -> None:
        """Give up what is under way, because the satellite stops."""


class Server:
    """The TLS server of one satellite."""

    def __init__(
        self,
        identity: Identity,
        station: Station,
        controllers: Controllers,
        window: PairingWindow,
        *,
        services: Sequence[Service] = (),
        allowed_hosts: Collection[str] = (),
        limits: Limits | None = None,
        bucket: TokenBucket | None = None,
    ) -> None:
        """Serve `station` and further `services` to `controllers`, and pair through `window`."""
        self._limits = limits or Limits()
        self._controllers = controllers
        self._door: Door | None = None
        self.sockets = Sockets(station, controllers, self._limits, lambda: window.remaining_s)
        self._identity = identity
        application = web.Application(middlewares=[guard(allowed_hosts)], client_max_size=MAX_BODY_BYTES)
        application.on_response_prepare.append(hide_software)
        application.router.add_get(PATH_SOCKET, self.sockets.handle)
        PairingRoutes(
            window,
            controllers,
            satellite_id=identity.satellite_id,
            name=station.info.name,
            on_paired=station.welcome_controller,
            bucket=bucket or TokenBucket(burst=20, per_second=0.5),
        ).add_to(application.router)
        self._services = tuple(services)
        for service in self._services:
            service.add_to(application.router)
        self._runner = web.AppRunner(
            application, access_log=None, handle_signals=False, shutdown_timeout=1.0, keepalive_timeout=15.0
        )

    async def start(self, port: int, addresses: Sequence[str] = ()) -> int:
        """Listen on `port` (0: any free one) of these addresses (none: of all), and return the port.

        Raises:
            ServerError: the port is taken or may not be used, or an address is not ours.
        """
        await self._runner.setup()
        assert self._runner.server is not None
        self._door = Door(
            self._runner.server,
            self._identity.ssl_context(),
            lambda: {controller.address for controller in self._controllers.all},
            strangers=self._limits.strangers,
            per_address=self._limits.strangers_per_address,
            stay_s=self._limits.stranger_stays_s,
        )
        try:
            # On all addresses, a free port would be another one for IPv4 than for IPv6.
            return await self._door.listen(port, addresses or (() if port else (_ANY_IPV4,)))
        except OSError as err:
            await self._door.close()
            await self._runner.cleanup()
            raise ServerError(_explain(err, port, addresses)) from None

    async def stop(self) -> None:
        """End all connections and free the port."""
        if self._door is not None:
            await self._door.close()
        await self.sockets.close()
        for service in self._services:
            service.close()
        await self._runner.cleanup()


def _explain(err: OSError, port: int, addresses: Sequence[str]) -> str:
    number = err.errno
    if number == errno.EADDRINUSE:
        return f"port {port} is in use: stop the other program, or choose another port with --port"
    if number == errno.EACCES:
        return f"port {port} may not be used: choose one above 1023 with --port"
    if number == errno.EADDRNOTAVAIL or isinstance(err, socket.gaierror):
        return f"this machine has no address {', '.join(addresses)}: correct `bind` in the configuration"
    return f"cannot listen on port {port}: {err.strerror or err}"
