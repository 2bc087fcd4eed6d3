"""The ways to a recipient: groups are taken apart, so that each member is told, and known if it is dead."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from homeassistant.components.group.notify import GroupNotifyPlatform
from homeassistant.components.notify import (
    ATTR_DATA,
    DOMAIN as NOTIFY_DOMAIN,
    SERVICE_SEND_MESSAGE,
    NotifyEntityFeature,
)
from homeassistant.const import (
    ATTR_ENTITY_ID,
    ATTR_SUPPORTED_FEATURES,
    CONF_ACTION,
    STATE_UNAVAILABLE,
)
from homeassistant.core import HomeAssistant, callback

from .recipients import RecipientKind

COMPANION_PREFIX: Final = f"{NOTIFY_DOMAIN}.mobile_app_"


class Obstacle(StrEnum):
    """Why a way leads nowhere."""

    MISSING = "missing"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One action or entity of `notify`; `defaults` is what a group adds to what is sent through it."""

    kind: RecipientKind
    target: str
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def companion(self) -> bool:
        """Whether it is a phone with the companion app, which understands critical sound, tags and buttons."""
        return self.kind is RecipientKind.ACTION and self.target.startswith(COMPANION_PREFIX)

    @property
    def action(self) -> str:
        """The action of `notify` that is called."""
        if self.kind is RecipientKind.ENTITY:
            return SERVICE_SEND_MESSAGE
        return self.target.removeprefix(f"{NOTIFY_DOMAIN}.")


@callback
def async_get_channels(hass: HomeAssistant, kind: RecipientKind, target: str) -> list[Channel]:
    """Return the ways to a recipient: what was chosen, or the members of a group, and of groups in it."""
    found: dict[tuple[RecipientKind, str], Channel] = {}
    groups: set[tuple[RecipientKind, str]] = set()
    waiting = [Channel(kind=kind, target=target)]
    while waiting:
        channel = waiting.pop(0)
        key = (channel.kind, channel.target)
        if key in found or key in groups:
            continue
        members = _async_get_members(hass, channel)
        if members is None:
            found[key] = channel
        else:
            groups.add(key)
            waiting += members
    return list(found.values())


@callback
def async_get_obstacle(hass: HomeAssistant, channel: Channel) -> Obstacle | None:
    """Return what can be seen beforehand to be in the way."""
    if channel.kind is RecipientKind.ACTION:
        return None if hass.services.has_service(NOTIFY_DOMAIN, channel.action) else Obstacle.MISSING
    state = hass.states.get(channel.target)
    if state is None:
        return Obstacle.MISSING
    # Home Assistant leaves out entities that are unavailable without a word.
    return Obstacle.UNAVAILABLE if state.state == STATE_UNAVAILABLE else None


@callback
def async_has_title(hass: HomeAssistant, channel: Channel) -> bool:
    """Tell whether what is sent may have a title."""
    if channel.kind is RecipientKind.ACTION:
        return True
    state = hass.states.get(channel.target)
    features = state.attributes.get(ATTR_SUPPORTED_FEATURES, 0) if state is not None else 0
    return NotifyEntityFeature.TITLE in NotifyEntityFeature(features)


@callback
def _async_get_members(hass: HomeAssistant, channel: Channel) -> list[Channel] | None:
    """Return the members of a group, None if it is none."""
    if channel.kind is RecipientKind.ENTITY:
        state = hass.states.get(channel.target)
        members = state.attributes.get(ATTR_ENTITY_ID) if state is not None else None
        if members is None:
            return None
        return [Channel(kind=RecipientKind.ENTITY, target=member) for member in members]
    service = hass.services.async_services_for_domain(NOTIFY_DOMAIN).get(channel.action)
    group = getattr(service.job.target, "__self__", None) if service is not None else None
    if not isinstance(group, GroupNotifyPlatform):
        return None
    return [
        Channel(
            kind=RecipientKind.ACTION,
            target=f"{NOTIFY_DOMAIN}.{member[CONF_ACTION]}",
            defaults=member.get(ATTR_DATA) or {},
        )
        for member in group.entities
    ]
