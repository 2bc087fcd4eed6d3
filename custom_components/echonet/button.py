"""Tries the way from a satellite to the phones."""

from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import SatelliteConfigEntry
from .entity import SatelliteEntity
from .protocol import SoundClass, Test

PARALLEL_UPDATES = 1

TEST = ButtonEntityDescription(key="test", translation_key="test", entity_category=EntityCategory.DIAGNOSTIC)


async def async_setup_entry(
    hass: HomeAssistant, entry: SatelliteConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the test button."""
    async_add_entities([TestButton(entry.runtime_data, TEST)])


class TestButton(SatelliteEntity, ButtonEntity):
    """Asks the satellite for a detection that is marked as a test."""

    __test__ = False  # The name would make pytest collect it.

    @override
    async def async_press(self) -> None:
        """Ask for it: an alarm if the model knows one, because that is what must not fail."""
        classes = self.coordinator.data.welcome.classes
        await self.coordinator.async_send(
            Test(sound_class=classes[0] if classes and SoundClass.ALARM not in classes else SoundClass.ALARM)
        )
