"""One satellite that hears several rooms: what each of them tells becomes what the satellite tells."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
import threading
from typing import TYPE_CHECKING

from .protocol import Health, Level, Phase, Problem, Settings, SourceHealth

if TYPE_CHECKING:
    from .learning.sounds import TaughtEvent
    from .pipeline import Pipeline
    from .sound_event import Listener, SoundEvent


class Rooms:
    """Names the room of each detection, and joins the health and the levels of all."""

    def __init__(self, listener: "Listener", rooms: Sequence[str]) -> None:
        """Tell `listener` of these rooms."""
        self._listener = listener
        self._lock = threading.Lock()
        self._health = dict.fromkeys(rooms, Health())
        self._levels: dict[str, Level] = {}
        self._sounding: dict[str, set[str]] = {}  # in which rooms a taught sound is heard, by its id

    def ear(self, room: str) -> "Listener":
        """Return whom the pipeline of a room tells."""
        return _Ear(self, room)

    def on_event(self, room: str, event: "SoundEvent") -> None:
        """Tell a detection."""
        self._listener.on_event(replace(event, room=room))

    def on_taught(self, room: str, event: "TaughtEvent", onset: datetime) -> None:
        """Tell a taught sound: it begins in the first room that hears it, and ends in the last."""
        with self._lock:
            rooms = self._sounding.setdefault(event.sound_id, set())
            before = bool(rooms)
            if event.phase is Phase.END:
                rooms.discard(room)
            else:
                rooms.add(room)
            if bool(rooms) is not before:
                self._listener.on_taught(event, onset)

    def on_health(self, room: str, health: Health) -> None:
        """Tell how the satellite is, with what is new of one room."""
        with self._lock:
            self._health[room] = health
            self._listener.on_health(_joined(self._health))

    def on_level(self, room: str, level: Level) -> None:
        """Tell how loud it is in the loudest room, whenever the first of them has told its level again."""
        with self._lock:
            levels = self._levels
            if room in levels:
                loudest = max(levels.values(), key=lambda item: item.rms_dbfs)
                peak = max(item.peak_dbfs for item in levels.values())
                rooms = {name: item.rms_dbfs for name, item in levels.items() if name}
                self._listener.on_level(replace(loudest, peak_dbfs=peak, rooms=rooms))
                levels.clear()
            levels[room] = level


class Peaks:
    """Joins the peaks of several rooms: it is as loud as in the loudest."""

    def __init__(self, tell: Callable[[float, str], None]) -> None:
        """Tell how loud it is where, of the loudest room, whenever the first one has told its peak again."""
        self._tell = tell
        self._lock = threading.Lock()
        self._peaks: dict[str, float] = {}

    def of(self, room: str) -> Callable[[float], None]:
        """Return whom the pipeline of a room tells."""
        return lambda peak_dbfs: self._take(room, peak_dbfs)

    def _take(self, room: str, peak_dbfs: float) -> None:
        with self._lock:
            if room in self._peaks:
                loudest = max(self._peaks, key=self._peaks.__getitem__)
                self._tell(self._peaks[loudest], loudest)
                self._peaks.clear()
            self._peaks[room] = peak_dbfs


class _Ear:
    """One room."""

    def __init__(self, rooms: Rooms, room: str) -> None:
        self._rooms = rooms
        self._room = room

    def on_event(self, event: "SoundEvent") -> None:
        self._rooms.on_event(self._room, event)

    def on_taught(self, event: "TaughtEvent", onset: datetime) -> None:
        self._rooms.on_taught(self._room, event, onset)

    def on_health(self, health: Health) -> None:
        self._rooms.on_health(self._room, health)

    def on_level(self, level: Level) -> None:
        self._rooms.on_level(self._room, level)


class Pipelines:
    """All that hear, as one."""

    def __init__(self, pipelines: "Sequence[Pipeline]") -> None:
        """Join pipelines."""
        self._pipelines = tuple(pipelines)

    def configure(self, settings: Settings) -> None:
        """Hear as these settings say."""
        for pipeline in self._pipelines:
            pipeline.configure(settings)

    def watch(self, enabled: bool) -> None:
        """Begin or end to tell levels."""
        for pipeline in self._pipelines:
            pipeline.watch(enabled)


def _joined(healths: dict[str, Health]) -> Health:
    if len(healths) == 1:
        return next(iter(healths.values()))
    found = {problem for health in healths.values() for problem in health.problems}
    return Health(
        problems=tuple(problem for problem in Problem if problem in found),
        dropped_blocks=sum(health.dropped_blocks for health in healths.values()),
        realtime_factor=max(health.realtime_factor for health in healths.values()),
        sources=tuple(SourceHealth(room=room, problems=health.problems) for room, health in healths.items()),
    )
