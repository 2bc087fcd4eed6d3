"""Hands what a satellite has heard to all who have to know, and says what it may forget."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .delivery import REMEMBERED_DETECTIONS, Delivery, Done, Listener, NotReady
from .helpers import async_get_household
from .protocol import Detection, LoudNoise, Phase
from .reports import DetectionReport, SatelliteReport
from .times import is_late, settle_onset

# Who could not take a detection is asked again after this long.
RETRY_S = 0.5


class Intake:
    """The detections of one satellite; `acknowledge` is called when it may forget more of them than before."""

    def __init__(self, hass: HomeAssistant, name: str, acknowledge: Callable[[], None]) -> None:
        """Begin with nothing heard."""
        self._hass = hass
        self._acknowledge = acknowledge
        self._retry: asyncio.TimerHandle | None = None
        self._delivery = Delivery(name, hass.loop.time, acknowledge)
        self._delivery.subscribe(self._tell_household)
        self._noises: OrderedDict[tuple[str, Phase], None] = OrderedDict()
        # Before that the connection would have told of it at once.
        self.away_since: datetime | None = None

    @property
    def settled(self) -> int:
        """The sequence number up to which everybody has everything."""
        return self._delivery.settled

    @callback
    def async_begin(self) -> None:
        """Count anew with a new connection, because a satellite that was set up anew does."""
        self._delivery.begin()

    @callback
    def async_stop(self) -> None:
        """Ask nobody any more."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    @callback
    def async_subscribe(self, listener: Listener) -> CALLBACK_TYPE:
        """Call `listener` with each message of a detection, once; see `Delivery`."""
        return self._delivery.subscribe(listener)

    @callback
    def async_note(self, sequence: int) -> None:
        """Count as arrived what nobody has to hear of."""
        self._delivery.note(sequence)

    @callback
    def async_take_noise(self, noise: LoudNoise) -> bool:
        """Count a message of a loud noise as arrived, and tell whether it is the first time."""
        key = (noise.id, noise.phase)
        new = key not in self._noises
        self._noises[key] = None
        if len(self._noises) > REMEMBERED_DETECTIONS:
            self._noises.popitem(last=False)
        self._delivery.note(noise.sequence)
        return new

    def is_new(self, detection: Detection) -> bool:
        """Tell whether a message arrives for the first time."""
        return self._delivery.is_new(detection)

    @callback
    def async_take(self, detection: Detection, satellite: SatelliteReport, *, ongoing: bool) -> None:
        """Hand a message of a detection to everybody, unless it has been before.

        Args:
            detection: The message.
            satellite: Who says so.
            ongoing: Whether the satellite has said before that this sound goes on.
        """
        if self.is_new(detection):
            self._delivery.take(self._report(detection, satellite, ongoing=ongoing))
        else:
            self._delivery.note(detection.sequence)
        self._async_retry_later()

    def _report(self, detection: Detection, satellite: SatelliteReport, *, ongoing: bool) -> DetectionReport:
        now = dt_util.utcnow()
        moment = settle_onset(detection, now, away_since=self.away_since)
        return DetectionReport(
            device_id=satellite.device_id,
            welcome=satellite.welcome,
            welcomed_at=satellite.welcomed_at,
            detection=detection,
            late=is_late(detection, moment, now, ongoing=ongoing, away_since=self.away_since),
            away_since=self.away_since,
        )

    @callback
    def _tell_household(self, report: DetectionReport) -> Callable[[Done], None] | None:
        entry = async_get_household(self._hass)
        if entry is None or entry.disabled_by is not None:
            return None
        if entry.state is not ConfigEntryState.LOADED:
            raise NotReady(f"{entry.title} is not running")
        entry.runtime_data.async_hear(report)
        # If Home Assistant is killed before that, the satellite has to tell it again.
        when_stored: Callable[[Done], None] = entry.runtime_data.async_when_stored
        return when_stored

    @callback
    def _async_retry_later(self) -> None:
        if self._retry is None and self._delivery.waiting:
            self._retry = self._hass.loop.call_later(RETRY_S, self._async_try_again)

    @callback
    def _async_try_again(self) -> None:
        self._retry = None
        self._delivery.retry()
        self._async_retry_later()
        self._acknowledge()
