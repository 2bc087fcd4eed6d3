"""Adds satellites by discovery or by address, and keeps their trust and address up to date."""

from collections.abc import Mapping
import logging
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_IGNORE,
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

from .client import (
    CannotConnect,
    ClientError,
    Pairing,
    PairingClosed,
    WrongSatellite,
    async_connect,
    async_pair,
)
from .const import CONF_FINGERPRINT, DOMAIN, HOUSEHOLD_TITLE, HOUSEHOLD_UNIQUE_ID, SUBENTRY_RECIPIENT
from .discovery import Discovered, InvalidDiscovery, async_distinct_name, async_follow, read_discovery
from .helpers import async_get_household, async_get_satellites, translation_key
from .household.options import options_of_times
from .household.options_flow import TIMES_SCHEMA, HouseholdOptionsFlow
from .household.recipient_flow import RecipientFlow
from .household.runtime import is_household
from .protocol import DEFAULT_PORT

_LOGGER = logging.getLogger(__name__)

ADDRESS_SCHEMA = probatio.Schema(
    {
        probatio.Required(CONF_HOST): selector.TextSelector(),
        probatio.Required(CONF_PORT, default=DEFAULT_PORT): probatio.All(
            probatio.Coerce(int), probatio.Range(min=1, max=65535)
        ),
    }
)
CODE_SCHEMA = probatio.Schema({probatio.Required(CONF_CODE): selector.TextSelector()})


class EchonetConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up a satellite or the household."""

    VERSION = 1

    def __init__(self) -> None:
        """Begin without knowing where the satellite is."""
        self._host = ""
        self._port = DEFAULT_PORT
        self._discovered: Discovered | None = None

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Offer recipients to the household."""
        return {SUBENTRY_RECIPIENT: RecipientFlow} if is_household(config_entry) else {}

    @classmethod
    @callback
    @override
    def async_supports_options_flow(cls, config_entry: ConfigEntry) -> bool:
        """Only the household has options; a satellite keeps its settings itself."""
        return is_household(config_entry)

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the options of the household."""
        return HouseholdOptionsFlow()

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
        return self.async_create_entry(title=HOUSEHOLD_TITLE, data={})

    async def async_step_system(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Add the household along with the first satellite."""
        return await self.async_step_household()

    async def async_step_satellite(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the address of a satellite that discovery has not found."""
        if user_input is None:
            return self._show_address()
        self._host, self._port = user_input[CONF_HOST].strip(), user_input[CONF_PORT]
        return await self.async_step_pair()

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
        self._discovered = discovered
        self._host, self._port = discovered.hosts[0], discovered.port
        name = async_distinct_name(self.hass, discovered.name, discovered.satellite_id)
        self.context["title_placeholders"] = {CONF_NAME: name}
        return await self.async_step_pair()

    async def async_step_pair(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the code that the satellite shows, and pair."""
        errors: dict[str, str] = {}
        if user_input is not None:
            result = await self._async_try_pairing(user_input[CONF_CODE])
            if isinstance(result, Pairing):
                return await self._async_finish(result)
            if isinstance(result, WrongSatellite):
                # Another one answers at the address than the one that the announcement named.
                return self.async_abort(reason="wrong_satellite")
            if self.source == SOURCE_USER and isinstance(result, CannotConnect):
                return self._show_address({"base": translation_key(result)})
            errors["base"] = _error_key(result)
        return self._show_code("pair", errors)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Pair again: the satellite does not know our token any more."""
        self._host, self._port = entry_data[CONF_HOST], entry_data[CONF_PORT]
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a new code."""
        errors: dict[str, str] = {}
        if user_input is not None:
            result = await self._async_try_pairing(user_input[CONF_CODE])
            if isinstance(result, Pairing):
                await self.async_set_unique_id(result.satellite_id)
                self._abort_if_unique_id_mismatch(reason="wrong_satellite")
                return self.async_update_reload_and_abort(
                    self._get_reauth_entry(), data_updates=_trust(result)
                )
            errors["base"] = _error_key(result)
        return self._show_code("reauth_confirm", errors)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a new address, and prove it with the trust that we have; or for the household's settings."""
        entry = self._get_reconfigure_entry()
        if is_household(entry):
            return await self.async_step_reconfigure_household()
        errors: dict[str, str] = {}
        if user_input is not None:
            host, port = user_input[CONF_HOST].strip(), user_input[CONF_PORT]
            try:
                connection = await async_connect(
                    async_get_clientsession(self.hass),
                    host,
                    port,
                    satellite_id=entry.unique_id or "",
                    fingerprint=entry.data[CONF_FINGERPRINT],
                    token=entry.data[CONF_TOKEN],
                )
            except ClientError as err:
                errors["base"] = translation_key(err)
            except Exception as err:  # noqa: BLE001  # becomes "unknown" in the form, and a traceback in the log
                errors["base"] = _error_key(err)
            else:
                await connection.close()
                return self.async_update_reload_and_abort(
                    entry, data_updates={CONF_HOST: host, CONF_PORT: port}
                )
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(ADDRESS_SCHEMA, user_input or entry.data),
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
        household = async_get_household(self.hass)
        if household is None and len(async_get_satellites(self.hass)) == 1:
            created = await self.hass.config_entries.flow.async_init(
                DOMAIN, context={"source": SOURCE_SYSTEM}
            )
            household = created.get("result")
        if household is None or household.subentries:
            return result
        recipient = await self.hass.config_entries.subentries.async_init(
            (household.entry_id, SUBENTRY_RECIPIENT), context={"source": SOURCE_USER}
        )
        result["next_flow"] = (FlowType.CONFIG_SUBENTRIES_FLOW, recipient["flow_id"])
        return result

    async def _async_try_pairing(self, code: str) -> Pairing | Exception:
        """Pair at the first address at which the satellite answers, and remember that one."""
        hosts: tuple[str, ...] = (self._host,)
        satellite_id = None
        if self._discovered is not None:
            hosts, satellite_id = self._discovered.hosts, self._discovered.satellite_id
        failed: list[Exception] = []
        for host in hosts:
            try:
                pairing = await async_pair(
                    async_get_clientsession(self.hass),
                    host,
                    self._port,
                    code,
                    controller_name=f"Home Assistant ({self.hass.config.location_name})",
                    satellite_id=satellite_id,
                )
            except (CannotConnect, PairingClosed, WrongSatellite) as err:
                # An address may lead to another machine: what a satellite calls 172.17.0.1, we may call ourselves.
                failed.append(err)
            except Exception as err:  # noqa: BLE001  # the caller tells expected from unexpected
                return err
            else:
                self._host = host
                return pairing
        # Whoever answered says more than whoever did not.
        return next((err for err in failed if not isinstance(err, CannotConnect)), failed[0])

    async def _async_finish(self, pairing: Pairing) -> ConfigFlowResult:
        known = await self.async_set_unique_id(pairing.satellite_id, raise_on_progress=False)
        data = {CONF_HOST: self._host, CONF_PORT: self._port, **_trust(pairing)}
        if known is not None and known.source != SOURCE_IGNORE:
            return self.async_update_reload_and_abort(known, data_updates=data, reason="paired_again")
        title = async_distinct_name(self.hass, pairing.name, pairing.satellite_id)
        return self.async_create_entry(title=title, data=data)

    def _show_address(self, errors: dict[str, str] | None = None) -> ConfigFlowResult:
        suggested = {CONF_HOST: self._host, CONF_PORT: self._port} if self._host else {}
        return self.async_show_form(
            step_id="satellite",
            data_schema=self.add_suggested_values_to_schema(ADDRESS_SCHEMA, suggested),
            errors=errors,
        )

    def _show_code(self, step_id: str, errors: dict[str, str]) -> ConfigFlowResult:
        # The code is not shown again: it works once, and a mistyped one is quicker typed anew.
        name = self._discovered.name if self._discovered is not None else self._host
        placeholders = {"host": self._host, "command": "echonet-satellite pair"}
        if step_id == "pair":
            placeholders[CONF_NAME] = name
        return self.async_show_form(
            step_id=step_id, data_schema=CODE_SCHEMA, errors=errors, description_placeholders=placeholders
        )


def _trust(pairing: Pairing) -> dict[str, str]:
    return {CONF_FINGERPRINT: pairing.fingerprint, CONF_TOKEN: pairing.token}


def _error_key(err: Exception) -> str:
    if isinstance(err, ClientError):
        return translation_key(err)
    _LOGGER.error("Unexpected error while setting up a satellite", exc_info=err)
    return "unknown"
