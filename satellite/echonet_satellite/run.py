"""Runs a satellite: source, pipeline, station, server, announcement and command socket, until it is told to stop."""

import argparse
import asyncio
from contextlib import AsyncExitStack
import logging
from pathlib import Path
import signal
from typing import TYPE_CHECKING, Any, Final

from . import __version__, memory
from .command_socket import CommandServer
from .config import Config, LogFormat
from .controllers import Controllers
from .ears import Ears, HearingStoppedError
from .errors import ClipError
from .gpsd import Gpsd
from .hardware import default_name, hardware_name, installation
from .identity import load_or_create
from .info import Info
from .journal import Journal
from .local_commands import LocalCommands
from .location import locate
from .noise_watch import NoiseWatch, end as end_task
from .options import configuration, state_directory
from .output import LineWriter
from .pairing_window import Outcome, PairingWindow
from .protocol import Installation
from .report import Report
from .settings import SettingsStore
from .state import exclusive, prepare_directory
from .station import Station
from .supervisor import Supervisor
from .unpairing import Unpairing
from .watch import watch as watch_hearing

if TYPE_CHECKING:
    from .classifier import Classifier
    from .discovery import Discovery
    from .self_test import SelfTest
    from .server import Server

_LOGGER = logging.getLogger(__name__)

STOP_S: Final = 1.5
_LOOK_S: Final = 0.25
_TROUBLED_LOOKS: Final = 20
_LOOK_AT_CLOCK_S: Final = 15.0
# systemd kills a service that no longer says that it is alive; a container is started again only when it has ended.
_RESTARTED_WHEN_OVER: Final = frozenset({Installation.CONTAINER, Installation.APP})


def run(args: argparse.Namespace) -> int:
    """Run a satellite until SIGTERM or SIGINT, and return the exit status."""
    memory.use_little()
    config = configuration(args)
    state = state_directory(config)
    prepare_directory(state)
    output = LineWriter(1)
    try:
        with exclusive(state):
            as_json = config.events_json or config.log_format is LogFormat.JSON
            asyncio.run(_Satellite(config, state, Report(output.write, as_json=as_json)).run())
    finally:
        output.close()
    return 0


class _Satellite:
    """The parts of a running satellite."""

    def __init__(self, config: Config, state: Path, report: Report) -> None:
        from .classifier import load_classifier  # noqa: PLC0415 - NumPy and LiteRT only where something runs
        from .clips.keeper import ClipKeeper  # noqa: PLC0415
        from .clips.speech import can_find_talk  # noqa: PLC0415
        from .learning.learner import open_learner  # noqa: PLC0415

        self._config = config
        self._state = state
        self._report = report
        self._classifier: Classifier = load_classifier(config.model)
        self._ears = Ears(config)
        card = self._classifier.card
        self._identity = load_or_create(state)
        self._controllers = Controllers(state / "controllers.json")
        self._window = PairingWindow(self._identity.satellite_id, self._identity.fingerprint)
        self._journal = Journal(
            state / "journal.sqlite3", keep_days=config.keep_days, keep_count=config.keep_detections
        )
        self._journal.keep_controllers([controller.id for controller in self._controllers.all])
        info = Info(
            satellite_id=self._identity.satellite_id,
            name=config.name or default_name(self._identity.satellite_id),
            version=__version__,
            hardware=hardware_name(),
            model_name=card.name,
            model_version=card.version,
            classes=card.classes,
            installation=installation(),
            rooms=self._ears.rooms,
        )
        self._gpsd = (
            Gpsd(config.gpsd.host, config.gpsd.port, self._tell_position) if config.gpsd is not None else None
        )
        self._learner = open_learner(state, self._classifier.card, config.model)
        self._station = Station(
            info,
            self._journal,
            SettingsStore(state / "settings.json", card.classes, clips=can_find_talk()),
            learner=self._learner,
            locate=lambda: locate(config, self._gpsd),
        )
        self._noises = NoiseWatch(
            self._station,
            sensor=config.sensor,
            loud_dbfs=config.loud_dbfs,
            listening=lambda: self._station.settings.listening,
        )
        self._clips = ClipKeeper(
            state / "clips", self._ears.tapes, tell=self._station.announce, utc_now=self._station.utc
        )
        self._unpairing = Unpairing(
            controllers=self._controllers,
            journal=self._journal,
            disconnect=self._disconnect,
            announce_paired=self._announce_paired,
            delete_clips=self._delete_clips,
        )
        self._server: Server | None = None
        self._discovery: Discovery | None = None
        self._port = 0
        self._stop = asyncio.Event()
        self._supervisor = Supervisor()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Start everything, wait for the end, stop everything."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        async with AsyncExitStack() as stack:
            stack.callback(self._journal.close)
            if self._learner is not None:
                stack.callback(self._learner.close)
            stack.push_async_callback(self._station.end)
            learned = None if self._learner is None else self._learner.learned
            self._station.begin(
                loop, self._ears.prepare(self._classifier, self._station.settings, self._noises, learned)
            )
            self._station.subscribe(self._report.message)
            self._station.subscribe(self._clips.on_message)
            self._clips.start(self._station.settings)
            stack.push_async_callback(asyncio.to_thread, self._clips.stop)
            watch = asyncio.create_task(self._noises.run())
            stack.push_async_callback(end_task, watch)
            if self._gpsd is not None:
                stack.push_async_callback(end_task, asyncio.create_task(self._gpsd.run()))
            self._window.subscribe(self._on_pairing)
            self._server = await self._start_server()
            self._station.self_test = self._make_self_test(self._server).run
            commands = CommandServer(self._state, self._local_commands().handlers())
            try:
                await commands.start()
                await self._start_discovery()
                self._ears.start()
                self._later(watch_hearing(self._ears.pipelines, self._station.report))
                self._tell_listening()
                self._supervisor.ready(f"listens to {self._ears.names}")
                self._later(self._supervisor.watch(self._trouble))
                self._later(self._look_at_clock())
                if not self._controllers.all:
                    self._window.open()
                    self._report.pairing(self._window.code or "", self._window.remaining_s)
                memory.give_back()
                await self._until_the_end()
            finally:
                await self._stop_parts(commands)
        self._report.stopped()

    def _tell_position(self) -> None:
        self._station.tell_position()

    async def _start_server(self) -> "Server":
        from .server import ClassifyRoutes, ClipRoutes, Server, UnpairRoute  # noqa: PLC0415

        server = Server(
            self._identity,
            self._station,
            self._controllers,
            self._window,
            services=(
                ClipRoutes(self._clips.store, self._controllers),
                ClassifyRoutes(self._controllers, self._config.model),
                UnpairRoute(self._controllers, self._unpairing.forget),
            ),
            allowed_hosts=self._config.allowed_hosts,
        )
        self._port = await server.start(self._config.port, self._config.bind)
        server.sockets.subscribe(self._report.connection)
        return server

    def _make_self_test(self, server: "Server") -> "SelfTest":
        from .self_test import SelfTest  # noqa: PLC0415

        return SelfTest(
            station=self._station,
            journal=self._journal,
            ears=self._ears.pipelines,
            connected=lambda: tuple(controller.id for controller in server.sockets.connected),
        )

    def _local_commands(self) -> LocalCommands:
        return LocalCommands(
            window=self._window,
            unpairing=self._unpairing,
            report=self._report,
            name=self._station.info.name,
            port=self._port,
            learn_again=self._station.learning.learn_again,
            self_test=self._station.run_self_test,
        )

    async def _start_discovery(self) -> None:
        if not self._config.announce:
            return
        from .discovery import Announcement, Discovery  # noqa: PLC0415

        info = self._station.info
        self._discovery = Discovery(
            Announcement(
                satellite_id=info.satellite_id,
                name=info.name,
                version=info.version,
                model=info.model_name,
                port=self._port,
                paired=bool(self._controllers.all),
                installation=info.installation,
            ),
            addresses=(lambda: tuple(self._config.bind)) if _is_particular(self._config.bind) else None,
        )
        await self._discovery.start()

    async def _until_the_end(self) -> None:
        """Wait for a signal; a recording may be over before, a microphone may not."""
        troubled = 0
        while not self._stop.is_set():
            try:
                async with asyncio.timeout(None if self._ears.all_over else _LOOK_S):
                    await self._stop.wait()
            except TimeoutError:
                # Not at the first look: a computer that was suspended needs a moment to go on.
                troubled = troubled + 1 if (why := self._trouble()) else 0
                if troubled > _TROUBLED_LOOKS and self._station.info.installation in _RESTARTED_WHEN_OVER:
                    raise HearingStoppedError(f"{why}: the satellite ends, to be started again") from None
                if self._ears.look():
                    self._report.source_ended()

    async def _stop_parts(self, commands: CommandServer) -> None:
        self._supervisor.stopping()
        for task in tuple(self._tasks):
            task.cancel()
        self._ears.stop()
        parts = [commands.stop(), asyncio.to_thread(self._ears.join, STOP_S)]
        if self._server is not None:
            parts.append(self._server.stop())
        if self._discovery is not None:
            parts.append(self._discovery.stop())
        tasks = [asyncio.ensure_future(part) for part in parts]
        done, late = await asyncio.wait(tasks, timeout=STOP_S)
        for task in late:
            task.cancel()
        for task in done:
            if (err := task.exception()) is not None:
                _LOGGER.warning("While stopping: %s", err)

    def _trouble(self) -> str | None:
        """Return what only a new start can mend."""
        if not self._journal.alive:
            return "the journal's thread has ended"
        return self._ears.trouble()

    async def _look_at_clock(self) -> None:
        while True:
            self._station.look_at_clock()
            await asyncio.sleep(_LOOK_AT_CLOCK_S)

    def _tell_listening(self) -> None:
        from .addresses import local_addresses  # noqa: PLC0415

        addresses = self._config.bind if _is_particular(self._config.bind) else local_addresses()
        self._report.listening(
            self._station.info, source=self._ears.names, addresses=addresses, port=self._port
        )

    def _on_pairing(self, outcome: Outcome) -> None:
        if outcome is Outcome.PAIRED:
            self._later(self._after_pairing())
        elif outcome is not Outcome.OPENED:
            self._report.pairing_closed(outcome)

    async def _after_pairing(self) -> None:
        # The token is issued right after the window has closed, in the same request.
        await asyncio.sleep(0)
        names = [controller.name for controller in self._controllers.all]
        self._report.paired(names)
        await self._announce_paired(bool(names))

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _disconnect(self, controller_id: str) -> None:
        if self._server is not None:
            await self._server.sockets.disconnect(controller_id)

    async def _announce_paired(self, paired: bool) -> None:
        if self._discovery is not None:
            await self._discovery.set_paired(paired)

    async def _delete_clips(self) -> None:
        """Forget all sound."""
        try:
            await asyncio.to_thread(self._clips.store.delete_all)
        except ClipError as err:
            _LOGGER.error("Clips are left on the disk: %s", err)


def _is_particular(bind: tuple[str, ...]) -> bool:
    return bool(bind) and not any(address in {"0.0.0.0", "::"} for address in bind)  # noqa: S104 - a comparison
