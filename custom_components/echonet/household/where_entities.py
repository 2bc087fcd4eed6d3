"""The room of the current incident, for automations: which camera to look at, which light to switch on."""

from typing import override

from homeassistant.components.sensor import SensorEntity
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..const import HOUSEHOLD_UNIQUE_ID
from .entity import household_device
from .incident import Incident
from .runtime import Household
from .whereabouts import PATIENCE, async_locate


class LikelyRoomSensor(SensorEntity):
    """Where the current incident most probably is; unknown where nobody can say."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    _attr_entity_registry_enabled_default = False
    _attr_translation_key = "likely_room"
    _attr_unique_id = f"{HOUSEHOLD_UNIQUE_ID}-likely-room"

    def __init__(self, household: Household) -> None:
        """Attach the entity to the household."""
        self._household = household
        self._attr_device_info = household_device()
        self._asked: tuple[Incident, bool] | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the incidents."""
        self._async_ask()
        self.async_on_remove(self._household.async_subscribe_incidents(self._async_follow))

    @callback
    def _async_follow(self) -> None:
        if self._async_ask():
            self.async_write_ha_state()

    @callback
    def _async_ask(self) -> bool:
        """Ask where the incident is, if more is known than when that was asked last."""
        incident = self._household.current
        now = dt_util.utcnow()
        asked = None if incident is None else (incident, now - incident.onset > PATIENCE)
        if asked == self._asked:
            return False
        self._asked = asked
        whereabouts = async_locate(self.hass, incident, now) if incident is not None else None
        self._attr_native_value = whereabouts.room if whereabouts is not None else None
        return True
