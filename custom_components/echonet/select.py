"""How sensitive a satellite is to each class, and what becomes of talk in clips."""

from typing import override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .clip_entity import ClipEntity
from .coordinator import SatelliteConfigEntry
from .dynamic import async_add_per_class, async_add_with_clips
from .entity import SoundClassEntity
from .protocol import ClipChange, Configure, Sensitivity, Talk

PARALLEL_UPDATES = 1

TALK = SelectEntityDescription(
    key="clip_talk",
    translation_key="clip_talk",
    entity_category=EntityCategory.CONFIG,
    options=[item.value for item in Talk],
)


async def async_setup_entry(
    hass: HomeAssistant, entry: SatelliteConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a sensitivity per class, and what becomes of talk."""
    async_add_with_clips(entry, async_add_entities, lambda: [TalkSelect(entry.runtime_data, TALK)])
    async_add_per_class(
        entry,
        async_add_entities,
        lambda sound_class: SensitivitySelect(
            entry.runtime_data,
            SelectEntityDescription(
                key=f"{sound_class}_sensitivity",
                translation_key=f"{sound_class}_sensitivity",
                entity_category=EntityCategory.CONFIG,
                options=[item.value for item in Sensitivity],
            ),
            sound_class,
        ),
    )


class SensitivitySelect(SoundClassEntity, SelectEntity):
    """The sensitivity of one class."""

    _follows = frozenset({"settings"})

    @property
    @override
    def current_option(self) -> str | None:
        """What the satellite says that it uses."""
        return self.coordinator.data.settings.sensitivity.get(self.sound_class)

    @override
    async def async_select_option(self, option: str) -> None:
        """Turn it; the satellite answers with its new settings."""
        await self.coordinator.async_send(Configure(sensitivity={self.sound_class: Sensitivity(option)}))


class TalkSelect(ClipEntity, SelectEntity):
    """What becomes of a clip in which somebody talks."""

    @property
    @override
    def current_option(self) -> str | None:
        """What the satellite says that it does."""
        return self.clips.talk if self.clips else None

    @override
    async def async_select_option(self, option: str) -> None:
        """Change it; the satellite answers with its new settings."""
        await self.async_change(ClipChange(talk=Talk(option)))
