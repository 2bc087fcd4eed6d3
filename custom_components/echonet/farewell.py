"""Tells a satellite that its owner has removed it here, so that it is free for whoever pairs with it next."""

import asyncio
import logging
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .client import ClientError, InvalidToken
from .const import CONF_FINGERPRINT
from .issues import async_report_still_paired_issue
from .paired import PairedSatellite

_LOGGER = logging.getLogger(__name__)

# The owner waits for the entry to be gone.
FAREWELL_TIMEOUT_S: Final = 10.0


async def async_bid_farewell(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Unpair the satellite of an entry that is removed; where it cannot be told, a repair says what is left to do."""
    if CONF_TOKEN not in entry.data:
        return  # It was ignored, and never paired.
    satellite = PairedSatellite(
        session=async_get_clientsession(hass),
        host=entry.data[CONF_HOST],
        port=entry.data[CONF_PORT],
        fingerprint=entry.data[CONF_FINGERPRINT],
        token=entry.data[CONF_TOKEN],
    )
    try:
        async with asyncio.timeout(FAREWELL_TIMEOUT_S):
            await satellite.async_unpair()
    except InvalidToken:
        return
    except (ClientError, TimeoutError) as err:
        _LOGGER.info("%s does not know that it was removed: %s", entry.title, str(err) or "no answer")
        async_report_still_paired_issue(hass, entry)
