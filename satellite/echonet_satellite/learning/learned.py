"""What the hearing asks in every step: what is no alarm, and which sounds are taught. Replaced from any thread."""

from collections.abc import Sequence
from typing import Final

from ..frontend import Floats
from ..track import SUSPICION
from .lessons import Quiet
from .recorder import Recorder
from .reference import Reference
from .sounds import Listening, Sound, TaughtEvent

# A chirp is decided a fixed time after it sounded, so the same chirp gives the same steps each time.
_CHIRP_STEPS: Final = 3


class Learned:
    """The lessons and taught sounds of a home as they are now; without any, everything is heard and nothing more."""

    def __init__(self, quiet: Quiet | None = None) -> None:
        """Begin with these lessons."""
        self._quiet = quiet
        self.recorder = Recorder()
        self._taught: tuple[Reference, tuple[Sound, ...]] | None = None

    def replace(self, quiet: Quiet | None) -> None:
        """Ask these lessons from the next step on."""
        self._quiet = quiet

    def replace_sounds(self, reference: Reference, sounds: Sequence[Sound]) -> None:
        """Listen for these sounds from the next step on."""
        self._taught = (reference, tuple(sounds))

    def silences(self, row: Sequence[float], embedding: Floats) -> list[int]:
        """Return which classes of a row only hear what was no alarm."""
        return [] if self._quiet is None else self._quiet.silences(row, embedding, SUSPICION)

    def no_chirp(self, recent: Sequence[Floats]) -> bool:
        """Tell whether what sounds like an empty battery was no alarm before; the newest embedding comes last."""
        return self._quiet is not None and self._quiet.knows_alarm(recent[-_CHIRP_STEPS:])

    def recognise(self, listening: Listening, embedding: Floats) -> list[TaughtEvent]:
        """Return which taught sounds begin and end with a step."""
        if self._taught is None:
            return []
        reference, sounds = self._taught
        if not sounds and not listening.active:
            return []
        return listening.push(sounds, reference.place(embedding))
