"""The activity reads as a person would write it: one line a sound, in the language of the home."""

from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.echonet import event
from custom_components.echonet.activity_texts import ACTIVITY_TEXTS, say_heard
from custom_components.echonet.const import EVENT_SOUND
from custom_components.echonet.event import SOUND_DETECTION as AS_SHIPPED
from custom_components.echonet.household.kinds import AlertKind
from custom_components.echonet.household.texts import TEXTS, Language
from custom_components.echonet.household.wording import describe_moment
from custom_components.echonet.protocol import Phase, SoundClass, Test
from echonet_satellite.protocol import AlarmPattern
from tests.integration.conftest import set_away_since, setup, wait_for, wait_for_state
from tests.support.satellite import SatelliteUnderTest


@pytest.fixture
async def sounds(
    recorder_mock: Recorder, hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> list[Event]:
    """A home with a recorder and an activity, as EchoNet is shipped; the sounds that are told there."""
    monkeypatch.setattr(event, "SOUND_DETECTION", AS_SHIPPED)
    assert await async_setup_component(hass, "logbook", {})
    told: list[Event] = async_capture_events(hass, EVENT_SOUND)
    return told


async def read(hass: HomeAssistant, client: WebSocketGenerator, since: datetime) -> list[dict[str, Any]]:
    """Return the rows of the activity."""
    await get_instance(hass).async_block_till_done()
    connection = await client()
    await connection.send_json_auto_id({"type": "logbook/get_events", "start_time": since.isoformat()})
    answer = await connection.receive_json()
    assert answer["success"]
    return list(answer["result"])


async def test_a_sound_is_one_line_that_says_who_heard_what_and_how_surely(
    sounds: list[Event],
    hass: HomeAssistant,
    entry: MockConfigEntry,
    satellite: SatelliteUnderTest,
    hass_ws_client: WebSocketGenerator,
) -> None:
    await setup(hass, entry)
    since = dt_util.utcnow()
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    dr.async_get(hass).async_update_device(device.id, name_by_user="Kitchen")
    first = satellite.emit(SoundClass.GLASS_BREAK, confidence=0.93)
    await wait_for_state(hass, "binary_sensor.hallway_glass_break", STATE_ON)
    satellite.emit(SoundClass.GLASS_BREAK, Phase.END, id=first, duration_s=0.4)
    await wait_for_state(hass, "binary_sensor.hallway_glass_break", STATE_OFF)
    await hass.async_block_till_done()

    rows = await read(hass, hass_ws_client, since)
    (line,) = [row for row in rows if row.get("message")]
    assert f"{line['name']} {line['message']}" == "Kitchen heard glass breaking (93 %)"
    assert line["icon"] == "mdi:glass-fragile"
    # With an entity, the frontend would name that instead of who heard it.
    assert "entity_id" not in line
    # The sensor says when the sound began and when it was over, and no event repeats it.
    assert [row["state"] for row in rows if not row.get("message")] == ["on", "off"]
    await hass.config_entries.async_unload(entry.entry_id)


async def test_the_event_entity_is_for_those_who_enable_it(
    sounds: list[Event], hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    registered = er.async_get(hass).async_get("event.hallway_sound_detection")
    assert registered is not None
    assert registered.disabled_by is er.RegistryEntryDisabler.INTEGRATION


async def test_an_alarm_that_becomes_known_is_told_again_by_its_name(
    sounds: list[Event],
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    hass_ws_client: WebSocketGenerator,
) -> None:
    since = dt_util.utcnow()
    alarm = satellite.emit(SoundClass.ALARM, confidence=0.8)
    for _ in range(2):
        satellite.emit(SoundClass.ALARM, Phase.UPDATE, id=alarm, confidence=0.999, pattern=AlarmPattern.T3)
    satellite.emit(SoundClass.ALARM, Phase.END, id=alarm, confidence=0.999, pattern=AlarmPattern.T3)
    satellite.emit(SoundClass.DOG, confidence=0.7)
    await wait_for(lambda: len(sounds) == 3)
    rows = await read(hass, hass_ws_client, since)
    assert [row["message"] for row in rows if row.get("message")] == [
        "heard an alarm (80 %)",
        "heard a smoke alarm (T3, 99 %)",
        "heard a dog barking (70 %)",
    ]


async def test_a_test_does_not_look_like_the_real_thing(
    sounds: list[Event],
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    since = dt_util.utcnow()
    await loaded.runtime_data.async_send(Test(sound_class=SoundClass.ALARM))
    await wait_for(lambda: sounds)
    await hass.async_block_till_done()
    rows = await read(hass, hass_ws_client, since)
    assert [row["message"] for row in rows] == ["sent a test alert; nothing was heard"]


async def test_what_is_told_late_says_when_it_was(
    sounds: list[Event],
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    hass_ws_client: WebSocketGenerator,
) -> None:
    hass.config.language = "de"
    await satellite.server.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_OFF)
    set_away_since(loaded, minutes=20)
    onset = datetime.now(UTC) - timedelta(minutes=10)
    old = satellite.emit(SoundClass.DOG, onset=onset, confidence=0.87)
    satellite.emit(SoundClass.DOG, Phase.END, id=old, onset=onset, duration_s=1.0)
    await satellite.stop()
    since = dt_util.utcnow()
    await satellite.start()
    await wait_for(lambda: sounds)
    rows = await read(hass, hass_ws_client, since)
    moment = describe_moment(dt_util.as_local(onset), dt_util.now(), TEXTS[Language.GERMAN])
    assert [row["message"] for row in rows if row.get("message")] == [
        f"hat {moment} einen Hund bellen gehört (87 %) und konnte es erst jetzt melden"
    ]


@pytest.mark.parametrize("language", list(Language))
def test_every_kind_of_sound_has_words_of_its_own(language: Language) -> None:
    texts = ACTIVITY_TEXTS[language]
    said = {say_heard(kind, 0.5, None, texts) for kind in AlertKind}
    assert len(said) == len(AlertKind)
    assert all("(50 %)" in text and "{" not in text for text in said)
