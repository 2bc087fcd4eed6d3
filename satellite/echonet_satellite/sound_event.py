"""What the hearing tells, and whom."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from .frontend import Floats
from .learning.sounds import TaughtEvent
from .protocol import AlarmPattern, Health, Level, Phase, SoundClass


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundEvent:
    """A detection starts, is updated or ends; `onset` is UTC, `id` the same for all events of one detection.

    `room` names where, on a satellite that hears several rooms.
    `embeddings` are what its most telling moments were to the network; only starts and ends have them.
    """

    id: str
    sound_class: SoundClass
    phase: Phase
    onset: datetime
    confidence: float
    peak_dbfs: float
    duration_s: float
    pattern: AlarmPattern | None = None
    room: str = ""
    embeddings: Floats | None = field(default=None, compare=False, repr=False)


class Listener(Protocol):
    """Who is told; called from the pipeline's thread."""

    def on_event(self, event: SoundEvent) -> None:
        """A detection starts, is updated or ends."""

    def on_taught(self, event: TaughtEvent, onset: datetime) -> None:
        """A sound that the home has taught begins or ends."""

    def on_health(self, health: Health) -> None:
        """The health has changed."""

    def on_level(self, level: Level) -> None:
        """What it sounds like, about six times a second while somebody watches."""
