"""What keeps a house from being heard or told: satellites away, dead microphones, nobody to tell. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from .kinds import Severity


class Trouble(StrEnum):
    """What can be wrong, without any sound that would tell."""

    SATELLITE_AWAY = "satellite_away"
    MICROPHONE_DEAD = "microphone_dead"
    NO_RECIPIENT = "no_recipient"
    NOBODY_REACHED = "nobody_reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """What the household wants to hear of silence: after how long, and how loudly."""

    patience: timedelta = timedelta(minutes=5)
    severity: Severity = Severity.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One trouble; `key` says of what (the entry of a satellite), `name` how people call that."""

    trouble: Trouble
    key: str = ""
    name: str = ""

    @property
    def id(self) -> str:
        """What it is known by: its repair, and its notification."""
        return f"{self.trouble}_{self.key}" if self.key else self.trouble.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at the troubles has brought: those that have lasted too long by now, and those that are over."""

    lasting: tuple[Concern, ...]
    over: tuple[Concern, ...]


class Silences:
    """Remembers since when something is wrong, and says once that it has been for too long."""

    def __init__(self) -> None:
        """Start with nothing wrong."""
        self._since: dict[tuple[Trouble, str], datetime] = {}
        self._told: dict[tuple[Trouble, str], Concern] = {}

    def look(self, present: Mapping[Concern, bool], now: datetime, patience: timedelta) -> Look:
        """Take notice of all that is wrong now.

        Args:
            present: What is wrong; True if that is not to be waited for.
            now: The present time.
            patience: How long anything else may be wrong.
        """
        found = {(concern.trouble, concern.key): concern for concern in present}
        # A clock that was set back must not make anybody wait for longer.
        self._since = {key: min(self._since.get(key, now), now) for key in found}
        lasting = tuple(
            concern
            for key, concern in found.items()
            if key not in self._told and (present[concern] or now - self._since[key] >= patience)
        )
        over = tuple(concern for key, concern in self._told.items() if key not in found)
        self._told = {key: concern for key, concern in self._told.items() if key in found}
        self._told |= {(concern.trouble, concern.key): concern for concern in lasting}
        return Look(lasting=lasting, over=over)
