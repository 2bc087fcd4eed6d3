"""How fast a satellite may talk. Pure: the clock is passed in."""

from collections.abc import Callable
from typing import Final

from .errors import Chatterbox

# Eight classes that sound at once, each told every second, and the levels that somebody watches make fifteen a second.
LIVE_PER_S: Final = 20.0
# What was missed may come faster, because there is an end to it.
REPLAYED_PER_S: Final = 100.0
BURST: Final = 200
# So many messages in a row that had to wait are a backlog; more are a satellite that never stops.
HELD_UP_LIMIT: Final = 600
REPLAYED_LIMIT: Final = 100_000


class _Bucket:
    def __init__(self, per_s: float, now: float) -> None:
        self._per_s = per_s
        self._left = float(BURST)
        self._at = now

    def take(self, now: float) -> float:
        """Return how long to wait before the next one."""
        self._left = min(BURST, self._left + (now - self._at) * self._per_s) - 1
        self._at = now
        return max(0.0, -self._left / self._per_s)


class Pace:
    """Says after each message of one connection how long to wait before the next is read."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin with a new connection."""
        self._clock = clock
        self._live = _Bucket(LIVE_PER_S, clock())
        self._replayed = _Bucket(REPLAYED_PER_S, clock())
        self._held_up = 0
        self._replays = 0

    def take(self, *, replayed: bool) -> float:
        """Count one message, and return the seconds to wait.

        Raises:
            Chatterbox: it never ends.
        """
        now = self._clock()
        if replayed:
            self._replays += 1
            if self._replays > REPLAYED_LIMIT:
                raise Chatterbox("the satellite repeats the past without end")
            return self._replayed.take(now)
        pause = self._live.take(now)
        self._held_up = self._held_up + 1 if pause else 0
        if self._held_up > HELD_UP_LIMIT:
            raise Chatterbox(f"the satellite sends more than {LIVE_PER_S:g} messages a second")
        return pause
