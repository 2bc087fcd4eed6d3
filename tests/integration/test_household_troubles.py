"""What becomes of an alert where a phone fails, Home Assistant still starts, or the household is not loaded."""

import asyncio

from homeassistant.components.notify import NotifyEntityFeature
from homeassistant.components.notify.const import DATA_COMPONENT
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_TARGET, EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from custom_components.echonet.const import CONF_KIND, DOMAIN
from custom_components.echonet.household import courier, sender
from echonet_satellite.protocol import Phase, SoundClass
from tests.integration.conftest import wait_for, wait_for_state
from tests.integration.phones import Notifier, add_recipient
from tests.support.satellite import SatelliteUnderTest


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

    monkeypatch.setattr(sender, "SEND_TIMEOUT_S", 0.1)
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
    monkeypatch.setattr(sender, "START_TIMEOUT_S", 0.05)
    hass.set_state(CoreState.starting)
    subentry_id = add_recipient(hass, home, "notify.mobile_app_anna")
    satellite.emit(SoundClass.ALARM)
    await wait_for(lambda: ir.async_get(hass).async_get_issue(DOMAIN, f"recipient_failed_{subentry_id}"))
    hass.set_state(CoreState.running)


async def test_a_reload_loses_no_alert(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "STOP_GRACE_S", 0.05)
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


async def test_what_is_heard_while_the_household_is_not_there_is_told_when_it_is(
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
    await wait_for(lambda: len(calls) == 2)
    assert [call.data["title"] for call in calls] == ["Gunshot in the kitchen", "Barking dog in the kitchen"]


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
