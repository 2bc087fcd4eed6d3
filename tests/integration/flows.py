"""Config flows as a person and mDNS drive them."""

from ipaddress import ip_address
from typing import Any

from homeassistant.config_entries import (
    SOURCE_USER,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from custom_components.echonet.const import DOMAIN, HOUSEHOLD_UNIQUE_ID
from custom_components.echonet.protocol import SERVICE_TYPE
from tests.support.satellite import SatelliteUnderTest

WRONG_CODE = "0000-0000-0000-0000"


def announcement(satellite: SatelliteUnderTest, **changes: Any) -> ZeroconfServiceInfo:
    """What mDNS tells of a satellite."""
    values: dict[str, Any] = {
        "ip_address": ip_address(satellite.host),
        "ip_addresses": [ip_address(satellite.host)],
        "port": satellite.port,
        "hostname": "hallway.local.",
        "type": SERVICE_TYPE,
        "name": f"Hallway.{SERVICE_TYPE}",
        "properties": {"id": satellite.satellite_id, "proto": "1", "version": "0.1.0", "paired": "0"},
        **changes,
    }
    return ZeroconfServiceInfo(**values)


async def discover(hass: HomeAssistant, info: ZeroconfServiceInfo) -> ConfigFlowResult:
    """Begin the flow that an announcement begins."""
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_ZEROCONF}, data=info)


async def start_by_hand(hass: HomeAssistant) -> ConfigFlowResult:
    """Begin the flow that a person begins."""
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})


async def answer(hass: HomeAssistant, result: Any, **data: Any) -> Any:
    """Answer the form or menu that a flow shows, and return what comes next."""
    result = await hass.config_entries.flow.async_configure(result["flow_id"], data)
    await hass.async_block_till_done()
    return result


async def move(satellite: SatelliteUnderTest) -> None:
    """Restart a satellite on another port."""
    await satellite.stop()
    satellite.port = 0
    await satellite.start()


async def unload_all(hass: HomeAssistant) -> None:
    """End all connections, before the satellites end."""
    for entry in hass.config_entries.async_entries(DOMAIN):
        if entry.state is ConfigEntryState.LOADED:
            await hass.config_entries.async_unload(entry.entry_id)


def satellite_entry(hass: HomeAssistant) -> ConfigEntry:
    """Return the one entry of a satellite."""
    (entry,) = (
        item for item in hass.config_entries.async_entries(DOMAIN) if item.unique_id != HOUSEHOLD_UNIQUE_ID
    )
    return entry
