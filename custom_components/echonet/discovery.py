"""Reads what a satellite announces, which is untrusted, and follows a known one to its new address."""

from contextlib import suppress
from dataclasses import dataclass
import re

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from .client import ClientError, async_connect
from .const import CONF_FINGERPRINT, DOMAIN
from .plain import plain_name
from .protocol import EchonetError, Installation

_SATELLITE_ID = re.compile(r"[0-9a-f]{32}")
# More addresses than a satellite has; somebody who announces hundreds keeps nobody busy.
MAX_ADDRESSES = 8


class InvalidDiscovery(EchonetError):
    """An announcement that no satellite of ours would make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """An announcement.

    Attributes:
        satellite_id: who announces itself.
        name: what its owner calls it.
        hosts: its addresses, the likeliest first; not every one must be reachable from here.
        port: of all of them.
        hostname: the name that it gives for them.
        installation: how it was installed, where it says so.
    """

    satellite_id: str
    name: str
    hosts: tuple[str, ...]
    port: int
    hostname: str
    installation: Installation | None = None

    def knows_as(self, host: str) -> bool:
        """Tell whether a host is one of the names and addresses that are announced."""
        return host.lower() in {*self.hosts, self.hostname}


def read_discovery(info: ZeroconfServiceInfo) -> Discovered:
    """Return what an announcement says, cleaned.

    Raises:
        InvalidDiscovery: the id or the port is missing or malformed.
    """
    satellite_id = info.properties.get("id")
    if not isinstance(satellite_id, str) or not _SATELLITE_ID.fullmatch(satellite_id) or not info.port:
        raise InvalidDiscovery("the announcement has no proper id or port")
    installation = None
    with suppress(ValueError):
        installation = Installation(str(info.properties.get("install")))
    # The name of the service also holds what tells two of one name apart.
    name = info.properties.get("name") or info.name.removesuffix(f".{info.type}")
    return Discovered(
        satellite_id=satellite_id,
        name=plain_name(name),
        hosts=_hosts(info),
        port=info.port,
        hostname=info.hostname.rstrip(".").lower(),
        installation=installation,
    )


@callback
def async_distinct_name(hass: HomeAssistant, name: str, satellite_id: str) -> str:
    """Return the name of a satellite, with digits of its id where another one is called the same."""
    titles = {
        entry.title for entry in hass.config_entries.async_entries(DOMAIN) if entry.unique_id != satellite_id
    }
    for flow in hass.config_entries.flow.async_progress_by_handler(DOMAIN):
        context = flow["context"]
        if context.get("unique_id") != satellite_id:
            titles.add(context.get("title_placeholders", {}).get(CONF_NAME, ""))
    return f"{name} ({satellite_id[:4].upper()})" if name in titles else name


def _hosts(info: ZeroconfServiceInfo) -> tuple[str, ...]:
    """Return the announced addresses, first the one that Home Assistant would take; where IPv4 is, it goes first."""
    addresses = dict.fromkeys((info.ip_address, *info.ip_addresses))
    usable = [item for item in addresses if not (item.is_loopback or item.is_link_local)]
    ordered = sorted(usable or addresses, key=lambda item: item.version)
    return tuple(str(item) for item in ordered[:MAX_ADDRESSES])


async def async_follow(hass: HomeAssistant, entry: ConfigEntry, discovered: Discovered) -> None:
    """Give an entry the first announced address at which the satellite proves itself.

    The pinned certificate is checked before anything is sent, so that a false announcement learns nothing. A satellite
    that is connected, or whose address has not changed and is not in use, is left alone.
    """
    host, port = entry.data[CONF_HOST], entry.data[CONF_PORT]
    hosts = discovered.hosts
    if discovered.knows_as(host) and port == discovered.port:
        if not _is_away(entry):
            return
        # Of the addresses that a satellite announces, ours may be the one that cannot be reached any more.
        hosts = tuple(dict.fromkeys((host, *hosts)))
    for candidate in hosts:
        try:
            connection = await async_connect(
                async_get_clientsession(hass),
                candidate,
                discovered.port,
                satellite_id=discovered.satellite_id,
                fingerprint=entry.data[CONF_FINGERPRINT],
                token=entry.data[CONF_TOKEN],
            )
        except ClientError:
            continue
        await connection.close()
        if (candidate, discovered.port) != (host, port):
            hass.config_entries.async_update_entry(
                entry, data={**entry.data, CONF_HOST: candidate, CONF_PORT: discovered.port}
            )
        return


def _is_away(entry: ConfigEntry) -> bool:
    if entry.state is ConfigEntryState.LOADED:
        return not entry.runtime_data.last_update_success
    return entry.state is ConfigEntryState.SETUP_RETRY
