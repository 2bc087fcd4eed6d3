"""The options of the household: what matters how much and when, how often it rings again, and the hours."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers import selector
import probatio

from ..const import CONF_ADDRESS
from .kinds import AlertKind, Severity
from .options import (
    CONF_COOLDOWN,
    CONF_INTERVAL,
    CONF_KIND,
    CONF_KINDS,
    CONF_LEAST_CONFIDENCE,
    CONF_MOST,
    CONF_NIGHT_END,
    CONF_NIGHT_START,
    CONF_PATIENCE,
    CONF_QUIET_END,
    CONF_QUIET_START,
    CONF_ROOMS,
    CONF_SEVERITY,
    CONF_SILENCE_AFTER,
    CONF_SILENCE_SEVERITY,
    CONF_WHEN,
    options_of_rule,
    options_of_times,
)
from .rules import When

MAX_COOLDOWN_S = 86400
MAX_INTERVAL_S = 3600
MAX_REPEATS = 100
MAX_ROOMS = 10
MAX_SILENCE_MIN = 1440


def _number(low: int, high: int, unit: str | None = None) -> Any:
    config = selector.NumberSelectorConfig(min=low, max=high, step=1, mode=selector.NumberSelectorMode.BOX)
    if unit is not None:
        config["unit_of_measurement"] = unit
    return probatio.All(selector.NumberSelector(config), probatio.Coerce(int))


def _choice(
    options: type[AlertKind | Severity | When], key: str, *, read_only: bool = False
) -> selector.SelectSelector:
    return selector.SelectSelector(
        selector.SelectSelectorConfig(
            options=[item.value for item in options],
            mode=selector.SelectSelectorMode.DROPDOWN,
            translation_key=key,
            read_only=read_only,
        )
    )


KIND_SCHEMA = probatio.Schema({probatio.Required(CONF_KIND): _choice(AlertKind, "kind")})
RULE_SCHEMA = probatio.Schema(
    {
        # Which one it is about, in the language of whoever looks, which only the frontend knows.
        probatio.Optional(CONF_KIND): _choice(AlertKind, "kind", read_only=True),
        probatio.Required(CONF_SEVERITY): _choice(Severity, "severity"),
        probatio.Required(CONF_WHEN): _choice(When, "when"),
        probatio.Required(CONF_COOLDOWN): _number(0, MAX_COOLDOWN_S, "s"),
        probatio.Required(CONF_LEAST_CONFIDENCE): _number(0, 99, "%"),
        probatio.Required(CONF_ROOMS): _number(1, MAX_ROOMS),
    }
)
TIMES_SCHEMA = probatio.Schema(
    {
        probatio.Required(CONF_INTERVAL): _number(0, MAX_INTERVAL_S, "s"),
        probatio.Required(CONF_PATIENCE): _number(1, MAX_REPEATS),
        probatio.Required(CONF_MOST): _number(0, MAX_REPEATS),
        probatio.Required(CONF_NIGHT_START): selector.TimeSelector(),
        probatio.Required(CONF_NIGHT_END): selector.TimeSelector(),
        probatio.Required(CONF_QUIET_START): selector.TimeSelector(),
        probatio.Required(CONF_QUIET_END): selector.TimeSelector(),
        probatio.Required(CONF_SILENCE_AFTER): _number(1, MAX_SILENCE_MIN, "min"),
        probatio.Required(CONF_SILENCE_SEVERITY): _choice(Severity, "severity"),
    }
)
# A text message is longer than one page with more, and push services have a limit.
MAX_ADDRESS_LENGTH = 200
ADDRESS_SCHEMA = probatio.Schema(
    {
        probatio.Optional(CONF_ADDRESS): probatio.All(
            selector.TextSelector(), probatio.Length(max=MAX_ADDRESS_LENGTH)
        )
    }
)


class HouseholdOptionsFlow(OptionsFlow):
    """The options of the household, which are read anew for each alert and so need no reload."""

    def __init__(self) -> None:
        """Begin without a kind."""
        self._kind = AlertKind.SMOKE_ALARM

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what to change."""
        return self.async_show_menu(step_id="init", menu_options=["kind", "times", "address"])

    async def async_step_kind(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which kind of sound is meant."""
        if user_input is not None:
            self._kind = AlertKind(user_input[CONF_KIND])
            return await self.async_step_rule()
        return self.async_show_form(step_id="kind", data_schema=KIND_SCHEMA)

    async def async_step_rule(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how it is to be told."""
        options = self.config_entry.options
        kinds = options.get(CONF_KINDS, {})
        if user_input is not None:
            rule = {key: value for key, value in user_input.items() if key != CONF_KIND}
            return self.async_create_entry(data={**options, CONF_KINDS: {**kinds, self._kind.value: rule}})
        shown = options_of_rule(self._kind) | kinds.get(self._kind, {}) | {CONF_KIND: self._kind.value}
        return self.async_show_form(
            step_id="rule", data_schema=self.add_suggested_values_to_schema(RULE_SCHEMA, shown)
        )

    async def async_step_times(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how often to ring again, and for the hours."""
        options = self.config_entry.options
        if user_input is not None:
            return self.async_create_entry(data={**options, **user_input})
        return self.async_show_form(
            step_id="times",
            data_schema=self.add_suggested_values_to_schema(TIMES_SCHEMA, options_of_times(options)),
        )

    async def async_step_address(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what those who help are told."""
        options = self.config_entry.options
        if user_input is not None:
            # The field left empty is not in the answer.
            return self.async_create_entry(
                data={**options, CONF_ADDRESS: " ".join(user_input.get(CONF_ADDRESS, "").split())}
            )
        return self.async_show_form(
            step_id="address", data_schema=self.add_suggested_values_to_schema(ADDRESS_SCHEMA, options)
        )
