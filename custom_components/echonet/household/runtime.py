"""The household at work: hears of every detection, and tells the recipients of what matters."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
import logging

from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntry, ConfigEntryChange
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util

from ..const import CONF_COOLDOWN, DOMAIN
from ..issues import async_forget_recipient_issues
from ..protocol import Location, Welcome
from ..reports import SIGNAL_SATELLITE, DetectionReport, SatelliteReport
from .alerts import Alert, build_alert
from .circumstances import async_get_circumstances
from .incident import Incident, Place
from .incidents import Change, Incidents
from .policy import DEFAULT_COOLDOWN, DEFAULT_RULES, Policy, Rules
from .recipients import async_tell, recipients_of

_LOGGER = logging.getLogger(__name__)

type HouseholdConfigEntry = ConfigEntry[Household]
type AlertListener = Callable[[Alert, list[str]], None]


class Household:
    """Merges detections into incidents, decides by the policy, and sends alerts.

    Recipients and options are read anew for each alert, so that a change of them needs no reload and no incident is
    forgotten because of it.
    """

    def __init__(self, hass: HomeAssistant, entry: HouseholdConfigEntry) -> None:
        """Prepare; call `async_start` to begin."""
        self.hass = hass
        self.entry = entry
        self.incidents = Incidents()
        self._policy = Policy()
        self._listeners: list[AlertListener] = []
        self._ready = asyncio.Event()
        self._chain: dict[str, asyncio.Task[None]] = {}

    @callback
    def async_connect(self) -> None:
        """Begin to watch the recipients; alerts wait until `async_ready`."""
        self.entry.async_on_unload(
            async_dispatcher_connect(self.hass, SIGNAL_SATELLITE, self._async_handle_satellite)
        )
        self.entry.async_on_unload(
            async_dispatcher_connect(self.hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_handle_change)
        )

    @callback
    def async_ready(self) -> None:
        """Let alerts out, now that the entities can show them."""
        self._ready.set()

    @callback
    def async_subscribe_alerts(self, listener: AlertListener) -> CALLBACK_TYPE:
        """Call `listener` with each alert and the names of whom it is sent to; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def _async_handle_change(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry is self.entry and change is ConfigEntryChange.UPDATED:
            async_forget_recipient_issues(self.hass, entry)

    @callback
    def async_hear(self, report: DetectionReport) -> None:
        """Take in a message of a detection; where this raises, it comes again."""
        now = dt_util.utcnow()
        place = self._async_get_place(report.device_id, report.welcome)
        changes = self.incidents.add(place, report.detection, now, away_since=report.away_since)
        self._async_handle_changes(changes, now, late=report.late)

    @callback
    def _async_handle_satellite(self, report: SatelliteReport) -> None:
        now = dt_util.utcnow()
        if not report.connected:
            self.incidents.lost(report.welcome.satellite_id, now)
        elif report.active is not None:
            place = self._async_get_place(report.device_id, report.welcome)
            self._async_handle_changes(self.incidents.back(place, report.active, now), now)

    @callback
    def _async_handle_changes(self, changes: list[Change], now: datetime, *, late: bool = False) -> None:
        for change in changes:
            self._policy.absorb(change.incident.id, change.absorbed)
            self._async_decide(change.incident, now, late=late)

    @callback
    def _async_decide(self, incident: Incident, now: datetime, *, late: bool) -> None:
        circumstances = async_get_circumstances(self.hass, now)
        decision = self._policy.decide(incident, self._rules(), circumstances, late=late)
        if decision is None:
            return
        home = Location(latitude=self.hass.config.latitude, longitude=self.hass.config.longitude)
        self._async_dispatch(
            build_alert(incident, decision, home=home, now=now, zone=dt_util.get_default_time_zone())
        )

    def _rules(self) -> Rules:
        cooldown = timedelta(seconds=self.entry.options.get(CONF_COOLDOWN, DEFAULT_COOLDOWN.total_seconds()))
        return Rules(kinds={kind: replace(rule, cooldown=cooldown) for kind, rule in DEFAULT_RULES.items()})

    @callback
    def _async_get_place(self, device_id: str, welcome: Welcome) -> Place:
        device = dr.async_get(self.hass).async_get(device_id)
        area_id = device.area_id if device is not None else None
        area = ar.async_get(self.hass).async_get_area(area_id) if area_id is not None else None
        name = welcome.name
        if device is not None:
            name = device.name_by_user or device.name or name
        return Place(
            satellite_id=welcome.satellite_id,
            name=name,
            room=area.name if area is not None else None,
            location=welcome.location,
        )

    @callback
    def _async_dispatch(self, alert: Alert) -> None:
        # An update must not overtake the alert that it replaces.
        before = self._chain.get(alert.incident_id)
        # Not a task of the entry: a reload must not cancel an alert, which is told only once.
        task = self.hass.async_create_background_task(
            self._async_send(alert, before), f"{DOMAIN} alert {alert.incident_id}"
        )
        self._chain[alert.incident_id] = task
        task.add_done_callback(lambda done: self._async_forget(alert.incident_id, done))

    @callback
    def _async_forget(self, incident_id: str, done: asyncio.Task[None]) -> None:
        if self._chain.get(incident_id) is done:
            del self._chain[incident_id]

    async def _async_send(self, alert: Alert, before: asyncio.Task[None] | None) -> None:
        await self._ready.wait()
        recipients = recipients_of(self.entry)
        names = [recipient.name for recipient in recipients]
        for listener in tuple(self._listeners):
            listener(alert, names)
        if before is not None:
            await asyncio.wait([before])
        if not recipients:
            _LOGGER.warning("Nobody is told, because no recipient is set up: %s", alert.title)
            return
        await asyncio.gather(*(async_tell(self.hass, recipient, alert) for recipient in recipients))
