"""All that hears on one satellite: a source of sound and a pipeline for each room, and one network for all of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .config import Config
from .errors import EchonetError
from .noise_watch import NoiseWatch
from .protocol import Settings
from .rooms import Peaks, Pipelines, Rooms
from .watch import hopeless

if TYPE_CHECKING:
    from .audio import Source
    from .classifier import Classifier
    from .learning.learned import Learned
    from .pipeline import Pipeline


class HearingStoppedError(EchonetError):
    """The worker thread has ended by itself."""


class Ears:
    """The sources of all rooms; nothing is heard before `start`."""

    def __init__(self, config: Config) -> None:
        """Choose the sources.

        Raises:
            AudioError: a file is not there; a microphone or a camera is waited for.
        """
        from .audio.choice import choose_source  # noqa: PLC0415 - NumPy only where something runs
        from .clips.tape import Tape  # noqa: PLC0415

        self._sources: dict[str, Source] = {
            source.room: choose_source(source) for source in config.all_sources
        }
        self.tapes: dict[str, Tape] = {room: Tape() for room in self._sources}
        self.pipelines: Mapping[str, Pipeline] = {}
        self._over: set[str] = set()

    @property
    def rooms(self) -> tuple[str, ...]:
        """The names of the rooms; none where there is one source without a room of its own."""
        return tuple(filter(None, self._sources))

    @property
    def names(self) -> str:
        """What a person calls the sources."""
        return ", ".join(
            f"{source.name} ({room})" if room else source.name for room, source in self._sources.items()
        )

    @property
    def all_over(self) -> bool:
        """Whether all of it was recordings, which are over."""
        return len(self._over) == len(self._sources)

    def prepare(
        self, classifier: "Classifier", settings: Settings, noises: NoiseWatch, learned: "Learned | None"
    ) -> Pipelines:
        """Make a hearing for each room, which tells `noises`, and return all of them as one."""
        from .pipeline import Pipeline  # noqa: PLC0415

        rooms = Rooms(noises, tuple(self._sources))
        peaks = Peaks(noises.on_peak)
        self.pipelines = {
            room: Pipeline(
                source,
                classifier.for_another_stream(),
                settings,
                rooms.ear(room),
                learned=learned,
                tape=self.tapes[room],
                on_peak=peaks.of(room) if len(self._sources) > 1 else noises.on_peak,
            )
            for room, source in self._sources.items()
        }
        return Pipelines(tuple(self.pipelines.values()))

    def start(self) -> None:
        """Begin to hear."""
        for pipeline in self.pipelines.values():
            pipeline.start()

    def stop(self) -> None:
        """Ask all threads to end."""
        for pipeline in self.pipelines.values():
            pipeline.stop()

    def join(self, timeout: float) -> None:
        """Wait for the end of all threads, each for so long."""
        for pipeline in self.pipelines.values():
            pipeline.join(timeout)

    def trouble(self) -> str | None:
        """Return what only a new start of the process can mend."""
        return hopeless(self.pipelines)

    def look(self) -> bool:
        """Return whether the last recording has ended since the last look.

        Raises:
            HearingStoppedError: a thread has ended that never should.
        """
        over = {room for room, pipeline in self.pipelines.items() if pipeline.over} - self._over
        if any(self.pipelines[room].kind.value in {"microphone", "stream"} for room in over):
            raise HearingStoppedError(
                "the satellite has stopped hearing: start it again, and report what --verbose says"
            )
        self._over |= over
        return bool(over) and self.all_over
