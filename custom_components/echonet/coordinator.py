"""What one satellite has told, for its entities and for the household."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
import logging
from typing import override

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import (
    ATTR_DEVICE_ID,
    ATTR_ID,
    ATTR_NAME,
    CONF_HOST,
    CONF_PORT,
    CONF_TOKEN,
    EVENT_HOMEASSISTANT_STOP,
)
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from .announcements import async_listen_for_announcements
from .client import (
    CertificateChanged,
    ClientError,
    Connection,
    InvalidToken,
    Skipped,
    UnsupportedProtocol,
    async_connect,
)
from .clocks import Offset, SatelliteClock
from .codec import ToldOnce
from .const import (
    ATTR_CONFIDENCE,
    ATTR_ONSET,
    ATTR_PATTERN,
    ATTR_SOUND_CLASS,
    CONF_FINGERPRINT,
    DOMAIN,
    EVENT_LATE_DETECTION,
)
from .delivery import Delivery, NotReady
from .device import async_register_device
from .helpers import async_get_household, translation_key
from .issues import (
    async_clear_chatterbox_issue,
    async_clear_connection_issues,
    async_report_chatterbox_issue,
    async_report_connection_issue,
)
from .last_known import LastKnown
from .link import Link
from .plain import plain_name
from .protocol import Detection, Health, Message, Phase, Settings, Snapshot, SoundClass, TimeReply, Welcome
from .reports import SIGNAL_SATELLITE, DetectionReport, SatelliteReport
from .timekeeping import async_ask
from .times import is_late, settle_onset

_LOGGER = logging.getLogger(__name__)

SETUP_TIMEOUT_S = 10.0
# Who could not take a detection is asked again after this long.
RETRY_S = 0.5
# More sounds at once than a house can have; a satellite that tells no end of anything fills no memory.
MAX_ACTIVE = 64

type SatelliteConfigEntry = ConfigEntry[SatelliteCoordinator]


@dataclass(frozen=True, slots=True, kw_only=True)
class SatelliteData:
    """The state of a satellite; `active` holds every detection that goes on, by its id."""

    welcome: Welcome
    health: Health
    settings: Settings
    active: Mapping[str, Detection]

    def hears(self, sound_class: SoundClass) -> bool:
        """Tell whether a sound of this class goes on."""
        return any(item.sound_class is sound_class for item in self.active.values())


class SatelliteCoordinator(DataUpdateCoordinator[SatelliteData]):
    """Takes in what a satellite tells, and hands it to the entities and to the household."""

    config_entry: SatelliteConfigEntry

    def __init__(self, hass: HomeAssistant, entry: SatelliteConfigEntry) -> None:
        """Prepare; nothing is sent yet."""
        super().__init__(hass, _LOGGER, config_entry=entry, name=entry.title, update_interval=None)
        self.satellite_id: str = entry.unique_id or ""
        self.device_id = ""
        self._task: asyncio.Task[None] | None = None
        self._away_since: datetime | None = None
        self._welcomed_at = dt_util.utcnow()
        self._retry: asyncio.TimerHandle | None = None
        self._clock = SatelliteClock()
        self._asking: asyncio.Task[None] | None = None
        self._link = Link(self._async_connect, self, entry.title)
        self._last_known = LastKnown(hass, entry.entry_id)
        self._delivery = Delivery(entry.title, hass.loop.time)
        self._delivery.subscribe(self._tell_household)
        self._skipped = ToldOnce(
            lambda what: _LOGGER.warning("Skipped something that only a newer version knows: %s", what)
        )

    async def async_setup(self) -> None:
        """Connect for the first time; a satellite that was known before may be away.

        Raises:
            ConfigEntryAuthFailed: the satellite does not know our token.
            ConfigEntryNotReady: it cannot be reached, or not trusted, now, and nothing is known of it.
        """
        try:
            async with asyncio.timeout(SETUP_TIMEOUT_S):
                await self._link.async_open()
        except (ClientError, TimeoutError) as err:
            if not isinstance(err, InvalidToken) and (known := await self._last_known.async_load()):
                _LOGGER.info("%s is away: %s", self.config_entry.title, str(err) or "no answer")
                welcome, snapshot = known
                self._async_register(welcome)
                self.data = self._data_of(welcome, snapshot)
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
        if self._retry is not None:
            self._retry.cancel()
        self._stop_asking()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            # What it hears from now on, nobody will know.
            self.last_update_success = False
            self._async_report()
        await self._link.async_close()

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
        return self._delivery.subscribe(listener)

    @property
    def clock_offset(self) -> Offset | None:
        """How far the satellite's clock is ahead of ours; None if it is not connected or tells no time."""
        return self._clock.offset(self.hass.loop.time(), dt_util.utcnow().timestamp())

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

    @callback
    @override
    def async_update_listeners(self) -> None:
        """Show the entities the new state; one that fails keeps nobody else from seeing it."""
        for update, _ in tuple(self._listeners.values()):
            try:
                update()
            except Exception:
                _LOGGER.exception("An entity of %s does not take its new state", self.config_entry.title)

    # What the link tells.

    @callback
    def on_connected(self, connection: Connection) -> None:
        """Take a fresh connection into use, with the state that came with it."""
        self._welcomed_at = dt_util.utcnow()
        welcome = replace(connection.welcome, name=plain_name(connection.welcome.name))
        self._async_register(welcome)
        self._delivery.begin()
        self._stop_asking()
        if welcome.tells_time:
            self._asking = self.config_entry.async_create_background_task(
                self.hass,
                async_ask(self._clock, connection.send, self.hass.loop.time),
                f"{DOMAIN} {self.config_entry.title} clock",
            )
        self._async_update(self._data_of(welcome, connection.snapshot))
        self._last_known.async_keep(welcome, self.data.health, self.data.settings)
        self._async_report()

    @callback
    def _async_register(self, welcome: Welcome) -> None:
        """Have the device of the satellite, as it calls itself."""
        self.device_id = async_register_device(self.hass, self.config_entry, welcome)

    @callback
    def on_message(self, message: Message) -> None:
        """Take in what the satellite says."""
        if isinstance(message, Detection):
            self._async_handle_detection(self._clock.correct(message, self.clock_offset))
        elif isinstance(message, TimeReply):
            self._clock.take(message, self.hass.loop.time())
        elif isinstance(message, Skipped):
            self._delivery.note(message.sequence)
        elif isinstance(message, Health):
            if message != self.data.health:
                self._async_update(replace(self.data, health=message))
                self._async_report()
        elif isinstance(message, Snapshot):
            data = self._data_of(self.data.welcome, message)
            if data != self.data:
                self._async_update(data)
                self._async_report()

    @callback
    def on_stable(self) -> None:
        """Withdraw what was said of a satellite that talked without end."""
        async_clear_chatterbox_issue(self.hass, self.config_entry)

    @callback
    def on_lost(self, reason: str) -> None:
        """Show that the satellite is gone."""
        self._stop_asking()
        if self.last_update_success:
            self._away_since = dt_util.utcnow()
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

    @callback
    def _stop_asking(self) -> None:
        # A satellite that was away may have started again, with another clock.
        self._clock.forget()
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    @property
    def settled(self) -> int:
        """The sequence number up to which everybody has everything."""
        return self._delivery.settled

    async def _async_connect(self) -> Connection:
        data = self.config_entry.data
        try:
            connection = await async_connect(
                async_get_clientsession(self.hass),
                data[CONF_HOST],
                data[CONF_PORT],
                satellite_id=self.satellite_id,
                fingerprint=data[CONF_FINGERPRINT],
                token=data[CONF_TOKEN],
                skipped=self._skipped,
            )
        except (CertificateChanged, UnsupportedProtocol) as err:
            async_report_connection_issue(self.hass, self.config_entry, err)
            raise
        async_clear_connection_issues(self.hass, self.config_entry)
        return connection

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
    def _async_update(self, data: SatelliteData) -> None:
        self.data = data
        self.last_update_success = True
        self.async_update_listeners()

    @staticmethod
    def _data_of(welcome: Welcome, snapshot: Snapshot) -> SatelliteData:
        # A test never turns a sensor on: a binary sensor has no way to say that nothing was heard.
        active = {item.id: item for item in snapshot.active if not item.test}
        return SatelliteData(
            welcome=welcome, health=snapshot.health, settings=snapshot.settings, active=active
        )

    @callback
    def _async_handle_detection(self, detection: Detection) -> None:
        ongoing = detection.id in self.data.active
        now = dt_util.utcnow()
        moment = settle_onset(detection, now, away_since=self._away_since)
        report = DetectionReport(
            device_id=self.device_id,
            welcome=self.data.welcome,
            welcomed_at=self._welcomed_at,
            detection=detection,
            late=is_late(detection, moment, now, ongoing=ongoing, away_since=self._away_since),
            away_since=self._away_since,
        )
        if self._delivery.is_new(report):
            self._async_track(detection)
            self._delivery.take(report)
            if report.late and detection.phase is Phase.START:
                self._async_log_late(detection)
        else:
            self._delivery.note(detection.sequence)
        self._async_retry_later()

    @callback
    def _tell_household(self, report: DetectionReport) -> None:
        entry = async_get_household(self.hass)
        if entry is None or entry.disabled_by is not None:
            return
        if entry.state is not ConfigEntryState.LOADED:
            raise NotReady(f"{entry.title} is not running")
        entry.runtime_data.async_hear(report)

    @callback
    def _async_retry_later(self) -> None:
        if self._retry is None and self._delivery.waiting:
            self._retry = self.hass.loop.call_later(RETRY_S, self._async_try_again)

    @callback
    def _async_try_again(self) -> None:
        self._retry = None
        self._delivery.retry()
        self._async_retry_later()
        self.config_entry.async_create_background_task(
            self.hass, self._async_acknowledge(), f"{DOMAIN} {self.config_entry.title} acknowledgement"
        )

    async def _async_acknowledge(self) -> None:
        # Where the connection is gone, the satellite tells again what it has no acknowledgement for.
        with suppress(ClientError):
            await self._link.async_acknowledge()

    @callback
    def _async_log_late(self, detection: Detection) -> None:
        self.hass.bus.async_fire(
            EVENT_LATE_DETECTION,
            {
                ATTR_DEVICE_ID: self.device_id,
                ATTR_NAME: self.config_entry.title,
                ATTR_ID: detection.id,
                ATTR_SOUND_CLASS: detection.sound_class.value,
                ATTR_PATTERN: detection.pattern,
                ATTR_CONFIDENCE: round(detection.confidence, 3),
                ATTR_ONSET: detection.onset.isoformat(),
            },
        )

    @callback
    def _async_track(self, detection: Detection) -> None:
        """Mirror the start and end that the satellite tells; a replayed one never turns a sensor on."""
        active = dict(self.data.active)
        if detection.phase is Phase.UPDATE and detection.id in active:
            # No entity shows more of it than that it goes on.
            self.data = replace(self.data, active=active | {detection.id: detection})
            return
        if detection.phase is Phase.END:
            active.pop(detection.id, None)
        elif detection.phase is Phase.START and not detection.replayed and not detection.test:
            active[detection.id] = detection
            if len(active) > MAX_ACTIVE:
                del active[next(iter(active))]
        if active != self.data.active:
            self._async_update(replace(self.data, active=active))
