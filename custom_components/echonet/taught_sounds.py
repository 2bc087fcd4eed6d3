"""Sounds that the home has taught a satellite: taught by an action, shown as a binary sensor each."""

import asyncio
from collections.abc import Iterable
from typing import Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .coordinator import SatelliteConfigEntry, SatelliteCoordinator
from .entity import SatelliteEntity
from .plain import plain_name
from .protocol import MAX_STRING_LENGTH, Forget, Taught, TaughtSound, Teach, TeachOutcome
from .settle import Settle

# A satellite that says nothing for so long after it has listened will say nothing any more.
_PATIENCE_S: Final = 30.0
_UNIQUE: Final = "sound-"
# A satellite that knows other sounds each time it is asked must not keep Home Assistant busy, nor fill its registry.
AT_ONCE: Final = 8
MORE_AFTER_S: Final = 0.25
MAX_ADDED: Final = 256


@callback
def async_follow_taught_sounds(
    hass: HomeAssistant, entry: SatelliteConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a sensor for each taught sound, now and as sounds are taught, and remove those of forgotten ones."""
    coordinator = entry.runtime_data
    shown: set[str] = set()
    left = MAX_ADDED

    @callback
    def follow() -> None:
        nonlocal left
        sounds = {sound.id: sound for sound in coordinator.data.learning.sounds}
        new = sorted(sounds.keys() - shown)[: min(AT_ONCE, left)]
        left -= len(new)
        if new:
            async_add_entities([TaughtSoundSensor(coordinator, sounds[item]) for item in new])
        shown.update(new)
        gone = _async_forgotten(hass, entry, set(sounds)) if coordinator.last_update_success else {}
        now, later = list(gone)[:AT_ONCE], list(gone)[AT_ONCE:]
        for item in now:
            er.async_get(hass).async_remove(gone[item])
        shown.intersection_update([*sounds, *later])
        if later or (left and not sounds.keys() <= shown):
            more.async_ask()

    more = Settle(hass.loop, MORE_AFTER_S, follow)
    more.async_ask()
    entry.async_on_unload(more.async_end)
    entry.async_on_unload(coordinator.async_add_listener(more.async_ask, frozenset({"sounds"})))


@callback
def _async_forgotten(hass: HomeAssistant, entry: SatelliteConfigEntry, known: set[str]) -> dict[str, str]:
    """Return the entities of sounds that are not known any more, by the ids of these."""
    prefix = f"{entry.runtime_data.satellite_id}-{_UNIQUE}"
    return {
        sound_id: item.entity_id
        for item in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if item.unique_id.startswith(prefix)
        and (sound_id := item.unique_id.removeprefix(prefix)) not in known
    }


class TaughtSoundSensor(SatelliteEntity, BinarySensorEntity):
    """On while a sound that the home has taught is heard."""

    def __init__(self, coordinator: SatelliteCoordinator, sound: TaughtSound) -> None:
        """Show one sound, by the name that it was taught with."""
        description = BinarySensorEntityDescription(
            key=f"{_UNIQUE}{sound.id}",
            translation_key="taught_sound",
            device_class=BinarySensorDeviceClass.SOUND,
        )
        self._follows = frozenset({sound.id})
        super().__init__(coordinator, description)
        self._attr_translation_placeholders = {"name": plain_name(sound.name)}
        self._sound_id = sound.id

    @property
    @override
    def available(self) -> bool:
        """Whether the satellite is there, and has enough recordings to know the sound."""
        return super().available and any(
            sound.ready for sound in self.coordinator.data.learning.sounds if sound.id == self._sound_id
        )

    @property
    @override
    def is_on(self) -> bool:
        """Whether it is heard now."""
        return any(
            sound.active for sound in self.coordinator.data.learning.sounds if sound.id == self._sound_id
        )


async def async_teach(coordinator: SatelliteCoordinator, name: str) -> Taught:
    """Let a satellite listen for one recording of a sound, and return what became of it.

    Raises:
        ServiceValidationError: it does not learn, is not listening, or has as many as it can keep.
        HomeAssistantError: it heard nothing, or does not answer.
    """
    _check_learns(coordinator)
    answers: asyncio.Queue[Taught] = asyncio.Queue()
    unsubscribe = coordinator.moments.async_subscribe(Taught, answers.put_nowait)
    try:
        await coordinator.async_send(Teach(name=name))
        wait_s = _PATIENCE_S
        while True:
            async with asyncio.timeout(wait_s):
                taught = await answers.get()
            if taught.name != name:
                continue
            if taught.outcome is not TeachOutcome.LISTENING:
                break
            wait_s = _PATIENCE_S + taught.listens_s
    except TimeoutError:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="teach_failed",
            translation_placeholders=_name_of(coordinator),
        ) from None
    finally:
        unsubscribe()
    return _taught(taught, _name_of(coordinator))


def _taught(taught: Taught, placeholders: dict[str, str]) -> Taught:
    match taught.outcome:
        case TeachOutcome.LEARNED:
            return taught
        case TeachOutcome.NOT_LISTENING:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="teach_not_listening",
                translation_placeholders=placeholders,
            )
        case TeachOutcome.FULL:
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="teach_full", translation_placeholders=placeholders
            )
        case TeachOutcome.BUSY:
            raise HomeAssistantError(
                translation_domain=DOMAIN, translation_key="teach_busy", translation_placeholders=placeholders
            )
        case TeachOutcome.NOTHING_HEARD:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="teach_nothing_heard",
                translation_placeholders=placeholders,
            )
    raise HomeAssistantError(
        translation_domain=DOMAIN, translation_key="teach_failed", translation_placeholders=placeholders
    )


async def async_forget_sound(coordinator: SatelliteCoordinator, name: str) -> None:
    """Let a satellite forget a sound.

    Raises:
        ServiceValidationError: it knows none of this name.
    """
    _check_learns(coordinator)
    found = [
        sound.id
        for sound in coordinator.data.learning.sounds
        if sound.name.casefold() == name.casefold() or plain_name(sound.name).casefold() == name.casefold()
    ]
    if not found:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="sound_not_known",
            translation_placeholders=_name_of(coordinator),
        )
    await async_forget_sounds(coordinator, found)


async def async_forget_sounds(coordinator: SatelliteCoordinator, sound_ids: Iterable[str]) -> None:
    """Let a satellite forget sounds, by their ids."""
    await coordinator.async_send(Forget(sounds=tuple(sound_ids)))


def is_sound_name(name: str) -> bool:
    """Tell whether a sound may be called so."""
    return 0 < len(name) <= MAX_STRING_LENGTH and name.isprintable()


def _check_learns(coordinator: SatelliteCoordinator) -> None:
    if not coordinator.data.welcome.learns:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="does_not_learn",
            translation_placeholders=_name_of(coordinator),
        )


def _name_of(coordinator: SatelliteCoordinator) -> dict[str, str]:
    return {"name": coordinator.config_entry.title}
