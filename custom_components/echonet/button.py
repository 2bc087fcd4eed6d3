"""Tries the way from a satellite to the phones, and from all of them; answers what they were told."""

from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import SatelliteConfigEntry
from .entity import SatelliteEntity
from .household.button import ANSWERS, AnswerButton
from .household.runtime import Household, HouseholdConfigEntry
from .household.walk_entities import WalkTestButton
from .protocol import SoundClass, Test

PARALLEL_UPDATES = 1

TEST = ButtonEntityDescription(key="test", translation_key="test")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SatelliteConfigEntry | HouseholdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of a satellite or of the household."""
    runtime = entry.runtime_data
    if isinstance(runtime, Household):
        async_add_entities(AnswerButton(runtime, description) for description in ANSWERS)
        async_add_entities([WalkTestButton(runtime.walk_test)])
    else:
        async_add_entities([TestButton(runtime, TEST)])


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
