"""Joins what is told of the hearing with what others report of themselves: the health of the satellite."""

from collections.abc import Callable
from dataclasses import replace
import threading

from .protocol import Health, Problem, SourceHealth


class HealthBoard:
    """The health of the moment; to be called from any thread."""

    def __init__(self, tell: Callable[[Health], None]) -> None:
        """Call `tell` with each new health, in order; it must not wait for anything."""
        self._tell = tell
        self._lock = threading.Lock()
        self._heard = Health()
        self._reported: dict[tuple[str, str], tuple[Problem, ...]] = {}

    def hear(self, health: Health) -> None:
        """Take how the hearing is."""
        with self._lock:
            self._heard = health
            self._tell(self._joined())

    def report(self, reporter: str, problems: tuple[Problem, ...], *, room: str = "") -> None:
        """Take what is wrong with something else; no problems take back what the same one has reported before.

        With a `room`, it is wrong with what hears that one, of several.
        """
        with self._lock:
            if self._reported.get((reporter, room), ()) != problems:
                self._reported[reporter, room] = problems
                self._tell(self._joined())

    def tell(self) -> None:
        """Tell the health as it is."""
        with self._lock:
            self._tell(self._joined())

    def _joined(self) -> Health:
        others = (problem for problems in self._reported.values() for problem in problems)
        return replace(
            self._heard,
            problems=tuple(dict.fromkeys((*self._heard.problems, *others))),
            sources=tuple(self._with_reported(source) for source in self._heard.sources),
        )

    def _with_reported(self, source: SourceHealth) -> SourceHealth:
        others = (
            problem
            for (_, room), problems in self._reported.items()
            if room == source.room
            for problem in problems
        )
        return replace(source, problems=tuple(dict.fromkeys((*source.problems, *others))))
