"""A real satellite inside the test process: TLS on 127.0.0.1, pairing, journal; without microphone, model or zeroconf.

    async with running_satellite(tmp_path, port=...) as satellite:
        satellite.host, satellite.port          # where it listens; the port stays the same over a restart
        satellite.satellite_id, satellite.fingerprint (hex), satellite.name
        code = satellite.open_pairing()         # opens a pairing window and returns its code (16 characters)
        satellite.issue_token("name")           # a token without pairing, for tests of something else
        satellite.emit(SoundClass.DOG, Phase.START)                  # as the pipeline does; returns the detection's id
        satellite.emit(SoundClass.DOG, Phase.END, id=that_id, duration_s=1.5)
        satellite.set_health(Problem.MICROPHONE_SILENT); satellite.set_level(-20.0)
        satellite.hear(samples)                 # sound for the clips, up to now
        satellite.configured                    # every Settings that the pipeline was told
        satellite.watched                       # each time that it was told whether somebody watches
        satellite.announced                     # each time that it announced whether it is paired
        await satellite.say('{"type": "health"}')                    # any frame, to all who are connected
        await satellite.wait_connected(1)       # until so many controllers are authenticated
        await satellite.stop(); await satellite.start()              # same state, same port
        satellite.forget_controllers()          # every token is refused from the next connection on
        satellite.new_identity()                # (while stopped) another certificate, the same id

The messages are `echonet_satellite.protocol`'s; the integration has a copy of that module of its own, and enums compare
equal between the two because they are strings. Without a port of its own a satellite listens on a free one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
import shutil
import time
from typing import TYPE_CHECKING, Any, cast
import uuid

import numpy as np
import soundfile

from echonet_satellite.audio import SAMPLE_RATE
from echonet_satellite.clips.keeper import ClipKeeper
from echonet_satellite.clips.spectrogram import spectrogram_png
from echonet_satellite.clips.tape import Tape
from echonet_satellite.controllers import Controllers
from echonet_satellite.frontend import Floats
from echonet_satellite.identity import Identity, load_or_create
from echonet_satellite.info import Info
from echonet_satellite.journal import Journal
from echonet_satellite.learning.learner import Learner
from echonet_satellite.pairing_window import PairingWindow
from echonet_satellite.protocol import (
    AlarmPattern,
    Clip,
    Health,
    Level,
    Location,
    LocationSource,
    Phase,
    Problem,
    Settings,
    SoundClass,
)
from echonet_satellite.server import ClassifyRoutes, ClipRoutes, Limits, Server, UnpairRoute
from echonet_satellite.settings import SettingsStore
from echonet_satellite.state import prepare_directory
from echonet_satellite.station import Station
from echonet_satellite.unpairing import Unpairing
from tests.support.learning import learner_in

if TYPE_CHECKING:
    from echonet_satellite.sound_event import SoundEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the detector would say."""

    id: str
    sound_class: SoundClass
    phase: Phase
    onset: datetime
    confidence: float
    peak_dbfs: float
    duration_s: float
    pattern: AlarmPattern | None
    room: str
    embeddings: Floats | None


class SatelliteUnderTest:
    """See the docstring of the module."""

    host = "127.0.0.1"

    def __init__(
        self,
        state: Path,
        *,
        name: str = "Hallway",
        port: int = 0,
        classes: tuple[SoundClass, ...] = tuple(SoundClass),
        location: Location | None = None,
        rooms: tuple[str, ...] = (),
        limits: Limits | None = None,
        keeps_clips: bool = True,
        learns: bool = True,
        clock: Callable[[], float] = time.monotonic,
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.state = state
        self.name = name
        self.port = port
        self.classes = classes
        self.location = location
        self.rooms = rooms
        self.limits = limits or Limits()
        self.keeps_clips = keeps_clips
        self.learns = learns
        self.clock = clock
        self.utc = utc
        self.configured: list[Settings] = []
        self.watched: list[bool] = []
        self.announced: list[bool] = []
        self.identity: Identity
        self.controllers: Controllers
        self.window: PairingWindow
        self.station: Station
        self.journal: Journal
        self.learner: Learner | None = None
        self.server: Server
        self.tape: Tape
        self.clips: ClipKeeper
        self._running = False

    @property
    def satellite_id(self) -> str:
        return self.identity.satellite_id

    @property
    def fingerprint(self) -> str:
        return self.identity.fingerprint.hex()

    @property
    def connected(self) -> tuple[str, ...]:
        """The names of the controllers that are connected."""
        return tuple(controller.name for controller in self.server.sockets.connected)

    async def start(self) -> None:
        """Start, or start again with the same state on the same port."""
        prepare_directory(self.state)
        self.identity = load_or_create(self.state)
        self.controllers = Controllers(self.state / "controllers.json")
        self.window = PairingWindow(self.identity.satellite_id, self.identity.fingerprint, clock=self.clock)
        self.journal = Journal(self.state / "journal.sqlite3")
        self.learner = learner_in(self.state) if self.learns else None
        source = LocationSource.CONFIGURED if self.location else LocationSource.NONE
        self.station = Station(
            Info(
                satellite_id=self.identity.satellite_id,
                name=self.name,
                version="0.1.0",
                hardware="Raspberry Pi 4 Model B",
                model_name="echonet",
                model_version="1.0.0",
                classes=self.classes,
                rooms=self.rooms,
            ),
            self.journal,
            SettingsStore(self.state / "settings.json", self.classes, clips=self.keeps_clips),
            learner=self.learner,
            locate=lambda: (source, self.location),
            clock=self.clock,
            utc=self._utc_now,
        )
        self.station.begin(asyncio.get_running_loop(), self)
        self.tape = Tape()
        self.clips = ClipKeeper(
            self.state / "clips", {"": self.tape}, tell=self.station.announce, utc_now=self._utc_now
        )
        self.station.subscribe(self.clips.on_message)
        self.clips.start(self.station.settings)
        self.server = Server(
            self.identity,
            self.station,
            self.controllers,
            self.window,
            services=(
                ClipRoutes(self.clips.store, self.controllers),
                ClassifyRoutes(self.controllers, None),
                UnpairRoute(self.controllers, self._unpairing().forget),
            ),
            limits=self.limits,
        )
        self.port = await self.server.start(self.port, [self.host])
        self._running = True

    async def stop(self) -> None:
        """Stop in order, as SIGTERM does."""
        if self._running:
            self._running = False
            await self.server.stop()
            await self.station.end()
            await asyncio.to_thread(self.clips.stop)
            self.journal.close()
            if self.learner is not None:
                self.learner.close()

    def _unpairing(self) -> Unpairing:
        async def announce(paired: bool) -> None:
            self.announced.append(paired)

        async def disconnect(controller_id: str) -> None:
            await self.server.sockets.disconnect(controller_id)

        async def delete_clips() -> None:
            await asyncio.to_thread(self.clips.store.delete_all)

        return Unpairing(
            controllers=self.controllers,
            journal=self.journal,
            disconnect=disconnect,
            announce_paired=announce,
            delete_clips=delete_clips,
        )

    def open_pairing(self) -> str:
        return self.window.open()

    def issue_token(self, name: str = "Home") -> str:
        controller, token = self.controllers.issue(name)
        self.journal.acknowledge(controller.id, self.journal.last_sequence)
        return token

    def forget_controllers(self) -> None:
        for controller in self.controllers.all:
            self.controllers.forget(controller.id)

    def new_identity(self) -> None:
        """Make another key and certificate for the same id, as an impostor would have; call it while stopped."""
        folder = self.state / "identity"
        satellite_id = (folder / "satellite_id").read_text()
        shutil.rmtree(folder)
        load_or_create(self.state)
        (folder / "satellite_id").write_text(satellite_id)

    def emit(
        self,
        sound_class: SoundClass | str,
        phase: Phase | str = Phase.START,
        *,
        id: str | None = None,  # noqa: A002 - the message calls it so
        onset: datetime | None = None,
        confidence: float = 0.9,
        peak_dbfs: float = -12.0,
        duration_s: float = 0.0,
        pattern: AlarmPattern | None = None,
        room: str = "",
        embeddings: Floats | None = None,
    ) -> str:
        """Tell the station of a sound, as the pipeline's worker thread does, and return the detection's id."""
        event = Heard(
            id=id or uuid.uuid4().hex,
            sound_class=SoundClass(sound_class),
            phase=Phase(phase),
            onset=onset or self.utc(),
            confidence=confidence,
            peak_dbfs=peak_dbfs,
            duration_s=duration_s,
            pattern=AlarmPattern(pattern) if pattern else None,
            room=room,
            embeddings=embeddings,
        )
        self.station.on_event(cast("SoundEvent", event))
        return event.id

    def set_health(
        self, *problems: Problem | str, dropped_blocks: int = 0, realtime_factor: float = 0.1
    ) -> None:
        self.station.on_health(
            Health(
                problems=tuple(Problem(problem) for problem in problems),
                dropped_blocks=dropped_blocks,
                realtime_factor=realtime_factor,
            )
        )

    def set_level(self, rms_dbfs: float, peak_dbfs: float | None = None, **more: Any) -> None:
        self.station.on_level(
            Level(rms_dbfs=rms_dbfs, peak_dbfs=rms_dbfs if peak_dbfs is None else peak_dbfs, **more)
        )

    def hear(self, samples: Floats) -> None:
        """Put sound on the tape that ends now, as the pipeline does."""
        self.tape.push(samples, time.monotonic() - len(samples) / SAMPLE_RATE)

    def keep_clip(
        self,
        sound_class: SoundClass | str = "dog",
        *,
        id: str | None = None,  # noqa: A002 - the message calls it so
        onset: datetime | None = None,
    ) -> str:
        """Put a clip of a tone into the store, as if it had been heard and kept, and return its id."""
        sound, picture, generation = self.clips.store.begin()
        tone = 0.3 * np.sin(np.arange(SAMPLE_RATE))
        soundfile.write(sound, tone, SAMPLE_RATE, format="FLAC")
        picture.write_bytes(spectrogram_png((tone * 32767).astype(np.int16)))
        clip = Clip(
            detection_id=id or uuid.uuid4().hex,
            sound_class=SoundClass(sound_class),
            onset=onset or self.utc(),
            duration_s=1.0,
        )
        kept = self.clips.store.adopt(sound, picture, generation, clip)
        assert kept is not None
        self.station.announce(kept)
        return kept.detection_id

    async def say(self, frame: str) -> None:
        """Send a frame as it is, as a newer, broken or hostile satellite does."""
        for link in tuple(self.server.sockets._links.values()):
            await link._socket.send_str(frame)

    async def wait_connected(self, count: int = 1, *, within_s: float = 10.0) -> None:
        """Wait until exactly `count` controllers are connected."""
        async with asyncio.timeout(within_s):
            changed = asyncio.Event()
            unsubscribe = self.server.sockets.subscribe(lambda *_: changed.set())
            while len(self.server.sockets.connected) != count:
                changed.clear()
                await changed.wait()
            unsubscribe()

    def _utc_now(self) -> datetime:
        # A test may set the clock at any time.
        return self.utc()

    def configure(self, settings: Settings) -> None:
        """Take settings in the place of a pipeline."""
        self.configured.append(settings)

    def watch(self, enabled: bool) -> None:
        """Learn in the place of a pipeline whether somebody watches."""
        self.watched.append(enabled)


@asynccontextmanager
async def running_satellite(state: Path, **options: Any) -> AsyncIterator[SatelliteUnderTest]:
    """Run a satellite with its state in `state / "satellite"`; options are those of `SatelliteUnderTest`."""
    satellite = SatelliteUnderTest(state / "satellite", **options)
    await satellite.start()
    try:
        yield satellite
    finally:
        await satellite.stop()
