"""Whether a satellite listens, and of which sounds it keeps clips."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .clip_entity import ClipEntity
from .coordinator import SatelliteConfigEntry, SatelliteCoordinator
from .dynamic import async_add_with_clips
from .entity import SatelliteEntity
from .protocol import ClipChange, Configure, SoundClass

PARALLEL_UPDATES = 1

# Without a category, so that areas, scenes and voice assistants reach what a household turns for its privacy.
LISTENING = SwitchEntityDescription(key="listening", translation_key="listening")
CLIPS = SwitchEntityDescription(key="clips", translation_key="clips")


async def async_setup_entry(
    hass: HomeAssistant, entry: SatelliteConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the privacy switches."""
    coordinator = entry.runtime_data
    async_add_entities([ListeningSwitch(coordinator, LISTENING)])
    async_add_with_clips(entry, async_add_entities, lambda: [ClipSwitch(coordinator, CLIPS)])
    async_add_with_clips(
        entry,
        async_add_entities,
        lambda: [ClassClipSwitch(coordinator, item) for item in coordinator.data.welcome.classes],
    )


class ListeningSwitch(SatelliteEntity, SwitchEntity):
    """Off for privacy: the satellite then recognises nothing."""

    _follows = frozenset({"settings"})

    @property
    @override
    def is_on(self) -> bool:
        """Whether the satellite listens, as it says itself."""
        return self.coordinator.data.settings.listening

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Listen; the satellite answers with its new settings."""
        await self.coordinator.async_send(Configure(listening=True))

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Stop listening; the satellite answers with its new settings."""
        await self.coordinator.async_send(Configure(listening=False))


class ClipSwitch(ClipEntity, SwitchEntity):
    """Off, as it is from the start, nothing of what is heard is kept."""

    @property
    @override
    def is_on(self) -> bool:
        """Whether clips are kept, as the satellite says itself."""
        return self.clips is not None and self.clips.enabled

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Keep clips; the satellite answers with its new settings."""
        await self.async_change(ClipChange(enabled=True))

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Keep no more clips; those that there are stay until they are deleted or too old."""
        await self.async_change(ClipChange(enabled=False))


class ClassClipSwitch(ClipEntity, SwitchEntity):
    """Whether clips of one class are kept, while clips are kept at all."""

    def __init__(self, coordinator: SatelliteCoordinator, sound_class: SoundClass) -> None:
        """Attach the switch to its class."""
        description = SwitchEntityDescription(
            key=f"{sound_class}_clips",
            translation_key=f"{sound_class}_clips",
            entity_category=EntityCategory.CONFIG,
            entity_registry_enabled_default=False,
        )
        super().__init__(coordinator, description)
        self.sound_class = sound_class

    @property
    @override
    def is_on(self) -> bool:
        """Whether clips of this class are kept, as the satellite says itself."""
        return self.clips is not None and self.clips.classes.get(self.sound_class, False)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Keep clips of this class."""
        await self.async_change(ClipChange(classes={self.sound_class: True}))

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Keep no more clips of this class."""
        await self.async_change(ClipChange(classes={self.sound_class: False}))
