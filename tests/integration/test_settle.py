"""What a satellite says of its state costs little, however often it says it; what it hears is shown at once."""

import asyncio
from datetime import datetime
import json
from typing import Any

from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.echonet import selective, taught_sounds
from custom_components.echonet.settle import Settle
from echonet_satellite.protocol import MAX_ITEMS, SoundClass
from tests.integration.conftest import state_of, wait_for, wait_for_state
from tests.support.satellite import SatelliteUnderTest

HEALTH = "sensor.hallway_health"


def snapshot(*, first_sound: int = 0, sounds: int = 0) -> dict[str, Any]:
    taught = [
        {"id": f"{first_sound + item:032x}", "name": f"Sound {first_sound + item}", "examples": 3}
        for item in range(sounds)
    ]
    return {
        "type": "snapshot",
        "active": [],
        "health": {},
        "settings": {"listening": True, "sensitivity": {}},
        "learning": {"false_alarms": {}, "sounds": taught},
    }


async def test_the_first_wish_is_done_at_once_and_of_many_more_the_last_one() -> None:
    done: list[int] = []
    wishes: list[int] = []
    settle = Settle(asyncio.get_running_loop(), 0.01, lambda: done.append(len(wishes)))

    def wish() -> None:
        wishes.append(1)
        settle.async_ask()

    for _ in range(50):
        wish()
    assert done == [1]
    await wait_for(lambda: len(done) == 2)
    assert done == [1, 50]
    await asyncio.sleep(0.03)
    wish()
    assert done == [1, 50, 51]
    settle.async_end()


async def test_nothing_is_done_after_the_end() -> None:
    done: list[int] = []
    settle = Settle(asyncio.get_running_loop(), 0.01, lambda: done.append(1))
    settle.async_ask()
    settle.async_ask()
    settle.async_end()
    await asyncio.sleep(0.03)
    assert done == [1]


async def test_a_satellite_whose_health_never_stays_the_same_has_its_last_word(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    changes = async_capture_events(hass, "state_changed")
    begun = hass.loop.time()
    for number in range(100):
        problem = ["disk_full", "too_slow"][number % 2]
        await satellite.say(json.dumps({"type": "health", "problems": [problem], "dropped_blocks": number}))
    await satellite.say(json.dumps({"type": "health", "problems": ["microphone_silent"]}))
    await wait_for_state(hass, HEALTH, "microphone_silent")
    shown = [event for event in changes if event.data["entity_id"] == HEALTH]
    assert len(shown) <= (hass.loop.time() - begun) / selective.SETTLE_S + 2


async def test_a_sound_is_shown_at_once_also_while_the_state_changes_without_end(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loaded.runtime_data._settle, "_every_s", 3600.0)
    for problem in ("disk_full", "too_slow"):
        await satellite.say(json.dumps({"type": "health", "problems": [problem]}))
    await wait_for(lambda: loaded.runtime_data.data.health.problems == ("too_slow",))
    assert state_of(hass, HEALTH).state == "disk_full"
    satellite.emit(SoundClass.SCREAM)
    await wait_for_state(hass, "binary_sensor.hallway_scream", STATE_ON)


async def test_a_sound_writes_no_state_of_what_it_does_not_change(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    def written() -> dict[str, datetime]:
        return {state.entity_id: state.last_reported for state in hass.states.async_all()}

    before = written()
    satellite.emit(SoundClass.SCREAM)
    await wait_for_state(hass, "binary_sensor.hallway_scream", STATE_ON)
    await wait_for(lambda: state_of(hass, "event.hallway_sound_detection").state != "unknown")
    changed = {entity_id for entity_id, at in written().items() if before.get(entity_id) != at}
    assert changed == {"binary_sensor.hallway_scream", "event.hallway_sound_detection"}


async def test_a_satellite_that_knows_other_taught_sounds_each_time_does_not_fill_the_registry(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(taught_sounds, "MORE_AFTER_S", 0.01)
    monkeypatch.setattr(taught_sounds, "MAX_ADDED", 20)
    monkeypatch.setattr(selective, "SETTLE_S", 0.01)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    registry = er.async_get(hass)
    known = set(registry.entities)
    changes = async_capture_events(hass, er.EVENT_ENTITY_REGISTRY_UPDATED)
    await satellite.say(json.dumps(snapshot(sounds=12)))
    await wait_for(lambda: len(registry.entities) == len(known) + 12)
    for number in range(1, 10):
        await satellite.say(json.dumps(snapshot(first_sound=number * MAX_ITEMS, sounds=MAX_ITEMS)))
    await wait_for(lambda: any(event.data["action"] == "remove" for event in changes))
    await satellite.say(json.dumps(snapshot()))
    await wait_for(lambda: set(registry.entities) == known)
    assert 12 <= sum(event.data["action"] == "create" for event in changes) <= 20
