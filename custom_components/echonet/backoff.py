"""How long to wait before the next attempt to reach a satellite."""

from collections.abc import Callable
import random


class Backoff:
    """Delays in seconds that double up to a limit, each with jitter.

    The jitter (half to the whole of the delay) keeps many controllers from knocking at the same moment after a power
    cut. `uniform` draws it; a test passes its own.
    """

    def __init__(
        self,
        first: float = 1.0,
        limit: float = 60.0,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Start at `first` and never wait longer than `limit`."""
        self._first = first
        self._limit = limit
        self._uniform = uniform
        self._next = first

    def next(self) -> float:
        """Return the delay before the next attempt."""
        delay = self._next
        self._next = min(delay * 2, self._limit)
        return self._uniform(delay / 2, delay)

    def reset(self) -> None:
        """Start anew, after an attempt that succeeded."""
        self._next = self._first
