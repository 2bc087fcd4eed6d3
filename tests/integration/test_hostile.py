"""A hostile, broken or newer satellite costs nobody anything."""

import asyncio
from collections.abc import Callable
import contextlib
from datetime import UTC, datetime
import json
from typing import Any

from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.echonet import link, pace, satellite_state
from custom_components.echonet.const import DOMAIN
from custom_components.echonet.errors import Chatterbox
from custom_components.echonet.plain import MAX_NAME_LENGTH, plain_name
from echonet_satellite.protocol import Phase, SoundClass
from tests.integration.conftest import (
    StartSatellite,
    is_in,
    make_entry,
    setup,
    state_of,
    wait_for,
    wait_for_state,
)
from tests.support.satellite import SatelliteUnderTest

FRAMES = 4000
CONNECTION = "binary_sensor.hallway_connection"


def detection(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "type": "detection",
        "id": f"{number:032x}",
        "sequence": number + 1,
        "sound_class": "dog",
        "phase": "start",
        "onset": datetime.now(UTC).isoformat(),
        "confidence": 0.9,
        "peak_dbfs": -10.0,
        **fields,
    }


def health(number: int) -> dict[str, Any]:
    return {"type": "health", "problems": [["disk_full"], ["too_slow"]][number % 2], "dropped_blocks": number}


def snapshot(number: int) -> dict[str, Any]:
    return {
        "type": "snapshot",
        "active": [detection(number + 1000 * item, sound_class="fire") for item in range(150)],
        "health": health(number),
        "settings": {"listening": bool(number % 2), "sensitivity": {}},
    }


def unknown(number: int) -> dict[str, Any]:
    return {"type": f"unheard of {number}"}


async def flood(satellite: SatelliteUnderTest, frame: Callable[[int], dict[str, Any]]) -> None:
    """Send as fast as it goes, until one is not heard any more."""
    for number in range(FRAMES):
        if not satellite.connected:
            return
        with contextlib.suppress(ConnectionError):
            await satellite.say(json.dumps(frame(number)))
        await asyncio.sleep(0)


@pytest.mark.parametrize("frame", [detection, health, snapshot, unknown])
async def test_four_thousand_hostile_frames_hold_up_nobody_and_end_the_connection(
    hass: HomeAssistant,
    start_satellite: StartSatellite,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    monkeypatch: pytest.MonkeyPatch,
    frame: Callable[[int], dict[str, Any]],
) -> None:
    # The less a machine can do, the longer it would take the usual limits to be reached.
    monkeypatch.setattr(pace, "BURST", 20)
    monkeypatch.setattr(pace, "LIVE_PER_S", 2.0)
    monkeypatch.setattr(pace, "HELD_UP_LIMIT", 4)
    kitchen = await start_satellite(name="Kitchen")
    entry = make_entry(kitchen)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    changes = async_capture_events(hass, "state_changed")
    flooding = asyncio.create_task(flood(satellite, frame))
    kitchen.emit(SoundClass.SCREAM)
    await wait_for_state(hass, "binary_sensor.kitchen_scream", STATE_ON)
    issues = ir.async_get(hass)
    # All run in one process here, the flood too.
    await wait_for(lambda: issues.async_get_issue(DOMAIN, f"chatterbox_{loaded.entry_id}"), within_s=60)
    await flooding
    assert state_of(hass, CONNECTION).state == STATE_OFF
    assert state_of(hass, "binary_sensor.kitchen_connection").state == STATE_ON
    taken_in = [event for event in changes if event.data["entity_id"] == "event.hallway_sound_detection"]
    assert len(taken_in) < FRAMES / 4
    # It is not tried again at once, whatever it announces.
    loaded.runtime_data.async_wake()
    await asyncio.sleep(0.1)
    assert satellite.connected == ()
    await hass.config_entries.async_unload(entry.entry_id)


async def test_the_issue_of_a_chatterbox_goes_when_it_has_behaved_for_a_while(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "BURST", 20)
    monkeypatch.setattr(pace, "LIVE_PER_S", 2.0)
    monkeypatch.setattr(pace, "HELD_UP_LIMIT", 0)
    monkeypatch.setattr(link, "BANISHED_S", 0.05)
    issue_id = f"chatterbox_{loaded.entry_id}"
    flooding = asyncio.create_task(flood(satellite, health))
    await wait_for(lambda: ir.async_get(hass).async_get_issue(DOMAIN, issue_id))
    flooding.cancel()
    monkeypatch.setattr(link, "STABLE_AFTER_S", 0.05)
    await wait_for_state(hass, CONNECTION, STATE_ON)
    await wait_for(lambda: ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is None)


def test_a_backlog_is_no_chatter() -> None:
    now = 0.0
    steps = pace.Pace(lambda: now)

    def talk(count: int, *, replayed: bool = False) -> None:
        nonlocal now
        for _ in range(count):
            now += steps.take(replayed=replayed)

    talk(5000, replayed=True)
    talk(pace.BURST + pace.HELD_UP_LIMIT)
    with pytest.raises(Chatterbox):
        talk(pace.HELD_UP_LIMIT)


async def test_a_satellite_that_never_ends_anything_fills_no_memory(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(satellite_state, "MAX_ACTIVE", 4)
    for _ in range(10):
        last = satellite.emit(SoundClass.DOG)
    await wait_for(lambda: last in loaded.runtime_data.data.active)
    assert len(loaded.runtime_data.data.active) == 4


async def test_a_newer_satellite_works_and_is_logged_once(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for number in range(3):
        await satellite.say(json.dumps({"type": "moon_phase", "phase": number}))
        await satellite.say(json.dumps(detection(number, sound_class="cat")))
        await satellite.say(json.dumps({"type": "health", "problems": ["sleepy", "disk_full"]}))
    await satellite.say(json.dumps(detection(9, sound_class="alarm", pattern="waltz")))
    await wait_for_state(hass, "binary_sensor.hallway_alarm", STATE_ON)
    assert state_of(hass, "sensor.hallway_health").state == "disk_full"
    assert state_of(hass, CONNECTION).state == STATE_ON
    for word in ("moon_phase", "cat", "sleepy", "waltz"):
        assert caplog.text.count(word) == 1, word


async def test_what_only_a_newer_integration_understands_is_not_sent_for_ever(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acknowledged: list[int] = []

    async def acknowledge(_: str, sequence: int) -> None:
        acknowledged.append(sequence)

    monkeypatch.setattr(satellite.station, "acknowledge", acknowledge)
    await satellite.say(json.dumps(detection(41, sound_class="cat")))
    await wait_for(lambda: acknowledged == [42])


async def test_a_sound_that_the_model_does_not_have_fires_no_event(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    satellite = await start_satellite(classes=(SoundClass.DOG,))
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    await satellite.say(json.dumps(detection(0, sound_class="gunshot")))
    satellite.emit(SoundClass.DOG)
    await wait_for_state(hass, "binary_sensor.hallway_dog", STATE_ON)
    assert state_of(hass, "event.hallway_sound_detection").attributes["event_type"] == "dog"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_model_without_classes_breaks_nothing(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    satellite = await start_satellite(classes=())
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    await hass.services.async_call(
        "button", "press", {"entity_id": "button.hallway_send_test_alert"}, blocking=True
    )
    satellite.emit(SoundClass.DOG, Phase.START)
    await wait_for_state(hass, CONNECTION, STATE_ON)
    assert is_in(entry, entry.state.LOADED)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_name_with_a_link_stays_words(hass: HomeAssistant, start_satellite: StartSatellite) -> None:
    satellite = await start_satellite(name="[Click **here**](https://www.example.org) ![x](y)")
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, satellite.satellite_id), entry.entry_id
    )
    assert device is not None
    assert device.name == "Click here (https www example org) x (y)"
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize(
    "name", ["Hallway", "Küche 2", "Anna's room", "St. John's-Wing", "Büro (oben)", "खिड़की", "客厅"]
)
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert plain_name(name) == name


@given(st.text(max_size=2000))
def test_no_name_is_markdown(name: str) -> None:
    plain = plain_name(name)
    assert 0 < len(plain) <= MAX_NAME_LENGTH
    assert not set(plain) & set('[]<>*_`#|~!\\:/@"={}$%^;?')
    assert plain.isprintable()
    assert all("." not in word.rstrip(".") for word in plain.split())
    assert plain_name(plain) == plain
