"""How wrong a satellite's clock is, from questions and answers over its connection. Pure: times are passed in.

An answer says what time it was at the satellite at some moment between sending and receiving, and so cannot be off
by more than half of the time between (as in NTP): the quickest answers say most. Home Assistant's own clock may be
set, too, so the satellite's is compared with a monotonic one.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, TypeVar

from .protocol import Detection, LoudNoise, Phase, TimeReply, TimeRequest

# How far two clocks run apart: quartz at any temperature.
DRIFT: Final = 5e-5
# A slower answer says nothing worth knowing.
SLOWEST_S: Final = 2.0
MAX_CORRECTED: Final = 256

_Heard = TypeVar("_Heard", Detection, LoudNoise)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """How far a satellite's clock is ahead of Home Assistant's, and by how much that can be off."""

    ahead: timedelta
    uncertainty: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """The satellite's time minus the monotonic one, which was right within `radius` at `at`."""

    at: float
    difference: float
    radius: float

    def radius_at(self, now: float) -> float:
        return self.radius + DRIFT * abs(now - self.at)

    def agrees_with(self, earlier: "_Answer") -> bool:
        """Tell whether both can be true; else the satellite's clock has been set."""
        apart = abs(self.difference - earlier.difference)
        return apart <= self.radius + earlier.radius_at(self.at)


class SatelliteClock:
    """Asks for the time, weighs the answers, and puts onsets right."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._number = 0
        self._asked: float | None = None
        self._best: _Answer | None = None
        self._corrected: OrderedDict[str, timedelta] = OrderedDict()

    def ask(self, monotonic: float) -> TimeRequest:
        """Return the next question; an older one that was not answered is forgotten."""
        self._number += 1
        self._asked = monotonic
        return TimeRequest(number=self._number)

    def take(self, reply: TimeReply, monotonic: float) -> None:
        """Take an answer in; one that nobody asked for is left out."""
        asked, self._asked = self._asked, None
        if asked is None or reply.number != self._number or not 0 <= monotonic - asked <= SLOWEST_S:
            return
        answer = _Answer(
            at=monotonic,
            difference=reply.time_s - (asked + monotonic) / 2,
            radius=(monotonic - asked) / 2,
        )
        best = self._best
        if best is None or answer.radius <= best.radius_at(monotonic) or not answer.agrees_with(best):
            self._best = answer

    def forget(self) -> None:
        """Know nothing any more: the satellite was away, and may have started again with another clock."""
        self._asked = None
        self._best = None

    def offset(self, monotonic: float, utc: float) -> Offset | None:
        """Return how wrong it is at a moment that both clocks here tell; None as long as it has not answered."""
        best = self._best
        if best is None:
            return None
        return Offset(
            ahead=timedelta(seconds=best.difference - (utc - monotonic)),
            uncertainty=timedelta(seconds=best.radius_at(monotonic)),
        )

    def correct(self, heard: _Heard, offset: Offset | None) -> _Heard:
        """Return a message of a sound with its onset by Home Assistant's clock, where the satellite's is wrong.

        All messages of a sound are moved alike. What is replayed may have been heard by another clock than that
        of now, and stays as it was told.
        """
        ahead = self._corrected.get(heard.id)
        if (
            ahead is None
            and offset is not None
            and not heard.replayed
            and abs(offset.ahead) > offset.uncertainty
        ):
            ahead = offset.ahead
        if heard.phase is Phase.END:
            self._corrected.pop(heard.id, None)
        elif ahead is not None:
            self._corrected[heard.id] = ahead
            if len(self._corrected) > MAX_CORRECTED:
                self._corrected.popitem(last=False)
        if ahead is None:
            return heard
        try:
            return replace(heard, onset=heard.onset - ahead)
        except OverflowError:
            # At the end of time, no clock is right.
            return heard
