"""Keeps one connection to one satellite, and everything the satellite has told through it."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
import logging
from typing import override

from homeassistant.config_entries import ConfigEntry
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
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util
from homeassistant.util.signal_type import SignalType

from .announcements import async_listen_for_announcements
from .backoff import Backoff
from .client import (
    CannotConnect,
    CertificateChanged,
    ClientError,
    Connection,
    InvalidToken,
    UnsupportedProtocol,
    async_connect,
)
from .const import (
    ATTR_CONFIDENCE,
    ATTR_ONSET,
    ATTR_PATTERN,
    ATTR_SOUND_CLASS,
    CONF_FINGERPRINT,
    DOMAIN,
    EVENT_LATE_DETECTION,
    MANUFACTURER,
)
from .helpers import translation_key
from .issues import async_clear_connection_issues, async_report_connection_issue
from .protocol import Ack, Detection, Health, Message, Phase, Settings, Snapshot, SoundClass, Welcome
from .times import is_late, settle_onset

_LOGGER = logging.getLogger(__name__)

SETUP_TIMEOUT_S = 10.0
# However often a satellite announces itself, attempts to reach it are at least this far apart.
ATTEMPT_SPACING_S = 1.0
# A connection that lasted this long was a good one: the next pause is short again. Longer than any failing attempt.
STABLE_AFTER_S = 60.0
REMEMBERED_DETECTIONS = 1024

type SatelliteConfigEntry = ConfigEntry[SatelliteCoordinator]


@dataclass(frozen=True, slots=True, kw_only=True)
class SatelliteData:
    """The state of a satellite; `active` holds the class of every detection that goes on, by its id."""

    welcome: Welcome
    health: Health
    settings: Settings
    active: Mapping[str, SoundClass]

    def hears(self, sound_class: SoundClass) -> bool:
        """Tell whether a sound of this class goes on."""
        return sound_class in self.active.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionReport:
    """A detection that has just arrived; `late` if it was replayed, is over, and is no longer news.

    `away_since` is when the connection was lost before which it would have been told at once, if that is known.
    """

    device_id: str
    welcome: Welcome
    detection: Detection
    late: bool
    away_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SatelliteReport:
    """How a satellite is, told whenever that changes; `active` is what it hears, None if that was not asked now."""

    entry_id: str
    device_id: str
    welcome: Welcome
    connected: bool
    health: Health
    active: tuple[Detection, ...] | None = None


SIGNAL_DETECTION: SignalType[DetectionReport] = SignalType(f"{DOMAIN}_detection")
SIGNAL_SATELLITE: SignalType[SatelliteReport] = SignalType(f"{DOMAIN}_satellite")


class SatelliteCoordinator(DataUpdateCoordinator[SatelliteData]):
    """Pushes what a satellite tells to the entities and to the household."""

    config_entry: SatelliteConfigEntry

    def __init__(self, hass: HomeAssistant, entry: SatelliteConfigEntry) -> None:
        """Prepare; nothing is sent yet."""
        super().__init__(hass, _LOGGER, config_entry=entry, name=entry.title, update_interval=None)
        self.satellite_id: str = entry.unique_id or ""
        self.device_id = ""
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._backoff = Backoff()
        self._wake = asyncio.Event()
        self._seen: OrderedDict[tuple[str, Phase], None] = OrderedDict()
        self._away_since: datetime | None = None
        self._detection_listeners: list[Callable[[DetectionReport], None]] = []

    async def async_setup(self) -> None:
        """Connect for the first time.

        Raises:
            ConfigEntryAuthFailed: the satellite does not know our token.
            ConfigEntryNotReady: it cannot be reached, or not trusted, now.
        """
        try:
            async with asyncio.timeout(SETUP_TIMEOUT_S):
                connection = await self._async_connect()
        except (ClientError, TimeoutError) as err:
            error = ConfigEntryAuthFailed if isinstance(err, InvalidToken) else ConfigEntryNotReady
            raise error(
                translation_domain=DOMAIN,
                translation_key=translation_key(err),
                translation_placeholders={"name": self.config_entry.title},
            ) from err
        self._async_adopt(connection)

    @callback
    def async_start(self) -> None:
        """Begin to listen, once the entities are there to hear it."""
        entry = self.config_entry
        entry.async_on_unload(self.hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._async_on_stop))
        entry.async_on_unload(async_listen_for_announcements(self.hass, self.satellite_id, self.async_wake))
        self._task = entry.async_create_background_task(
            self.hass, self._async_run(), f"{DOMAIN} {entry.title}"
        )

    @override
    async def async_shutdown(self) -> None:
        """Stop listening, then close the connection; the base class sees to it when the entry is unloaded."""
        await super().async_shutdown()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if (connection := self._connection) is not None:
            self._connection = None
            await connection.close()

    async def _async_on_stop(self, _: Event) -> None:
        await self.async_shutdown()

    @callback
    def async_wake(self) -> None:
        """Try to connect now rather than after the pause, because the satellite has shown itself."""
        self._wake.set()

    @callback
    def async_subscribe_detections(self, listener: Callable[[DetectionReport], None]) -> CALLBACK_TYPE:
        """Call `listener` with each detection message that arrives, once; returns what ends it."""
        self._detection_listeners.append(listener)
        return lambda: self._detection_listeners.remove(listener)

    async def async_send(self, message: Message) -> None:
        """Send a command to the satellite.

        Raises:
            HomeAssistantError: there is no connection.
        """
        try:
            if self._connection is None:
                raise CannotConnect("the satellite is not connected")
            await self._connection.send(message)
        except ClientError as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="not_connected",
                translation_placeholders={"name": self.config_entry.title},
            ) from err

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
            )
        except (CertificateChanged, UnsupportedProtocol) as err:
            async_report_connection_issue(self.hass, self.config_entry, err)
            raise
        async_clear_connection_issues(self.hass, self.config_entry)
        return connection

    @callback
    def _async_adopt(self, connection: Connection) -> None:
        """Take a fresh connection into use, with the state that came with it."""
        self._connection = connection
        welcome = connection.welcome
        self.device_id = (
            dr.async_get(self.hass)
            .async_get_or_create(
                config_entry_id=self.config_entry.entry_id,
                identifiers={(DOMAIN, self.satellite_id)},
                manufacturer=MANUFACTURER,
                model=welcome.hardware,
                name=welcome.name,
                serial_number=self.satellite_id,
                sw_version=welcome.version,
                hw_version=f"{welcome.model_name} {welcome.model_version}",
            )
            .id
        )
        self._async_update(self._data_of(welcome, connection.snapshot))
        self._async_report(connection.snapshot)

    @callback
    def _async_report(self, snapshot: Snapshot | None = None) -> None:
        """Tell the household how the satellite is."""
        active = snapshot.active if snapshot is not None else None
        async_dispatcher_send(
            self.hass,
            SIGNAL_SATELLITE,
            SatelliteReport(
                entry_id=self.config_entry.entry_id,
                device_id=self.device_id,
                welcome=self.data.welcome,
                connected=self.last_update_success,
                health=self.data.health,
                active=None if active is None else tuple(item for item in active if not item.test),
            ),
        )

    @callback
    def _async_update(self, data: SatelliteData) -> None:
        self.data = data
        self.last_update_success = True
        self.async_update_listeners()

    @staticmethod
    def _data_of(welcome: Welcome, snapshot: Snapshot) -> SatelliteData:
        # A test never turns a sensor on: a binary sensor has no way to say that nothing was heard.
        active = {item.id: item.sound_class for item in snapshot.active if not item.test}
        return SatelliteData(
            welcome=welcome, health=snapshot.health, settings=snapshot.settings, active=active
        )

    async def _async_run(self) -> None:
        """Listen, and reconnect whenever the connection ends, until the entry is unloaded."""
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            try:
                if self._connection is None:
                    self._async_adopt(await self._async_connect())
                    _LOGGER.info("%s is back", self.config_entry.title)
                assert self._connection is not None
                await self._async_listen(self._connection)
                reason = "the satellite ended the connection"
            except InvalidToken as err:
                await self._async_lost(str(err))
                self.config_entry.async_start_reauth(self.hass)
                return
            except ClientError as err:
                reason = str(err)
            except Exception:
                # A defect of ours must not leave a house without ears.
                _LOGGER.exception("Unexpected error while listening to %s", self.config_entry.title)
                reason = "unexpected error"
            await self._async_lost(reason)
            if loop.time() - begun > STABLE_AFTER_S:
                self._backoff.reset()
            await self._async_pause()

    async def _async_listen(self, connection: Connection) -> None:
        async for message in connection:
            if isinstance(message, Detection):
                self._async_handle_detection(message)
                # Only now is it safe that the satellite forgets it.
                await connection.send(Ack(sequence=message.sequence))
            elif isinstance(message, Health):
                self._async_update(replace(self.data, health=message))
                self._async_report()
            elif isinstance(message, Snapshot):
                self._async_update(self._data_of(self.data.welcome, message))
                self._async_report(message)

    async def _async_lost(self, reason: str) -> None:
        if (connection := self._connection) is not None:
            self._connection = None
            await connection.close()
        if self.last_update_success:
            self.last_update_success = False
            self._away_since = dt_util.utcnow()
            _LOGGER.info("Lost %s: %s", self.config_entry.title, reason)
            self.async_update_listeners()
            self._async_report()

    async def _async_pause(self) -> None:
        await asyncio.sleep(ATTEMPT_SPACING_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._backoff.next()):
                await self._wake.wait()
        self._wake.clear()

    @callback
    def _async_handle_detection(self, detection: Detection) -> None:
        key = (detection.id, detection.phase)
        if detection.phase is not Phase.UPDATE:
            if key in self._seen:
                return
            self._seen[key] = None
            if len(self._seen) > REMEMBERED_DETECTIONS:
                self._seen.popitem(last=False)
        ongoing = detection.id in self.data.active
        self._async_track(detection)
        now = dt_util.utcnow()
        moment = settle_onset(detection, now, away_since=self._away_since)
        report = DetectionReport(
            device_id=self.device_id,
            welcome=self.data.welcome,
            detection=detection,
            late=is_late(detection, moment, now, ongoing=ongoing, away_since=self._away_since),
            away_since=self._away_since,
        )
        for listener in tuple(self._detection_listeners):
            listener(report)
        async_dispatcher_send(self.hass, SIGNAL_DETECTION, report)
        if report.late and detection.phase is Phase.START:
            self._async_log_late(detection)

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
        if detection.phase is Phase.END:
            active.pop(detection.id, None)
        elif detection.phase is Phase.START and not detection.replayed and not detection.test:
            active[detection.id] = detection.sound_class
        if active != self.data.active:
            self._async_update(replace(self.data, active=active))
