"""Automations can trust the events: of what is dangerous there is one, and of what is not there is none."""

from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.const import ATTR_ENTITY_ID, STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant, ServiceCall, State
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
    mock_restore_cache_with_extra_data,
)

from custom_components.echonet import protocol
from custom_components.echonet.event_types import REMEMBERED, FiredEvents, event_type_of
from echonet_satellite.protocol import AlarmPattern, Phase, SoundClass
from tests.integration.conftest import set_away_since, setup, state_of, wait_for, wait_for_state
from tests.integration.phones import ALERT
from tests.support.satellite import SatelliteUnderTest

EVENT = "event.hallway_sound_detection"

# What the automation editor makes of two choices: which event entity, and which event.
RECEIVED = {
    "trigger": "event.received",
    "target": {"entity_id": EVENT},
    "options": {"event_type": ["smoke_alarm"]},
}
# What somebody who does not know that trigger makes of it.
ATTRIBUTE = {"trigger": "state", "entity_id": EVENT, "attribute": "event_type", "to": "smoke_alarm"}


async def unlock_the_door(hass: HomeAssistant, trigger: dict[str, Any]) -> list[ServiceCall]:
    calls: list[ServiceCall] = async_mock_service(hass, "lock", "unlock")
    automation = {
        "alias": "Unlock",
        "triggers": [trigger],
        "actions": [{"action": "lock.unlock", "target": {"entity_id": "lock.door"}}],
    }
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    await hass.async_block_till_done()
    assert state_of(hass, "automation.unlock").state == STATE_ON
    return calls


@pytest.fixture(params=[RECEIVED, ATTRIBUTE], ids=["event.received", "state"])
async def unlocked(
    hass: HomeAssistant, home: MockConfigEntry, request: pytest.FixtureRequest
) -> list[ServiceCall]:
    """How often "when a smoke alarm sounds, unlock the door" has unlocked the door."""
    return await unlock_the_door(hass, request.param)


async def heard_everything(hass: HomeAssistant, satellite: SatelliteUnderTest) -> None:
    """Wait until what was told has been acted on."""
    detection = satellite.emit(SoundClass.SCREAM)
    await wait_for(lambda: state_of(hass, EVENT).attributes.get("id") == detection)
    await hass.async_block_till_done()


async def test_a_smoke_alarm_unlocks_the_door(
    hass: HomeAssistant, satellite: SatelliteUnderTest, unlocked: list[ServiceCall]
) -> None:
    satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.T3)
    await wait_for(lambda: unlocked)
    assert len(unlocked) == 1


async def test_an_alarm_that_becomes_a_smoke_alarm_unlocks_the_door_once(
    hass: HomeAssistant, satellite: SatelliteUnderTest, unlocked: list[ServiceCall]
) -> None:
    detection = satellite.emit(SoundClass.ALARM)
    await wait_for(lambda: state_of(hass, EVENT).attributes["event_type"] == "alarm")
    assert not unlocked
    for pattern in (AlarmPattern.T3, AlarmPattern.T3, AlarmPattern.UNKNOWN, AlarmPattern.T4, AlarmPattern.T3):
        satellite.emit(SoundClass.ALARM, Phase.UPDATE, id=detection, pattern=pattern)
    satellite.emit(SoundClass.ALARM, Phase.END, id=detection, pattern=AlarmPattern.T3, duration_s=9.0)
    await heard_everything(hass, satellite)
    assert len(unlocked) == 1


async def test_sending_a_test_alert_unlocks_nothing(
    hass: HomeAssistant, satellite: SatelliteUnderTest, unlocked: list[ServiceCall]
) -> None:
    await hass.services.async_call(
        "button", "press", {ATTR_ENTITY_ID: "button.hallway_send_test_alert"}, blocking=True
    )
    await wait_for(lambda: state_of(hass, EVENT).attributes["event_type"] == "test")
    await wait_for(lambda: state_of(hass, ALERT).attributes["event_type"] == "test")
    await hass.async_block_till_done()
    assert not unlocked


async def test_old_news_unlocks_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest, unlocked: list[ServiceCall]
) -> None:
    await satellite.server.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_OFF)
    set_away_since(loaded, hours=1)
    onset = datetime.now(UTC) - timedelta(minutes=30)
    detection = satellite.emit(SoundClass.ALARM, onset=onset, pattern=AlarmPattern.T3)
    satellite.emit(SoundClass.ALARM, Phase.END, id=detection, onset=onset, pattern=AlarmPattern.T3)
    satellite.port = await satellite.server.start(satellite.port, [satellite.host])
    await wait_for(lambda: state_of(hass, EVENT).attributes["event_type"] == "late")
    assert state_of(hass, EVENT).attributes["pattern"] == "t3"
    await hass.async_block_till_done()
    assert not unlocked


async def test_a_satellite_that_comes_back_unlocks_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest, unlocked: list[ServiceCall]
) -> None:
    """Its last event was a smoke alarm; it goes, it comes back, and its entry is loaded anew."""
    detection = satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.T3)
    satellite.emit(SoundClass.ALARM, Phase.END, id=detection, pattern=AlarmPattern.T3, duration_s=1.0)
    await wait_for(lambda: unlocked)
    (controller,) = satellite.controllers.all
    last = satellite.journal.last_sequence
    await wait_for(lambda: not satellite.journal.pending(controller.id, up_to=last))
    await satellite.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_OFF)
    await satellite.start()
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_ON)
    await hass.config_entries.async_reload(loaded.entry_id)
    await satellite.wait_connected()
    await heard_everything(hass, satellite)
    assert len(unlocked) == 1


@pytest.mark.parametrize("trigger", [RECEIVED, ATTRIBUTE], ids=["event.received", "state"])
async def test_a_restart_after_a_smoke_alarm_unlocks_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest, trigger: dict[str, Any]
) -> None:
    last = State(EVENT, "2026-11-20T02:12:00.000+00:00")
    extra = {"last_event_type": "smoke_alarm", "last_event_attributes": {}}
    mock_restore_cache_with_extra_data(hass, [(last, extra)])
    unlocked = await unlock_the_door(hass, trigger)
    await setup(hass, entry)
    assert state_of(hass, EVENT).attributes["event_type"] is None
    await heard_everything(hass, satellite)
    assert not unlocked
    await hass.config_entries.async_unload(entry.entry_id)


async def test_an_empty_battery_is_no_alarm(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.CHIRP)
    await wait_for(lambda: state_of(hass, EVENT).attributes["event_type"] is not None)
    assert state_of(hass, EVENT).attributes["event_type"] == "low_battery_chirp"


@pytest.mark.parametrize(
    ("pattern", "event_type"),
    [
        (None, "alarm"),
        ("unknown", "alarm"),
        ("t3", "smoke_alarm"),
        ("t4", "co_alarm"),
        ("siren", "siren"),
        ("clock", "alarm_clock"),
        ("chirp", "low_battery_chirp"),
    ],
)
def test_alarms_are_called_what_they_are(pattern: str | None, event_type: str) -> None:
    known = protocol.AlarmPattern(pattern) if pattern else None
    assert event_type_of(protocol.SoundClass.ALARM, known) == event_type
    assert event_type_of(protocol.SoundClass.DOG, known) == "dog"


def test_what_is_remembered_of_events_is_bounded() -> None:
    fired = FiredEvents()
    for number in range(2 * REMEMBERED):
        assert fired.is_first(str(number), "dog")
        assert not fired.is_first(str(number), "dog")
    assert fired.is_first("0", "dog")
