"""Adds entities as a satellite turns out to have more: classes of its model, rooms that it hears, or clips."""

from collections.abc import Callable, Iterable, Sequence
from itertools import product

from homeassistant.core import callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import SatelliteConfigEntry
from .protocol import SoundClass, Welcome
from .satellite_state import rooms_of


@callback
def async_add_per_class(
    entry: SatelliteConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[SoundClass], Entity],
) -> None:
    """Add the entity that `create` makes for each class, now and as classes appear."""
    _async_add(entry, async_add_entities, lambda welcome: welcome.classes, lambda item: (create(item),))


@callback
def async_add_per_room(
    entry: SatelliteConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[str], Iterable[Entity]],
) -> None:
    """Add the entities that `create` makes for each room of a satellite that hears several, now and as rooms appear.

    Those of a room that it does not hear any more go with its device, and are added anew when it is back.
    """
    _async_add(entry, async_add_entities, rooms_of, create, forgets=True)


@callback
def async_add_per_room_and_class(
    entry: SatelliteConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[str, SoundClass], Entity],
) -> None:
    """Add the entity that `create` makes for each class in each room of a satellite that hears several."""
    _async_add(
        entry,
        async_add_entities,
        lambda welcome: product(rooms_of(welcome), welcome.classes),
        lambda item: (create(*item),),
        forgets=True,
    )


@callback
def _async_add[T](
    entry: SatelliteConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    things: Callable[[Welcome], Iterable[T]],
    create: Callable[[T], Iterable[Entity]],
    *,
    forgets: bool = False,
) -> None:
    coordinator = entry.runtime_data
    added: set[T] = set()

    @callback
    def add_missing() -> None:
        there = tuple(things(coordinator.data.welcome))
        missing = [item for item in there if item not in added]
        if forgets:
            added.intersection_update(there)
        if missing:
            added.update(missing)
            async_add_entities([entity for item in missing for entity in create(item)])

    add_missing()
    entry.async_on_unload(coordinator.async_add_listener(add_missing, frozenset()))


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
    entry.async_on_unload(coordinator.async_add_listener(add_once, frozenset({"settings"})))
