"""Answers to an alert: from a phone's notification, from the buttons of the interface, from actions."""

from datetime import timedelta
from typing import Any

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import Context, HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_mock_service,
)

from custom_components.echonet.const import DOMAIN
from custom_components.echonet.household.runtime import Household
from echonet_satellite.protocol import AlarmPattern, Phase, SoundClass, Verdict
from tests.integration.conftest import StartSatellite, make_entry, setup, wait_for, wait_for_state
from tests.integration.phones import add_recipient, alert_attributes
from tests.support.satellite import SatelliteUnderTest


@pytest.fixture
async def phone(hass: HomeAssistant, home: MockConfigEntry) -> list[ServiceCall]:
    """Anna's phone."""
    calls: list[ServiceCall] = async_mock_service(hass, "notify", "mobile_app_anna")
    add_recipient(hass, home, "notify.mobile_app_anna", name="Anna")
    return calls


def household_of(home: MockConfigEntry) -> Household:
    household: Household = home.runtime_data
    return household


def press(hass: HomeAssistant, call: ServiceCall, title: str, user_id: str | None = None) -> None:
    """Press a button of a notification, as the companion app tells it."""
    (button,) = [item for item in call.data["data"]["actions"] if item["title"] == title]
    hass.bus.async_fire(
        "mobile_app_notification_action",
        {"action": button["action"], "tag": call.data["data"]["tag"]},
        context=Context(user_id=user_id),
    )


async def call_action(hass: HomeAssistant, action: str, **data: Any) -> None:
    await hass.services.async_call(DOMAIN, action, data, blocking=True)


async def test_a_phone_acknowledges(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest, phone: list[ServiceCall]
) -> None:
    user = MockUser(name="Anna").add_to_hass(hass)
    detection = satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.T3)
    await wait_for(lambda: phone)
    press(hass, phone[0], "Acknowledge", user.id)
    await wait_for(lambda: len(phone) == 2)
    incident = household_of(home).async_get_incident(detection)
    assert incident is not None
    assert incident.answered
    quiet = phone[1].data
    assert quiet["data"]["push"]["interruption-level"] == "passive"
    assert quiet["data"]["tag"] == phone[0].data["data"]["tag"]
    assert "Acknowledged by Anna." in quiet["message"]
    assert [button["title"] for button in quiet["data"]["actions"]] == ["False alarm", "Show on map"]


async def test_a_false_alarm_reaches_the_satellite(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest, phone: list[ServiceCall]
) -> None:
    detection = satellite.emit(SoundClass.GLASS_BREAK)
    await wait_for(lambda: phone)
    press(hass, phone[0], "False alarm")
    await wait_for(lambda: satellite.journal.labels() == {detection: Verdict.FALSE_ALARM})
    await wait_for(lambda: len(phone) == 2)
    assert "Marked as a false alarm by somebody in Home Assistant." in phone[1].data["message"]


async def test_a_mute_reaches_the_satellite_and_never_silences_smoke(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest, phone: list[ServiceCall]
) -> None:
    siren = satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.SIREN)
    await wait_for(lambda: phone)
    press(hass, phone[0], "Mute for 1 h")
    await wait_for_state(hass, "binary_sensor.hallway_alarm", "off")
    satellite.emit(SoundClass.ALARM, Phase.END, id=siren)
    satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.SIREN)
    told = len(phone)
    smoke = satellite.emit(SoundClass.ALARM)
    satellite.emit(SoundClass.ALARM, Phase.UPDATE, id=smoke, pattern=AlarmPattern.T3)
    await wait_for(lambda: len(phone) > told)
    assert phone[-1].data["title"] == "Smoke alarm in the kitchen"
    assert phone[-1].data["data"]["push"]["interruption-level"] == "critical"


async def test_the_household_keeps_quiet_where_a_satellite_does_not_know_of_a_mute(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest, phone: list[ServiceCall]
) -> None:
    await satellite.server.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", "off")
    await call_action(hass, "mute", duration={"minutes": 30}, classes=["gunshot", "alarm"])
    satellite.port = await satellite.server.start(satellite.port, [satellite.host])
    await wait_for_state(hass, "binary_sensor.hallway_connection", "on")
    satellite.emit(SoundClass.GUNSHOT)
    satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.T4)
    await wait_for(lambda: phone)
    assert [call.data["title"] for call in phone] == ["Carbon monoxide alarm in the kitchen"]
    await call_action(hass, "mute", duration=0)
    satellite.emit(SoundClass.SCREAM)
    await wait_for(lambda: phone[-1].data["title"] == "Scream in the kitchen")


async def test_a_mute_ends_by_itself_and_is_bounded(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    with pytest.raises(Exception, match="value must be at most"):
        await call_action(hass, "mute", duration={"hours": 25})
    await call_action(hass, "mute", classes=["gunshot"])
    quiet = household_of(home).desk.policy.snoozed
    assert [item.kind for item in quiet] == ["gunshot"]
    left = quiet[0].until - dt_util.utcnow()
    assert timedelta(minutes=59) < left <= timedelta(hours=1)


async def test_buttons_of_others_and_of_what_is_long_over_do_nothing(
    hass: HomeAssistant, home: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    for action in ("REPLY", "ECHONET-ACKNOWLEDGE-unknown", None, 7):
        hass.bus.async_fire("mobile_app_notification_action", {"action": action})
    await hass.async_block_till_done()
    assert "ERROR" not in caplog.text


async def test_the_buttons_of_the_interface(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest, phone: list[ServiceCall]
) -> None:
    async def push(button: str) -> None:
        entity = f"button.echonet_household_{button}"
        await hass.services.async_call("button", "press", {ATTR_ENTITY_ID: entity}, blocking=True)

    with pytest.raises(ServiceValidationError, match="Nothing has been told"):
        await push("acknowledge")
    detection = satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.T3)
    await wait_for(lambda: phone)
    with pytest.raises(ServiceValidationError, match="cannot be muted"):
        await push("mute_for_an_hour")
    await push("acknowledge")
    incident = household_of(home).async_get_incident(detection)
    assert incident is not None
    assert incident.answered
    await push("false_alarm")
    await wait_for(lambda: satellite.journal.labels() == {detection: Verdict.FALSE_ALARM})


async def test_the_actions(
    hass: HomeAssistant,
    home: MockConfigEntry,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    phone: list[ServiceCall],
) -> None:
    with pytest.raises(ServiceValidationError, match="Nothing waits"):
        await call_action(hass, "acknowledge")
    with pytest.raises(ServiceValidationError, match="Nothing has been told"):
        await call_action(hass, "label", verdict="correct")
    for action in ("acknowledge", "label"):
        extra = {"verdict": "correct"} if action == "label" else {}
        with pytest.raises(ServiceValidationError, match="no such incident"):
            await call_action(hass, action, incident="unknown", **extra)

    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
    await call_action(hass, "test_alert", device_id=device.id, sound_class="fire")
    await wait_for(lambda: phone)
    assert phone[0].data["title"] == "Test: sound of fire in the kitchen"

    detection = satellite.emit(SoundClass.SCREAM)
    await wait_for(lambda: len(phone) == 2)
    await call_action(hass, "label", verdict="correct", incident=alert_attributes(hass)["incident"])
    await wait_for(lambda: satellite.journal.labels() == {detection: Verdict.CORRECT})
    await call_action(hass, "acknowledge")
    with pytest.raises(ServiceValidationError, match="Nothing waits"):
        await call_action(hass, "acknowledge")
    await call_action(hass, "acknowledge", incident=detection)


async def test_an_action_that_cannot_be_done_says_why(
    hass: HomeAssistant,
    home: MockConfigEntry,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    phone: list[ServiceCall],
) -> None:
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
    (household,) = dr.async_entries_for_config_entry(dr.async_get(hass), home.entry_id)
    for unfit in ("unknown", household.id):
        with pytest.raises(ServiceValidationError, match="not a satellite"):
            await call_action(hass, "test_alert", device_id=unfit)
    satellite.emit(SoundClass.SCREAM)
    await wait_for(lambda: phone)
    await satellite.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", "off")
    with pytest.raises(HomeAssistantError, match="is not connected"):
        await call_action(hass, "label", verdict="false_alarm")
    with pytest.raises(HomeAssistantError, match="is not connected"):
        await call_action(hass, "test_alert", device_id=device.id)
    await hass.config_entries.async_unload(loaded.entry_id)
    with pytest.raises(HomeAssistantError, match="not set up or not connected"):
        await call_action(hass, "label", verdict="correct")
    with pytest.raises(ServiceValidationError, match="is not connected"):
        await call_action(hass, "test_alert", device_id=device.id)
    await hass.config_entries.async_unload(home.entry_id)
    for action, data in (("acknowledge", {}), ("mute", {}), ("label", {"verdict": "correct"})):
        with pytest.raises(ServiceValidationError, match="no household"):
            await call_action(hass, action, **data)


async def test_a_satellite_that_does_not_know_a_sound_is_not_asked_for_it(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    plain = await start_satellite(classes=(SoundClass.DOG,))
    entry = make_entry(plain)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    with pytest.raises(ServiceValidationError, match="does not know this sound"):
        await call_action(hass, "test_alert", device_id=device.id)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_what_was_heard_by_a_satellite_that_is_removed_meanwhile_can_still_be_answered(
    hass: HomeAssistant,
    home: MockConfigEntry,
    start_satellite: StartSatellite,
    phone: list[ServiceCall],
    caplog: pytest.LogCaptureFixture,
) -> None:
    attic = await start_satellite(name="Attic")
    entry = make_entry(attic)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    detection = attic.emit(SoundClass.ALARM, pattern=AlarmPattern.T3)
    await wait_for(lambda: phone)
    assert await hass.config_entries.async_remove(entry.entry_id)
    press(hass, phone[0], "False alarm")
    await wait_for(lambda: len(phone) == 2)
    incident = household_of(home).async_get_incident(detection)
    assert incident is not None
    assert incident.answered
    await wait_for(lambda: "An answer did not reach everybody" in caplog.text)
    assert not household_of(home).desk.escalation.rings(detection)
