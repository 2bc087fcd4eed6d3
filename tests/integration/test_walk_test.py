"""The walk from every microphone to the phones: each link that breaks is named, and nobody is told of anything else."""

import asyncio
from datetime import timedelta
from typing import Any

from freezegun import freeze_time
from homeassistant.components import persistent_notification
from homeassistant.components.button import DOMAIN as BUTTON_DOMAIN, SERVICE_PRESS
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.echonet.const import DOMAIN
from custom_components.echonet.household import walk_test
from custom_components.echonet.household.texts import Language
from custom_components.echonet.household.walk import Broken, Visit, WalkState, is_due, state_of
from custom_components.echonet.household.walk_texts import WALK_TEXTS, report
from custom_components.echonet.issues import WALK_TEST_DUE
from custom_components.echonet.protocol import Configure, Phase, Problem
from custom_components.echonet.reports import DetectionReport
from echonet_satellite import drills
from tests.integration.conftest import StartSatellite, make_entry, setup, state_of as entity_state, wait_for
from tests.integration.phones import ALERT, add_recipient
from tests.support.satellite import SatelliteUnderTest

BUTTON = "button.echonet_household_walk_test"
SENSOR = "sensor.echonet_household_last_walk_test"
ACTION = "mobile_app_notification_action"


@pytest.fixture
def phone(hass: HomeAssistant, home: MockConfigEntry) -> list[ServiceCall]:
    """Anna's phone: what it was sent."""
    add_recipient(hass, home, "notify.mobile_app_anna", name="Anna")
    calls: list[ServiceCall] = async_mock_service(hass, "notify", "mobile_app_anna")
    return calls


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nobody for long."""
    monkeypatch.setattr(walk_test, "ANSWER_TIMEOUT_S", 0.3)
    monkeypatch.setattr(walk_test, "CONFIRM_TIMEOUT_S", 0.3)


async def press(hass: HomeAssistant) -> None:
    """Press the button."""
    await hass.services.async_call(BUTTON_DOMAIN, SERVICE_PRESS, {ATTR_ENTITY_ID: BUTTON}, blocking=True)


def confirm(hass: HomeAssistant, call: ServiceCall) -> None:
    """Press the first button of a notification, as the companion app tells it."""
    hass.bus.async_fire(ACTION, {"action": call.data["data"]["actions"][0]["action"]})


async def walked(hass: HomeAssistant) -> dict[str, str]:
    """Wait for the end of the walk, and return what a person reads."""
    await wait_for(lambda: entity_state(hass, SENSOR).state != WalkState.WALKING)
    shown = persistent_notification._async_get_or_create_notifications(hass)  # type: ignore[attr-defined]
    return {key: str(shown[walk_test.NOTIFICATION_ID][key]) for key in ("title", "message")}


async def test_a_walk_goes_all_the_way_and_waits_for_the_phone(
    hass: HomeAssistant, home: MockConfigEntry, phone: list[ServiceCall]
) -> None:
    assert entity_state(hass, SENSOR).state == "never"
    events = async_capture_events(hass, "state_changed")
    await press(hass)
    await wait_for(lambda: phone)
    assert entity_state(hass, SENSOR).state == "walking"
    (call,) = phone
    assert call.data["title"].startswith("Test: ")
    assert "kitchen" in call.data["title"]
    # At normal volume: no phone shouts because of a test.
    assert call.data["data"]["push"]["interruption-level"] == "active"
    assert call.data["data"]["channel"] != "alarm_stream"
    confirm(hass, call)
    shown = await walked(hass)
    assert entity_state(hass, SENSOR).state == "passed"
    assert shown["title"] == "Walk test: everything works"
    assert shown["message"] == "- Kitchen: the test went all the way to the phone."
    # It is no alert: neither an automation nor anybody else hears of one.
    assert not [item for item in events if item.data["entity_id"] == ALERT]
    await hass.async_block_till_done()
    assert len(phone) == 1


async def test_the_end_of_a_test_that_comes_after_the_walk_is_no_alert(
    hass: HomeAssistant,
    home: MockConfigEntry,
    phone: list[ServiceCall],
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drills, "TEST_DURATION_S", 0.3)
    events = async_capture_events(hass, "state_changed")
    reports: list[DetectionReport] = []
    loaded.runtime_data.async_subscribe_detections(reports.append)
    await press(hass)
    await wait_for(lambda: phone)
    confirm(hass, phone[0])
    await walked(hass)
    await wait_for(lambda: reports[-1].detection.phase is Phase.END)
    await hass.async_block_till_done()
    assert not [item for item in events if item.data["entity_id"] == ALERT]
    assert len(phone) == 1


async def test_rooms_are_walked_one_after_the_other(
    hass: HomeAssistant, home: MockConfigEntry, phone: list[ServiceCall], start_satellite: StartSatellite
) -> None:
    other = await start_satellite(name="Attic")
    entry = make_entry(other)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    await press(hass)
    await wait_for(lambda: len(phone) == 1)
    assert "Attic" in phone[0].data["title"]
    confirm(hass, phone[0])
    await wait_for(lambda: len(phone) == 2)
    assert "kitchen" in phone[1].data["title"]
    # A second press of an older button confirms nothing.
    confirm(hass, phone[0])
    await hass.async_block_till_done()
    assert entity_state(hass, SENSOR).state == "walking"
    confirm(hass, phone[1])
    assert (await walked(hass))["title"] == "Walk test: everything works"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_satellite_that_is_away(
    hass: HomeAssistant,
    home: MockConfigEntry,
    phone: list[ServiceCall],
    satellite: SatelliteUnderTest,
    loaded: MockConfigEntry,
) -> None:
    await satellite.stop()
    await wait_for(lambda: not loaded.runtime_data.last_update_success)
    await press(hass)
    shown = await walked(hass)
    assert entity_state(hass, SENSOR).state == "failed"
    assert shown["title"] == "Walk test: something is broken"
    assert shown["message"].startswith("- Kitchen: the satellite did not answer.")
    assert not phone


async def test_a_satellite_that_was_not_there_when_home_assistant_started(
    hass: HomeAssistant, home: MockConfigEntry, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await hass.config_entries.async_unload(loaded.entry_id)
    await satellite.stop()
    await hass.config_entries.async_setup(loaded.entry_id)
    await press(hass)
    assert (await walked(hass))["message"].startswith("- Kitchen: the satellite did not answer.")


@pytest.mark.parametrize(
    ("problem", "says"),
    [(Problem.MICROPHONE_MISSING, "has no microphone"), (Problem.MICROPHONE_SILENT, "hears nothing at all")],
)
async def test_a_microphone_that_is_dead(
    hass: HomeAssistant,
    home: MockConfigEntry,
    phone: list[ServiceCall],
    satellite: SatelliteUnderTest,
    loaded: MockConfigEntry,
    problem: Problem,
    says: str,
) -> None:
    satellite.set_health(problem)
    await wait_for(lambda: loaded.runtime_data.data.health.problems)
    await press(hass)
    assert says in (await walked(hass))["message"]
    assert not phone


async def test_a_satellite_that_is_told_not_to_listen(
    hass: HomeAssistant, home: MockConfigEntry, phone: list[ServiceCall], loaded: MockConfigEntry
) -> None:
    await loaded.runtime_data.async_send(Configure(listening=False))
    await wait_for(lambda: not loaded.runtime_data.data.settings.listening)
    await press(hass)
    assert "does not listen" in (await walked(hass))["message"]


@pytest.mark.usefixtures("impatient")
async def test_a_test_that_never_arrives(
    hass: HomeAssistant,
    home: MockConfigEntry,
    phone: list[ServiceCall],
    satellite: SatelliteUnderTest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def ignore(_: Any) -> None:
        """Do nothing."""

    monkeypatch.setattr(satellite.station.drills, "hold", ignore)
    await press(hass)
    assert "the test did not arrive" in (await walked(hass))["message"]
    assert not phone


@pytest.mark.usefixtures("impatient")
async def test_a_test_that_arrives_when_the_walk_has_gone_on_rings_for_nobody(
    hass: HomeAssistant,
    home: MockConfigEntry,
    phone: list[ServiceCall],
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It rang through the house, as a test that somebody asks for does."""
    answer, late = satellite.station.drills.hold, asyncio.Event()
    answering: list[asyncio.Task[None]] = []

    async def answer_late(message: Any) -> None:
        async def wait() -> None:
            await late.wait()
            await answer(message)

        answering.append(asyncio.create_task(wait()))

    monkeypatch.setattr(satellite.station.drills, "hold", answer_late)
    await press(hass)
    assert "the test did not arrive" in (await walked(hass))["message"]
    events = async_capture_events(hass, "state_changed")
    late.set()
    await asyncio.gather(*answering)
    await wait_for(lambda: any("sound_detection" in event.data["entity_id"] for event in events))
    await hass.async_block_till_done()
    assert not phone


async def test_nobody_to_tell(hass: HomeAssistant, home: MockConfigEntry) -> None:
    await press(hass)
    assert "nobody is told" in (await walked(hass))["message"]


async def test_a_phone_that_cannot_be_reached_is_named(
    hass: HomeAssistant, home: MockConfigEntry, phone: list[ServiceCall]
) -> None:
    add_recipient(hass, home, "notify.mobile_app_ben", name="Ben")
    await press(hass)
    shown = await walked(hass)
    assert "did not reach Ben." in shown["message"]
    assert len(phone) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_phone_that_nobody_answers(
    hass: HomeAssistant, home: MockConfigEntry, phone: list[ServiceCall]
) -> None:
    await press(hass)
    assert "nobody confirmed it" in (await walked(hass))["message"]
    assert len(phone) == 1


async def test_recipients_that_have_no_button_to_press(hass: HomeAssistant, home: MockConfigEntry) -> None:
    calls = async_mock_service(hass, "notify", "telegram")
    add_recipient(hass, home, "notify.telegram", name="Family")
    await press(hass)
    assert "nobody can confirm it" in (await walked(hass))["message"]
    assert len(calls) == 1


async def test_two_walks_at_once_are_one_too_many(
    hass: HomeAssistant, home: MockConfigEntry, phone: list[ServiceCall]
) -> None:
    await press(hass)
    with pytest.raises(HomeAssistantError) as raised:
        await press(hass)
    assert raised.value.translation_key == "walk_test_running"
    await wait_for(lambda: phone)
    confirm(hass, phone[0])
    await walked(hass)


async def test_a_household_without_satellites_has_shown_nothing(
    hass: HomeAssistant, household: MockConfigEntry
) -> None:
    await setup(hass, household)
    await press(hass)
    shown = await walked(hass)
    assert entity_state(hass, SENSOR).state == "failed"
    assert shown["message"].startswith("There is no satellite yet.")


async def test_a_test_that_nobody_walks_for_is_told_as_ever(
    hass: HomeAssistant, home: MockConfigEntry, phone: list[ServiceCall]
) -> None:
    await hass.services.async_call(
        BUTTON_DOMAIN, SERVICE_PRESS, {ATTR_ENTITY_ID: "button.hallway_send_test_alert"}, blocking=True
    )
    await wait_for(lambda: phone)
    assert entity_state(hass, ALERT).attributes["telling"] == "test"


async def days_later(hass: HomeAssistant, days: int) -> None:
    """Let it be so many days later than now."""
    later = dt_util.utcnow() + timedelta(days=days)
    # Only for a moment: satellites and timeouts need a clock that runs.
    with freeze_time(later):
        async_fire_time_changed(hass, later)
    await hass.async_block_till_done()


async def test_a_walk_is_due_after_a_month(hass: HomeAssistant, household: MockConfigEntry) -> None:
    await setup(hass, household)
    issues = ir.async_get(hass)
    await days_later(hass, 29)
    assert issues.async_get_issue(DOMAIN, WALK_TEST_DUE) is None
    await days_later(hass, 31)
    assert issues.async_get_issue(DOMAIN, WALK_TEST_DUE) is not None


async def test_a_good_walk_is_remembered_over_a_restart_and_for_a_month(
    hass: HomeAssistant, home: MockConfigEntry, phone: list[ServiceCall]
) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        WALK_TEST_DUE,
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=WALK_TEST_DUE,
    )
    await press(hass)
    await wait_for(lambda: phone)
    confirm(hass, phone[0])
    await walked(hass)
    issues = ir.async_get(hass)
    assert issues.async_get_issue(DOMAIN, WALK_TEST_DUE) is None
    await hass.config_entries.async_reload(home.entry_id)
    await hass.async_block_till_done()
    assert entity_state(hass, SENSOR).state == "passed"
    await days_later(hass, 31)
    assert issues.async_get_issue(DOMAIN, WALK_TEST_DUE) is not None


@pytest.mark.parametrize("language", list(Language))
def test_every_finding_is_said_in_every_language(language: Language) -> None:
    texts = WALK_TEXTS[language]
    assert set(texts.found) == set(Broken)
    visits = [Visit(room="Küche", broken=broken, unreached=("Ben", "Eva")) for broken in Broken]
    title, text = report([*visits, Visit(room="Flur")], language)
    assert title == texts.failed != texts.passed
    lines = text.splitlines()
    assert len(lines) == len(set(lines)) == len(Broken) + 1
    assert sum("Ben, Eva" in line for line in lines) == 1
    assert not any("{" in line for line in lines)


def test_a_room_with_a_curious_name_is_no_link() -> None:
    _, text = report([Visit(room="[Hall](http://evil.example) {x}")], Language.ENGLISH)
    assert "](" not in text
    assert "://" not in text


@given(st.lists(st.sampled_from([None, *Broken])))
def test_a_walk_passed_only_if_every_room_did(found: list[Broken | None]) -> None:
    visits = [Visit(room="Hall", broken=item) for item in found]
    assert (state_of(visits) is WalkState.PASSED) is (bool(found) and not any(found))


def test_a_date_in_the_future_puts_off_no_walk() -> None:
    now = dt_util.utcnow()
    assert is_due(now + timedelta(days=1000), now, now)
    assert not is_due(now + timedelta(minutes=1), now, now)
