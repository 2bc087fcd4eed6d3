"""The walk test in the interface: a button that begins it, and how it went."""

from typing import override

from homeassistant.components.button import ButtonEntity
from homeassistant.components.sensor import SensorDeviceClass, SensorEntity
from homeassistant.const import EntityCategory

from ..const import HOUSEHOLD_UNIQUE_ID
from .entity import household_device
from .walk import WalkState
from .walk_test import WalkTest


class WalkTestButton(ButtonEntity):
    """Begins a walk."""

    _attr_has_entity_name = True
    _attr_translation_key = "walk_test"
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_unique_id = f"{HOUSEHOLD_UNIQUE_ID}-walk-test"

    def __init__(self, walk_test: WalkTest) -> None:
        """Attach the entity to the household."""
        self._walk_test = walk_test
        self._attr_device_info = household_device()

    @override
    async def async_press(self) -> None:
        """Begin."""
        self._walk_test.async_start()


class WalkTestSensor(SensorEntity):
    """How the last walk went, or that one is under way."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    _attr_translation_key = "walk_test"
    _attr_device_class = SensorDeviceClass.ENUM
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_unique_id = f"{HOUSEHOLD_UNIQUE_ID}-walk-test-result"

    def __init__(self, walk_test: WalkTest) -> None:
        """Attach the entity to the household."""
        self._walk_test = walk_test
        self._attr_options = list(WalkState)
        self._attr_device_info = household_device()

    @property
    @override
    def native_value(self) -> str:
        """What the walk test says."""
        return self._walk_test.state

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the walk test."""
        self.async_on_remove(self._walk_test.async_subscribe(self.async_write_ha_state))
