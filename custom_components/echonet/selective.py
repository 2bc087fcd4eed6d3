"""Shows the state of a satellite to those entities only that have changed, and not more often than is worth while."""

from collections.abc import Callable
import logging
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .satellite_state import Part, SatelliteData
from .settle import Settle

_LOGGER = logging.getLogger(__name__)

# What a satellite says of its state is shown at most this often; what it hears, at once.
SETTLE_S = 0.25


class SelectiveCoordinator(DataUpdateCoordinator[SatelliteData]):
    """Calls those listeners that follow what has changed: their context is a set of parts, or None for all of them."""

    config_entry: ConfigEntry[Any]

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any], on_settled: Callable[[], None]) -> None:
        """Show nothing yet; `on_settled` is called whenever a state has been shown that could wait."""
        super().__init__(hass, _LOGGER, config_entry=entry, name=entry.title, update_interval=None)
        self._on_settled = on_settled
        self._settle = Settle(hass.loop, SETTLE_S, self._async_settled)
        self._changed: frozenset[Part] = frozenset()

    @callback
    @override
    def async_update_listeners(self) -> None:
        """Show everybody the new state."""
        self._async_show(None)

    @callback
    def async_show_now(self, data: SatelliteData) -> None:
        """Show a new state: where it was connected already, only what has changed."""
        known = self.data if self.last_update_success else None
        self.data = data
        self.last_update_success = True
        changed = data.changed(known) if known is not None else None
        if changed is None or "welcome" in changed:
            self._async_show(None)
        elif changed:
            self._async_show(changed)

    @callback
    def async_show_soon(self, data: SatelliteData) -> None:
        """Know a new state at once, and show it soon: one that is never the same twice must not cost all the others."""
        if data != self.data:
            self._changed |= data.changed(self.data)
            self.async_keep(data)

    @callback
    def async_keep(self, data: SatelliteData) -> None:
        """Know a new state at once, of which no entity shows what has changed."""
        self.data = data
        self._settle.async_ask()

    @callback
    def async_end_showing(self) -> None:
        """Show no more of what could wait."""
        self._settle.async_end()

    @callback
    def _async_settled(self) -> None:
        changed, self._changed = self._changed, frozenset()
        self._async_show(changed)
        self._on_settled()

    @callback
    def _async_show(self, changed: frozenset[Part] | None) -> None:
        """Show the new state to those whom it concerns, to all if None; one that fails keeps nobody from seeing it."""
        for update, follows in tuple(self._listeners.values()):
            if changed is not None and isinstance(follows, frozenset) and changed.isdisjoint(follows):
                continue
            try:
                update()
            except Exception:
                _LOGGER.exception("An entity of %s does not take its new state", self.config_entry.title)
