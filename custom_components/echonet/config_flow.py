"""Adds satellites by discovery or by address, and keeps their trust and address up to date."""

from collections.abc import Mapping
from dataclasses import replace
import logging
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_REAUTH,
    SOURCE_SYSTEM,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    FlowType,
    OptionsFlow,
)
from homeassistant.const import CONF_CODE, CONF_HOST, CONF_NAME, CONF_PORT, CONF_TOKEN
from homeassistant.core import callback
from homeassistant.helpers import selector
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import probatio

from .address import Address, InvalidAddress, parse_address
from .client import CannotConnect, ClientError, Pairing, PairingClosed, WrongSatellite, async_connect
from .const import CONF_FINGERPRINT, DOMAIN, HOUSEHOLD_UNIQUE_ID, SUBENTRY_RECIPIENT
from .discovery import InvalidDiscovery, async_distinct_name, async_follow, read_discovery
from .helpers import async_get_household, async_get_satellites, async_household_title, translation_key
from .household.options import options_of_times
from .household.options_flow import TIMES_SCHEMA, HouseholdOptionsFlow
from .household.recipient_flow import RecipientFlow
from .household.runtime import is_household
from .pairing_attempt import Candidate, async_look, async_try_code
from .sounds_flow import SoundsFlow

_LOGGER = logging.getLogger(__name__)

ADDRESS_SCHEMA = probatio.Schema({probatio.Required(CONF_HOST): selector.TextSelector()})
CODE_SCHEMA = probatio.Schema({probatio.Required(CONF_CODE): selector.TextSelector()})


class EchonetConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up a satellite or the household."""

    VERSION = 1

    def __init__(self) -> None:
        """Begin without knowing where the satellite is."""
        self._candidate = Candidate()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Offer recipients to the household."""
        return {SUBENTRY_RECIPIENT: RecipientFlow} if is_household(config_entry) else {}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the options of the household, or what teaches a satellite, which keeps its settings itself."""
        return HouseholdOptionsFlow() if is_household(config_entry) else SoundsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a satellite; the household only if somebody has removed it."""
        if async_get_satellites(self.hass) and async_get_household(self.hass) is None:
            return self.async_show_menu(step_id="user", menu_options=["satellite", "household"])
        return await self.async_step_satellite()

    async def async_step_household(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Add the household again."""
        await self.async_set_unique_id(HOUSEHOLD_UNIQUE_ID)
        self._abort_if_unique_id_configured()
        return self.async_create_entry(title=await async_household_title(self.hass), data={})

    async def async_step_system(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Add the household along with the first satellite."""
        return await self.async_step_household()

    async def async_step_satellite(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the address of a satellite that discovery has not found, and look whether it is there."""
        if user_input is None:
            return self._show_address()
        try:
            address = parse_address(user_input[CONF_HOST])
            candidate = Candidate(hosts=(address.host,), port=address.port)
            self._candidate = await async_look(self.hass, candidate)
        except Exception as err:  # noqa: BLE001  # becomes "unknown" in the form, and a traceback in the log
            return self._show_address(user_input[CONF_HOST], err)
        return self._show_code()

    @override
    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Take in what a satellite says of itself on the network; anybody could say it."""
        try:
            discovered = read_discovery(discovery_info)
        except InvalidDiscovery:
            return self.async_abort(reason="invalid_discovery")
        entry = await self.async_set_unique_id(discovered.satellite_id)
        if entry is not None and entry.source != SOURCE_IGNORE:
            await async_follow(self.hass, entry, discovered)
            if entry.state is ConfigEntryState.LOADED:
                entry.runtime_data.async_wake()
        self._abort_if_unique_id_configured()
        name = async_distinct_name(self.hass, discovered.name, discovered.satellite_id)
        self._candidate = Candidate(
            hosts=discovered.hosts,
            port=discovered.port,
            satellite_id=discovered.satellite_id,
            name=name,
            installation=discovered.installation,
        )
        self.context["title_placeholders"] = {CONF_NAME: name}
        # Whoever opens the dialog has it looked up; an announcement alone makes us connect to nobody.
        return self._show_code()

    async def async_step_pair(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the code of a satellite that has to be told to show it."""
        return await self._async_step_code(user_input)

    async def async_step_code(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the code that the satellite shows already."""
        return await self._async_step_code(user_input)

    async def async_step_app(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the code that an app of Home Assistant shows in its log."""
        return await self._async_step_code(user_input)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Pair again: the satellite does not know our token any more."""
        entry = self._get_reauth_entry()
        self._candidate = Candidate(
            hosts=(entry_data[CONF_HOST],),
            port=entry_data[CONF_PORT],
            satellite_id=entry.unique_id,
            name=entry.title,
        )
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a new code."""
        return await self._async_step_code(user_input)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a new address, and prove it with the trust that we have; or for the household's settings."""
        entry = self._get_reconfigure_entry()
        if is_household(entry):
            return await self.async_step_reconfigure_household()
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                address = parse_address(user_input[CONF_HOST])
                await async_look(
                    self.hass,
                    Candidate(hosts=(address.host,), port=address.port, satellite_id=entry.unique_id),
                )
                connection = await async_connect(
                    async_get_clientsession(self.hass),
                    address.host,
                    address.port,
                    satellite_id=entry.unique_id or "",
                    fingerprint=entry.data[CONF_FINGERPRINT],
                    token=entry.data[CONF_TOKEN],
                )
            except Exception as err:  # noqa: BLE001  # becomes "unknown" in the form, and a traceback in the log
                errors["base"] = _error_key(err)
            else:
                await connection.close()
                return self.async_update_reload_and_abort(
                    entry, data_updates={CONF_HOST: address.host, CONF_PORT: address.port}
                )
        known = Address(host=entry.data[CONF_HOST], port=entry.data[CONF_PORT])
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                ADDRESS_SCHEMA, user_input or {CONF_HOST: str(known)}
            ),
            errors=errors,
            description_placeholders={CONF_NAME: entry.title},
        )

    async def async_step_reconfigure_household(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how often the household is to be reminded, and for its hours, which are also among its options."""
        entry = self._get_reconfigure_entry()
        if user_input is not None:
            return self.async_update_and_abort(entry, options={**entry.options, **user_input})
        return self.async_show_form(
            step_id="reconfigure_household",
            data_schema=self.add_suggested_values_to_schema(TIMES_SCHEMA, options_of_times(entry.options)),
        )

    @override
    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """With the first satellite, add the household and ask at once who should hear of alerts."""
        if is_household(result["result"]):
            return result
        if async_get_household(self.hass) is not None or len(async_get_satellites(self.hass)) > 1:
            # Asked once. Whoever has closed the question is reminded by a repair, and not by each further satellite.
            return result
        created = await self.hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_SYSTEM})
        household = created["result"]
        recipient = await self.hass.config_entries.subentries.async_init(
            (household.entry_id, SUBENTRY_RECIPIENT), context={"source": SOURCE_USER}
        )
        result["next_flow"] = (FlowType.CONFIG_SUBENTRIES_FLOW, recipient["flow_id"])
        return result

    async def _async_step_code(self, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        """Look at the satellite when the dialog is opened; pair with it once its code has been typed."""
        try:
            if user_input is None:
                self._candidate = await async_look(self.hass, self._candidate)
                return self._show_code()
            self._candidate, pairing = await async_try_code(self.hass, self._candidate, user_input[CONF_CODE])
        except Exception as err:  # noqa: BLE001  # becomes "unknown" in the form, and a traceback in the log
            if isinstance(err, WrongSatellite) and user_input is not None:
                # The code was another one's than that which was announced, or is paired.
                return self.async_abort(reason="wrong_satellite")
            if self.source == SOURCE_USER and isinstance(err, CannotConnect):
                return self._show_address(str(self._address), err)
            if isinstance(err, PairingClosed):
                self._candidate = replace(self._candidate, shown_until=None)
            return self._show_code({"base": _error_key(err)})
        if self.source == SOURCE_REAUTH:
            return self.async_update_reload_and_abort(self._get_reauth_entry(), data_updates=_trust(pairing))
        return await self._async_finish(pairing)

    async def _async_finish(self, pairing: Pairing) -> ConfigFlowResult:
        known = await self.async_set_unique_id(pairing.satellite_id, raise_on_progress=False)
        data = {CONF_HOST: self._candidate.host, CONF_PORT: self._candidate.port, **_trust(pairing)}
        if known is not None and known.source != SOURCE_IGNORE:
            return self.async_update_reload_and_abort(known, data_updates=data, reason="paired_again")
        title = async_distinct_name(self.hass, pairing.name, pairing.satellite_id)
        return self.async_create_entry(title=title, data=data)

    @property
    def _address(self) -> Address:
        return Address(host=self._candidate.host, port=self._candidate.port)

    def _show_address(self, typed: str | None = None, err: Exception | None = None) -> ConfigFlowResult:
        return self.async_show_form(
            step_id="satellite",
            data_schema=self.add_suggested_values_to_schema(ADDRESS_SCHEMA, {CONF_HOST: typed}),
            errors={} if err is None else {"base": _error_key(err)},
        )

    def _show_code(self, errors: dict[str, str] | None = None) -> ConfigFlowResult:
        # The code is not shown again: it works once, and a mistyped one is quicker typed anew.
        candidate = self._candidate
        placeholders = {"host": str(self._address), "command": candidate.command}
        if self.source == SOURCE_REAUTH and not candidate.is_app:
            step_id = "reauth_confirm"
        else:
            step_id = "app" if candidate.is_app else "code" if candidate.shows_code else "pair"
            placeholders[CONF_NAME] = candidate.name or candidate.host
        if step_id == "code" and candidate.shown_until is not None:
            placeholders["until"] = f"{candidate.shown_until:%H:%M}"
        return self.async_show_form(
            step_id=step_id, data_schema=CODE_SCHEMA, errors=errors, description_placeholders=placeholders
        )


def _trust(pairing: Pairing) -> dict[str, str]:
    return {CONF_FINGERPRINT: pairing.fingerprint, CONF_TOKEN: pairing.token}


def _error_key(err: Exception) -> str:
    if isinstance(err, InvalidAddress):
        return "invalid_address"
    if isinstance(err, ClientError):
        return translation_key(err)
    _LOGGER.error("Unexpected error while setting up a satellite", exc_info=err)
    return "unknown"
