"""The forms of the household: who hears of alerts, and how often."""

from typing import Any

from homeassistant.components.notify import (
    DOMAIN as NOTIFY_DOMAIN,
    SERVICE_NOTIFY,
    SERVICE_SEND_MESSAGE,
)
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME, CONF_TARGET
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, selector
import probatio

from ..const import CONF_COOLDOWN, CONF_KIND
from .policy import DEFAULT_COOLDOWN
from .recipients import COMPANION_PREFIX, RecipientKind

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


class RecipientFlow(ConfigSubentryFlow):
    """Adds or changes one recipient."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask whom to tell."""
        return await self._async_step("user", user_input)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask again."""
        return await self._async_step("reconfigure", user_input)

    async def _async_step(self, step_id: str, user_input: dict[str, Any] | None) -> SubentryFlowResult:
        changed = self._get_reconfigure_subentry() if self.source == SOURCE_RECONFIGURE else None
        errors: dict[str, str] = {}
        choices = async_get_choices(self.hass)
        if changed is not None:
            # What has vanished since stays choosable, so that a name can be changed without it.
            choices.setdefault(_join(changed.data), changed.data[CONF_TARGET])
        if user_input is not None:
            target = user_input[CONF_TARGET]
            title = user_input.get(CONF_NAME, "").strip() or choices[target]
            others = [item for item in self._get_entry().subentries.values() if item is not changed]
            if any(item.unique_id == target for item in others):
                errors[CONF_TARGET] = "already_told"
            elif changed is not None:
                return self.async_update_and_abort(
                    self._get_entry(), changed, title=title, data=_split(target), unique_id=target
                )
            else:
                return self.async_create_entry(title=title, data=_split(target), unique_id=target)
        if user_input is None and changed is not None:
            user_input = {CONF_TARGET: _join(changed.data), CONF_NAME: changed.title}
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(_recipient_schema(choices), user_input),
            errors=errors,
        )


@callback
def async_get_choices(hass: HomeAssistant) -> dict[str, str]:
    """Return what can carry an alert and how to call it, the phones with the companion app first."""
    choices = {
        f"{RecipientKind.ACTION}:{NOTIFY_DOMAIN}.{name}": _describe_action(name)
        for name in hass.services.async_services_for_domain(NOTIFY_DOMAIN)
        # `notify.notify` tells whoever happens to be first, `send_message` needs an entity.
        if name not in (SERVICE_NOTIFY, SERVICE_SEND_MESSAGE)
    }
    registry = er.async_get(hass)
    for state in hass.states.async_all(NOTIFY_DOMAIN):
        entity = registry.async_get(state.entity_id)
        if entity is not None and entity.platform == "mobile_app":
            # The same phone is there as an action, which alone can carry critical sound.
            continue
        choices[f"{RecipientKind.ENTITY}:{state.entity_id}"] = state.name
    phones_first = sorted(
        choices.items(), key=lambda item: (COMPANION_PREFIX not in item[0], item[1].casefold())
    )
    return dict(phones_first)


def _describe_action(name: str) -> str:
    prefix = COMPANION_PREFIX.removeprefix(f"{NOTIFY_DOMAIN}.")
    words = name.removeprefix(prefix).replace("_", " ").strip().capitalize()
    return f"{words} (phone)" if name.startswith(prefix) else words


def _recipient_schema(choices: dict[str, str]) -> probatio.Schema:
    options = [selector.SelectOptionDict(value=value, label=label) for value, label in choices.items()]
    return probatio.Schema(
        {
            probatio.Required(CONF_TARGET): selector.SelectSelector(
                selector.SelectSelectorConfig(options=options, mode=selector.SelectSelectorMode.DROPDOWN)
            ),
            probatio.Optional(CONF_NAME): selector.TextSelector(),
        }
    )


def _join(data: Any) -> str:
    return f"{data[CONF_KIND]}:{data[CONF_TARGET]}"


def _split(value: str) -> dict[str, str]:
    kind, _, target = value.partition(":")
    return {CONF_KIND: kind, CONF_TARGET: target}
