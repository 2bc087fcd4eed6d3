"""EchoNet: satellites that recognise sounds, and a household that is told of them."""

import asyncio

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.singleton import singleton
from homeassistant.helpers.typing import ConfigType

from .activity import async_tell_activity
from .card import async_setup_card
from .clip_access import ClipView
from .const import DOMAIN, HOUSEHOLD_PLATFORMS, SATELLITE_PLATFORMS
from .coordinator import SatelliteConfigEntry, SatelliteCoordinator
from .farewell import async_bid_farewell
from .household.answers import async_listen_for_answers
from .household.entity import async_add_home_subentry
from .household.runtime import Household, HouseholdConfigEntry, is_household
from .household.silence_watch import async_forget_silences
from .household.storage import StateStore
from .household.walk_test import async_forget_walks
from .issues import (
    async_clear_chatterbox_issue,
    async_clear_clock_issue,
    async_clear_connection_issues,
    async_clear_recipient_issue,
    async_clear_still_paired_issue,
)
from .last_known import LastKnown
from .recent import RecentSounds
from .services import async_setup_services
from .watch import async_setup_watch

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

type EchonetConfigEntry = SatelliteConfigEntry | HouseholdConfigEntry


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register actions, clips and the card, which are there also while nothing is set up and then say so."""
    async_setup_services(hass)
    async_listen_for_answers(hass)
    hass.http.register_view(ClipView)
    async_setup_watch(hass)
    await async_setup_card(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: EchonetConfigEntry) -> bool:
    """Set up a satellite, or the household."""
    if is_household(entry):
        household = Household(hass, entry)
        async_add_home_subentry(hass, entry)
        await household.async_load()
        entry.runtime_data = household
        # Before anything else: a satellite may be set up at the same time, and what it tells is told once.
        household.async_connect()
        await hass.config_entries.async_forward_entry_setups(entry, HOUSEHOLD_PLATFORMS)
        household.async_ready()
        return True
    async_clear_still_paired_issue(hass, entry)
    coordinator = SatelliteCoordinator(hass, entry)
    await coordinator.async_setup()
    entry.runtime_data = coordinator
    # Of hundreds that connect at once, the entities of one after the other, so that all else has its turn meanwhile.
    async with _async_turn(hass):
        await hass.config_entries.async_forward_entry_setups(entry, SATELLITE_PLATFORMS)
    entry.async_on_unload(async_tell_activity(hass, coordinator))
    coordinator.async_start()
    return True


@singleton(f"{DOMAIN}_turn")
@callback
def _async_turn(hass: HomeAssistant) -> asyncio.Lock:
    """Return what lets one entry after the other set up its entities."""
    return asyncio.Lock()


async def async_unload_entry(hass: HomeAssistant, entry: EchonetConfigEntry) -> bool:
    """Unload a satellite, or the household."""
    if is_household(entry):
        await entry.runtime_data.async_stop()
    platforms = HOUSEHOLD_PLATFORMS if is_household(entry) else SATELLITE_PLATFORMS
    return await hass.config_entries.async_unload_platforms(entry, platforms)


async def async_remove_entry(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Withdraw the repair issues of what is removed, forget what is stored of it, and have its satellite forget us."""
    if is_household(entry):
        await StateStore(hass).async_remove()
        async_forget_silences(hass)
        await async_forget_walks(hass)
    else:
        await LastKnown(hass, entry.entry_id).async_remove()
        await RecentSounds(hass, entry.entry_id).async_remove()
        await async_bid_farewell(hass, entry)
    async_clear_connection_issues(hass, entry)
    async_clear_chatterbox_issue(hass, entry)
    async_clear_clock_issue(hass, entry)
    for subentry_id in entry.subentries:
        async_clear_recipient_issue(hass, subentry_id)
