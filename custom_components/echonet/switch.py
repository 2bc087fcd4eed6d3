"""Whether a satellite listens."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import SatelliteConfigEntry
from .entity import SatelliteEntity
from .protocol import Configure

PARALLEL_UPDATES = 1

# Without a category, so that areas, scenes and voice assistants reach what a household turns for its privacy.
LISTENING = SwitchEntityDescription(key="listening", translation_key="listening")


async def async_setup_entry(
    hass: HomeAssistant, entry: SatelliteConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the privacy switch."""
    async_add_entities([ListeningSwitch(entry.runtime_data, LISTENING)])


class ListeningSwitch(SatelliteEntity, SwitchEntity):
    """Off for privacy: the satellite then recognises nothing."""

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
