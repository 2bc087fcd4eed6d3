"""The household at work: hears of every detection, and tells the recipients of what matters."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
import logging

from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntry, ConfigEntryChange
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util

from ..const import CONF_COOLDOWN, DOMAIN
from ..issues import async_forget_recipient_issues
from ..reports import SIGNAL_SATELLITE, DetectionReport, SatelliteReport
from .alerts import Alert, build_alert
from .circumstances import async_get_circumstances
from .courier import Courier
from .incident import Incident
from .incidents import Change, Incidents
from .policy import DEFAULT_COOLDOWN, DEFAULT_RULES, Policy, Rules
from .recipients import recipients_of, waves_of
from .surroundings import async_get_home, async_get_page, async_get_place

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
        self._courier = Courier(hass, entry, lambda: async_get_page(hass))

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
        place = async_get_place(self.hass, report.device_id, report.welcome, report.welcomed_at)
        changes = self.incidents.add(place, report.detection, now, away_since=report.away_since)
        self._async_handle_changes(changes, now, late=report.late)

    @callback
    def _async_handle_satellite(self, report: SatelliteReport) -> None:
        now = dt_util.utcnow()
        if not report.connected:
            self.incidents.lost(report.welcome.satellite_id, now)
        elif report.active is not None:
            place = async_get_place(self.hass, report.device_id, report.welcome, report.welcomed_at)
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
        home = async_get_home(self.hass, self.entry)
        self._async_dispatch(build_alert(incident, decision, home=home, now=now))

    def _rules(self) -> Rules:
        cooldown = timedelta(seconds=self.entry.options.get(CONF_COOLDOWN, DEFAULT_COOLDOWN.total_seconds()))
        return Rules(kinds={kind: replace(rule, cooldown=cooldown) for kind, rule in DEFAULT_RULES.items()})

    @callback
    def _async_dispatch(self, alert: Alert) -> None:
        # Not a task of the entry: a reload must not cancel an alert, which is told only once.
        self.hass.async_create_background_task(self._async_send(alert), f"{DOMAIN} alert {alert.incident_id}")

    async def _async_send(self, alert: Alert) -> None:
        await self._ready.wait()
        waves = waves_of(recipients_of(self.entry), alert.sound_class)
        names = [recipient.name for recipient in waves[0]] if waves else []
        for listener in tuple(self._listeners):
            listener(alert, names)
        if not waves:
            _LOGGER.warning("Nobody is told, because no recipient is set up: %s", alert.title)
            return
        await self._courier.async_deliver(alert, waves)
