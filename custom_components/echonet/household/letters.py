"""What goes to one channel, in the form that its notifier understands."""

from dataclasses import dataclass
from typing import Any

from homeassistant.components.group.notify import add_defaults
from homeassistant.components.notify import ATTR_DATA, ATTR_MESSAGE, ATTR_TITLE
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant, callback

from .channels import Channel, async_has_title
from .recipients import RecipientKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What one recipient gets: words for everybody, `data` for the companion apps, `link` for those without buttons."""

    title: str
    message: str
    data: dict[str, Any]
    link: str = ""


@callback
def async_get_payload(hass: HomeAssistant, channel: Channel, letter: Letter) -> dict[str, Any]:
    """Return what the action of a channel is called with."""
    payload: dict[str, Any]
    link = f"\n{letter.link}" if letter.link else ""
    if channel.companion:
        payload = {ATTR_TITLE: letter.title, ATTR_MESSAGE: letter.message, ATTR_DATA: letter.data}
    elif async_has_title(hass, channel):
        # Other notifiers refuse or ignore data that is not theirs: the link goes into the text.
        payload = {ATTR_TITLE: letter.title, ATTR_MESSAGE: f"{letter.message}{link}"}
    else:
        payload = {ATTR_MESSAGE: f"{letter.title}. {letter.message}{link}"}
    if channel.kind is RecipientKind.ENTITY:
        payload[ATTR_ENTITY_ID] = channel.target
    return add_defaults(payload, channel.defaults)
