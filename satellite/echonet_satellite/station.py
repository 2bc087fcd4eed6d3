"""What the satellite knows and tells: fed by the pipeline's worker thread, asked by the server's event loop."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
import logging
import threading
import time
from typing import TYPE_CHECKING, Protocol

from .audience import Audience
from .clock_watch import ClockWatch
from .drills import Drills
from .errors import JournalError
from .health_board import HealthBoard
from .home_learning import HomeLearning
from .info import Info
from .journal import Journal
from .journal_tables import Kept
from .open_detections import OpenDetections
from .protocol import (
    ClockReport,
    Configure,
    Detection,
    Health,
    Level,
    Location,
    LocationSource,
    LoudNoise,
    Message,
    Mute,
    Phase,
    Position,
    Problem,
    SelfTestResult,
    Settings,
    Snapshot,
    SoundHeard,
    Welcome,
)
from .settings import OwnerSettings, SettingsStore

if TYPE_CHECKING:
    from .learning.learner import Learner
    from .learning.sounds import TaughtEvent
    from .sound_event import SoundEvent

_LOGGER = logging.getLogger(__name__)


class Configurable(Protocol):
    """What hears, and obeys the owner's settings."""

    def configure(self, settings: Settings) -> None:
        """Hear as these settings say."""

    def watch(self, enabled: bool) -> None:
        """Begin or end to tell levels."""


class Station:
    """Numbers and keeps detections, holds settings, and tells its subscribers of every change.

    `on_event`, `on_noise`, `on_health`, `on_level` and `report` may be called from any thread; everything else belongs
    to the event loop.
    """

    def __init__(
        self,
        info: Info,
        journal: Journal,
        store: SettingsStore,
        *,
        learner: "Learner | None" = None,
        locate: Callable[[], tuple[LocationSource, Location | None]] = lambda: (LocationSource.NONE, None),
        clock: Callable[[], float] = time.monotonic,
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock_watch: ClockWatch | None = None,
    ) -> None:
        """Start from what journal and settings remember; `utc` is the clock that onsets are told by.

        Without a `learner` verdicts are only kept.
        """
        self.info = info
        self._audience = Audience(self.snapshot, told=journal.last_sequence)
        self.learning = HomeLearning(learner, journal, self._audience.post)
        self._audience.subscribe(self.learning.note)
        self._journal = journal
        self._locate = locate
        self.utc = utc
        self.drills = Drills(self._take, rooms=lambda: self.info.rooms, utc=utc)
        self._settings = OwnerSettings(store, self.report)
        self._lock = threading.RLock()
        self._open = OpenDetections(self._settings.now, clock=clock, utc=utc)
        self._board = HealthBoard(self._audience.post)
        self.self_test: Callable[..., Awaitable[SelfTestResult]] | None = None
        self._self_testing: asyncio.Future[SelfTestResult] | None = None
        self._clock_watch = clock_watch or ClockWatch()
        self._pipeline: Configurable | None = None
        self._watchers = 0
        self._tasks: set[asyncio.Task[None]] = set()
        journal.subscribe(self._on_journal)
        self._on_journal(journal.problem)
        self._settings.report()
        self._end_what_was_cut_off()

    @property
    def settings(self) -> Settings:
        """What the owner has turned."""
        return self._settings.now

    def begin(self, loop: asyncio.AbstractEventLoop, pipeline: Configurable | None = None) -> None:
        """Tell subscribers on this event loop, and forward settings to this pipeline."""
        with self._lock:
            self._audience.begin(loop, told=self._journal.last_sequence, active=self._open.told)
            self._pipeline = pipeline
            if pipeline is not None:
                pipeline.watch(self._watchers > 0)
        self._board.tell()

    async def end(self) -> None:
        """Stop what is under way."""
        await self.drills.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._settings.save_again)
        await self.learning.end()
        self._audience.end()

    # From the pipeline's worker thread.

    def on_event(self, event: "SoundEvent") -> None:
        """Keep and tell what the detector heard."""
        self._take(
            Detection(
                id=event.id,
                sequence=1,
                sound_class=event.sound_class,
                phase=event.phase,
                onset=event.onset,
                confidence=event.confidence,
                peak_dbfs=event.peak_dbfs,
                duration_s=event.duration_s,
                pattern=event.pattern,
                room=event.room,
                test=self.drills.is_test(event),
            )
        )
        # Only when it is told: no alarm waits for this.
        self.learning.keep(event)

    def on_taught(self, event: "TaughtEvent", onset: datetime) -> None:
        """Tell of a sound that the home has taught."""
        if self._settings.now.listening:
            self._audience.post(
                SoundHeard(
                    sound_id=event.sound_id, phase=event.phase, onset=onset, confidence=event.confidence
                )
            )

    def on_noise(self, noise: LoudNoise) -> None:
        """Keep and tell that a loud noise begins or is over."""
        with self._lock:
            self._keep_and_post(noise)

    def on_health(self, health: Health) -> None:
        """Tell how the hearing is."""
        self._board.hear(health)

    def report(self, reporter: str, *problems: Problem, room: str = "") -> None:
        """Tell what is wrong with something other than the hearing; no problems take back what was told before.

        With a `room`, it is wrong with what hears that one, of several.
        """
        self._board.report(reporter, problems, room=room)

    def on_level(self, level: Level) -> None:
        """Tell what it sounds like, to those who watch."""
        self._audience.post(level)

    # On the event loop.

    def welcome(self) -> Welcome:
        """Return what the satellite is."""
        source, location = self._locate()
        return Welcome(
            satellite_id=self.info.satellite_id,
            name=self.info.name,
            version=self.info.version,
            hardware=self.info.hardware,
            model_name=self.info.model_name,
            model_version=self.info.model_version,
            classes=self.info.classes,
            location_source=source,
            location=location,
            tells_time=True,
            rooms=self.info.rooms,
            learns=self.learning.learns,
        )

    def snapshot(self) -> Snapshot:
        """Return the whole state, exactly as the subscribers have been told so far."""
        return Snapshot(
            active=tuple(self._audience.active.values()),
            health=self._audience.health,
            settings=self._settings.now,
            learning=self.learning.summary,
        )

    def subscribe(self, listener: Callable[[Message], None]) -> Callable[[], None]:
        """Call `listener` with every message from now on; return what ends that."""
        return self._audience.subscribe(listener)

    @property
    def told_sequence(self) -> int:
        """The highest sequence number that subscribers have been told."""
        return self._audience.told

    async def pending(self, controller_id: str, *, after: int = 0, up_to: int) -> list[Kept]:
        """Return the next of what a controller has missed."""
        return await asyncio.to_thread(self._journal.pending, controller_id, after=after, up_to=up_to)

    async def acknowledge(self, controller_id: str, sequence: int) -> None:
        """Remember what a controller has."""
        await asyncio.to_thread(self._journal.acknowledge, controller_id, sequence)

    async def welcome_controller(self, controller_id: str) -> None:
        """Begin with a new controller: what was heard before it came is not told to it."""
        await asyncio.to_thread(self._journal.acknowledge, controller_id, self._journal.last_sequence)

    async def configure(self, message: Configure) -> None:
        """Change settings, keep them, and tell everybody the new state."""
        await asyncio.to_thread(self._configure, message)

    async def mute(self, message: Mute) -> None:
        """Report nothing of some classes for a while, except the patterns of smoke and carbon monoxide."""
        await asyncio.to_thread(self._mute, message)

    def watch(self) -> Callable[[], None]:
        """Let levels be told; returns what ends that for this watcher. Without any watcher, nothing is computed."""
        self._count_watchers(1)
        return lambda: self._count_watchers(-1)

    def _count_watchers(self, more: int) -> None:
        self._watchers += more
        if self._pipeline is not None:
            self._pipeline.watch(self._watchers > 0)

    def measured(self, message: ClockReport) -> None:
        """Take in how wrong a controller has found our clock to be."""
        self._clock_watch.measured(message.ahead_s, message.uncertainty_s)
        self.look_at_clock()

    def look_at_clock(self) -> None:
        """Tell whether the clock is wrong."""
        self.report("clock", *((Problem.CLOCK_WRONG,) if self._clock_watch.wrong else ()))

    async def run_self_test(self, *, aloud: bool = False) -> SelfTestResult | None:
        """Run the self-test, where there is something to run, and tell everybody what came of it.

        One that is asked for while another runs is the same.
        """
        if self.self_test is None:
            return None
        if self._self_testing is not None:
            return await asyncio.shield(self._self_testing)
        self._self_testing = asyncio.ensure_future(self.self_test(aloud=aloud))
        try:
            result = await asyncio.shield(self._self_testing)
        finally:
            self._self_testing = None
        self._audience.tell(result)
        return result

    def tell_position(self) -> None:
        """Tell everybody who is connected where the satellite is."""
        source, location = self._locate()
        if location is not None:
            self._audience.post(Position(location_source=source, location=location))

    def announce(self, message: Message) -> None:
        """Tell everybody who is connected something that is not kept; from any thread."""
        self._audience.post(message)

    def _configure(self, message: Configure) -> None:
        with self._lock:
            settings = self._settings.change(message)
            if self._pipeline is not None:
                self._pipeline.configure(settings)
            self._keep_and_post_all(self._open.configure(settings))
        self._settings.save()
        self._audience.post(None)

    def _mute(self, message: Mute) -> None:
        rooms = tuple(room for room in message.rooms if room in self.info.rooms)
        if message.rooms and not rooms:
            return
        with self._lock:
            self._keep_and_post_all(
                self._open.mute(message.classes or self.info.classes, message.duration_s, rooms)
            )

    def _take(self, detection: Detection) -> None:
        """Keep and tell what the settings want of a detection."""
        with self._lock:
            self._keep_and_post_all(self._open.take(detection))

    def _keep_and_post_all(self, detections: list[Detection]) -> None:
        for detection in detections:
            self._keep_and_post(detection)

    def _keep_and_post(self, message: Detection | LoudNoise) -> None:
        try:
            kept = self._journal.append(message)
        except JournalError as err:
            _LOGGER.debug("What is heard now is not told: %s", err)
            return
        self._audience.post(kept)

    def _on_journal(self, problem: Problem | None) -> None:
        self.report("journal", *(() if problem is None else (problem,)))
        loop = self._audience.loop
        if problem is None and self._settings.unsaved and loop is not None:
            # Not here: the journal's thread, which calls this, must never wait for whoever waits for it.
            loop.call_soon_threadsafe(self._save_settings_later)

    def _save_settings_later(self) -> None:
        task = asyncio.create_task(asyncio.to_thread(self._settings.save_again))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _end_what_was_cut_off(self) -> None:
        """End what a kill or a power cut left without an end, so that nothing sounds for ever."""
        for detection in self._journal.unfinished():
            try:
                kept = self._journal.append(replace(detection, phase=Phase.END, replayed=False))
            except JournalError as err:
                _LOGGER.error("A detection that was cut off stays without its end: %s", err)
                return
            self._audience.told = kept.sequence
