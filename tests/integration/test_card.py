"""The card in Home Assistant's frontend: there without a line of YAML."""

from hashlib import sha256

from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL, async_panel_exists
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.echonet.card import BUNDLE, URL
from custom_components.echonet.const import DOMAIN
from tests.support.satellite import SatelliteUnderTest


async def test_every_page_loads_the_card_and_keeps_it_until_it_changes(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, "frontend", {})
    assert await async_setup_component(hass, DOMAIN, {})
    (url,) = [url for url in hass.data[DATA_EXTRA_MODULE_URL].urls if DOMAIN in url]
    assert url == f"{URL}?{sha256(BUNDLE.read_bytes()).hexdigest()[:12]}"
    client = await hass_client()
    answer = await client.get(url)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith(("text/javascript", "application/javascript"))
    assert "max-age" in answer.headers["Cache-Control"]
    assert await answer.read() == BUNDLE.read_bytes()
    assert async_panel_exists(hass, DOMAIN)


async def test_a_home_assistant_without_a_frontend_has_no_card_and_no_error(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    assert DATA_EXTRA_MODULE_URL not in hass.data
    assert "Error" not in caplog.text


async def test_the_device_page_leads_to_what_the_satellite_hears(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
    assert device.configuration_url == f"homeassistant://{DOMAIN}/{satellite.satellite_id}"
