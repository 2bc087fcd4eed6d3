"""Those whom the household tells, and what the alert says."""

from types import MappingProxyType
from typing import Any, override

from homeassistant.components.notify import NotifyEntity, NotifyEntityFeature
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_TARGET
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet.const import CONF_KIND, SUBENTRY_RECIPIENT

ALERT = "event.echonet_household_alert"


def add_recipient(
    hass: HomeAssistant,
    household: MockConfigEntry,
    target: str,
    *,
    kind: str = "action",
    name: str = "",
    **data: Any,
) -> str:
    """Add a recipient and return the id of its subentry."""
    subentry = ConfigSubentry(
        data=MappingProxyType({CONF_KIND: kind, CONF_TARGET: target, **data}),
        subentry_type=SUBENTRY_RECIPIENT,
        title=name or target,
        unique_id=f"{kind}:{target}",
    )
    hass.config_entries.async_add_subentry(household, subentry)
    return subentry.subentry_id


class Notifier(NotifyEntity):
    """A notify entity that keeps what it was told."""

    def __init__(self, name: str, features: NotifyEntityFeature) -> None:
        self._attr_name = name
        self._attr_supported_features = features
        self.told: list[tuple[str, str | None]] = []

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        self.told.append((message, title))


def alert_attributes(hass: HomeAssistant) -> dict[str, Any]:
    """Return what the household's event entity says of the last alert."""
    state = hass.states.get(ALERT)
    assert state is not None
    return dict(state.attributes)
