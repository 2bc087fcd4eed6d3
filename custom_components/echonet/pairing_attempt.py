"""Where a satellite may be while it is being set up: asks who is there, and pairs at the first address that answers."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util

from .client import CannotConnect, Pairing, PairingClosed, WrongSatellite, async_pair
from .greeting import async_greet
from .plain import plain_name
from .protocol import DEFAULT_PORT, Hello, Installation

# As docs/satellite.md has it installed. An app of Home Assistant shows its code in its log, without a command.
_SERVICE: Final = "sudo echonet-satellite pair"
_COMMANDS: Final = {
    Installation.CONTAINER: "docker exec -it echonet-satellite echonet-satellite pair",
    Installation.USER: "~/echonet-satellite/bin/echonet-satellite pair",
    Installation.COMMAND: "echonet-satellite pair",
}


def pairing_command(installation: Installation | None) -> str:
    """Return what its owner types on a satellite to see a code."""
    return _COMMANDS.get(installation, _SERVICE) if installation is not None else _SERVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A satellite that may be at any of some addresses.

    Attributes:
        hosts: its addresses, the likeliest first; once it has answered at one, that one alone.
        port: of all of them.
        satellite_id: who is meant, None where nobody knows yet.
        name: what its owner calls it, empty where nobody knows yet.
        installation: how it was installed, where it says so.
        shown_until: until when the code that it shows is valid; None if it shows none, or does not say.
    """

    hosts: tuple[str, ...] = ()
    port: int = DEFAULT_PORT
    satellite_id: str | None = None
    name: str = ""
    installation: Installation | None = None
    shown_until: datetime | None = field(default=None, compare=False)

    @property
    def host(self) -> str:
        """Its likeliest address."""
        return self.hosts[0]

    @property
    def shows_code(self) -> bool:
        """Whether it shows a code now, as far as is known."""
        return self.shown_until is not None and self.shown_until > dt_util.now()

    @property
    def is_app(self) -> bool:
        """Whether it runs as an app in Home Assistant, where nobody types commands."""
        return self.installation is Installation.APP

    @property
    def command(self) -> str:
        """What its owner types on it to see a code."""
        return pairing_command(self.installation)


async def async_look(hass: HomeAssistant, candidate: Candidate) -> Candidate:
    """Return what a candidate says of itself.

    Raises:
        ClientError: it is not there, or another one is.
    """
    failed: list[CannotConnect | WrongSatellite] = []
    for host in candidate.hosts:
        try:
            hello = await async_greet(async_get_clientsession(hass), host, candidate.port)
        except CannotConnect as err:
            failed.append(err)
            continue
        if candidate.satellite_id in (None, hello.satellite_id):
            return _known(candidate, host, hello)
        failed.append(WrongSatellite(f"another satellite answers at {host}"))
    raise _most_telling(failed)


async def async_try_code(hass: HomeAssistant, candidate: Candidate, code: str) -> tuple[Candidate, Pairing]:
    """Pair with a candidate, and return where it is.

    Raises:
        ClientError: why that failed.
    """
    failed: list[CannotConnect | PairingClosed | WrongSatellite] = []
    for host in candidate.hosts:
        try:
            pairing = await async_pair(
                async_get_clientsession(hass),
                host,
                candidate.port,
                code,
                controller_name=f"Home Assistant ({hass.config.location_name})",
                satellite_id=candidate.satellite_id,
            )
        except (CannotConnect, PairingClosed, WrongSatellite) as err:
            # An address may lead to another machine: what a satellite calls 172.17.0.1, we may call ourselves.
            failed.append(err)
        else:
            return replace(candidate, hosts=(host,)), pairing
    raise _most_telling(failed)


def _known(candidate: Candidate, host: str, hello: Hello) -> Candidate:
    left = timedelta(seconds=hello.pairing_left_s)
    return replace(
        candidate,
        hosts=(host,),
        satellite_id=hello.satellite_id,
        name=candidate.name or (plain_name(hello.name) if hello.name else ""),
        installation=hello.installation or candidate.installation,
        shown_until=dt_util.now() + left if left else None,
    )


def _most_telling[Failure: Exception](failed: list[Failure]) -> Failure:
    """Return the error of whoever answered, rather than of whoever did not."""
    return next((err for err in failed if type(err) is not CannotConnect), failed[0])
