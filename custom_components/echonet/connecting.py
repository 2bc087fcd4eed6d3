"""One attempt to connect to the satellite of an entry, and the repairs that say what keeps it away."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .client import (
    CertificateChanged,
    ClientError,
    Connection,
    UnsupportedProtocol,
    WrongSatellite,
    async_connect,
)
from .codec import ToldOnce
from .const import CONF_FINGERPRINT
from .greeting import async_greet
from .issues import async_clear_connection_issues, async_report_connection_issue


async def async_connect_entry(hass: HomeAssistant, entry: ConfigEntry, skipped: ToldOnce) -> Connection:
    """Connect, or raise a `ClientError`; `skipped` is told what only a newer version understands."""
    try:
        connection = await async_connect(
            async_get_clientsession(hass),
            entry.data[CONF_HOST],
            entry.data[CONF_PORT],
            satellite_id=entry.unique_id or "",
            fingerprint=entry.data[CONF_FINGERPRINT],
            token=entry.data[CONF_TOKEN],
            skipped=skipped,
        )
    except CertificateChanged as err:
        if (found := await _async_who(hass, entry)) not in (None, entry.unique_id):
            raise WrongSatellite(f"another satellite ({found}) answers at this address") from None
        async_report_connection_issue(hass, entry, err)
        raise
    except UnsupportedProtocol as err:
        async_report_connection_issue(hass, entry, err)
        raise
    async_clear_connection_issues(hass, entry)
    return connection


async def _async_who(hass: HomeAssistant, entry: ConfigEntry) -> str | None:
    """Return who answers there by its own word: a router may have given the address to another satellite."""
    try:
        hello = await async_greet(async_get_clientsession(hass), entry.data[CONF_HOST], entry.data[CONF_PORT])
    except ClientError:
        return None
    return hello.satellite_id
