"""Joins what is told of the hearing with what others report of themselves: the health of the satellite."""

from collections.abc import Callable
from dataclasses import replace
import threading

from .protocol import Health, Problem


class HealthBoard:
    """The health of the moment; to be called from any thread."""

    def __init__(self, tell: Callable[[Health], None]) -> None:
        """Call `tell` with each new health, in order; it must not wait for anything."""
        self._tell = tell
        self._lock = threading.Lock()
        self._heard = Health()
        self._reported: dict[str, tuple[Problem, ...]] = {}

    def hear(self, health: Health) -> None:
        """Take how the hearing is."""
        with self._lock:
            self._heard = health
            self._tell(self._joined())

    def report(self, reporter: str, problems: tuple[Problem, ...]) -> None:
        """Take what is wrong with something else; no problems take back what the same one has reported before."""
        with self._lock:
            if self._reported.get(reporter, ()) != problems:
                self._reported[reporter] = problems
                self._tell(self._joined())

    def tell(self) -> None:
        """Tell the health as it is."""
        with self._lock:
            self._tell(self._joined())

    def _joined(self) -> Health:
        others = (problem for problems in self._reported.values() for problem in problems)
        return replace(self._heard, problems=tuple(dict.fromkeys((*self._heard.problems, *others))))
