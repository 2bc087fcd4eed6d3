"""What arrived too late to be an event is in the logbook."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from homeassistant.core import Event, HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.echonet.const import EVENT_LATE_DETECTION
from custom_components.echonet.household.texts import TEXTS, Language
from custom_components.echonet.household.wording import describe_moment
from custom_components.echonet.logbook import async_describe_events


@pytest.mark.parametrize(
    ("sound_class", "pattern", "words"),
    [("alarm", "t3", "smoke alarm"), ("dog", None, "barking dog")],
)
async def test_late_detections_are_described(
    hass: HomeAssistant, sound_class: str, pattern: str | None, words: str
) -> None:
    descriptions: dict[tuple[str, str], Callable[[Event], dict[str, Any]]] = {}

    def describe_event(domain: str, event_type: str, describe: Callable[[Event], dict[str, Any]]) -> None:
        descriptions[domain, event_type] = describe

    async_describe_events(hass, describe_event)
    onset = dt_util.now() - timedelta(days=2)
    data = {"name": "Hallway", "sound_class": sound_class, "pattern": pattern, "onset": onset.isoformat()}
    described = descriptions["echonet", EVENT_LATE_DETECTION](Event(EVENT_LATE_DETECTION, data))
    assert described == {
        "name": "Hallway",
        "message": (
            f"heard {describe_moment(onset, dt_util.now(), TEXTS[Language.ENGLISH])}: {words} "
            "(told after the connection came back)"
        ),
    }
