"""The base of all entities of a satellite."""

from typing import override

from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import SatelliteCoordinator
from .protocol import SoundClass
from .satellite_state import Part


class SatelliteEntity(CoordinatorEntity[SatelliteCoordinator]):
    """An entity on the device of a satellite."""

    _attr_has_entity_name = True
    # What it shows besides whether the satellite is there and what it is: only a change of that is a change of it.
    _follows: frozenset[Part] = frozenset()

    def __init__(self, coordinator: SatelliteCoordinator, description: EntityDescription) -> None:
        """Attach the entity to its satellite."""
        super().__init__(coordinator, self._follows)
        self.entity_description = description
        self._attr_unique_id = f"{coordinator.satellite_id}-{description.key}"
        # The coordinator has registered the device, with what the satellite says of itself.
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, coordinator.satellite_id)})


class SoundClassEntity(SatelliteEntity):
    """An entity for one class of the satellite's model."""

    def __init__(
        self, coordinator: SatelliteCoordinator, description: EntityDescription, sound_class: SoundClass
    ) -> None:
        """Attach the entity to its class."""
        super().__init__(coordinator, description)
        self.sound_class = sound_class

    @property
    @override
    def available(self) -> bool:
        """Whether the satellite is there, and its present model knows the class."""
        return super().available and self.sound_class in self.coordinator.data.welcome.classes
