"""The forms of a recipient: whom to tell, when in the order, of what, in which language."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.notify import (
    DOMAIN as NOTIFY_DOMAIN,
    SERVICE_NOTIFY,
    SERVICE_SEND_MESSAGE,
)
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import CONF_LANGUAGE, CONF_NAME, CONF_TARGET
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, selector
import probatio

from ..const import CONF_CLASSES, CONF_KIND, CONF_ORDER
from ..protocol import SoundClass
from .channels import COMPANION_PREFIX
from .recipients import FIRST, LAST, RecipientKind
from .texts import Language, nearest_language

# What tells a phone with the companion app from everything else that notifications are sent with.
_PHONE: Final[Mapping[Language, str]] = {
    Language.ENGLISH: "phone",
    Language.GERMAN: "Telefon",
    Language.FRENCH: "téléphone",
    Language.SPANISH: "teléfono",
}
_CLASSES: Final = [item.value for item in SoundClass]


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
            title = user_input.get(CONF_NAME, "").strip() or _name(self.hass, choices[target])
            others = [item for item in self._get_entry().subentries.values() if item is not changed]
            if any(item.unique_id == target for item in others):
                errors[CONF_TARGET] = "already_told"
            elif not user_input[CONF_CLASSES]:
                errors[CONF_CLASSES] = "no_classes"
            elif changed is not None:
                return self.async_update_and_abort(
                    self._get_entry(), changed, title=title, data=_data_of(user_input), unique_id=target
                )
            else:
                return self.async_create_entry(title=title, data=_data_of(user_input), unique_id=target)
        if user_input is None and changed is not None:
            user_input = {**changed.data, CONF_TARGET: _join(changed.data), CONF_NAME: changed.title}
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(_recipient_schema(choices), user_input),
            errors=errors,
        )


@callback
def async_get_choices(hass: HomeAssistant) -> dict[str, str]:
    """Return what can carry an alert and how to call it, the phones with the companion app first."""
    choices = {
        f"{RecipientKind.ACTION}:{NOTIFY_DOMAIN}.{name}": _describe_action(hass, name)
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


def _describe_action(hass: HomeAssistant, name: str) -> str:
    prefix = COMPANION_PREFIX.removeprefix(f"{NOTIFY_DOMAIN}.")
    words = name.removeprefix(prefix).replace("_", " ").strip().capitalize()
    return f"{words}{_mark(hass)}" if name.startswith(prefix) else words


def _name(hass: HomeAssistant, choice: str) -> str:
    """Return what a recipient is called that was given no name: a phone, as its owner calls it."""
    return choice.removesuffix(_mark(hass))


def _mark(hass: HomeAssistant) -> str:
    return f" ({_PHONE[nearest_language(hass.config.language)]})"


def _recipient_schema(choices: dict[str, str]) -> probatio.Schema:
    options = [selector.SelectOptionDict(value=value, label=label) for value, label in choices.items()]
    return probatio.Schema(
        {
            probatio.Required(CONF_TARGET): selector.SelectSelector(
                selector.SelectSelectorConfig(options=options, mode=selector.SelectSelectorMode.DROPDOWN)
            ),
            probatio.Optional(CONF_NAME): selector.TextSelector(),
            probatio.Required(CONF_ORDER, default=FIRST): probatio.All(
                selector.NumberSelector(
                    selector.NumberSelectorConfig(
                        min=FIRST, max=LAST, step=1, mode=selector.NumberSelectorMode.BOX
                    )
                ),
                probatio.Coerce(int),
            ),
            probatio.Required(CONF_CLASSES, default=list(_CLASSES)): selector.SelectSelector(
                selector.SelectSelectorConfig(options=_CLASSES, multiple=True, translation_key="sound_class")
            ),
            probatio.Optional(CONF_LANGUAGE): selector.LanguageSelector(
                selector.LanguageSelectorConfig(languages=[item.value for item in Language], native_name=True)
            ),
        }
    )


def _join(data: Mapping[str, Any]) -> str:
    return f"{data[CONF_KIND]}:{data[CONF_TARGET]}"


def _data_of(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a form; the language only if it is not the household's."""
    kind, _, target = user_input[CONF_TARGET].partition(":")
    data = {
        CONF_KIND: kind,
        CONF_TARGET: target,
        CONF_ORDER: user_input[CONF_ORDER],
        CONF_CLASSES: user_input[CONF_CLASSES],
    }
    if language := user_input.get(CONF_LANGUAGE):
        data[CONF_LANGUAGE] = language
    return data
