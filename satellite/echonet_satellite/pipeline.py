"""From a source of sound to a listener, in one worker thread, with its health."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .audio import Source
from .classifier import Classifier
from .protocol import AlarmPattern, Health, Level, Phase, Settings, SoundClass


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundEvent:
    """A detection starts, is updated or ends; `onset` is UTC, `id` the same for all events of one detection."""

    id: str
    sound_class: SoundClass
    phase: Phase
    onset: datetime
    confidence: float
    peak_dbfs: float
    duration_s: float
    pattern: AlarmPattern | None = None


class Listener(Protocol):
    """Who is told; called from the pipeline's thread."""

    def on_event(self, event: SoundEvent) -> None:
        """A detection starts, is updated or ends."""

    def on_health(self, health: Health) -> None:
        """The health has changed."""

    def on_level(self, level: Level) -> None:
        """How loud it is, about twice a second."""


class Pipeline:
    """Owns the worker thread. `start` returns at once; the thread ends with `stop`, or when a file is over."""

    def __init__(
        self, source: Source, classifier: Classifier, settings: Settings, listener: Listener
    ) -> None:
        """Prepare; nothing runs yet."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the worker thread."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ask the thread to end, within a second; `join` waits for it."""
        raise NotImplementedError

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of the thread (a file that is over, or `stop`); return whether it has ended."""
        raise NotImplementedError

    def configure(self, settings: Settings) -> None:
        """Change settings, from any thread; while it does not listen, the source is closed."""
        raise NotImplementedError
