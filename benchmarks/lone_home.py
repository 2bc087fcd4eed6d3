"""A Home Assistant in this process that announces and discovers nothing, with a household of one phone."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
import json
from pathlib import Path
import socket
from typing import Any
from unittest.mock import AsyncMock, MagicMock, PropertyMock, patch

from tests import ha_first  # noqa: F401  # must be imported before the harness

# isort: split
from homeassistant import loader
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TARGET, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame
from homeassistant.helpers.entity import Entity
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_test_home_assistant

from custom_components.echonet.const import (
    CONF_FINGERPRINT,
    CONF_KIND,
    DOMAIN,
    HOUSEHOLD_TITLE,
    HOUSEHOLD_UNIQUE_ID,
    SUBENTRY_RECIPIENT,
)


@asynccontextmanager
async def home_assistant(folder: Path) -> AsyncIterator[HomeAssistant]:
    """Run it while the block runs, with every entity enabled, at a port where it is in nobody's way."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / ".storage").mkdir()
    (folder / ".storage" / "http").write_text(json.dumps(_http_settings(port)))
    network = MagicMock()
    with (
        patch("homeassistant.components.zeroconf.HaAsyncZeroconf", return_value=network),
        patch("homeassistant.components.zeroconf.discovery.AsyncServiceBrowser") as browser,
        patch.object(Entity, "entity_registry_enabled_default", PropertyMock(return_value=True)),
    ):
        for name in ("async_register_service", "async_close", "ha_async_close"):
            setattr(network, name, AsyncMock())
        network.zeroconf.async_wait_for_start = AsyncMock()
        browser.return_value.async_cancel = AsyncMock()
        async with async_test_home_assistant(config_dir=str(folder)) as hass:
            frame.async_setup(hass)
            hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            yield hass
            await hass.async_stop(force=True)


def household() -> MockConfigEntry:
    """Return the entry of a household with one phone, `notify.mobile_app_scale`."""
    phone = {
        "data": {CONF_KIND: "action", CONF_TARGET: "notify.mobile_app_scale"},
        "subentry_type": SUBENTRY_RECIPIENT,
        "title": "Phone",
        "unique_id": "phone",
    }
    return MockConfigEntry(
        domain=DOMAIN, unique_id=HOUSEHOLD_UNIQUE_ID, title=HOUSEHOLD_TITLE, subentries_data=[phone]
    )


def satellite_entry(number: int, said: Mapping[str, Any]) -> MockConfigEntry:
    """Return the entry of a satellite that has said where it is and what it trusts."""
    data = {
        CONF_HOST: "127.0.0.1",
        CONF_PORT: said["port"],
        CONF_FINGERPRINT: said["fingerprint"],
        CONF_TOKEN: said["token"],
    }
    return MockConfigEntry(domain=DOMAIN, unique_id=said["id"], title=f"Room {number}", data=data)


def _http_settings(port: int) -> dict[str, Any]:
    """What Home Assistant has stored where its owner has chosen a port."""
    stable = {
        "server_host": ["127.0.0.1"],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": True,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": datetime.now(UTC).isoformat(),
        "error": None,
        "error_message": None,
    }
    data = {"stable": stable, "pending": None, "yaml_migration_done": True}
    return {"version": 3, "minor_version": 1, "key": "http", "data": data}
