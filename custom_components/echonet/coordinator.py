"""Keeps up with one satellite: connects to it, and shows its state to the entities and to the household."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import dt as dt_util

from .announcements import async_listen_for_announcements
from .client import ClientError, Connection, InvalidToken, Skipped
from .clocks import Offset
from .codec import ToldOnce
from .connecting import async_connect_entry
from .connection_record import ConnectionRecord
from .const import DOMAIN
from .device import async_forget_rooms, async_register_device, async_register_rooms
from .helpers import translation_key
from .intake import Intake
from .issues import async_clear_chatterbox_issue, async_report_chatterbox_issue
from .last_known import LastKnown
from .link import Link
from .live import LiveFeed
from .moments import Moments
from .plain import plain_name
from .protocol import (
    Detection,
    Health,
    Level,
    LoudNoise,
    Message,
    Position,
    Snapshot,
    SoundHeard,
    TimeReply,
    Welcome,
)
from .recent import RecentSounds
from .reports import SIGNAL_SATELLITE, DetectionReport, SatelliteReport
from .satellite_state import SatelliteData
from .selective import SelectiveCoordinator
from .timekeeping import Timekeeper

_LOGGER = logging.getLogger(__name__)

SETUP_TIMEOUT_S = 10.0
# Whoever builds a house changes its rooms now and then; who has others each time is broken, or no satellite.
MAX_ROOMS_ADMITTED = 64

type SatelliteConfigEntry = ConfigEntry[SatelliteCoordinator]


class SatelliteCoordinator(SelectiveCoordinator):
    """Takes in what a satellite tells, and hands it to the entities and to the household."""

    config_entry: SatelliteConfigEntry

    def __init__(self, hass: HomeAssistant, entry: SatelliteConfigEntry) -> None:
        """Prepare; nothing is sent yet."""
        super().__init__(hass, entry, self._async_report)
        self.satellite_id: str = entry.unique_id or ""
        self.device_id = ""
        self._task: asyncio.Task[None] | None = None
        self._acknowledging: asyncio.Task[None] | None = None
        self._welcomed_at = dt_util.utcnow()
        self._time = Timekeeper(hass, entry)
        self.record = ConnectionRecord()
        self._link = Link(self._async_connect, self, entry.title)
        self.moments = Moments(hass, entry)
        self._last_known = LastKnown(hass, entry.entry_id)
        self._intake = Intake(hass, entry.title, self._acknowledge_soon)
        self._admitted: set[str] = set()
        self.recent = RecentSounds(hass, entry.entry_id)
        self._intake.async_subscribe(self.recent.async_take)
        self.live = LiveFeed(self._link.async_send, self._async_run_soon, hass.loop.time)
        self._skipped = ToldOnce(
            lambda what: _LOGGER.warning("Skipped something that only a newer version knows: %s", what)
        )

    async def async_setup(self) -> None:
        """Connect for the first time; a satellite that was known before may be away.

        Raises:
            ConfigEntryAuthFailed: the satellite does not know our token.
            ConfigEntryNotReady: it cannot be reached, or not trusted, now, and nothing is known of it.
        """
        await self.recent.async_load()
        try:
            async with asyncio.timeout(SETUP_TIMEOUT_S):
                await self._link.async_open()
        except (ClientError, TimeoutError) as err:
            if not isinstance(err, InvalidToken) and (known := await self._last_known.async_load()):
                _LOGGER.info("%s is away: %s", self.config_entry.title, str(err) or "no answer")
                welcome, snapshot = known
                self._async_register(welcome)
                self.data = SatelliteData.of(welcome, snapshot)
                self.last_update_success = False
                self._async_report()
                return
            error = ConfigEntryAuthFailed if isinstance(err, InvalidToken) else ConfigEntryNotReady
            raise error(
                translation_domain=DOMAIN,
                translation_key=translation_key(err),
                translation_placeholders={"name": self.config_entry.title},
            ) from err

    @callback
    def async_start(self) -> None:
        """Begin to listen, once the entities are there to hear it."""
        entry = self.config_entry
        entry.async_on_unload(self.hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._async_on_stop))
        entry.async_on_unload(async_listen_for_announcements(self.hass, self.satellite_id, self.async_wake))
        self._task = entry.async_create_background_task(
            self.hass, self._link.async_run(), f"{DOMAIN} {entry.title}"
        )

    @override
    async def async_shutdown(self) -> None:
        """Stop listening, then close the connection; the base class sees to it when the entry is unloaded."""
        await super().async_shutdown()
        self._intake.async_stop()
        self._time.async_end()
        self.async_end_showing()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            # What it hears from now on, nobody will know.
            self.last_update_success = False
            self._async_report()
        await self._link.async_close()
        await self.recent.async_save()

    async def _async_on_stop(self, _: Event) -> None:
        await self.async_shutdown()

    @callback
    def async_wake(self) -> None:
        """Try to connect now rather than after the pause, because the satellite has shown itself."""
        self._link.wake()

    @callback
    def async_subscribe_detections(self, listener: Callable[[DetectionReport], None]) -> CALLBACK_TYPE:
        """Call `listener` with each detection message that arrives, once; returns what ends it.

        One that raises is called again with the same message until it takes it; until then the satellite keeps it.
        """
        return self._intake.async_subscribe(listener)

    @property
    def clock_offset(self) -> Offset | None:
        """How far the satellite's clock is ahead of ours; None if it is not connected or tells no time."""
        return self._time.offset

    async def async_send(self, message: Message) -> None:
        """Send a command to the satellite.

        Raises:
            HomeAssistantError: there is no connection.
        """
        try:
            await self._link.async_send(message)
        except ClientError as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="not_connected",
                translation_placeholders={"name": self.config_entry.title},
            ) from err

    # What the link tells.

    @callback
    def on_connected(self, connection: Connection) -> None:
        """Take a fresh connection into use, with the state that came with it."""
        self.record.note_connected()
        welcome = replace(
            connection.welcome,
            name=plain_name(connection.welcome.name),
            rooms=self._admit(connection.welcome.rooms),
        )
        self._welcomed_at = _located_at(welcome)
        self._async_register(welcome)
        async_forget_rooms(self.hass, self.config_entry, welcome)
        self._intake.async_begin()
        self._time.async_end()
        if welcome.tells_time:
            self._time.async_begin(connection.send)
        self.async_show_now(SatelliteData.of(welcome, connection.snapshot))
        self._last_known.async_keep(welcome, self.data.health, self.data.settings, self.data.learning)
        self._async_report()
        self.live.async_connected()

    def _admit(self, rooms: tuple[str, ...]) -> tuple[str, ...]:
        """Return the rooms, without those that come after too many others: each fills the registries."""
        for room in rooms:
            if len(self._admitted) < MAX_ROOMS_ADMITTED:
                self._admitted.add(room)
        return tuple(dict.fromkeys(room for room in rooms if room in self._admitted))

    @callback
    def _async_register(self, welcome: Welcome) -> None:
        """Have the devices of the satellite and of its rooms, as it calls them."""
        self.device_id = async_register_device(self.hass, self.config_entry, welcome)
        async_register_rooms(self.hass, self.config_entry, welcome, self.device_id)

    @callback
    def on_message(self, message: Message) -> None:
        """Take in what the satellite says."""
        if isinstance(message, Detection):
            self._async_handle_detection(self._time.correct(message))
        elif isinstance(message, TimeReply):
            self._time.async_take(message)
        elif isinstance(message, Level):
            self.live.async_take(message)
        elif isinstance(message, Skipped):
            self._intake.async_note(message.sequence)
        elif isinstance(message, Health):
            self.async_show_soon(replace(self.data, health=message))
        elif isinstance(message, Position):
            self._async_move(message)
        elif isinstance(message, Snapshot):
            self.async_show_soon(SatelliteData.of(self.data.welcome, message))
        else:
            self._async_pass_on(message)

    @callback
    def _async_move(self, message: Position) -> None:
        """Know a satellite where it is now."""
        welcome = replace(
            self.data.welcome, location_source=message.location_source, location=message.location
        )
        self._welcomed_at = _located_at(welcome)
        # Alerts say where it is, and no entity does.
        self.async_keep(replace(self.data, welcome=welcome))

    @callback
    def _async_pass_on(self, message: Message) -> None:
        """Tell of what is no more than a moment, or of a sound that the home has taught."""
        if isinstance(message, SoundHeard):
            self.async_show_now(self.data.with_sound(message))
        elif not isinstance(message, LoudNoise):
            self.moments.async_take(message, self.device_id)
        elif self._intake.async_take_noise(message):
            self.moments.async_take(self._time.correct(message), self.device_id)

    @callback
    def on_stable(self) -> None:
        """Withdraw what was said of a satellite that talked without end."""
        async_clear_chatterbox_issue(self.hass, self.config_entry)

    @callback
    def on_lost(self, reason: str) -> None:
        """Show that the satellite is gone."""
        self._time.async_end()
        self.async_end_showing()
        now = dt_util.utcnow()
        self.record.note_error(now, reason)
        if self.last_update_success:
            self.record.lost += 1
            self._intake.away_since = now
            self.last_update_success = False
            _LOGGER.info("Lost %s: %s", self.config_entry.title, reason)
            self.async_update_listeners()
            self._async_report()

    @callback
    def on_chatterbox(self) -> None:
        """Show why the satellite is not listened to."""
        async_report_chatterbox_issue(self.hass, self.config_entry)

    @callback
    def on_refused(self) -> None:
        """Ask for a new pairing."""
        self.config_entry.async_start_reauth(self.hass)

    @property
    def settled(self) -> int:
        """The sequence number up to which everybody has everything."""
        return self._intake.settled

    async def _async_connect(self) -> Connection:
        return await async_connect_entry(self.hass, self.config_entry, self._skipped)

    @property
    def report(self) -> SatelliteReport:
        """How the satellite is."""
        return SatelliteReport(
            entry_id=self.config_entry.entry_id,
            device_id=self.device_id,
            welcome=self.data.welcome,
            welcomed_at=self._welcomed_at,
            connected=self.last_update_success,
            health=self.data.health,
            active=tuple(self.data.active.values()),
        )

    @callback
    def _async_report(self) -> None:
        """Tell the household how the satellite is."""
        async_dispatcher_send(self.hass, SIGNAL_SATELLITE, self.report)

    @callback
    def _async_handle_detection(self, detection: Detection) -> None:
        ongoing = detection.id in self.data.active
        if self._intake.is_new(detection):
            self._async_track(detection)
        self._intake.async_take(detection, self.report, ongoing=ongoing)

    @callback
    def _async_track(self, detection: Detection) -> None:
        """Mirror the start and end that the satellite tells."""
        self.async_show_now(self.data.after(detection))

    def _async_run_soon(self, work: Coroutine[Any, Any, None]) -> None:
        self.config_entry.async_create_background_task(
            self.hass, work, f"{DOMAIN} {self.config_entry.title} levels"
        )

    @callback
    def _acknowledge_soon(self) -> None:
        if self._acknowledging is None or self._acknowledging.done():
            # Not at once: what is called after this may have more to acknowledge.
            self._acknowledging = self.config_entry.async_create_background_task(
                self.hass,
                self._async_acknowledge(),
                f"{DOMAIN} {self.config_entry.title} acknowledgement",
                eager_start=False,
            )

    async def _async_acknowledge(self) -> None:
        # Where the connection is gone, the satellite tells again what it has no acknowledgement for.
        with suppress(ClientError):
            await self._link.async_acknowledge()


def _located_at(welcome: Welcome) -> datetime:
    """Return when a satellite was where it says that it is; its coordinates may be older than its word."""
    age_s = welcome.location.age_s if welcome.location is not None else 0.0
    return dt_util.utcnow() - timedelta(seconds=age_s)
