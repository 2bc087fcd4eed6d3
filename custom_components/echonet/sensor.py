"""How well a satellite keeps up, what goes on in the house, and how the last walk test went."""

from collections.abc import Callable
from dataclasses import dataclass
import math
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import SatelliteConfigEntry, SatelliteCoordinator
from .dynamic import async_add_per_room
from .entity import SatelliteEntity
from .household.entity import home_subentry_of
from .household.runtime import HouseholdConfigEntry, is_household
from .household.sensor import INCIDENT_SENSORS, IncidentSensor
from .household.walk_entities import WalkTestSensor
from .household.where_entities import LikelyRoomSensor
from .protocol import Health, Level, Problem

PARALLEL_UPDATES = 0

NO_PROBLEM = "ok"


@dataclass(frozen=True, kw_only=True)
class HealthSensorDescription(SensorEntityDescription):
    """A sensor, and where its value stands in the satellite's health."""

    value: Callable[[Health], str | float]


SENSORS = (
    HealthSensorDescription(
        key="health",
        translation_key="health",
        device_class=SensorDeviceClass.ENUM,
        options=[NO_PROBLEM, *(item.value for item in Problem)],
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda health: health.problems[0].value if health.problems else NO_PROBLEM,
    ),
    HealthSensorDescription(
        key="dropped_blocks",
        translation_key="dropped_blocks",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda health: health.dropped_blocks,
    ),
    HealthSensorDescription(
        key="realtime_factor",
        translation_key="realtime_factor",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        suggested_display_precision=3,
        value=lambda health: health.realtime_factor,
    ),
)

LEARNED = SensorEntityDescription(
    key="learned_false_alarms",
    translation_key="learned_false_alarms",
    entity_category=EntityCategory.DIAGNOSTIC,
)
MODEL = SensorEntityDescription(
    key="sound_model",
    translation_key="sound_model",
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
)

# The satellite tells several a second; a history needs no more than this.
LEVEL_EVERY_S = 10.0

LEVEL = SensorEntityDescription(
    key="sound_level",
    translation_key="sound_level",
    state_class=SensorStateClass.MEASUREMENT,
    native_unit_of_measurement="dBFS",
    suggested_display_precision=0,
    entity_registry_enabled_default=False,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SatelliteConfigEntry | HouseholdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of a satellite or of the household."""
    if is_household(entry):
        household = entry.runtime_data
        async_add_entities(
            [
                *(IncidentSensor(household, description) for description in INCIDENT_SENSORS),
                WalkTestSensor(household.walk_test),
                LikelyRoomSensor(household),
            ],
            config_subentry_id=home_subentry_of(entry),
        )
        return
    runtime = entry.runtime_data
    async_add_entities(HealthSensor(runtime, description) for description in SENSORS)
    async_add_entities(
        [LearnedSensor(runtime, LEARNED), ModelSensor(runtime, MODEL), LevelSensor(runtime, LEVEL)]
    )
    async_add_per_room(entry, async_add_entities, lambda room: [LevelSensor(runtime, LEVEL, room)])


class HealthSensor(SatelliteEntity, SensorEntity):
    """One figure of a satellite's health."""

    entity_description: HealthSensorDescription
    _follows = frozenset({"health"})

    @property
    @override
    def native_value(self) -> str | float:
        """What the satellite told last."""
        return self.entity_description.value(self.coordinator.data.health)


class LearnedSensor(SatelliteEntity, SensorEntity):
    """How many sounds the satellite has learned to be no alarm."""

    _follows = frozenset({"false_alarms"})

    @property
    @override
    def available(self) -> bool:
        """Whether the satellite is there, and learns at all."""
        return super().available and self.coordinator.data.welcome.learns

    @property
    @override
    def native_value(self) -> int:
        """Of all classes together."""
        return sum(self.coordinator.data.learning.false_alarms.values())


class ModelSensor(SatelliteEntity, SensorEntity):
    """Which trained model recognises the sounds."""

    @property
    @override
    def native_value(self) -> str:
        """Its name and version."""
        welcome = self.coordinator.data.welcome
        return f"{welcome.model_name} {welcome.model_version}"


class LevelSensor(SatelliteEntity, SensorEntity):
    """How loud it has been in the last seconds, in a room or in the loudest one.

    It is asked of the satellite only where the entity is enabled.
    """

    def __init__(
        self, coordinator: SatelliteCoordinator, description: SensorEntityDescription, room: str = ""
    ) -> None:
        """Begin without knowing."""
        super().__init__(coordinator, description, room)
        self._powers: list[float] = []
        self._shown_at: float | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to listen."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.live.async_subscribe(self._async_take))

    @callback
    def _async_take(self, level: Level) -> None:
        rms_dbfs = level.rooms.get(self.room) if self.room else level.rms_dbfs
        if rms_dbfs is None:
            return
        now = self.hass.loop.time()
        self._powers.append(10 ** (rms_dbfs / 10))
        if self._shown_at is not None and now - self._shown_at < LEVEL_EVERY_S:
            return
        self._shown_at = now
        mean = sum(self._powers) / len(self._powers)
        self._powers.clear()
        self._attr_native_value = round(10 * math.log10(mean), 1)
        self.async_write_ha_state()
