"""What keeps a house from being heard or told: satellites away, dead microphones, nobody to tell. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
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
class Silence:
    """A trouble: since when it is so, whether it was told, and which recipients have heard of it."""

    concern: Concern
    since: datetime
    told: bool = False
    reached: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at the troubles has brought.

    Attributes:
        lasting: those that have lasted too long by now.
        known: those that were told before, and are still so.
        over: those that were told, and are over.
    """

    lasting: tuple[Concern, ...]
    known: tuple[Concern, ...]
    over: tuple[Concern, ...]


class Silences:
    """Remembers since when something is wrong, and says once that it has been for too long."""

    def __init__(self, silences: Iterable[Silence] = ()) -> None:
        """Start with what an earlier run knew to be wrong."""
        self._silences = {_key(item.concern): item for item in silences}

    @property
    def all(self) -> tuple[Silence, ...]:
        """What is wrong."""
        return tuple(self._silences.values())

    def look(self, present: Mapping[Concern, bool], now: datetime, patience: timedelta) -> Look:
        """Take notice of all that is wrong now.

        Args:
            present: What is wrong; True if that is not to be waited for.
            now: The present time.
            patience: How long anything else may be wrong.
        """
        before, self._silences = self._silences, {}
        lasting: list[Concern] = []
        for concern, at_once in present.items():
            silence = before.pop(_key(concern), None) or Silence(concern=concern, since=now)
            # A clock that was set back must not make anybody wait for longer.
            silence = replace(silence, since=min(silence.since, now))
            if not silence.told and (at_once or now - silence.since >= patience):
                silence = replace(silence, concern=concern, told=True)
                lasting.append(concern)
            self._silences[_key(concern)] = silence
        return Look(
            lasting=tuple(lasting),
            known=tuple(item.concern for item in self.all if item.told and item.concern not in lasting),
            over=tuple(item.concern for item in before.values() if item.told),
        )

    def reach(self, concern: Concern, recipient: str) -> None:
        """Remember that a recipient has heard of it."""
        if (silence := self._silences.get(_key(concern))) is not None:
            self._silences[_key(concern)] = replace(silence, reached=silence.reached | {recipient})

    def reached(self, concern: Concern) -> frozenset[str]:
        """Return which recipients have heard of it."""
        silence = self._silences.get(_key(concern))
        return silence.reached if silence is not None else frozenset()


def _key(concern: Concern) -> tuple[Trouble, str]:
    return (concern.trouble, concern.key)
