"""What arrived too late to be an event is in the logbook."""

from datetime import timedelta

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.logbook.common import MockRow, mock_humanify

from custom_components.echonet.const import EVENT_LATE_DETECTION
from tests.integration.conftest import setup
from tests.support.satellite import SatelliteUnderTest
from pytest_homeassistant_custom_component.common import MockConfigEntry


@pytest.mark.parametrize(
    ("sound_class", "pattern", "words"),
    [("alarm", "t3", "smoke alarm"), ("dog", None, "barking dog")],
)
async def test_late_detections_are_described(
    recorder_mock: None, hass: HomeAssistant, entry: MockConfigEntry, sound_class: str, pattern: str | None, words: str
) -> None:
    hass.config.components.add("recorder")
    assert await async_setup_component(hass, "logbook", {})
    await setup(hass, entry)
    onset = dt_util.now() - timedelta(minutes=2)
    data = {"name": "Hallway", "sound_class": sound_class, "pattern": pattern, "onset": onset.isoformat()}
    (described,) = mock_humanify(hass, [MockRow(EVENT_LATE_DETECTION, data)])
    assert described["name"] == "Hallway"
    assert described["domain"] == "echonet"
    assert described["message"].startswith("heard ")
    assert described["message"].endswith(f": {words} (told after the connection came back)")
    await hass.config_entries.async_unload(entry.entry_id)
