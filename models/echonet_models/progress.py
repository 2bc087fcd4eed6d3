"""One line that says how far a long task is and how long it still takes."""

from collections.abc import Iterator, Sequence
import sys
import time
from typing import TypeVar

Item = TypeVar("Item")


def track(items: Sequence[Item], what: str) -> Iterator[Item]:
    """Yield the items; print how many are done and the time left, at most twice a second."""
    start = shown = time.monotonic()
    for number, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - shown > 0.5 or number == len(items):
            shown = now
            left = (now - start) / number * (len(items) - number)
            done = f"\r{what}: {number}/{len(items)}, {duration(left)} left   "
            print(done, end="", file=sys.stderr, flush=True)
    if items:
        print(f"\r{what}: {len(items)} in {duration(time.monotonic() - start)}      ", file=sys.stderr)


def duration(seconds: float) -> str:
    """Return a duration for a person: `45 s`, `12 min`, `1 h 05 min`."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
