"""One telling of one incident: whom it concerns, and how. Pure."""

from dataclasses import dataclass
from datetime import datetime

from .incident import Incident
from .policy import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One telling of one incident.

    Attributes:
        incident: what is known of it.
        decision: how it is told.
        at: when that was decided.
        waves: how many waves of recipients hear of it, the first `skipped` of them not.
        skipped: how many waves have been told otherwise.
        count: which repeat it is, 0 if none.
        only: the recipients that are still owed it, None if nobody has been chosen yet.
        without: the recipients who have it, or for whom it has rung of the same thing a moment ago.
        number: higher than that of all earlier news of the household.
        parts: the ways by which somebody has it who is still owed it by another way.
    """

    incident: Incident
    decision: Decision
    at: datetime
    waves: int = 1
    skipped: int = 0
    count: int = 0
    only: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    number: int = 0

    def concerns(self, recipient: str, *, reserve: bool = False) -> bool:
        """Tell whether a recipient is to hear of it: one of the waves that do, or one who stands in for those."""
        return recipient not in self.without and (reserve or self.only is None or recipient in self.only)
