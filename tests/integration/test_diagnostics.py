"""Diagnostics help, and give nobody away."""

import json

from homeassistant.components.diagnostics import REDACTED
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet.const import CONF_FINGERPRINT
from custom_components.echonet.diagnostics import async_get_config_entry_diagnostics
from custom_components.echonet.protocol import Location, SoundClass
from tests.integration.conftest import StartSatellite, make_entry, setup, wait_for
from tests.integration.phones import add_recipient


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
