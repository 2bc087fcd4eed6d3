"""Diagnostics help, and give nobody away."""

import json

from homeassistant.components.diagnostics import REDACTED
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_system_health_info

from custom_components.echonet.const import CONF_FINGERPRINT, DOMAIN
from custom_components.echonet.diagnostics import async_get_config_entry_diagnostics
from custom_components.echonet.protocol import Location, Problem, SoundClass
from tests.integration.conftest import StartSatellite, make_entry, setup, wait_for
from tests.integration.phones import add_recipient
from tests.support.satellite import SatelliteUnderTest


async def test_a_satellite(hass: HomeAssistant, start_satellite: StartSatellite) -> None:
    satellite = await start_satellite(location=Location(latitude=52.123, longitude=13.456))
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    satellite.emit(SoundClass.DOG)
    await wait_for(lambda: entry.runtime_data.data.active)
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["connected"] is True
    assert diagnostics["satellite"]["active"] == ["dog"]
    assert diagnostics["satellite"]["welcome"]["version"] == "0.1.0"
    assert diagnostics["satellite"]["health"]["problems"] == []
    assert diagnostics["satellite"]["settings"]["sensitivity"]["dog"] == "medium"
    assert diagnostics["entry"]["port"] == satellite.port
    version = (await async_get_integration(hass, DOMAIN)).version
    assert (diagnostics["version"], diagnostics["protocol"]) == (version, 1)
    assert diagnostics["connection"] == {"connected": 1, "lost": 0, "last_errors": []}
    text = json.dumps(diagnostics)
    secrets = [
        entry.data["token"],
        entry.data[CONF_FINGERPRINT],
        satellite.satellite_id,
        "127.0.0.1",
        "52.123",
    ]
    assert not [secret for secret in [*secrets, "13.456", "Hallway"] if secret in text]
    assert diagnostics["entry"]["token"] == REDACTED
    await hass.config_entries.async_unload(entry.entry_id)


async def test_what_has_gone_wrong_last_is_told_without_the_address(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await satellite.stop()
    await wait_for(lambda: loaded.runtime_data.record.errors)
    await wait_for(lambda: "does not answer" in loaded.runtime_data.record.errors[-1][1])
    connection = (await async_get_config_entry_diagnostics(hass, loaded))["connection"]
    assert (connection["connected"], connection["lost"]) == (1, 1)
    assert "does not answer" in connection["last_errors"][-1]["error"]
    assert "127.0.0.1" not in json.dumps(connection)
    await satellite.start()
    await satellite.wait_connected()
    await wait_for(lambda: loaded.runtime_data.record.connected == 2)


async def test_system_health_counts_and_names_nobody(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    add_recipient(hass, home, "notify.mobile_app_anna", name="Anna")
    satellite.set_health(Problem.MICROPHONE_SILENT)
    await wait_for(lambda: hass.states.is_state("binary_sensor.hallway_microphone", "on"))
    info = await get_system_health_info(hass, DOMAIN)
    assert info == {
        "version": (await async_get_integration(hass, DOMAIN)).version,
        "satellites": 1,
        "connected": 1,
        "listening": 1,
        "satellite_versions": "0.1.0",
        "problems": "microphone_silent",
        "recipients": 1,
    }
    texts = await async_get_translations(hass, "fr", "system_health", {DOMAIN})
    assert {f"component.{DOMAIN}.system_health.info.{key}" for key in info} == set(texts)


async def test_the_household(
    hass: HomeAssistant, start_satellite: StartSatellite, household: MockConfigEntry
) -> None:
    satellite = await start_satellite(location=Location(latitude=52.123, longitude=13.456))
    entry = make_entry(satellite)
    entry.add_to_hass(hass)
    await setup(hass, household)
    add_recipient(hass, household, "notify.mobile_app_anna", name="Anna")
    satellite.emit(SoundClass.DOG)
    await wait_for(lambda: list(household.runtime_data.desk.incidents))
    (told,) = household.runtime_data.desk.incidents
    household.runtime_data.async_acknowledge(told.id, by="Anna")
    hass.config_entries.async_update_entry(household, options={"address": "12 Elm Street"})
    diagnostics = await async_get_config_entry_diagnostics(hass, household)
    (incident,) = diagnostics["incidents"]
    assert incident["observations"][0]["detection"]["sound_class"] == "dog"
    text = json.dumps(diagnostics, default=str)
    assert not [
        secret
        for secret in ("anna", "Anna", "Elm", "52.123", "Hallway", satellite.satellite_id)
        if secret in text
    ]
    assert diagnostics["recipients"] == [{"title": REDACTED, "kind": "action", "target": REDACTED}]
    await hass.config_entries.async_unload(entry.entry_id)
