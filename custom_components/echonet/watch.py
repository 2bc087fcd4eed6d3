"""The WebSocket command `echonet/watch`: whoever looks at a satellite is told what it hears, until they look away."""

from typing import Any, Final, override

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components import websocket_api
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.const import ATTR_DEVICE_ID, Platform
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later
import probatio

from .const import DOMAIN
from .coordinator import SatelliteCoordinator
from .household.runtime import is_household
from .live import TooManyViewers
from .protocol import Level
from .services import async_get_coordinator
from .view import async_view, view_of_level

ATTR_LANGUAGE: Final = "language"
# Many things change at once when a sound begins; they are shown together, and not more often than this.
SETTLE_S: Final = 0.1


@callback
def async_setup_watch(hass: HomeAssistant) -> None:
    """Register the command."""
    websocket_api.async_register_command(hass, websocket_watch)


@websocket_api.websocket_command(
    {
        probatio.Required("type"): f"{DOMAIN}/watch",
        probatio.Required(ATTR_DEVICE_ID): cv.string,
        probatio.Optional(ATTR_LANGUAGE, default="en"): probatio.All(cv.string, probatio.Length(max=35)),
    }
)
@callback
def websocket_watch(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Let a viewer look at a satellite."""
    coordinator = async_get_coordinator(hass, msg[ATTR_DEVICE_ID])
    entity_id = er.async_get(hass).async_get_entity_id(
        Platform.SWITCH, DOMAIN, f"{coordinator.satellite_id}-listening"
    )
    if not connection.user.permissions.check_entity(entity_id or "", POLICY_READ):
        raise Unauthorized
    viewer = _Viewer(hass, connection, msg["id"], coordinator.config_entry, msg[ATTR_LANGUAGE])
    try:
        viewer.async_attach()
    except TooManyViewers:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="too_many_viewers") from None
    connection.subscriptions[msg["id"]] = viewer.async_stop
    connection.send_result(msg["id"])
    viewer.async_show()


class _Viewer:
    """One who looks at one satellite; where its entry is loaded anew, they look on."""

    def __init__(
        self,
        hass: HomeAssistant,
        connection: websocket_api.ActiveConnection,
        message_id: int,
        entry: ConfigEntry[SatelliteCoordinator],
        language: str,
    ) -> None:
        self._hass = hass
        self._connection = connection
        self._message_id = message_id
        self._entry = entry
        self._language = language
        self._shown: dict[str, Any] | None = None
        self._timer: CALLBACK_TYPE | None = None
        self._following: list[CALLBACK_TYPE] = []
        self._stop_following_entries = async_dispatcher_connect(
            hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_handle_change
        )

    @override
    def __repr__(self) -> str:
        return f"<viewer of {self._entry.title}>"

    @callback
    def async_attach(self) -> None:
        """Follow what is there to follow."""
        self._async_detach()
        if self._entry.state is not ConfigEntryState.LOADED:
            return
        coordinator = self._entry.runtime_data
        try:
            self._following.append(coordinator.live.async_subscribe(self._on_level))
        except TooManyViewers:
            self.async_stop()
            raise
        self._following.append(coordinator.async_add_listener(self._async_show_soon))
        self._following.append(coordinator.recent.async_subscribe(self._async_show_soon))
        for entry in self._hass.config_entries.async_entries(DOMAIN):
            if is_household(entry) and entry.state is ConfigEntryState.LOADED:
                self._following.append(entry.runtime_data.async_subscribe_incidents(self._async_show_soon))

    @callback
    def async_stop(self) -> None:
        """Look away."""
        self._async_detach()
        self._stop_following_entries()

    @callback
    def async_show(self) -> None:
        """Show how things are, unless that is what was shown last."""
        loaded = self._entry.state is ConfigEntryState.LOADED
        view = async_view(self._hass, self._entry.runtime_data, self._language) if loaded else None
        if view != self._shown or view is None:
            self._shown = view
            self._connection.send_event(self._message_id, {"view": view})

    @callback
    def _async_show_soon(self) -> None:
        if self._timer is None:
            self._timer = async_call_later(self._hass, SETTLE_S, self._async_show_now)

    @callback
    def _async_show_now(self, _: object) -> None:
        self._timer = None
        self.async_show()

    @callback
    def _on_level(self, level: Level) -> None:
        self._connection.send_event(self._message_id, {"level": view_of_level(level)})

    @callback
    def _async_handle_change(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN and (entry is self._entry or is_household(entry)):
            try:
                self.async_attach()
            except TooManyViewers:
                return
            self._async_show_soon()

    @callback
    def _async_detach(self) -> None:
        if self._timer is not None:
            self._timer()
            self._timer = None
        while self._following:
            self._following.pop()()
