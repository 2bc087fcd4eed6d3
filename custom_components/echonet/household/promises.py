"""What recipients are owed: which telling of which incident, since when, and who has it already. Pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from .kinds import Severity
from .policy import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One telling of one incident.

    Attributes:
        decision: how it was to be told.
        at: since when it is owed.
        number: the number of the news that it was made with: what was told before that is something else.
        owed: to whom, None if that was not chosen yet.
        told: who has it, also instead of others.
        parts: through which ways somebody has it who has others as well, by which it is still owed.
    """

    decision: Decision
    at: datetime
    number: int = 0
    owed: frozenset[str] | None = None
    told: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()

    @property
    def kept(self) -> bool:
        """Whether everybody has it."""
        return self.owed is not None and self.owed <= self.told

    @property
    def waiting(self) -> frozenset[str] | None:
        """Who is still owed it, None if nobody was chosen yet."""
        return None if self.owed is None else self.owed - self.told


class Promises:
    """The last promise of each incident. Those of an earlier run are inherited: somebody has to begin with them."""

    def __init__(self, promises: Iterable[tuple[str, Promise]] = ()) -> None:
        """Start with those of an earlier run."""
        self._promises = dict(promises)
        self._inherited = list(self._promises)

    def __iter__(self) -> Iterator[tuple[str, Promise]]:
        """Go through all, oldest first."""
        return iter(tuple(self._promises.items()))

    def get(self, incident_id: str) -> Promise | None:
        """Return what is owed of an incident."""
        return self._promises.get(incident_id)

    def take_inherited(self) -> list[tuple[str, Promise]]:
        """Return what an earlier run has owed, and this one has neither kept nor replaced; only once."""
        inherited, self._inherited = self._inherited, []
        return [(key, self._promises[key]) for key in inherited]

    @property
    def last(self) -> int:
        """The number of the latest news that was promised."""
        return max((promise.number for promise in self._promises.values()), default=0)

    def make(self, incident_id: str, decision: Decision, now: datetime, number: int) -> None:
        """Owe a telling to everybody."""
        self.end(incident_id)
        self._promises[incident_id] = Promise(decision=decision, at=now, number=number)

    def extend(self, incident_id: str, decision: Decision, now: datetime, number: int) -> None:
        """Owe a telling to more recipients than before."""
        promise = self._promises.get(incident_id) or Promise(decision=decision, at=now, number=number)
        self._promises[incident_id] = replace(promise, decision=decision, at=now)

    def owe(self, incident_id: str, recipients: Collection[str]) -> None:
        """Remember who is to have it."""
        if (promise := self._promises.get(incident_id)) is not None:
            owed = (promise.owed or frozenset()) | frozenset(recipients)
            self._promises[incident_id] = replace(promise, owed=owed)

    def keep(self, incident_id: str, recipient: str, number: int | None = None) -> None:
        """Remember that somebody has it, or the news of a number; clocks jump, and numbers do not."""
        promise = self._promises.get(incident_id)
        if promise is not None and (number is None or number >= promise.number):
            self._promises[incident_id] = replace(promise, told=promise.told | {recipient})

    def keep_part(self, incident_id: str, part: str) -> None:
        """Remember that somebody has it in one way, and not yet in another."""
        if (promise := self._promises.get(incident_id)) is not None:
            self._promises[incident_id] = replace(promise, parts=promise.parts | {part})

    def end(self, incident_id: str) -> None:
        """Owe nothing of an incident any more."""
        self._promises.pop(incident_id, None)
        if incident_id in self._inherited:
            self._inherited.remove(incident_id)

    def absorb(self, incident_id: str, other: str) -> Promise | None:
        """Owe of an incident also what was owed of another one that it turned out to be; return what that is."""
        theirs, mine = self.get(other), self.get(incident_id)
        self.end(other)
        if theirs is None:
            return None
        if mine is not None:
            decisions = (mine.decision, theirs.decision)
            theirs = replace(
                mine,
                decision=max(decisions, key=_rank),
                at=max(mine.at, theirs.at),
                owed=None if mine.owed is None or theirs.owed is None else mine.owed | theirs.owed,
                # Who has heard of one of them knows of this sound.
                told=mine.told | theirs.told,
                parts=mine.parts | theirs.parts,
            )
        self._promises[incident_id] = theirs
        return theirs

    def forget_all_but(self, known: Collection[str]) -> None:
        """Owe nothing of what nobody remembers."""
        for incident_id in self._promises.keys() - set(known):
            self.end(incident_id)


def _rank(decision: Decision) -> int:
    severity: Severity = decision.severity
    return severity.rank
