"""Adds one entity per class of a satellite's model, also when an update brings a model with more classes."""

from collections.abc import Callable

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
