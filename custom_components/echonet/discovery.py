"""Reads what a satellite announces, which is untrusted, and follows a known one to its new address."""

from dataclasses import dataclass
import re

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from .client import ClientError, async_connect
from .const import CONF_FINGERPRINT
from .plain import plain_name
from .protocol import EchonetError

_SATELLITE_ID = re.compile(r"[0-9a-f]{32}")


class InvalidDiscovery(EchonetError):
    """An announcement that no satellite of ours would make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """An announcement; `known_as` are all the names and addresses that it gives for the same satellite."""

    satellite_id: str
    name: str
    host: str
    port: int
    known_as: frozenset[str]


def read_discovery(info: ZeroconfServiceInfo) -> Discovered:
    """Return what an announcement says, cleaned.

    Raises:
        InvalidDiscovery: the id or the port is missing or malformed.
    """
    satellite_id = info.properties.get("id")
    if not isinstance(satellite_id, str) or not _SATELLITE_ID.fullmatch(satellite_id) or not info.port:
        raise InvalidDiscovery("the announcement has no proper id or port")
    return Discovered(
        satellite_id=satellite_id,
        name=plain_name(info.name.removesuffix(f".{info.type}")),
        host=info.host,
        port=info.port,
        known_as=frozenset({*info.addresses, info.hostname.rstrip(".").lower()}),
    )


async def async_follow(hass: HomeAssistant, entry: ConfigEntry, discovered: Discovered) -> None:
    """Give an entry the announced address, if the satellite proves itself there.

    The pinned certificate is checked before anything is sent, so that a false announcement learns nothing.
    """
    same_host = entry.data[CONF_HOST].lower() in discovered.known_as
    if same_host and entry.data[CONF_PORT] == discovered.port:
        return
    try:
        connection = await async_connect(
            async_get_clientsession(hass),
            discovered.host,
            discovered.port,
            satellite_id=discovered.satellite_id,
            fingerprint=entry.data[CONF_FINGERPRINT],
            token=entry.data[CONF_TOKEN],
        )
    except ClientError:
        return
    await connection.close()
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_HOST: discovered.host, CONF_PORT: discovered.port}
    )
