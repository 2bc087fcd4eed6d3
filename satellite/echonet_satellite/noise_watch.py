"""Stands between hearing and telling: adds loud noises, and whether sound sensor and microphone agree."""

import asyncio
from collections.abc import Callable
import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import logging
import threading
import time
from typing import TYPE_CHECKING, Final, Protocol
import uuid

from .loud_noise import LoudNoises, Noise
from .protocol import Health, Level, LoudNoise, Phase, Problem, SoundClass
from .sensor import SensorConfig, SensorError, SoundSensor

if TYPE_CHECKING:
    from .learning.sounds import TaughtEvent
    from .sound_event import SoundEvent

_LOGGER = logging.getLogger(__name__)

_TICK_S: Final = 0.25
_RETRY_S: Final = 30.0
# The sensor and the microphone may be some metres apart, and the network needs a moment.
_BEFORE_S: Final = 0.5
# Of what is doubted, two witnesses leave so much.
_DOUBT_LEFT: Final = 0.5
_BANGS: Final = frozenset({SoundClass.GUNSHOT, SoundClass.GLASS_BREAK})


class Teller(Protocol):
    """Who is told in the end."""

    def on_event(self, event: "SoundEvent") -> None:
        """A detection starts, is updated or ends."""

    def on_taught(self, event: "TaughtEvent", onset: datetime) -> None:
        """A sound that the home has taught begins or ends."""

    def on_health(self, health: Health) -> None:
        """The health has changed."""

    def on_level(self, level: Level) -> None:
        """How loud it is."""

    def on_noise(self, noise: LoudNoise) -> None:
        """A loud noise begins or is over."""


class NoiseWatch:
    """A listener of the pipeline that passes everything on, and adds to it; to be called from any thread."""

    def __init__(
        self,
        teller: Teller,
        *,
        sensor: SensorConfig | None,
        loud_dbfs: float,
        listening: Callable[[], bool] = lambda: True,
        monotonic: Callable[[], float] = time.monotonic,
        utc_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Pass on to `teller`; while the owner does not let it listen, nothing loud is told either."""
        self._teller = teller
        self._listening = listening
        self._monotonic = monotonic
        self._utc_now = utc_now
        self._sensor = SoundSensor(sensor, self.on_pulse) if sensor is not None else None
        self._noises = LoudNoises(has_sensor=sensor is not None, loud_dbfs=loud_dbfs)
        self._lock = threading.RLock()
        self._health = Health()
        self._told_problems: tuple[Problem, ...] = ()
        self._sensor_missing = False
        self._ids: dict[int, tuple[str, str]] = {}
        self._room = ""

    async def run(self) -> None:
        """Open the sensor, and tell when a noise is over, until cancelled."""
        try:
            opened_at: float | None = None
            opened = self._sensor is None
            while True:
                if not opened and (opened_at is None or self._monotonic() - opened_at >= _RETRY_S):
                    opened_at = self._monotonic()
                    opened = await asyncio.to_thread(self._open)
                await asyncio.sleep(_TICK_S)
                # Not on the event loop: what is told is on disk first.
                await asyncio.to_thread(self.tick)
        finally:
            if self._sensor is not None:
                self._sensor.close()

    def tick(self) -> None:
        """Tell of a noise that is over by now."""
        with self._lock:
            self._tell(self._noises.tick(self._monotonic()))

    def on_pulse(self) -> None:
        """Take a pulse of the sensor."""
        with self._lock:
            self._tell(self._noises.pulse(self._monotonic()))

    def on_event(self, event: "SoundEvent") -> None:
        """Pass a detection on; a bang that the sensor has noticed too is surer. It never makes one less sure."""
        if event.sound_class in _BANGS and self._felt(event.onset):
            event = replace(event, confidence=1.0 - (1.0 - event.confidence) * _DOUBT_LEFT)
        self._teller.on_event(event)

    def on_taught(self, event: "TaughtEvent", onset: datetime) -> None:
        """Pass on that a taught sound begins or ends."""
        self._teller.on_taught(event, onset)

    def on_health(self, health: Health) -> None:
        """Pass the health on, with what the comparison of microphone and sensor adds."""
        with self._lock:
            self._health = health
            self._tell_health(always=True)

    def on_level(self, level: Level) -> None:
        """Pass on what somebody watches."""
        self._teller.on_level(level)

    def on_peak(self, peak_dbfs: float, room: str = "") -> None:
        """Find what is loud, in the loudest room; called twice a second while the microphone is heard."""
        with self._lock:
            self._room = room
            self._tell(self._noises.level(self._monotonic(), peak_dbfs))

    def _open(self) -> bool:
        assert self._sensor is not None
        try:
            self._sensor.open()
        except SensorError as err:
            if not self._sensor_missing:
                _LOGGER.warning("%s; everything else goes on", err)
            missing = True
        else:
            missing = False
        with self._lock:
            self._sensor_missing = missing
            self._tell_health()
        return not missing

    def _felt(self, onset: datetime) -> bool:
        age_s = (self._utc_now() - onset).total_seconds()
        # Without the lock: an alarm does not wait for a noise that is being written.
        return self._noises.pulsed_since(self._monotonic() - age_s - _BEFORE_S)

    def _tell(self, noise: Noise | None) -> None:
        if noise is None:
            return
        if not noise.over:
            self._ids = {noise.number: (uuid.uuid4().hex, self._room)} if self._listening() else {}
        if (known := self._ids.get(noise.number)) is not None:
            name, room = known
            self._teller.on_noise(
                LoudNoise(
                    id=name,
                    room=room,
                    phase=Phase.END if noise.over else Phase.START,
                    onset=self._utc_now() - timedelta(seconds=self._monotonic() - noise.began_s),
                    duration_s=round(noise.last_s - noise.began_s, 2),
                    peak_dbfs=noise.peak_dbfs,
                    pulses=noise.pulses,
                )
            )
        if noise.over:
            self._tell_health()

    def _tell_health(self, *, always: bool = False) -> None:
        missing = (Problem.SENSOR_MISSING,) if self._sensor_missing else ()
        problems = (*missing, *self._noises.problems)
        if always or problems != self._told_problems:
            self._told_problems = problems
            self._teller.on_health(replace(self._health, problems=(*self._health.problems, *problems)))


async def end(task: "asyncio.Task[None]") -> None:
    """End a watch that runs."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
