"""Decides whether an incident is told. Pure: the time is passed in.

One rule: everyone hears of every start, at most once per class within the cooldown. The exceptions:

- A test is always told, and never starts a cooldown.
- An incident that was told is told again, silently, when another place hears it or the kind of alarm becomes known.
- What happened while the connection was down is told late if it is less than an hour old; late ones have a cooldown of
  their own, so that old news never holds back fresh news. What is older is only in the logbook.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from ..protocol import SoundClass
from .incidents import Change, Incident

DEFAULT_COOLDOWN = timedelta(seconds=60)
LATE_LIMIT = timedelta(hours=1)
REMEMBERED = 256


class Telling(StrEnum):
    """How an incident is told."""

    NEW = "new"
    UPDATE = "update"
    LATE = "late"
    TEST = "test"


class Policy:
    """Remembers what was told, and decides what comes next."""

    def __init__(self) -> None:
        """Start as if nothing had been told."""
        self._told: dict[str, Telling] = {}
        self._last: dict[tuple[SoundClass, Telling], datetime] = {}

    def decide(self, change: Change, *, late: bool, now: datetime, cooldown: timedelta) -> Telling | None:
        """Return how to tell a change, None if not at all, and remember it as told.

        Args:
            change: What the last detection did to its incident.
            late: Whether the detection was replayed, is over, and is no longer news.
            now: The present time.
            cooldown: How long a class stays quiet after it was told.
        """
        incident = change.incident
        if change.before is not None:
            return self._decide_update(change.before, incident)
        if incident.test:
            telling = Telling.TEST
        elif late:
            telling = Telling.LATE
        else:
            telling = Telling.NEW
        if telling is Telling.LATE and now - incident.onset > LATE_LIMIT:
            return None
        if telling is not Telling.TEST:
            last = self._last.get((incident.sound_class, telling))
            if last is not None and now - last < cooldown:
                return None
            self._last[incident.sound_class, telling] = now
        self._told[incident.id] = telling
        while len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
        return telling

    def _decide_update(self, before: Incident, incident: Incident) -> Telling | None:
        if self._told.get(incident.id) not in (Telling.NEW, Telling.UPDATE):
            return None
        heard_at = {place.satellite_id for place in incident.places}
        was_heard_at = {place.satellite_id for place in before.places}
        if heard_at == was_heard_at and incident.pattern is before.pattern:
            return None
        return Telling.UPDATE
