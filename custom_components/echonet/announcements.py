"""Hears a satellite announce itself on the network, also when Home Assistant has not forgotten it yet."""

from collections.abc import Callable
from typing import override

from homeassistant.components import zeroconf
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from zeroconf import DNSText, RecordUpdate, RecordUpdateListener, Zeroconf  # type: ignore[attr-defined]

from .protocol import SERVICE_TYPE


class _AnnouncementListener(RecordUpdateListener):
    def __init__(self, satellite_id: str, action: Callable[[], None]) -> None:
        self._mark = f"id={satellite_id}".encode()
        self._action = action

    @override
    def async_update_records(self, zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
        for update in records:
            record = update.new
            if (
                isinstance(record, DNSText)
                and record.name.endswith(SERVICE_TYPE)
                and self._mark in record.text
            ):
                self._action()
                return


@callback
def async_listen_for_announcements(
    hass: HomeAssistant, satellite_id: str, action: Callable[[], None]
) -> CALLBACK_TYPE:
    """Call `action` whenever a satellite announces itself; returns what ends it.

    Discovery tells only of services that are new or have changed: a satellite that lost its power and is back within
    the life time of its records is neither.
    """
    listener = _AnnouncementListener(satellite_id, action)
    registry = zeroconf.async_get_async_zeroconf(hass).zeroconf
    registry.async_add_listener(listener, None)
    return lambda: registry.async_remove_listener(listener)
