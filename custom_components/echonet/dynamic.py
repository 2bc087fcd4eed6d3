"""Adds entities for what a satellite can do, also when an update of it brings more classes, or clips."""

from collections.abc import Callable, Sequence

from homeassistant.core import callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import SatelliteConfigEntry
from .protocol import SoundClass


@callback
def async_add_per_class(
    entry: SatelliteConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[SoundClass], Entity],
) -> None:
    """Add the entity that `create` makes for each class, now and as classes appear."""
    coordinator = entry.runtime_data
    added: set[SoundClass] = set()

    @callback
    def add_missing() -> None:
        missing = [item for item in coordinator.data.welcome.classes if item not in added]
        if missing:
            added.update(missing)
            async_add_entities([create(item) for item in missing])

    add_missing()
    entry.async_on_unload(coordinator.async_add_listener(add_missing))


@callback
def async_add_with_clips(
    entry: SatelliteConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[], Sequence[Entity]],
) -> None:
    """Add the entities that `create` makes once the satellite can keep clips, now or later."""
    coordinator = entry.runtime_data
    added = False

    @callback
    def add_once() -> None:
        nonlocal added
        if not added and coordinator.data.settings.clips is not None:
            added = True
            async_add_entities(create())

    add_once()
    entry.async_on_unload(coordinator.async_add_listener(add_once))
