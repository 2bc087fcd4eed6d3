"""Walks the way from every microphone to the phones, room by room, and finds the link that is broken."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
import logging
from typing import Any, Final

from homeassistant.components import persistent_notification
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..coordinator import SatelliteCoordinator
from ..device import async_find_device
from ..helpers import async_get_satellites
from ..issues import async_clear_walk_issue, async_report_walk_issue
from ..plain import plain_name
from ..protocol import Phase, Problem, SoundClass, Test
from ..reports import DetectionReport
from .alerts import build_alert
from .channels import async_get_channels
from .courier import Courier
from .incident import Incident, Observation
from .kinds import Severity
from .payload import Answer, key_of, read_action
from .policy import Decision, Telling
from .recipients import Recipient, recipients_of
from .surroundings import async_get_home, async_get_place
from .walk import Broken, Visit, WalkState, is_due, state_of
from .walk_texts import report

_LOGGER = logging.getLogger(__name__)

EVENT_NOTIFICATION_ACTION: Final = "mobile_app_notification_action"
NOTIFICATION_ID: Final = f"{DOMAIN}_walk_test"
STORAGE_KEY: Final = f"{DOMAIN}.walk_test"
STORAGE_VERSION: Final = 1
MAX_TAKEN: Final = 64
LOOK_EVERY: Final = timedelta(hours=6)
# A satellite answers within milliseconds, a person has to find the phone first.
ANSWER_TIMEOUT_S: float = 10.0
CONFIRM_TIMEOUT_S: float = 120.0
# An answer that comes so late is still one to the walk, and must not ring as a test that somebody asks for.
OVERDUE_S: Final = 300.0


class WalkTest:
    """One for the household: walks when asked to, remembers how it went, and reminds when it was long ago."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, courier: Courier) -> None:
        """Prepare; `async_load` tells what the last walk found."""
        self.state = WalkState.NEVER
        self._hass = hass
        self._entry = entry
        self._courier = courier
        self._store: Store[dict[str, Any]] = Store(hass, STORAGE_VERSION, STORAGE_KEY)
        self._passed_at: datetime | None = None
        self._task: asyncio.Task[None] | None = None
        self._watchers: list[Callable[[], None]] = []
        self._awaited: tuple[str, asyncio.Future[DetectionReport]] | None = None
        self._overdue: dict[str, float] = {}
        # The end of a test may come after that of the walk.
        self._taken: deque[str] = deque(maxlen=MAX_TAKEN)

    async def async_load(self) -> None:
        """Remember the last walk, and remind from now on."""
        stored = await self._store.async_load() or {}
        with suppress(ValueError):
            self.state = WalkState(stored.get("state", WalkState.NEVER))
        self._passed_at = dt_util.parse_datetime(str(stored.get("passed_at")))
        self._entry.async_on_unload(
            async_track_time_interval(self._hass, self._async_look, LOOK_EVERY, cancel_on_shutdown=True)
        )
        self._async_look(dt_util.utcnow())

    @callback
    def async_subscribe(self, watcher: Callable[[], None]) -> CALLBACK_TYPE:
        """Call `watcher` when the state changes; return what ends it."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    @callback
    def async_start(self) -> None:
        """Begin to walk.

        Raises:
            HomeAssistantError: a walk is under way.
        """
        if self._task is not None:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="walk_test_running")
        before, self.state = self.state, WalkState.WALKING
        self._task = self._entry.async_create_background_task(
            self._hass, self._async_walk(before), f"{DOMAIN} walk test"
        )
        self._tell_watchers()

    async def async_stop(self) -> None:
        """End a walk that is under way; it has found nothing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    @callback
    def async_takes(self, report_: DetectionReport) -> bool:
        """Tell whether a detection is one that the walk has asked for, and so no news for anybody else."""
        detection = report_.detection
        if detection.id in self._taken:
            return True
        if not detection.test or detection.phase is not Phase.START:
            return False
        overdue = self._overdue.pop(report_.welcome.satellite_id, None)
        if overdue is not None and self._hass.loop.time() < overdue:
            # The walk has gone on without it, and nobody waits for it any more.
            self._taken.append(detection.id)
            return True
        if self._awaited is None:
            return False
        satellite_id, arrived = self._awaited
        if report_.welcome.satellite_id != satellite_id or arrived.done():
            return False
        self._taken.append(detection.id)
        arrived.set_result(report_)
        return True

    async def _async_walk(self, before: WalkState) -> None:
        state = before
        try:
            visits = [await self._async_visit(stop) for stop in self._async_get_stops()]
            state = state_of(visits)
            if state is WalkState.PASSED:
                self._passed_at = dt_util.utcnow()
            title, text = report(visits, async_get_home(self._hass, self._entry).language)
            persistent_notification.async_create(self._hass, text, title, NOTIFICATION_ID)
            await self._store.async_save(
                {"state": state, "passed_at": self._passed_at and self._passed_at.isoformat()}
            )
        finally:
            self._task = None
            self.state = state
            self._async_look(dt_util.utcnow())
            self._tell_watchers()

    @callback
    def _async_get_stops(self) -> list[_Stop]:
        stops = [
            _Stop(name=self._async_name(entry, room), entry=entry, room=room)
            for entry in async_get_satellites(self._hass)
            if entry.disabled_by is None
            for room in _rooms_of(entry)
        ]
        return sorted(stops, key=lambda stop: stop.name)

    async def _async_visit(self, stop: _Stop) -> Visit:
        """Walk the way of one microphone as far as it leads."""
        room, entry = stop.name, stop.entry
        coordinator = entry.runtime_data if entry.state is ConfigEntryState.LOADED else None
        if coordinator is None or not coordinator.last_update_success:
            return Visit(room=room, broken=Broken.AWAY)
        if not coordinator.data.settings.listening:
            return Visit(room=room, broken=Broken.NOT_LISTENING)
        for problem, broken in (
            (Problem.MICROPHONE_MISSING, Broken.MICROPHONE_MISSING),
            (Problem.HEARING_STUCK, Broken.NO_ANSWER),
            (Problem.MICROPHONE_SILENT, Broken.MICROPHONE_SILENT),
            (Problem.MICROPHONE_FROZEN, Broken.MICROPHONE_SILENT),
            (Problem.MICROPHONE_WRONG_CHANNEL, Broken.MICROPHONE_SILENT),
        ):
            if problem in coordinator.data.problems_of(stop.room):
                return Visit(room=room, broken=broken)
        arrived = await self._async_ask(coordinator, stop.room)
        if isinstance(arrived, Broken):
            return Visit(room=room, broken=arrived)
        return await self._async_tell(room, arrived)

    async def _async_ask(self, coordinator: SatelliteCoordinator, room: str) -> DetectionReport | Broken:
        """Ask a satellite for a test, and wait until it has come the whole way to the household."""
        arrived: asyncio.Future[DetectionReport] = self._hass.loop.create_future()
        self._awaited = (coordinator.satellite_id, arrived)
        classes = coordinator.data.welcome.classes
        test = Test(
            sound_class=classes[0] if classes and SoundClass.ALARM not in classes else SoundClass.ALARM,
            room=room,
        )
        self._overdue.pop(coordinator.satellite_id, None)
        try:
            await coordinator.async_send(test)
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await arrived
        except HomeAssistantError:
            return Broken.AWAY
        except TimeoutError:
            self._overdue[coordinator.satellite_id] = self._hass.loop.time() + OVERDUE_S
            return Broken.NO_ANSWER
        finally:
            self._awaited = None

    async def _async_tell(self, room: str, arrived: DetectionReport) -> Visit:
        """Tell everybody, and wait until somebody confirms it on a phone."""
        recipients = recipients_of(self._entry)
        if not recipients:
            return Visit(room=room, broken=Broken.NO_RECIPIENT)
        now = dt_util.utcnow()
        place = async_get_place(
            self._hass, arrived.device_id, arrived.welcome, arrived.welcomed_at, arrived.detection.room
        )
        incident = Incident.opened(Observation.first(place, arrived.detection, now))
        alert = build_alert(
            incident,
            # Nobody is to be frightened by a test that goes through every room.
            Decision(telling=Telling.TEST, severity=Severity.NORMAL),
            home=async_get_home(self._hass, self._entry),
            now=now,
        )
        confirmed = asyncio.Event()

        @callback
        def on_action(event: Event) -> None:
            answer = read_action(str(event.data.get("action", "")))
            if answer == (Answer.ACKNOWLEDGE, key_of(incident.id)):
                confirmed.set()

        told: set[Recipient] = set()
        unsubscribe = self._hass.bus.async_listen(EVENT_NOTIFICATION_ACTION, on_action)
        try:
            await self._courier.async_deliver(
                alert, [recipients], on_told=lambda recipient, _: told.add(recipient)
            )
            if unreached := tuple(item.name for item in recipients if item not in told):
                return Visit(room=room, broken=Broken.UNREACHED, unreached=unreached)
            if not any(self._async_can_confirm(item) for item in recipients):
                return Visit(room=room, broken=Broken.NO_PHONE)
            async with asyncio.timeout(CONFIRM_TIMEOUT_S):
                await confirmed.wait()
        except TimeoutError:
            return Visit(room=room, broken=Broken.UNCONFIRMED)
        finally:
            unsubscribe()
            self._courier.async_forget(incident.id)
        return Visit(room=room)

    @callback
    def _async_can_confirm(self, recipient: Recipient) -> bool:
        channels = async_get_channels(self._hass, recipient.kind, recipient.target)
        return any(channel.companion for channel in channels)

    @callback
    def _async_name(self, entry: ConfigEntry, room: str) -> str:
        device = async_find_device(self._hass, entry.unique_id or "", room)
        if device is None:
            return plain_name(room) if room else entry.title
        area = ar.async_get(self._hass).async_get_area(device.area_id) if device.area_id else None
        return area.name if area is not None else device.name_by_user or device.name or entry.title

    @callback
    def _async_look(self, now: datetime) -> None:
        if self._task is not None:
            return
        if is_due(self._passed_at, self._entry.created_at, now):
            async_report_walk_issue(self._hass)
        else:
            async_clear_walk_issue(self._hass)

    @callback
    def _tell_watchers(self) -> None:
        for watcher in tuple(self._watchers):
            watcher()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """A satellite, or a room of one that hears several (else empty), and what people call that."""

    name: str
    entry: ConfigEntry
    room: str


def _rooms_of(entry: ConfigEntry) -> tuple[str, ...]:
    if entry.state is not ConfigEntryState.LOADED:
        return ("",)
    satellite: SatelliteCoordinator = entry.runtime_data
    return satellite.data.rooms or ("",)


async def async_forget_walks(hass: HomeAssistant) -> None:
    """Remove what was remembered, together with the household."""
    store: Store[dict[str, Any]] = Store(hass, STORAGE_VERSION, STORAGE_KEY)
    await store.async_remove()
    async_clear_walk_issue(hass)
    persistent_notification.async_dismiss(hass, NOTIFICATION_ID)
