"""What recipients are owed of all incidents: what they must hear, and what they should see. Pure."""

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import count
from typing import Final

from ..times import NEWS_LIMIT
from .kinds import Severity
from .policy import Decision, Telling
from .promises import Promise, Promises

# What somebody must hear, also if Home Assistant is started anew before they have.
_OWED: Final = frozenset({Telling.NEW, Telling.LATE, Telling.ESCALATED})
# What somebody should see as well: it changes what is told, without a sound.
_AMENDS: Final = frozenset({Telling.UPDATE, Telling.ALL_CLEAR})


class Ledger:
    """`promises` is what must be heard, `amends` what should be seen; the news of both are numbered in one row."""

    def __init__(
        self, promises: Iterable[tuple[str, Promise]] = (), amends: Iterable[tuple[str, Promise]] = ()
    ) -> None:
        """Start with what an earlier run owed."""
        self.promises = Promises(promises)
        self.amends = Promises(amends)
        self._numbers = count(max(self.promises.last, self.amends.last) + 1)

    def next_number(self) -> int:
        """Return a number higher than that of all earlier news."""
        return next(self._numbers)

    def make(self, incident_id: str, decision: Decision, now: datetime) -> int:
        """Owe a telling to everybody, if it is of a kind that is owed, and return the number of its news."""
        number = self.next_number()
        if decision.telling in _OWED:
            self.promises.make(incident_id, decision, now, number)
        elif decision.telling in _AMENDS:
            self.amends.make(incident_id, decision, now, number)
        return number

    def owe(self, incident_id: str, recipients: Collection[str], telling: Telling = Telling.NEW) -> None:
        """Remember whom a telling of an incident is promised to."""
        (self.amends if telling in _AMENDS else self.promises).owe(incident_id, recipients)

    def delivered(
        self,
        incident_id: str,
        recipient: str,
        severity: Severity = Severity.CRITICAL,
        number: int | None = None,
    ) -> None:
        """Remember that a recipient has the news of a number of an incident, and how loudly that was told."""
        self.amends.keep(incident_id, recipient, number)
        promise = self.promises.get(incident_id)
        # What was told without a sound keeps no promise to ring.
        if promise is not None and severity.rank >= promise.decision.severity.at_most(Severity.HIGH).rank:
            self.promises.keep(incident_id, recipient, number)

    def delivered_part(self, incident_id: str, part: str) -> None:
        """Remember by which way a recipient has it, who is still owed it by another one."""
        self.promises.keep_part(incident_id, part)

    def stand_ins(self) -> list[tuple[str, frozenset[str]]]:
        """Return who was told of an incident without being owed it, and so stands in for somebody."""
        return [
            (key, promise.told - promise.owed) for key, promise in self.promises if promise.owed is not None
        ]

    def nobody_reached(self, now: datetime) -> bool:
        """Tell whether something critical was promised for a while, and nobody has it."""
        return any(
            promise.decision.severity is Severity.CRITICAL
            and promise.owed
            and not promise.told
            and now - promise.at > NEWS_LIMIT
            for _, promise in self.promises
        )

    def forget_all_but(self, known: Collection[str]) -> None:
        """Owe nothing of what nobody remembers."""
        self.promises.forget_all_but(known)
        self.amends.forget_all_but(known)
