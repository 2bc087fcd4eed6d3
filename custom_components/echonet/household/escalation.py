"""Critical incidents ring again until somebody answers, then for the next recipients as well. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .incident import Incident
from .kinds import LASTING


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the household wants to be reminded.

    Attributes:
        interval: the time between two rings; zero rings once only.
        patience: after so many repeats without an answer, the next recipients hear of it as well.
        most: how often it rings again at most, so that an empty house comes to rest.
    """

    interval: timedelta = timedelta(seconds=60)
    patience: int = 3
    most: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Ringing:
    """How often an incident has rung again, when last, how many waves of recipients hear it, and whether it is done."""

    last: datetime
    count: int = 0
    waves: int = 1
    resting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """The next ring: its number, who has heard the ones before, and whether another wave now hears it too."""

    count: int
    waves: int
    escalated: bool


class Escalation:
    """Remembers what rings, and says when it rings next."""

    def __init__(self) -> None:
        """Start in silence."""
        self.ringing: dict[str, Ringing] = {}

    def begin(self, incident_id: str, now: datetime) -> None:
        """Let an incident ring again from now on; one that rings already keeps those who hear it."""
        before = self.ringing.get(incident_id)
        self.ringing[incident_id] = Ringing(last=now, waves=before.waves if before else 1)

    def absorb(self, incident_id: str, other: str) -> None:
        """Let an incident ring as another one did that it turned out to be, unless it rings by itself."""
        theirs, mine = self.ringing.pop(other, None), self.ringing.get(incident_id)
        if theirs is None:
            return
        if mine is None or (mine.resting and not theirs.resting):
            self.ringing[incident_id] = theirs
        else:
            self.ringing[incident_id] = replace(mine, waves=max(mine.waves, theirs.waves))

    def end(self, incident_id: str) -> None:
        """Let an incident ring no more."""
        if (ringing := self.ringing.get(incident_id)) is not None:
            self.ringing[incident_id] = replace(ringing, resting=True)

    def rings(self, incident_id: str) -> bool:
        """Tell whether an incident will ring again."""
        ringing = self.ringing.get(incident_id)
        return ringing is not None and not ringing.resting

    def waves(self, incident_id: str) -> int:
        """Return how many waves of recipients hear of an incident."""
        ringing = self.ringing.get(incident_id)
        return ringing.waves if ringing is not None else 1

    def due(self, incident: Incident, plan: Plan, waves: int, now: datetime) -> Ring | None:
        """Return the ring that is due, None if there is none, and count it.

        Args:
            incident: What rings.
            plan: What the household wants.
            waves: How many waves of recipients there are.
            now: The present time.
        """
        ringing = self.ringing.get(incident.id)
        if ringing is None or ringing.resting:
            return None
        if incident.answered or is_quiet(incident) or not plan.interval or ringing.count >= plan.most:
            self.end(incident.id)
            return None
        if now < ringing.last:
            # The clock was set back: the next ring is not to wait until it is where it was.
            self.ringing[incident.id] = replace(ringing, last=now)
            return None
        if now - ringing.last < plan.interval:
            return None
        count = ringing.count + 1
        escalated = count % plan.patience == 0 and ringing.waves < waves
        self.ringing[incident.id] = Ringing(last=now, count=count, waves=ringing.waves + escalated)
        return Ring(count=count, waves=ringing.waves, escalated=escalated)


def is_quiet(incident: Incident) -> bool:
    """Tell whether the end of an incident says that there is nothing to do any more.

    The end of a shot or of breaking glass does not, nor does it that a satellite is gone: a fire may have burnt it.
    """
    return incident.over_at is not None and incident.kind in LASTING and not incident.lost
