"""Tries the way from a microphone to the phones, and from all of them; answers what they were told; deletes clips."""

import asyncio
from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .clip_access import async_delete_clips
from .clip_entity import ClipEntity
from .const import DOMAIN
from .coordinator import SatelliteConfigEntry, SatelliteCoordinator
from .device import async_name_room
from .dynamic import async_add_per_room, async_add_with_clips
from .entity import SatelliteEntity
from .household.button import ANSWERS, AnswerButton
from .household.entity import home_subentry_of
from .household.runtime import HouseholdConfigEntry, is_household
from .household.walk_entities import WalkTestButton
from .protocol import Forget, SelfTest, SelfTestOutcome, SelfTestResult, SoundClass, Test

PARALLEL_UPDATES = 1

# A satellite waits for its own ears and for our acknowledgement.
SELF_TEST_TIMEOUT_S = 40.0

TEST = ButtonEntityDescription(key="test", translation_key="test")
SELF_TEST = ButtonEntityDescription(
    key="self_test", translation_key="self_test", entity_category=EntityCategory.DIAGNOSTIC
)
DELETE_CLIPS = ButtonEntityDescription(
    key="delete_clips", translation_key="delete_clips", entity_category=EntityCategory.CONFIG
)
FORGET = ButtonEntityDescription(
    key="forget_false_alarms",
    translation_key="forget_false_alarms",
    entity_category=EntityCategory.CONFIG,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SatelliteConfigEntry | HouseholdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of a satellite or of the household."""
    if is_household(entry):
        household = entry.runtime_data
        async_add_entities(
            [
                *(AnswerButton(household, description) for description in ANSWERS),
                WalkTestButton(household.walk_test),
            ],
            config_subentry_id=home_subentry_of(entry),
        )
        return
    coordinator = entry.runtime_data
    async_add_entities(
        [
            TestButton(coordinator, TEST),
            SelfTestButton(coordinator, SELF_TEST),
            ForgetButton(coordinator, FORGET),
        ]
    )
    async_add_per_room(entry, async_add_entities, lambda room: [TestButton(coordinator, TEST, room)])
    async_add_with_clips(entry, async_add_entities, lambda: [DeleteClipsButton(coordinator, DELETE_CLIPS)])


class TestButton(SatelliteEntity, ButtonEntity):
    """Asks the satellite for a detection that is marked as a test."""

    __test__ = False  # The name would make pytest collect it.

    @override
    async def async_press(self) -> None:
        """Ask for it: an alarm if the model knows one, because that is what must not fail."""
        classes = self.coordinator.data.welcome.classes
        await self.coordinator.async_send(
            Test(
                sound_class=classes[0] if classes and SoundClass.ALARM not in classes else SoundClass.ALARM,
                room=self.room,
            )
        )


class SelfTestButton(SatelliteEntity, ButtonEntity):
    """Lets the satellite follow a known sound from its microphone to Home Assistant, and says where it was lost."""

    @override
    async def async_press(self) -> None:
        """Run it, and wait for what comes of it."""
        result = await _async_self_test(self.coordinator)
        name = self.coordinator.config_entry.title
        if result is None:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="self_test_no_answer",
                translation_placeholders={"name": name},
            )
        if result.outcome is not SelfTestOutcome.PASSED:
            # What is wrong in one way is said at once, with all the rooms where it is so.
            rooms = [
                async_name_room(self.hass, self.coordinator.satellite_id, item.room)
                for item in result.rooms
                if item.outcome is result.outcome
            ]
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key=f"self_test_{result.outcome}",
                translation_placeholders={"name": f"{name} ({', '.join(rooms)})" if rooms else name},
            )


class DeleteClipsButton(ClipEntity, ButtonEntity):
    """Deletes all clips of the satellite."""

    @override
    async def async_press(self) -> None:
        """Delete them."""
        await async_delete_clips(self.hass, self.coordinator.config_entry)


class ForgetButton(SatelliteEntity, ButtonEntity):
    """Makes the satellite hear everything again that somebody called a false alarm."""

    @property
    @override
    def available(self) -> bool:
        """Whether the satellite is there, and learns at all."""
        return super().available and self.coordinator.data.welcome.learns

    @override
    async def async_press(self) -> None:
        """Forget all of it."""
        await self.coordinator.async_send(Forget(false_alarms=True))


async def _async_self_test(coordinator: SatelliteCoordinator) -> SelfTestResult | None:
    """Let a satellite test itself; None if it does not answer, as an older one.

    Raises:
        HomeAssistantError: there is no connection.
    """
    answer: asyncio.Future[SelfTestResult] = coordinator.hass.loop.create_future()

    @callback
    def take(result: SelfTestResult) -> None:
        if not answer.done():
            answer.set_result(result)

    unsubscribe = coordinator.moments.async_subscribe(SelfTestResult, take)
    try:
        await coordinator.async_send(SelfTest())
        async with asyncio.timeout(SELF_TEST_TIMEOUT_S):
            return await answer
    except TimeoutError:
        return None
    finally:
        unsubscribe()
