"""From a sound to the phones: real satellites, the real household, and what `notify` was given."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, override

from homeassistant.components.notify import NotifyEntity, NotifyEntityFeature
from homeassistant.components.notify.const import DATA_COMPONENT
from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import ATTR_ENTITY_ID, CONF_TARGET, EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import area_registry as ar, device_registry as dr, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_mock_service,
)

from custom_components.echonet.const import CONF_COOLDOWN, CONF_KIND, DOMAIN, SUBENTRY_RECIPIENT
from custom_components.echonet.household import recipients
from echonet_satellite.protocol import AlarmPattern, Location, Phase, SoundClass
from tests.integration.conftest import StartSatellite, make_entry, setup, wait_for, wait_for_state
from tests.support.satellite import SatelliteUnderTest

ALERT = "event.echonet_household_alert"


def add_recipient(
    hass: HomeAssistant, household: MockConfigEntry, target: str, *, kind: str = "action", name: str = ""
) -> str:
    """Add a recipient and return the id of its subentry."""
    subentry = ConfigSubentry(
        data=MappingProxyType({CONF_KIND: kind, CONF_TARGET: target}),
        subentry_type=SUBENTRY_RECIPIENT,
        title=name or target,
        unique_id=f"{kind}:{target}",
    )
    hass.config_entries.async_add_subentry(household, subentry)
    return subentry.subentry_id


@pytest.fixture
async def home(hass: HomeAssistant, household: MockConfigEntry, loaded: MockConfigEntry) -> MockConfigEntry:
    """The household, next to a satellite in the kitchen."""
    await setup(hass, household)
    area = ar.async_get(hass).async_get_or_create("Kitchen")
    devices = dr.async_get(hass)
    (device,) = dr.async_entries_for_config_entry(devices, loaded.entry_id)
    devices.async_update_device(device.id, area_id=area.id)
    return household


def has_calls(calls: list[ServiceCall], count: int) -> bool:
    return len(calls) >= count


def alert_attributes(hass: HomeAssistant) -> dict[str, Any]:
    state = hass.states.get(ALERT)
    assert state is not None
    return dict(state.attributes)


async def test_a_sound_reaches_every_phone(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    anna = async_mock_service(hass, "notify", "mobile_app_anna")
    ben = async_mock_service(hass, "notify", "mobile_app_ben")
    add_recipient(hass, home, "notify.mobile_app_anna", name="Anna")
    add_recipient(hass, home, "notify.mobile_app_ben", name="Ben")
    await hass.config.async_set_time_zone("Europe/Berlin")
    detection = satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.T3, confidence=0.94)
    await wait_for(lambda: anna and ben)
    (call,) = anna
    assert call.data["title"] == "Smoke alarm in the kitchen"
    assert call.data["message"].startswith("Heard at ")
    assert call.data["message"].endswith(" with high confidence (94 %).")
    assert call.data["data"]["push"]["interruption-level"] == "critical"
    assert call.data["data"]["tag"] == f"echonet-{detection}"
    assert call.data["data"]["latitude"] == hass.config.latitude
    assert ben[0].data == call.data

    attributes = alert_attributes(hass)
    assert attributes["event_type"] == "alarm"
    assert attributes["telling"] == "new"
    assert attributes["rooms"] == ["Kitchen"]
    assert attributes["recipients"] == ["Anna", "Ben"]
    assert attributes["text"] == f"{call.data['title']}. {call.data['message']}"
    assert attributes["map_url"] == call.data["data"]["url"]
    assert attributes["critical"] is True


async def test_the_cooldown_can_be_set_without_a_reload(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    now = datetime.now(UTC)
    for number in range(2):
        satellite.emit(SoundClass.GUNSHOT, Phase.START, onset=now - timedelta(seconds=20 - 10 * number))
    satellite.emit(SoundClass.DOG)
    await wait_for(lambda: len(calls) == 2)
    assert [call.data["title"].split(" in ")[0] for call in calls] == ["Gunshot", "Barking dog"]

    hass.config_entries.async_update_entry(home, options={CONF_COOLDOWN: 0})
    first = satellite.emit(SoundClass.SCREAM, onset=now - timedelta(seconds=20))
    satellite.emit(SoundClass.SCREAM, Phase.END, id=first, onset=now - timedelta(seconds=20), duration_s=1.0)
    satellite.emit(SoundClass.SCREAM, onset=now - timedelta(seconds=10))
    await wait_for(lambda: len(calls) == 4)


async def test_one_sound_in_two_rooms_is_one_alert_and_one_silent_update(
    hass: HomeAssistant, start_satellite: StartSatellite, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "mobile_app_anna")
    add_recipient(hass, home, "notify.mobile_app_anna")
    garage = await start_satellite(name="Garage", location=Location(latitude=1.5, longitude=2.5))
    entry = make_entry(garage)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    onset = datetime.now(UTC)
    satellite.emit(SoundClass.GLASS_BREAK, onset=onset, peak_dbfs=-30.0)
    await wait_for(lambda: len(calls) == 1)
    garage.emit(SoundClass.GLASS_BREAK, onset=onset + timedelta(seconds=0.3), peak_dbfs=-10.0)
    await wait_for(lambda: len(calls) == 2)
    first, update = (call.data for call in calls)
    assert update["data"]["tag"] == first["data"]["tag"]
    assert update["data"]["alert_once"] is True
    attributes = alert_attributes(hass)
    assert attributes["telling"] == "update"
    assert attributes["rooms"] == ["Garage", "Kitchen"]
    assert (attributes["latitude"], attributes["longitude"]) == (1.5, 2.5)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_an_update_waits_for_the_alert_that_it_replaces(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    order: list[str] = []
    release = asyncio.Event()

    async def slow(call: ServiceCall) -> None:
        if not order:
            order.append("first begins")
            await release.wait()
        order.append(call.data["title"])

    hass.services.async_register("notify", "slow", slow)
    add_recipient(hass, home, "notify.slow")
    detection = satellite.emit(SoundClass.ALARM)
    await wait_for(lambda: order)
    satellite.emit(SoundClass.ALARM, Phase.UPDATE, id=detection, pattern=AlarmPattern.T4)
    await wait_for(lambda: alert_attributes(hass)["telling"] == "update")
    release.set()
    await wait_for(lambda: len(order) == 3)
    assert order == ["first begins", "Alarm in the kitchen", "Carbon monoxide alarm in the kitchen"]


async def test_the_test_button_reaches_the_phone_as_a_test(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "mobile_app_anna")
    add_recipient(hass, home, "notify.mobile_app_anna")
    for count in (1, 2):
        await hass.services.async_call(
            "button", "press", {ATTR_ENTITY_ID: "button.hallway_send_test_alert"}, blocking=True
        )
        await wait_for(partial(has_calls, calls, count))
    assert calls[0].data["title"] == "Test: alarm in the kitchen"
    assert alert_attributes(hass)["telling"] == "test"


async def test_what_happened_meanwhile_is_told_late_once(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "mobile_app_anna")
    add_recipient(hass, home, "notify.mobile_app_anna")
    await satellite.server.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", "off")
    for minutes in (180, 30, 20):
        onset = datetime.now(UTC) - timedelta(minutes=minutes)
        detection = satellite.emit(SoundClass.GLASS_BREAK, onset=onset)
        satellite.emit(SoundClass.GLASS_BREAK, Phase.END, id=detection, onset=onset, duration_s=1.0)
    satellite.port = await satellite.server.start(satellite.port, [satellite.host])
    await wait_for(lambda: calls)
    satellite.emit(SoundClass.GLASS_BREAK)
    await wait_for(lambda: len(calls) == 2)
    assert "You are told late" in calls[0].data["message"]
    assert calls[0].data["data"]["push"]["interruption-level"] == "time-sensitive"
    assert "late" not in calls[1].data["message"]
    assert calls[1].data["data"]["push"]["interruption-level"] == "critical"


async def test_other_notifiers_get_the_map_in_the_text(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "telegram")
    add_recipient(hass, home, "notify.telegram")
    satellite.emit(SoundClass.DOG)
    await wait_for(lambda: calls)
    assert set(calls[0].data) == {"title", "message"}
    assert calls[0].data["message"].splitlines()[1].startswith("https://www.openstreetmap.org/")


class Notifier(NotifyEntity):
    """A notify entity that keeps what it was told."""

    def __init__(self, name: str, features: NotifyEntityFeature) -> None:
        self._attr_name = name
        self._attr_supported_features = features
        self.told: list[tuple[str, str | None]] = []

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        self.told.append((message, title))


async def test_notify_entities_with_and_without_a_title(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    plain = Notifier("Plain", NotifyEntityFeature(0))
    titled = Notifier("Titled", NotifyEntityFeature.TITLE)
    await hass.data[DATA_COMPONENT].async_add_entities([plain, titled])
    add_recipient(hass, home, "notify.plain", kind="entity")
    add_recipient(hass, home, "notify.titled", kind="entity")
    satellite.emit(SoundClass.SCREAM)
    await wait_for(lambda: plain.told and titled.told)
    ((message, title),) = plain.told
    assert message.startswith("Scream in the kitchen. Heard at ")
    assert title is None
    ((message, title),) = titled.told
    assert message.startswith("Heard at ")
    assert title == "Scream in the kitchen"


async def test_one_that_fails_stops_nobody_and_becomes_an_issue(
    hass: HomeAssistant,
    home: MockConfigEntry,
    satellite: SatelliteUnderTest,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(call: ServiceCall) -> None:
        raise HomeAssistantError("no network")

    async def defective(call: ServiceCall) -> None:
        raise ValueError("a defect")

    async def hanging(call: ServiceCall) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(recipients, "SEND_TIMEOUT_S", 0.1)
    for name, action in (("broken", broken), ("defective", defective), ("hanging", hanging)):
        hass.services.async_register("notify", name, action)
    calls = async_mock_service(hass, "notify", "anna")
    failing = [
        add_recipient(hass, home, target, kind=kind, name=target.title())
        for target, kind in (
            ("notify.broken", "action"),
            ("notify.defective", "action"),
            ("notify.hanging", "action"),
            ("notify.vanished", "action"),
            ("notify.vanished", "entity"),
        )
    ]
    working = add_recipient(hass, home, "notify.anna")
    satellite.emit(SoundClass.FIRE)
    issues = ir.async_get(hass)
    await wait_for(
        lambda: all(issues.async_get_issue(DOMAIN, f"recipient_failed_{item}") for item in failing)
    )
    assert len(calls) == 1
    assert issues.async_get_issue(DOMAIN, f"recipient_failed_{working}") is None
    issue = issues.async_get_issue(DOMAIN, f"recipient_failed_{failing[0]}")
    assert issue is not None
    assert issue.translation_placeholders == {"name": "Notify.Broken", "target": "notify.broken"}
    assert "Could not alert Notify.Broken through notify.broken: no network" in caplog.text

    async_mock_service(hass, "notify", "broken")
    satellite.emit(SoundClass.SCREAM)
    await wait_for(lambda: issues.async_get_issue(DOMAIN, f"recipient_failed_{failing[0]}") is None)

    await hass.config_entries.async_remove(home.entry_id)
    await wait_for(lambda: not issues.issues)


async def test_without_recipients_the_alert_is_still_an_event(
    hass: HomeAssistant,
    home: MockConfigEntry,
    satellite: SatelliteUnderTest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    events = async_capture_events(hass, "state_changed")
    satellite.emit(SoundClass.GUNSHOT)
    await wait_for(lambda: "no recipient is set up: Gunshot in the kitchen" in caplog.text)
    assert ALERT in [event.data["entity_id"] for event in events]
    assert alert_attributes(hass)["recipients"] == []


async def test_during_the_start_an_alert_waits_for_its_phone(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    hass.set_state(CoreState.starting)
    ready = async_mock_service(hass, "notify", "mobile_app_ready")
    add_recipient(hass, home, "notify.mobile_app_ready")
    add_recipient(hass, home, "notify.mobile_app_anna")
    add_recipient(hass, home, "notify.email", kind="entity")
    satellite.emit(SoundClass.ALARM)
    await wait_for(lambda: ready)
    anna = async_mock_service(hass, "notify", "mobile_app_anna")
    email = Notifier("Email", NotifyEntityFeature(0))
    await hass.data[DATA_COMPONENT].async_add_entities([email])
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await wait_for(lambda: anna and email.told)


async def test_a_start_that_takes_too_long_becomes_an_issue(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipients, "START_TIMEOUT_S", 0.05)
    hass.set_state(CoreState.starting)
    subentry_id = add_recipient(hass, home, "notify.mobile_app_anna")
    satellite.emit(SoundClass.ALARM)
    await wait_for(lambda: ir.async_get(hass).async_get_issue(DOMAIN, f"recipient_failed_{subentry_id}"))
    hass.set_state(CoreState.running)


async def test_a_reload_loses_no_alert(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    begun, release, told = asyncio.Event(), asyncio.Event(), []

    async def slow(call: ServiceCall) -> None:
        begun.set()
        await release.wait()
        told.append(call.data["title"])

    hass.services.async_register("notify", "slow", slow)
    add_recipient(hass, home, "notify.slow")
    satellite.emit(SoundClass.GUNSHOT)
    await begun.wait()
    assert await hass.config_entries.async_reload(home.entry_id)
    release.set()
    await wait_for(lambda: told == ["Gunshot in the kitchen"])
    assert home.state is ConfigEntryState.LOADED


async def test_the_unloaded_household_tells_nobody(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    await hass.config_entries.async_unload(home.entry_id)
    satellite.emit(SoundClass.GUNSHOT)
    await wait_for_state(hass, "binary_sensor.hallway_gunshot", "on")
    await hass.async_block_till_done()
    assert not calls


async def test_a_sound_that_began_before_the_household_was_there_is_not_told(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.anna")
    await hass.config_entries.async_unload(home.entry_id)
    detection = satellite.emit(SoundClass.GUNSHOT)
    await wait_for_state(hass, "binary_sensor.hallway_gunshot", "on")
    assert await hass.config_entries.async_setup(home.entry_id)
    satellite.emit(SoundClass.GUNSHOT, Phase.END, id=detection, duration_s=1.0)
    satellite.emit(SoundClass.DOG)
    await wait_for(lambda: calls)
    assert [call.data["title"] for call in calls] == ["Barking dog in the kitchen"]


async def test_an_issue_goes_with_its_recipient(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    """Removed, or given another target: in both cases the failure is no longer true."""
    removed = add_recipient(hass, home, "notify.vanished")
    changed = add_recipient(hass, home, "notify.moved")
    renamed = add_recipient(hass, home, "notify.lost")
    ir.async_create_issue(
        hass,
        DOMAIN,
        "other",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key="unsupported_protocol",
    )
    satellite.emit(SoundClass.ALARM)
    issues = ir.async_get(hass)
    await wait_for(lambda: len(issues.issues) == 4)
    hass.config_entries.async_update_subentry(home, home.subentries[renamed], title="Anna")
    assert len(issues.issues) == 4
    hass.config_entries.async_update_subentry(
        home,
        home.subentries[changed],
        data={CONF_KIND: "action", CONF_TARGET: "notify.persistent_notification"},
    )
    assert hass.config_entries.async_remove_subentry(home, removed)
    await hass.async_block_till_done()
    assert {issue_id for _, issue_id in issues.issues} == {f"recipient_failed_{renamed}", "other"}
