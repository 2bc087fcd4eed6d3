"""The answers to the last alert, as buttons for dashboards, remote controls and people without the companion app."""

from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription

from ..const import HOUSEHOLD_UNIQUE_ID
from .answers import async_answer, async_get_last
from .entity import household_device
from .payload import Answer
from .runtime import Household


@dataclass(frozen=True, kw_only=True)
class AnswerDescription(ButtonEntityDescription):
    """A button and the answer that it gives."""

    answer: Answer


ANSWERS: Final = tuple(
    AnswerDescription(key=answer.value, translation_key=answer.value, answer=answer) for answer in Answer
)


class AnswerButton(ButtonEntity):
    """Answers the last alert."""

    _attr_has_entity_name = True

    entity_description: AnswerDescription

    def __init__(self, household: Household, description: AnswerDescription) -> None:
        """Attach the entity to the household."""
        self.entity_description = description
        self._household = household
        self._attr_unique_id = f"{HOUSEHOLD_UNIQUE_ID}-{description.key}"
        self._attr_device_info = household_device()

    @override
    async def async_press(self) -> None:
        """Answer."""
        await async_answer(self._household.hass, self.entity_description.answer, async_get_last)
