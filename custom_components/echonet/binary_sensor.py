"""What a satellite hears now, and whether it is there and hears at all."""

from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import SatelliteConfigEntry, SatelliteCoordinator
from .dynamic import async_add_per_class, async_add_per_room, async_add_per_room_and_class
from .entity import SatelliteEntity, SoundClassEntity
from .protocol import MICROPHONE_PROBLEMS, SoundClass
from .satellite_state import part_of
from .taught_sounds import async_follow_taught_sounds

PARALLEL_UPDATES = 0

# Never SMOKE: a bridge to another smart home would pass a microphone off as a smoke detector.
_DEVICE_CLASSES = {
    SoundClass.GLASS_BREAK: BinarySensorDeviceClass.GLASS_BREAK,
    SoundClass.PRESENCE: BinarySensorDeviceClass.OCCUPANCY,
}

CONNECTION = BinarySensorEntityDescription(
    key="connection",
    translation_key="connection",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)
MICROPHONE = BinarySensorEntityDescription(
    key="microphone",
    translation_key="microphone",
    device_class=BinarySensorDeviceClass.PROBLEM,
    entity_category=EntityCategory.DIAGNOSTIC,
)


async def async_setup_entry(
    hass: HomeAssistant, entry: SatelliteConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the binary sensors of a satellite."""
    coordinator = entry.runtime_data
    async_add_entities([ConnectionSensor(coordinator, CONNECTION), MicrophoneSensor(coordinator, MICROPHONE)])
    async_add_per_room(
        entry,
        async_add_entities,
        lambda room: [MicrophoneSensor(coordinator, MICROPHONE, room)],
    )
    async_add_per_room_and_class(
        entry,
        async_add_entities,
        lambda room, sound_class: SoundSensor(coordinator, _describe(sound_class), sound_class, room),
    )
    async_follow_taught_sounds(hass, entry, async_add_entities)
    async_add_per_class(
        entry,
        async_add_entities,
        lambda sound_class: SoundSensor(coordinator, _describe(sound_class), sound_class),
    )


def _describe(sound_class: SoundClass) -> BinarySensorEntityDescription:
    return BinarySensorEntityDescription(
        key=sound_class.value,
        translation_key=sound_class.value,
        device_class=_DEVICE_CLASSES.get(sound_class, BinarySensorDeviceClass.SOUND),
    )


class SoundSensor(SoundClassEntity, BinarySensorEntity):
    """On from the start to the end of a sound, as the satellite tells them: in a room, or in any that it hears."""

    def __init__(
        self,
        coordinator: SatelliteCoordinator,
        description: BinarySensorEntityDescription,
        sound_class: SoundClass,
        room: str = "",
    ) -> None:
        """Attach the entity to its class."""
        self._follows = frozenset({part_of(sound_class, room)})
        super().__init__(coordinator, description, sound_class, room)

    @property
    @override
    def is_on(self) -> bool:
        """Whether the sound goes on."""
        return self.coordinator.data.hears(self.sound_class, self.room)


class ConnectionSensor(SatelliteEntity, BinarySensorEntity):
    """Whether the satellite is connected."""

    @property
    @override
    def available(self) -> bool:
        """Always: this is the entity that says that the others are not."""
        return True

    @property
    @override
    def is_on(self) -> bool:
        """Whether the satellite is connected."""
        return self.coordinator.last_update_success


class MicrophoneSensor(SatelliteEntity, BinarySensorEntity):
    """Whether there is a problem with what hears: a room, or any of them."""

    _follows = frozenset({"health"})

    @property
    @override
    def is_on(self) -> bool:
        """Whether there is one."""
        data = self.coordinator.data
        problems = data.problems_of(self.room) if self.room else data.health.problems
        return not MICROPHONE_PROBLEMS.isdisjoint(problems)
