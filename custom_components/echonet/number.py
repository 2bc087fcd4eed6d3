"""How long and how many clips a satellite keeps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.number import NumberEntity, NumberEntityDescription, NumberMode
from homeassistant.const import EntityCategory, UnitOfInformation, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .clip_entity import ClipEntity
from .coordinator import SatelliteConfigEntry
from .dynamic import async_add_with_clips
from .protocol import ClipChange, ClipSettings

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class ClipLimitDescription(NumberEntityDescription):
    """A limit, how it is read and how it is changed."""

    value: Callable[[ClipSettings], int]
    change: Callable[[int], ClipChange]


LIMITS = (
    ClipLimitDescription(
        key="clip_days",
        translation_key="clip_days",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        native_min_value=1,
        native_max_value=365,
        native_step=1,
        native_unit_of_measurement=UnitOfTime.DAYS,
        mode=NumberMode.BOX,
        value=lambda clips: clips.keep_days,
        change=lambda value: ClipChange(keep_days=value),
    ),
    ClipLimitDescription(
        key="clip_size",
        translation_key="clip_size",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        native_min_value=10,
        native_max_value=10_000,
        native_step=10,
        native_unit_of_measurement=UnitOfInformation.MEGABYTES,
        mode=NumberMode.BOX,
        value=lambda clips: clips.keep_mb,
        change=lambda value: ClipChange(keep_mb=value),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: SatelliteConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the limits, where the satellite can keep clips."""
    async_add_with_clips(
        entry,
        async_add_entities,
        lambda: [ClipLimit(entry.runtime_data, description) for description in LIMITS],
    )


class ClipLimit(ClipEntity, NumberEntity):
    """A limit to what is kept."""

    entity_description: ClipLimitDescription

    @property
    @override
    def native_value(self) -> float | None:
        """The limit, as the satellite says."""
        return self.entity_description.value(self.clips) if self.clips else None

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Change it; the satellite answers with its new settings."""
        await self.async_change(self.entity_description.change(round(value)))
