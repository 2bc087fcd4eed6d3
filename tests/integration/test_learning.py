"""A tap on "False alarm" teaches the satellite, Home Assistant shows it, and one tap takes it all back."""

import asyncio
from collections.abc import Callable
import json
from pathlib import Path
from typing import Any

from homeassistant.components.button import DOMAIN as BUTTON, SERVICE_PRESS
from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.echonet.const import DOMAIN, EVENT_LESSON
from custom_components.echonet.household.texts import TEXTS
from custom_components.echonet.lesson_texts import LESSON_TEXTS
from custom_components.echonet.logbook import async_describe_events
from custom_components.echonet.protocol import LessonOutcome
from echonet_satellite.learning.sounds import TaughtEvent
from echonet_satellite.protocol import AlarmPattern, Configure, Phase, SoundClass, TeachOutcome
from tests.integration.conftest import StartSatellite, make_entry, setup, state_of, wait_for, wait_for_state
from tests.support.learning import embeddings, tone
from tests.support.satellite import SatelliteUnderTest

SENSOR = "sensor.hallway_learned_false_alarms"
FORGET = "button.hallway_forget_false_alarms"


async def call_it_false(hass: HomeAssistant) -> None:
    await hass.services.async_call(DOMAIN, "label", {"verdict": "false_alarm"}, blocking=True)


async def test_a_false_alarm_is_learned_and_one_tap_forgets_it(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    lessons = async_capture_events(hass, EVENT_LESSON)
    assert state_of(hass, SENSOR).state == "0"
    satellite.emit(SoundClass.GLASS_BREAK, Phase.START, embeddings=embeddings(1))
    await wait_for(lambda: home.runtime_data.desk.policy.told)
    await call_it_false(hass)
    await wait_for_state(hass, SENSOR, "1")
    assert [event.data["outcome"] for event in lessons] == [LessonOutcome.LEARNED]
    # The same verdict again, from somebody else who is at home, is the same lesson.
    await call_it_false(hass)
    await wait_for(lambda: len(lessons) == 2)
    assert state_of(hass, SENSOR).state == "1"
    await hass.services.async_call(BUTTON, SERVICE_PRESS, {ATTR_ENTITY_ID: FORGET}, blocking=True)
    await wait_for_state(hass, SENSOR, "0")


async def test_that_a_smoke_alarm_is_not_unlearned_is_said(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    lessons = async_capture_events(hass, EVENT_LESSON)
    satellite.emit(SoundClass.ALARM, Phase.START, pattern=AlarmPattern.T3, embeddings=embeddings(1))
    await wait_for(lambda: home.runtime_data.desk.policy.told)
    await call_it_false(hass)
    await wait_for(lambda: lessons)
    assert lessons[0].data["outcome"] == LessonOutcome.REFUSED_SMOKE
    assert state_of(hass, SENSOR).state == "0"


async def test_a_satellite_that_does_not_learn_offers_nothing_to_forget(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    satellite = await start_satellite(learns=False)
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    await satellite.wait_connected()
    assert state_of(hass, SENSOR).state == STATE_UNAVAILABLE
    assert state_of(hass, FORGET).state == STATE_UNAVAILABLE
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("outcome", LessonOutcome)
async def test_every_outcome_is_a_sentence_in_the_logbook(
    hass: HomeAssistant, outcome: LessonOutcome
) -> None:
    descriptions: dict[str, Callable[[Event], dict[str, Any]]] = {}

    def describe_event(_: str, event_type: str, describe: Callable[[Event], dict[str, Any]]) -> None:
        descriptions[event_type] = describe

    async_describe_events(hass, describe_event)
    data = {"name": "Hallway", "outcome": outcome.value}
    described = descriptions[EVENT_LESSON](Event(EVENT_LESSON, data))
    assert described["name"] == "Hallway"
    said = {texts[outcome] for texts in LESSON_TEXTS.values()}
    assert described["message"] in said
    assert len(said) == len(LESSON_TEXTS) == len(TEXTS)


def teach_by_tone(satellite: SatelliteUnderTest, pitch: float) -> asyncio.Task[None]:
    """Let the microphone hear a tone whenever somebody teaches."""

    async def sound() -> None:
        while satellite.learner is not None:
            satellite.learner.learned.recorder.push(tone(pitch))
            await asyncio.sleep(0.01)

    return asyncio.create_task(sound())


async def teach(hass: HomeAssistant, device_id: str, name: str) -> Any:
    return await hass.services.async_call(
        DOMAIN, "teach_sound", {"device_id": device_id, "name": name}, blocking=True, return_response=True
    )


async def test_a_sound_is_taught_heard_and_forgotten(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    device_id = loaded.runtime_data.device_id
    playing = teach_by_tone(satellite, 1000)
    for number in range(3):
        assert await teach(hass, device_id, "My  doorbell") == {"recordings": number + 1, "needed": 3}
    playing.cancel()
    sensor = "binary_sensor.hallway_my_doorbell"
    await wait_for_state(hass, sensor, "off")
    (sound,) = satellite.station.snapshot().learning.sounds
    onset = satellite.utc()
    for phase, state in ((Phase.START, "on"), (Phase.END, "off")):
        event = TaughtEvent(sound_id=sound.id, phase=phase, confidence=0.9, steps=0)
        satellite.station.on_taught(event, onset)
        await wait_for_state(hass, sensor, state)
    await hass.services.async_call(
        DOMAIN, "forget_sound", {"device_id": device_id, "name": "my doorbell"}, blocking=True
    )
    await wait_for(lambda: er.async_get(hass).async_get(sensor) is None)
    assert hass.states.get(sensor) is None


async def test_a_taught_sound_is_unavailable_and_not_forgotten_while_its_satellite_is_away(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    playing = teach_by_tone(satellite, 1000)
    await teach(hass, loaded.runtime_data.device_id, "Doorbell")
    playing.cancel()
    sensor = "binary_sensor.hallway_doorbell"
    # One recording is not enough to know it.
    await wait_for_state(hass, sensor, STATE_UNAVAILABLE)
    await satellite.stop()
    await wait_for(lambda: not loaded.runtime_data.last_update_success)
    assert er.async_get(hass).async_get(sensor) is not None


async def test_what_keeps_a_sound_from_being_taught_is_said(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    device_id = loaded.runtime_data.device_id
    with pytest.raises(ServiceValidationError) as unknown:
        await hass.services.async_call(
            DOMAIN, "forget_sound", {"device_id": device_id, "name": "Nothing"}, blocking=True
        )
    assert unknown.value.translation_key == "sound_not_known"
    await satellite.station.configure(Configure(listening=False))
    with pytest.raises(ServiceValidationError) as deaf:
        await teach(hass, device_id, "Doorbell")
    assert deaf.value.translation_key == "teach_not_listening"
    for name in ("", "a\x00b", "x" * 300):
        with pytest.raises(probatio.Invalid):
            await teach(hass, device_id, name)


@pytest.mark.parametrize("outcome", set(TeachOutcome) - {TeachOutcome.LEARNED, TeachOutcome.LISTENING})
def test_every_refusal_has_its_text(outcome: TeachOutcome) -> None:
    for file in (Path(__file__).parents[2] / "custom_components" / DOMAIN / "translations").glob("*.json"):
        texts = json.loads(file.read_text(encoding="utf-8"))["exceptions"]
        assert "{name}" in texts[f"teach_{outcome}"]["message"]
