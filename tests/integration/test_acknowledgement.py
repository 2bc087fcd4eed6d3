"""A detection is forgotten only when everybody has heard of it, whoever fails on the way."""

import asyncio
from datetime import UTC, datetime, timedelta
import logging
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.util.file import WriteError
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_mock_service,
)

from custom_components.echonet import delivery
from custom_components.echonet.binary_sensor import SoundSensor
from custom_components.echonet.const import EVENT_SOUND
from custom_components.echonet.delivery import Delivery
from custom_components.echonet.household import storage
from custom_components.echonet.household.storage import STORAGE_KEY
from custom_components.echonet.protocol import Phase as OurPhase, SoundClass as OurClass, Welcome
from custom_components.echonet.reports import DetectionReport
from echonet_satellite.protocol import Phase, SoundClass
from tests.integration.conftest import state_of, wait_for, wait_for_state
from tests.integration.phones import add_recipient
from tests.integration.sounds import NIGHT, sound
from tests.support.satellite import SatelliteUnderTest

EVENT = "event.hallway_sound_detection"

WELCOME = Welcome(
    satellite_id="a" * 32,
    name="Hallway",
    version="1",
    hardware="Pi",
    model_name="echonet",
    model_version="1",
    classes=tuple(OurClass),
)


def report(sequence: int, phase: OurPhase = OurPhase.START, key: str = "a") -> DetectionReport:
    detection = sound(OurClass.DOG, phase=phase, sequence=sequence, id=key)
    return DetectionReport(
        device_id="device", welcome=WELCOME, welcomed_at=NIGHT, detection=detection, late=False
    )


def pending(satellite: SatelliteUnderTest) -> list[str]:
    """What the satellite would tell again."""
    (controller,) = satellite.controllers.all
    found = satellite.journal.pending(controller.id, up_to=satellite.journal.last_sequence)
    return [item.id for item in found]


async def test_where_one_listener_raises_the_household_hears_and_the_retry_is_no_duplicate(
    hass: HomeAssistant,
    home: MockConfigEntry,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    failures = 2
    heard: list[str] = []

    def listen(report: DetectionReport) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise RuntimeError("a defect")
        heard.append(report.detection.id)

    loaded.runtime_data.async_subscribe_detections(listen)
    detection = satellite.emit(SoundClass.GUNSHOT)
    await wait_for(lambda: calls)
    assert state_of(hass, EVENT).attributes["id"] == detection
    await wait_for(lambda: heard == [detection])
    await wait_for(lambda: not pending(satellite))
    assert len(calls) == 1
    assert state_of(hass, "binary_sensor.hallway_connection").state == STATE_ON
    assert caplog.text.count("Not everybody could be told of gunshot from Hallway") == 1


async def test_nothing_is_acknowledged_that_the_household_has_not_taken(
    hass: HomeAssistant, home: MockConfigEntry, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    with patch.object(home.runtime_data, "async_hear", side_effect=RuntimeError("a defect")):
        detection = satellite.emit(SoundClass.GUNSHOT)
        await wait_for_state(hass, "binary_sensor.hallway_gunshot", STATE_ON)
        assert state_of(hass, EVENT).attributes["id"] == detection
        # A later one is not taken for the earlier one either.
        satellite.emit(SoundClass.DOG)
        await wait_for_state(hass, "binary_sensor.hallway_dog", STATE_ON)
        assert detection in pending(satellite)
        # The connection breaks before the household can take it, and it is told anew.
        await satellite.stop()
        await satellite.start()
        await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_ON)
    await wait_for(lambda: len(calls) == 2)
    await wait_for(lambda: not pending(satellite))
    assert sorted(call.data["title"] for call in calls) == [
        "Barking dog in the kitchen",
        "Gunshot in the kitchen",
    ]


async def test_a_household_that_is_being_set_up_misses_nothing(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    await hass.config_entries.async_unload(home.entry_id)
    satellite.emit(SoundClass.GUNSHOT)
    await wait_for_state(hass, "binary_sensor.hallway_gunshot", STATE_ON)
    assert pending(satellite)
    await hass.config_entries.async_setup(home.entry_id)
    await wait_for(lambda: calls)
    await wait_for(lambda: not pending(satellite))


async def test_where_the_household_is_disabled_nobody_waits_for_it(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await hass.config_entries.async_set_disabled_by(home.entry_id, ConfigEntryDisabler.USER)
    satellite.emit(SoundClass.GUNSHOT)
    await wait_for_state(hass, "binary_sensor.hallway_gunshot", STATE_ON)
    await wait_for(lambda: not pending(satellite))


async def test_one_entity_that_fails_keeps_no_other_from_its_state(
    hass: HomeAssistant,
    home: MockConfigEntry,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    whole = SoundSensor.is_on

    def broken(self: SoundSensor) -> bool:
        if self.sound_class == "gunshot":
            raise RuntimeError("a defect")
        return bool(whole.fget(self))  # type: ignore[attr-defined]

    with patch.object(SoundSensor, "is_on", property(broken)):
        satellite.emit(SoundClass.GUNSHOT)
        satellite.emit(SoundClass.FIRE)
        await wait_for_state(hass, "binary_sensor.hallway_fire", STATE_ON)
        await wait_for(lambda: len(calls) == 2)
    assert "An entity of Hallway does not take its new state" in caplog.text


async def test_a_glass_break_of_a_satellite_whose_clock_is_hours_slow_is_news(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    told = async_capture_events(hass, EVENT_SOUND)
    await satellite.server.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_OFF)
    onset = datetime.now(UTC) - timedelta(hours=3)
    detection = satellite.emit(SoundClass.GLASS_BREAK, onset=onset)
    satellite.emit(SoundClass.GLASS_BREAK, Phase.END, id=detection, onset=onset, duration_s=0.5)
    satellite.port = await satellite.server.start(satellite.port, [satellite.host])
    await wait_for(lambda: calls)
    assert state_of(hass, EVENT).attributes["event_type"] == "glass_break"
    assert [event.data["late"] for event in told] == [False]


def test_who_never_takes_it_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    clock = [0.0]
    heard: list[int] = []

    def listen(told: DetectionReport) -> None:
        if told.detection.sequence == 5:
            raise RuntimeError("a defect")
        heard.append(told.detection.sequence)

    outlets = Delivery("Hallway", lambda: clock[0])
    outlets.subscribe(listen)
    outlets.take(report(5))
    outlets.take(report(6, OurPhase.END))
    assert outlets.settled == 4
    clock[0] = delivery.PATIENCE_S
    outlets.retry()
    assert not outlets.waiting
    assert outlets.settled == 6
    assert heard == [6]
    assert "dog of Hallway is given up" in caplog.text


def test_what_waits_is_bounded() -> None:
    def listen(_: DetectionReport) -> None:
        raise RuntimeError("a defect")

    outlets = Delivery("Hallway", lambda: 0.0)
    outlets.subscribe(listen)
    for sequence in range(1, 2 * delivery.WAITING_LIMIT):
        outlets.take(report(sequence, key=str(sequence)))
    assert outlets.settled == delivery.WAITING_LIMIT - 1


def test_what_is_remembered_of_old_detections_is_bounded() -> None:
    outlets = Delivery("Hallway", lambda: 0.0)
    for sequence in range(1, 2 * delivery.REMEMBERED_DETECTIONS):
        outlets.take(report(sequence, key=str(sequence)))
    assert len(outlets._seen) == delivery.REMEMBERED_DETECTIONS


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 7)), max_size=60))
def test_everybody_hears_everything_once_and_in_order(steps: list[tuple[bool, bool, int]]) -> None:
    """Whatever fails and comes twice: each listener hears each message once, and none is settled before."""
    logging.getLogger(delivery.__name__).setLevel(logging.CRITICAL)
    failing = [False, False]
    heard: list[list[int]] = [[], []]

    def listener(index: int) -> delivery.Listener:
        def listen(told: DetectionReport) -> None:
            if failing[index]:
                raise RuntimeError("a defect")
            heard[index].append(told.detection.sequence)

        return listen

    outlets = Delivery("Hallway", lambda: 0.0)
    for index in range(2):
        outlets.subscribe(listener(index))
    sequence = 0
    for first, second, back in steps:
        failing[:] = first, second
        if back and sequence > back:
            outlets.take(report(sequence - back, OurPhase.UPDATE))
        else:
            sequence += 1
            outlets.take(report(sequence, OurPhase.UPDATE))
        assert outlets.settled == min(len(heard[0]), len(heard[1]))
    failing[:] = False, False
    outlets.retry()
    assert heard == [list(range(1, sequence + 1))] * 2
    assert outlets.settled == sequence


async def test_what_home_assistant_had_not_stored_when_it_was_killed_is_told_again_by_the_satellite(
    hass: HomeAssistant,
    home: MockConfigEntry,
    satellite: SatelliteUnderTest,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was told and acknowledged at once, and stored a quarter of a second later: between them nobody had it."""
    calls = async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    await wait_for(lambda: STORAGE_KEY in hass_storage)
    monkeypatch.setattr(storage, "SAVE_DELAY_S", 3600.0)
    detection = satellite.emit(SoundClass.GUNSHOT)
    await wait_for(lambda: calls)
    await asyncio.sleep(0.05)
    assert detection in pending(satellite)
    assert not hass_storage[STORAGE_KEY]["data"]["incidents"]
    # What waits to be written keeps its time: only a stop in order writes it, and then it is acknowledged.
    await home.runtime_data.async_stop()
    await wait_for(lambda: not pending(satellite))
    assert hass_storage[STORAGE_KEY]["data"]["incidents"][0]["id"] == detection


async def test_what_cannot_be_stored_is_not_acknowledged(
    hass: HomeAssistant,
    home: MockConfigEntry,
    satellite: SatelliteUnderTest,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    with patch.object(storage, "stored", side_effect=WriteError("the disk is full")):
        detection = satellite.emit(SoundClass.GUNSHOT)
        await wait_for(lambda: calls)
        await wait_for(lambda: "the disk is full" in caplog.text)
        assert detection in pending(satellite)
    # The next time that something is written, all is.
    satellite.emit(SoundClass.DOG)
    await wait_for(lambda: not pending(satellite))
    assert detection in {item["id"] for item in hass_storage[STORAGE_KEY]["data"]["incidents"]}
