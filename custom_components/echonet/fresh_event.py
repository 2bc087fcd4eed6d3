"""The base of the event entities: what is past never looks like the present."""

from typing import override

from homeassistant.components.event import EventEntity, EventExtraStoredData


class FreshEvent(EventEntity):
    """An event entity that fires only when something happens.

    An automation unlocks doors because of what happens here. It must not do so because an entity comes back with the
    event that was its last: after a restart there is none, and losing the connection takes nothing away.
    """

    @property
    @override
    def available(self) -> bool:
        """Always: what has happened stays true."""
        return True

    @override
    async def async_get_last_event_data(self) -> EventExtraStoredData | None:
        """Begin without an event."""
        return None
