"""A satellite that is removed in Home Assistant is free for another one, or its owner learns what is left to do."""

from homeassistant.components.repairs import ConfirmRepairFlow
from homeassistant.config_entries import SOURCE_IGNORE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.echonet import farewell
from custom_components.echonet.const import CONF_FINGERPRINT, DOMAIN
from custom_components.echonet.repairs import async_create_fix_flow
from tests.integration.conftest import make_entry, setup
from tests.support.satellite import SatelliteUnderTest


def issue_of(hass: HomeAssistant, satellite: SatelliteUnderTest) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"still_paired_{satellite.satellite_id}")


async def test_removing_it_lets_the_satellite_forget_us_and_its_clips(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    satellite.keep_clip()
    await setup(hass, entry)
    await satellite.wait_connected(1)
    await hass.config_entries.async_remove(entry.entry_id)
    assert satellite.controllers.all == ()
    assert satellite.connected == ()
    assert satellite.announced == [False]
    assert satellite.clips.store.clips() == []
    assert issue_of(hass, satellite) is None


async def test_others_who_are_paired_with_it_stay_so(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    satellite.issue_token("Other home")
    satellite.keep_clip()
    await setup(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    assert [controller.name for controller in satellite.controllers.all] == ["Other home"]
    assert satellite.announced == []
    assert len(satellite.clips.store.clips()) == 1


async def test_one_that_is_off_becomes_a_repair_that_says_what_to_do(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    satellite: SatelliteUnderTest,
    hass_client: ClientSessionGenerator,
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    await setup(hass, entry)
    await satellite.stop()
    await hass.config_entries.async_remove(entry.entry_id)
    issue = issue_of(hass, satellite)
    assert issue is not None
    assert issue.is_persistent
    assert issue.translation_placeholders == {"name": "Hallway", "command": "sudo echonet-satellite unpair"}

    client = await hass_client()
    form = await (
        await client.post("/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue.issue_id})
    ).json()
    assert form["step_id"] == "confirm"
    await client.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    assert issue_of(hass, satellite) is None


async def test_pairing_it_again_withdraws_the_repair(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await setup(hass, entry)
    await satellite.stop()
    await hass.config_entries.async_remove(entry.entry_id)
    assert issue_of(hass, satellite) is not None
    await satellite.start()
    again = make_entry(satellite)
    again.add_to_hass(hass)
    await setup(hass, again)
    assert issue_of(hass, satellite) is None
    await hass.config_entries.async_unload(again.entry_id)


async def test_one_that_never_answers_does_not_hold_up_its_owner(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    satellite: SatelliteUnderTest,
    unanswering_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(farewell, "FAREWELL_TIMEOUT_S", 0.2)
    hass.config_entries.async_update_entry(entry, data={**entry.data, "port": unanswering_port})
    await hass.config_entries.async_remove(entry.entry_id)
    assert issue_of(hass, satellite) is not None


async def test_somebody_else_at_its_address_is_not_shown_the_token(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_FINGERPRINT: "00" * 32})
    await hass.config_entries.async_remove(entry.entry_id)
    assert len(satellite.controllers.all) == 1
    assert issue_of(hass, satellite) is not None


async def test_one_that_has_forgotten_us_already_needs_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    satellite.forget_controllers()
    await hass.config_entries.async_remove(entry.entry_id)
    assert issue_of(hass, satellite) is None


async def test_one_that_was_ignored_was_never_paired(hass: HomeAssistant) -> None:
    ignored = MockConfigEntry(domain=DOMAIN, unique_id="0" * 32, source=SOURCE_IGNORE, data={})
    ignored.add_to_hass(hass)
    await hass.config_entries.async_remove(ignored.entry_id)
    assert not ir.async_get(hass).issues


async def test_the_flow_of_the_repair_is_a_confirmation(hass: HomeAssistant) -> None:
    assert isinstance(await async_create_fix_flow(hass, "still_paired_x", None), ConfirmRepairFlow)
