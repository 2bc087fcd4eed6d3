"""Asks gpsd, the usual service of a GPS receiver, where the satellite is: the last fix, how exact and how old it is."""

import asyncio
from collections.abc import Callable
import contextlib
from dataclasses import dataclass, replace
import json
import logging
import math
import time
from typing import Any, Final

from .protocol import Location

_LOGGER = logging.getLogger(__name__)

DEFAULT_PORT: Final = 2947
_WATCH: Final = b'?WATCH={"enable":true,"json":true}\n'
_MAX_LINE: Final = 64 * 1024
_SILENCE_S: Final = 30.0
_RETRY_S: Final = 10.0
# A receiver that lies still wanders by its accuracy; news is what is further, or much more exact.
_MOVED_M: Final = 25.0
_METRES_PER_DEGREE: Final = 111_320.0
# Of a receiver that does not say how exact it is.
_TYPICAL_ACCURACY_M: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fix:
    location: Location
    at_s: float


class Gpsd:
    """Keeps a connection to gpsd, and the last fix that it told."""

    def __init__(
        self,
        host: str,
        port: int,
        on_moved: Callable[[], None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        retry_s: float = _RETRY_S,
    ) -> None:
        """Ask gpsd at an address; `on_moved` is called on the event loop when the place is news."""
        self._host = host
        self._port = port
        self._on_moved = on_moved
        self._monotonic = monotonic
        self._retry_s = retry_s
        self._fix: _Fix | None = None
        self._told: Location | None = None
        self._failed = False

    @property
    def location(self) -> Location | None:
        """The last fix, with its age; None before the first."""
        if self._fix is None:
            return None
        return replace(self._fix.location, age_s=round(self._monotonic() - self._fix.at_s, 1))

    async def run(self) -> None:
        """Listen to gpsd until cancelled; one that is not there is tried again."""
        while True:
            try:
                await self._listen()
                reason = "it ended the connection"
            except (OSError, TimeoutError, ValueError) as err:
                reason = str(err) or "no answer"
            if not self._failed:
                self._failed = True
                _LOGGER.warning(
                    "gpsd at %s:%s does not tell where the satellite is, trying again: %s",
                    self._host,
                    self._port,
                    reason,
                )
            await asyncio.sleep(self._retry_s)

    async def _listen(self) -> None:
        async with asyncio.timeout(_SILENCE_S):
            reader, writer = await asyncio.open_connection(self._host, self._port, limit=_MAX_LINE)
        try:
            writer.write(_WATCH)
            await writer.drain()
            while True:
                async with asyncio.timeout(_SILENCE_S):
                    line = await reader.readline()
                if not line:
                    return
                self._take(line)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _take(self, line: bytes) -> None:
        try:
            report = json.loads(line)
        except (ValueError, RecursionError):
            return
        location = _location(report)
        if location is None:
            return
        self._failed = False
        self._fix = _Fix(location=location, at_s=self._monotonic())
        if self._told is None or _is_news(self._told, location):
            self._told = location
            self._on_moved()


def _location(report: object) -> Location | None:
    """Return the place of a TPV report that has a fix (mode 2 or 3)."""
    if not isinstance(report, dict) or report.get("class") != "TPV" or report.get("mode") not in {2, 3}:
        return None
    latitude, longitude = _number(report, "lat"), _number(report, "lon")
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    horizontal = _number(report, "eph")
    if horizontal is None:
        x, y = _number(report, "epx"), _number(report, "epy")
        horizontal = math.hypot(x, y) if x is not None and y is not None else _TYPICAL_ACCURACY_M
    return Location(latitude=latitude, longitude=longitude, accuracy_m=round(max(0.0, horizontal), 1))


def _number(report: dict[str, Any], name: str) -> float | None:
    value = report.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _is_news(told: Location, now: Location) -> bool:
    north = (now.latitude - told.latitude) * _METRES_PER_DEGREE
    east = (now.longitude - told.longitude) * _METRES_PER_DEGREE * math.cos(math.radians(now.latitude))
    return math.hypot(north, east) > max(_MOVED_M, told.accuracy_m) or now.accuracy_m < told.accuracy_m / 2
