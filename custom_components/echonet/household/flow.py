"""The form of the household: how often it is told."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers import selector
import probatio

from ..const import CONF_COOLDOWN
from .policy import DEFAULT_COOLDOWN

MAX_COOLDOWN_S = 3600

SETTINGS_SCHEMA = probatio.Schema(
    {
        probatio.Required(CONF_COOLDOWN, default=int(DEFAULT_COOLDOWN.total_seconds())): probatio.All(
            selector.NumberSelector(
                selector.NumberSelectorConfig(
                    min=0,
                    max=MAX_COOLDOWN_S,
                    step=1,
                    unit_of_measurement="s",
                    mode=selector.NumberSelectorMode.BOX,
                )
            ),
            probatio.Coerce(int),
        )
    }
)


class HouseholdOptionsFlow(OptionsFlow):
    """The options of the household, which are read anew for each alert and so need no reload."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for them."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(SETTINGS_SCHEMA, self.config_entry.options),
        )
