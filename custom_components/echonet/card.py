"""Gives the card to the frontend: a file that it serves, a module that every dashboard loads, and a page of its own."""

from hashlib import sha256
from pathlib import Path
from typing import Final

from homeassistant.components import frontend, panel_custom
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant

from .const import DOMAIN

BUNDLE: Final = Path(__file__).parent / "frontend" / "bundle" / "echonet-card.js"
URL: Final = f"/{DOMAIN}_static/echonet-card.js"
# In the sidebar only for who puts it there: the device page of each satellite leads to it.
PANEL_ELEMENT: Final = "echonet-panel"


async def async_setup_card(hass: HomeAssistant) -> None:
    """Offer the card where there is a frontend."""
    if frontend.DOMAIN not in hass.config.components:
        return
    content = await hass.async_add_executor_job(BUNDLE.read_bytes)
    # Browsers keep the file for as long as its address stays: a new version has a new one.
    url = f"{URL}?{sha256(content).hexdigest()[:12]}"
    await hass.http.async_register_static_paths([StaticPathConfig(URL, str(BUNDLE), cache_headers=True)])
    frontend.add_extra_js_url(hass, url)
    await panel_custom.async_register_panel(
        hass, frontend_url_path=DOMAIN, webcomponent_name=PANEL_ELEMENT, module_url=url
    )
