"""Configure, on the page of a satellite: a person teaches it sounds, is told what became of each, and forgets them."""

import asyncio
from collections.abc import AsyncIterator, Callable
import json
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import numpy as np
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet.const import DOMAIN
from echonet_satellite.frontend import Floats
from echonet_satellite.protocol import Configure, TeachHint, TeachOutcome
from tests.integration.conftest import StartSatellite, make_entry, setup, wait_for, wait_for_state
from tests.support.hearing import RATE
from tests.support.learning import tone
from tests.support.satellite import SatelliteUnderTest

SENSOR = "binary_sensor.hallway_doorbell"


@pytest.fixture
async def play(satellite: SatelliteUnderTest) -> AsyncIterator[Callable[[Floats], None]]:
    """What the microphone hears while somebody teaches; at first nothing."""
    heard = [np.zeros(8 * RATE, np.float32)]

    async def sound() -> None:
        while True:
            if satellite.learner is not None:
                satellite.learner.learned.recorder.push(heard[0])
            await asyncio.sleep(0.01)

    playing = asyncio.create_task(sound())
    yield lambda samples: heard.__setitem__(0, samples)
    playing.cancel()


async def configure(hass: HomeAssistant, entry: MockConfigEntry, step: str) -> Any:
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.MENU
    return await answer(hass, result, next_step_id=step)


async def answer(hass: HomeAssistant, result: Any, **given: Any) -> Any:
    """Answer what is shown, and wait while it listens."""
    flow_id = result["flow_id"]
    result = await hass.config_entries.options.async_configure(flow_id, given)
    async with asyncio.timeout(20):
        while result["type"] in {FlowResultType.SHOW_PROGRESS, FlowResultType.SHOW_PROGRESS_DONE}:
            assert result.get("progress_action", "listen") == "listen"
            await asyncio.sleep(0.02)
            result = await hass.config_entries.options.async_configure(flow_id)
    return result


async def test_a_person_teaches_a_sound_by_the_dialog_and_forgets_it(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    play: Callable[[Floats], None],
) -> None:
    result = await configure(hass, loaded, "teach")
    assert result["step_id"] == "teach"
    result = await answer(hass, result, name="\x07")
    assert result["errors"] == {"name": "sound_name"}
    # The first time nobody has rung.
    result = await answer(hass, result, name=" Doorbell ")
    assert result["step_id"] == "recorded"
    assert result["errors"] == {"base": "teach_nothing_heard"}
    assert result["description_placeholders"] == {"name": "Doorbell", "count": "0"}
    play(tone(1000))
    for count in range(1, 4):
        result = await answer(hass, result, again=True)
        assert not result["errors"]
        assert result["description_placeholders"] == {"name": "Doorbell", "count": str(count)}
    done = await answer(hass, result, again=False)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert not loaded.options
    await wait_for_state(hass, SENSOR, "off")
    # One more, of a name that can be chosen now.
    result = await configure(hass, loaded, "teach")
    result = await answer(hass, result, name="Doorbell")
    assert result["description_placeholders"] == {"name": "Doorbell", "count": "4"}
    await answer(hass, result, again=False)
    result = await configure(hass, loaded, "forget")
    (sound,) = satellite.station.snapshot().learning.sounds
    assert (await answer(hass, result, sounds=[sound.id]))["type"] is FlowResultType.CREATE_ENTRY
    await wait_for(lambda: hass.states.get(SENSOR) is None)


async def test_a_recording_that_is_unlike_the_others_is_said_to_be(
    hass: HomeAssistant, loaded: MockConfigEntry, play: Callable[[Floats], None]
) -> None:
    play(tone(1000))
    result = await answer(hass, await configure(hass, loaded, "teach"), name="Doorbell")
    assert not result["errors"]
    play(tone(3000))
    result = await answer(hass, result, again=True)
    assert result["errors"] == {"base": "teach_unlike"}
    assert result["description_placeholders"]["count"] == "2"


async def test_what_keeps_a_satellite_from_being_taught_is_said_in_the_dialog(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    result = await configure(hass, loaded, "teach")
    await satellite.station.configure(Configure(listening=False))
    result = await answer(hass, result, name="Doorbell")
    assert result["errors"] == {"base": "teach_not_listening"}
    await satellite.stop()
    await wait_for(lambda: not loaded.runtime_data.last_update_success)
    result = await answer(hass, result, again=True)
    assert result["errors"] == {"base": "not_connected"}
    await hass.config_entries.async_unload(loaded.entry_id)
    away = await hass.config_entries.options.async_init(loaded.entry_id)
    assert (away["type"], away["reason"]) == (FlowResultType.ABORT, "satellite_away")


async def test_a_satellite_without_a_reference_set_says_that_it_learns_nothing(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    satellite = await start_satellite(learns=False)
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    await satellite.wait_connected()
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "does_not_learn")
    await hass.config_entries.async_unload(entry.entry_id)


def test_the_dialog_has_a_text_for_every_refusal_and_hint() -> None:
    file = Path(__file__).parents[2] / "custom_components" / DOMAIN / "translations" / "en.json"
    errors = json.loads(file.read_text(encoding="utf-8"))["options"]["error"]
    refusals = set(TeachOutcome) - {TeachOutcome.LEARNED, TeachOutcome.LISTENING}
    assert {f"teach_{item}" for item in refusals | set(TeachHint)} <= set(errors)
