"""The household at work: hears of every detection, and tells the recipients of what matters."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from typing import Any, TypeIs

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect, async_dispatcher_send
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util
from homeassistant.util.signal_type import SignalType

from ..const import DOMAIN, HOUSEHOLD_UNIQUE_ID
from ..helpers import async_get_satellites
from ..issues import async_forget_recipient_issues
from ..reports import SIGNAL_SATELLITE, DetectionReport, SatelliteReport
from .alerts import Alert, build_alert
from .circumstances import async_get_circumstances
from .courier import Courier
from .desk import Desk
from .dispatch import Dispatch
from .entity import home_subentry_of
from .incident import Acknowledgement, Incident
from .kinds import AlertKind
from .news import News
from .options import plan_of, rules_of
from .pictures import ClipPictures
from .policy import Circumstances, Quiet
from .recipients import recipients_of, waves_of
from .sender import Tellable
from .silence_watch import SilenceWatch
from .state import State
from .storage import StateStore
from .surroundings import async_get_home, async_get_page, async_get_place
from .walk_test import WalkTest
from .whereabouts import RoomWatch, async_locate

# How often it is looked whether something is due, while something may be.
TICK_S = 1.0

_LOGGER = logging.getLogger(__name__)

type HouseholdConfigEntry = ConfigEntry[Household]
type AlertListener = Callable[[Alert, list[str]], None]

# Sent when a household can be answered, before it tells anything that an earlier run has left to it.
SIGNAL_LISTENING: SignalType[Household] = SignalType(f"{DOMAIN}_household_listening")


class Household:
    """Merges detections into incidents, decides by the policy, and sends alerts.

    Recipients and options are read anew for each alert, so that a change of them needs no reload and no incident is
    forgotten because of it. Where it is loaded anew all the same, the old one has stopped telling before it stores what
    it owes, and the new one goes on from there.
    """

    def __init__(self, hass: HomeAssistant, entry: HouseholdConfigEntry) -> None:
        """Prepare; call `async_load` to begin."""
        self.hass = hass
        self.entry = entry
        self.desk = Desk()
        self._store = StateStore(hass)
        self._listeners: list[AlertListener] = []
        self._watchers: list[Callable[[], None]] = []
        self._shown: Incident | None = None
        self._ready = asyncio.Event()
        # Whether it can be answered: what it knows then is stored, or told to the next run.
        self.listening = False
        self._stopping = False
        self._wrong_clocks: set[str] = set()
        self._rooms = RoomWatch()
        self._pictures = ClipPictures()
        self._courier = Courier(hass, entry, lambda: async_get_page(hass), self._pictures.of, self._is_wanted)
        self.walk_test = WalkTest(hass, entry, self._courier)
        self._tick: CALLBACK_TYPE | None = None

    async def async_load(self) -> None:
        """Take over what an earlier run has left to do."""
        self.desk = Desk(await self._store.async_load())
        self.desk.waves_for = self._count_waves
        self.desk.on_absorbed = self._courier.async_forget
        self._dispatch = Dispatch(
            self.hass,
            self.entry,
            self.desk,
            self._courier,
            ready=self._ready,
            announce=self._async_announce,
            store=self._async_store,
        )
        for incident_id, recipients in self.desk.ledger.stand_ins():
            self._courier.audience.note_stand_ins(incident_id, recipients)
        await self.walk_test.async_load()

    @callback
    def async_connect(self) -> None:
        """Begin to listen to how the satellites are, and to answers; alerts wait until `async_ready`."""
        for cancel in (
            async_dispatcher_connect(self.hass, SIGNAL_SATELLITE, self._async_handle_satellite),
            async_dispatcher_connect(self.hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_handle_change),
            self._pictures.async_connect(
                self.hass,
                self.desk.incidents.of_detection,
                self._async_show_picture,
            ),
        ):
            self.entry.async_on_unload(cancel)
        self.listening = True
        async_dispatcher_send(self.hass, SIGNAL_LISTENING, self)

    @callback
    def async_ready(self) -> None:
        """Let alerts out, now that the entities can show them; first those of an earlier run."""
        self._ready.set()
        self.silence = SilenceWatch(self.hass, self.entry, self.desk, self._courier, self._async_store)
        self.entry.async_on_unload(self.silence.async_start())
        news: list[News] = []
        for entry in async_get_satellites(self.hass):
            if entry.state is ConfigEntryState.LOADED:
                # What they have told before we listened, so that what is owed is told as it is now.
                news += self._async_take_satellite(entry.runtime_data.report)
        self._async_tell([*self.desk.resume(self._async_look()), *news])

    async def async_stop(self) -> None:
        """Tell nothing more, and leave to the next run what this one knows and still owes.

        Until that is stored it takes answers, which call off what is being sent.
        """
        self._stopping = True
        if self._tick is not None:
            self._tick()
            self._tick = None
        await self.walk_test.async_stop()
        await self._courier.async_stop()
        self.listening = False
        await self._store.async_save(self._async_get_state())

    @callback
    def async_subscribe_alerts(self, listener: AlertListener) -> CALLBACK_TYPE:
        """Call `listener` with each alert and the names of whom it is sent to; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_subscribe_incidents(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call `listener` when `current` may have changed; returns what ends it."""
        self._watchers.append(listener)
        return lambda: self._watchers.remove(listener)

    @property
    def current(self) -> Incident | None:
        """The incident that matters now, if there is one."""
        return self.desk.current

    @callback
    def async_get_incident(self, incident_id: str) -> Incident | None:
        """Return an incident that is not forgotten yet."""
        return self.desk.incidents.get(incident_id)

    @callback
    def async_acknowledge(self, incident_id: str, *, by: str | None = None) -> Incident | None:
        """Take notice that somebody cares for an incident: it rings no more. None if there is none of this id."""
        return self._async_answer(incident_id, by, false_alarm=False)

    @callback
    def async_false_alarm(self, incident_id: str, *, by: str | None = None) -> Incident | None:
        """Take notice that an incident is nothing to care for. None if there is none of this id."""
        return self._async_answer(incident_id, by, false_alarm=True)

    @callback
    def async_mute(self, incident_id: str, duration: timedelta, *, by: str | None = None) -> Incident | None:
        """Tell nothing of this kind from these places for a while; what turns out to be worse is told all the same."""
        incident = self.async_get_incident(incident_id)
        if incident is None:
            return None
        for place in {place.key for place in incident.places}:
            self.async_snooze(incident.kind, duration, place=place)
        return self.async_acknowledge(incident_id, by=by)

    @callback
    def async_snooze(self, kind: AlertKind, duration: timedelta, *, place: str | None = None) -> None:
        """Tell nothing of a kind for a while, from one place (`Place.key`) or from everywhere."""
        now = dt_util.utcnow()
        for incident_id in self.desk.snooze(Quiet(kind=kind, place=place, until=now + duration), now):
            self._courier.async_forget(incident_id)
        self._async_store()

    @callback
    def _async_answer(self, incident_id: str, by: str | None, *, false_alarm: bool) -> Incident | None:
        incident = self.async_get_incident(incident_id)
        if incident is None:
            return None
        now = dt_util.utcnow()
        answer = Acknowledgement(at=now, by=by, kind=incident.kind, false_alarm=false_alarm)
        self._courier.async_forget(incident.id)
        self._async_tell(self.desk.acknowledge(incident.id, answer))
        return self.async_get_incident(incident.id)

    @callback
    def _async_handle_change(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry is self.entry and change is ConfigEntryChange.UPDATED:
            async_forget_recipient_issues(self.hass, entry)
            if home_subentry_of(entry) is None:
                # Its owner has deleted it, and with it the device and all entities of the household.
                self.hass.config_entries.async_schedule_reload(entry.entry_id)

    @callback
    def async_hear(self, report: DetectionReport) -> None:
        """Take in a message of a detection; where this raises, it comes again."""
        if self.walk_test.async_takes(report):
            return
        place = async_get_place(
            self.hass, report.device_id, report.welcome, report.welcomed_at, report.detection.room
        )
        self._async_tell(
            self.desk.hear(
                place,
                report.detection,
                self._async_look(),
                late=report.late,
                away_since=report.away_since,
            )
        )
        self._note_clock(report)

    @callback
    def async_when_stored(self, done: Callable[[], None]) -> None:
        """Call `done` when what was heard so far will outlive a sudden end of Home Assistant."""
        self._async_store()
        self._store.async_when_stored(done)

    def _note_clock(self, report: DetectionReport) -> None:
        """Say once of a satellite that its times cannot be, and that the time of arrival is told instead."""
        incident = self.desk.incidents.of_detection(report.detection.id)
        satellite_id = report.welcome.satellite_id
        if incident is None or incident.believed or satellite_id in self._wrong_clocks:
            return
        self._wrong_clocks.add(satellite_id)
        _LOGGER.warning(
            "%s says when it heard something, and that cannot be: the time of arrival is told instead. "
            "Check its clock (timedatectl on the satellite)",
            report.welcome.name,
        )

    @callback
    def _async_handle_satellite(self, report: SatelliteReport) -> None:
        # Of what happens from the stop on, the next run asks the satellites.
        if not self._stopping:
            self._async_tell(self._async_take_satellite(report))

    @callback
    def _async_take_satellite(self, report: SatelliteReport) -> list[News]:
        if not report.connected:
            self.desk.lost(report.welcome.satellite_id, dt_util.utcnow())
            return []
        place = async_get_place(self.hass, report.device_id, report.welcome, report.welcomed_at)
        return self.desk.back(place, report.active, self._async_look())

    @callback
    def _async_handle_tick(self, _: datetime) -> None:
        self._tick = None
        # Some of what is shown becomes known by time alone.
        self._shown = None
        circumstances = self._async_look()
        news = self.desk.tick(circumstances)
        told = {item.incident.id for item in news}
        for incident in self.desk.incidents:
            if incident.id not in told and self._rooms.async_is_elsewhere(
                self.hass, incident, circumstances.now
            ):
                news += self.desk.update(incident, circumstances.now)
        self._async_tell(news)

    @callback
    def _async_look(self) -> Circumstances:
        """Look at what the owner wants, and at what is so now."""
        self.desk.rules = rules_of(self.entry.options)
        self.desk.plan = plan_of(self.entry.options)
        return async_get_circumstances(self.hass, dt_util.utcnow())

    @callback
    def _async_tell(self, news: list[News]) -> None:
        """Send what is news, and see what has to be remembered and looked at again."""
        if self._stopping:
            # The desk has promised it, and the next run keeps that.
            news = []
        for item in news:
            home = async_get_home(self.hass, self.entry)
            whereabouts = async_locate(self.hass, item.incident, item.at)
            self._rooms.note(item.incident.id, whereabouts)
            alert = build_alert(item.incident, item.decision, home=home, now=item.at, whereabouts=whereabouts)
            self._dispatch.async_send_soon(item, alert)
        self._async_store()
        if self._tick is None and self.desk.restless and self._ready.is_set() and not self._stopping:
            self._tick = async_call_later(self.hass, TICK_S, self._async_handle_tick)
        if news or (current := self.current) is None or current is not self._shown:
            self._shown = self.current
            for watcher in tuple(self._watchers):
                _call(watcher)

    @callback
    def _async_store(self) -> None:
        if not self._stopping:
            self._store.async_save_soon(self._async_get_state)

    @callback
    def _async_get_state(self) -> State:
        return replace(self.desk.state, at=dt_util.utcnow())

    @callback
    def _async_announce(self, alert: Alert, names: list[str]) -> None:
        for listener in tuple(self._listeners):
            _call(listener, alert, names)

    @callback
    def _async_show_picture(self, incident_id: str) -> None:
        self.hass.async_create_background_task(
            self._courier.async_tell_again(incident_id), f"{DOMAIN} picture {incident_id}"
        )

    def _count_waves(self, incident: Incident) -> int:
        return len(waves_of(recipients_of(self.entry), incident.sound_class))

    def _is_wanted(self, alert: Tellable) -> bool:
        return self.desk.is_wanted(alert.incident_id, alert.severity, dt_util.utcnow())


def _call(listener: Callable[..., None], *arguments: Any) -> None:
    """Call a listener; one that fails keeps nobody from being told."""
    try:
        listener(*arguments)
    except Exception:
        _LOGGER.exception("A listener of the household fails")


def is_household(entry: ConfigEntry[Any]) -> TypeIs[HouseholdConfigEntry]:
    """Tell the household from a satellite."""
    return entry.unique_id == HOUSEHOLD_UNIQUE_ID
