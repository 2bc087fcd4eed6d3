"""The base of all entities of a satellite."""

import asyncio
from typing import override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import EntityPlatform
from homeassistant.helpers.update_coordinator import CoordinatorEntity
from homeassistant.util import slugify

from .coordinator import SatelliteCoordinator
from .device import async_entity_name_without_repetition, identifier_of
from .protocol import SoundClass
from .satellite_state import Part


class SatelliteEntity(CoordinatorEntity[SatelliteCoordinator]):
    """An entity on the device of a satellite, or of one of its rooms where it hears several."""

    _attr_has_entity_name = True
    # What it shows besides whether the satellite is there and what it is: only a change of that is a change of it.
    _follows: frozenset[Part] = frozenset()

    def __init__(
        self, coordinator: SatelliteCoordinator, description: EntityDescription, room: str = ""
    ) -> None:
        """Attach the entity to its satellite, or to a room of it."""
        super().__init__(coordinator, self._follows)
        self.entity_description = description
        self.room = room
        self._attr_unique_id = unique_id_of(coordinator.satellite_id, description.key, room)
        # The coordinator has registered the device, with what the satellite says of itself.
        self._attr_device_info = DeviceInfo(identifiers={identifier_of(coordinator.satellite_id, room)})

    @callback
    @override
    def add_to_platform_start(
        self, hass: HomeAssistant, platform: EntityPlatform, parallel_updates: asyncio.Semaphore | None
    ) -> None:
        """Suggest an id, now that the name in the language of ids is known, where that of the rule is no good."""
        super().add_to_platform_start(hass, platform, parallel_updates)
        name = async_entity_name_without_repetition(
            hass, self.coordinator.satellite_id, self.room, self.suggested_object_id or ""
        )
        if name is not None:
            self.entity_id = f"{platform.domain}.{slugify(name)}"

    @property
    @override
    def available(self) -> bool:
        """Whether the satellite is there, and still hears the room."""
        return super().available and (not self.room or self.room in self.coordinator.data.rooms)


class SoundClassEntity(SatelliteEntity):
    """An entity for one class of the satellite's model."""

    def __init__(
        self,
        coordinator: SatelliteCoordinator,
        description: EntityDescription,
        sound_class: SoundClass,
        room: str = "",
    ) -> None:
        """Attach the entity to its class."""
        super().__init__(coordinator, description, room)
        self.sound_class = sound_class

    @property
    @override
    def available(self) -> bool:
        """Whether the satellite is there, and its present model knows the class."""
        return super().available and self.sound_class in self.coordinator.data.welcome.classes


def unique_id_of(satellite_id: str, key: str, room: str = "") -> str:
    """Return what an entity of a satellite, or of one of its rooms, is known by."""
    return f"{satellite_id}-{key}-{room}" if room else f"{satellite_id}-{key}"
