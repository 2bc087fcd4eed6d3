"""The room of the current incident, for automations: which camera to look at, which light to switch on."""

from typing import override

from homeassistant.components.sensor import SensorEntity
from homeassistant.util import dt as dt_util

from ..const import HOUSEHOLD_UNIQUE_ID
from .entity import household_device
from .runtime import Household
from .whereabouts import async_locate


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

    @property
    @override
    def native_value(self) -> str | None:
        """The likeliest room."""
        incident = self._household.current
        if incident is None:
            return None
        whereabouts = async_locate(self.hass, incident, dt_util.utcnow())
        return whereabouts.room if whereabouts is not None else None

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the incidents."""
        self.async_on_remove(self._household.async_subscribe_incidents(self.async_write_ha_state))
