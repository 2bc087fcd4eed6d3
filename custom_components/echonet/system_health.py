"""What Settings > System > Repairs > System information says of EchoNet."""

from typing import Any

from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.loader import async_get_integration

from .const import DOMAIN
from .helpers import async_get_household, async_get_satellites
from .household.recipients import recipients_of


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register it."""
    register.async_register_info(_async_info, f"/config/integrations/integration/{DOMAIN}")


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return counts and versions: no name, no address, and no room."""
    integration = await async_get_integration(hass, DOMAIN)
    satellites = async_get_satellites(hass)
    connected = [entry for entry in satellites if _is_connected(entry)]
    listening = [entry for entry in connected if entry.runtime_data.data.settings.listening]
    versions = {entry.runtime_data.data.welcome.version for entry in connected}
    problems = {problem.value for entry in connected for problem in entry.runtime_data.data.health.problems}
    household = async_get_household(hass)
    return {
        "version": str(integration.version),
        "satellites": len(satellites),
        "connected": len(connected),
        "listening": len(listening),
        "satellite_versions": ", ".join(sorted(versions)) or "-",
        "problems": ", ".join(sorted(problems)) or "-",
        "recipients": len(recipients_of(household)) if household is not None else 0,
    }


def _is_connected(entry: ConfigEntry) -> bool:
    return entry.state is ConfigEntryState.LOADED and entry.runtime_data.last_update_success
