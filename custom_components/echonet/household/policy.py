"""Decides whether an incident is told, and how loudly. Pure: the time and who is at home are passed in.

Everyone hears of every incident that counts now. What holds one back is its rule, its cooldown in these rooms, and a
snooze. Three things are stronger:

- What becomes critical rings as new, whatever was told of it before or shortly before of something like it.
- A guess never lowers the severity. Only an alarm clock that was heard for several cycles is less than an alarm.
- What is held back is looked at again whenever something changes, and when the cooldown ends while it still goes on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from ..times import NEWS_LIMIT
from .incident import Incident
from .kinds import BENIGN, DANGER, UNMUTABLE, AlertKind, Severity
from .rules import Rules, When

LATE_LIMIT: Final = timedelta(hours=1)
# A kind or a number of rooms that flips to and fro must not make a phone buzz for each turn.
UPDATE_SPACING: Final = timedelta(seconds=10)
# In which rooms it is heard, people must know before they are on their way.
QUICK_UPDATES: Final = 3
QUICK_SPACING: Final = timedelta(seconds=1)
MAX_UPDATES: Final = 10
# More than there are incidents, so that none is told anew because it was forgotten.
REMEMBERED: Final = 1024


class Telling(StrEnum):
    """How an incident is told."""

    NEW = "new"
    UPDATE = "update"
    REPEAT = "repeat"
    ESCALATED = "escalated"
    ALL_CLEAR = "all_clear"
    LATE = "late"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What it depends on, besides the incident: the time (also as the household reads it), and who is at home."""

    now: datetime
    local: time
    away: bool = False
    armed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How an incident is to be told."""

    telling: Telling
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was told of an incident: the loudest so far, the last kind and places, and how many updates when."""

    telling: Telling
    severity: Severity
    kind: AlertKind
    places: frozenset[str]
    updated_at: datetime | None = None
    updates: int = 0
    cleared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """When a kind was last told of a place, as news or late."""

    kind: AlertKind
    place: str
    late: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """What is not told until then: a kind, in one place or (None) everywhere."""

    kind: AlertKind
    place: str | None
    until: datetime


class Policy:
    """Remembers what was told, and decides what comes next."""

    def __init__(
        self,
        told: Mapping[str, Told] | None = None,
        covered: Iterable[Covered] = (),
        snoozed: Iterable[Quiet] = (),
    ) -> None:
        """Start with what was told by an earlier run, or as if nothing had been told."""
        self.told = dict(told or {})
        self.snoozed = list(snoozed)
        self._covered = {(item.kind, item.place, item.late): item for item in covered}

    @property
    def covered(self) -> tuple[Covered, ...]:
        """What was told last of each kind and place."""
        return tuple(self._covered.values())

    def decide(self, incident: Incident, rules: Rules, circumstances: Circumstances) -> Decision | None:
        """Return how to tell an incident as it is now, None if not at all, and remember it as told.

        Args:
            incident: What is known of it.
            rules: What the household wants.
            circumstances: What else it depends on.
        """
        told = self.told.get(incident.id)
        if incident.test:
            if told is not None:
                return None
            severity = rules.rule(incident.kind).severity
            if any(item.detection.replayed for item in incident.observations):
                # Who has asked for it does not wait any more.
                severity = severity.at_most(Severity.NORMAL)
            return self._remember(incident, Telling.TEST, severity, circumstances)
        late = incident.late or _is_stale(incident, circumstances.now)
        severity = severity_of(incident, rules)
        if told is not None:
            return self._decide_again(incident, told, severity, rules, circumstances, late=late)
        if incident.answered or not incident.begun or not self._counts(incident, rules, circumstances):
            return None
        if self._is_covered(incident, rules, circumstances.now, late=late):
            return None
        if late:
            if circumstances.now - (incident.over_at or incident.onset) > LATE_LIMIT:
                return None
            # Old news must not tear anybody out of sleep.
            return self._remember(incident, Telling.LATE, severity.at_most(Severity.HIGH), circumstances)
        return self._remember(incident, Telling.NEW, _hushed(severity, rules, circumstances), circumstances)

    def snooze(self, quiet: Quiet) -> None:
        """Tell nothing of a kind for a while; smoke and carbon monoxide alarms are told whatever somebody wishes."""
        if quiet.kind in UNMUTABLE:
            return
        self.snoozed = [
            item
            for item in self.snoozed
            # What is said of everywhere is said of each place, too, so that an end is an end.
            if item.kind is not quiet.kind or (quiet.place is not None and item.place != quiet.place)
        ]
        self.snoozed.append(quiet)

    def is_snoozed(self, incident: Incident, now: datetime) -> bool:
        """Tell whether nobody wants to hear of something like this now, wherever it is heard."""
        self.snoozed = [item for item in self.snoozed if item.until > now]
        snoozed = {item.place for item in self.snoozed if item.kind is incident.kind}
        return None in snoozed or _keys(incident) <= snoozed

    def clear(self, incident_id: str) -> None:
        """Remember that people were told that an incident is over."""
        self.told[incident_id] = replace(self.told[incident_id], cleared=True)

    def downgrade(self, incident_id: str, severity: Severity) -> None:
        """Remember that an incident was told late, and no louder than that."""
        if (told := self.told.get(incident_id)) is not None:
            self.told[incident_id] = replace(told, telling=Telling.LATE, severity=severity)

    def absorb(self, incident_id: str, absorbed: tuple[str, ...]) -> None:
        """Take what was told of incidents as told of the one that they turned out to be."""
        for other in absorbed:
            told = self.told.pop(other, None)
            mine = self.told.get(incident_id)
            if told is None:
                continue
            self.told[incident_id] = (
                told
                if mine is None
                else replace(
                    mine, severity=mine.severity.at_least(told.severity), places=mine.places | told.places
                )
            )

    def _decide_again(
        self,
        incident: Incident,
        told: Told,
        severity: Severity,
        rules: Rules,
        circumstances: Circumstances,
        *,
        late: bool,
    ) -> Decision | None:
        changed = incident.kind is not told.kind
        late = late or (told.telling is Telling.LATE and incident.over_at is not None)
        severity = _hushed(severity, rules, circumstances)
        worse = (incident.kind in DANGER and told.kind in BENIGN) or (
            incident.acknowledgement is not None and not incident.answered
        )
        louder = severity.rank > told.severity.rank and (changed or severity is Severity.CRITICAL)
        if not late and not incident.answered and ((changed and worse) or louder):
            if not self._counts(incident, rules, circumstances):
                return None
            return self._remember(incident, Telling.NEW, severity, circumstances)
        if told.telling is Telling.LATE and not (changed and incident.kind in DANGER):
            return None
        another_room = not _keys(incident) <= told.places
        if not changed and not another_room:
            return None
        now = circumstances.now
        spacing = QUICK_SPACING if another_room and told.updates < QUICK_UPDATES else UPDATE_SPACING
        if told.updates >= MAX_UPDATES or (
            told.updated_at is not None and timedelta(0) <= now - told.updated_at < spacing
        ):
            return None
        return self._remember(incident, Telling.UPDATE, Severity.SILENT, circumstances)

    def _counts(self, incident: Incident, rules: Rules, circumstances: Circumstances) -> bool:
        """Tell whether the household wants to hear of it now."""
        rule = rules.rule(incident.kind)
        if incident.confidence < rule.least_confidence or len(_keys(incident)) < rule.rooms:
            return False
        counts = {
            When.ALWAYS: True,
            When.AWAY: circumstances.away,
            When.ARMED: circumstances.armed,
            When.NIGHT: circumstances.local in rules.night,
            When.DAY: circumstances.local not in rules.night,
            When.NEVER: False,
        }
        if not counts[rule.when]:
            return False
        return not self.is_snoozed(incident, circumstances.now)

    def _is_covered(self, incident: Incident, rules: Rules, now: datetime, *, late: bool) -> bool:
        """Tell whether the same thing was told in all of these places a moment ago."""
        cooldown = rules.rule(incident.kind).cooldown
        until = min(now, incident.over_at or now)
        for place in _keys(incident):
            last = self._covered.get((incident.kind, place, late))
            # A clock that was set back must not keep anybody quiet for longer.
            if last is None or not (last.at <= now and until - last.at < cooldown):
                return False
        return True

    def _remember(
        self, incident: Incident, telling: Telling, severity: Severity, circumstances: Circumstances
    ) -> Decision:
        now = circumstances.now
        before = self.told.pop(incident.id, None)
        again = telling is Telling.UPDATE
        places = _keys(incident) | (before.places if before else frozenset())
        self.told[incident.id] = Told(
            telling=before.telling if before and again else telling,
            severity=severity if before is None else before.severity.at_least(severity),
            kind=incident.kind,
            places=places,
            updated_at=now if again else (before.updated_at if before else None),
            updates=(before.updates if before else 0) + again,
        )
        if telling is not Telling.TEST:
            for place in places:
                covered = Covered(kind=incident.kind, place=place, late=telling is Telling.LATE, at=now)
                key = (covered.kind, covered.place, covered.late)
                self._covered.pop(key, None)
                self._covered[key] = covered
        while len(self.told) > REMEMBERED:
            del self.told[next(iter(self.told))]
        while len(self._covered) > REMEMBERED:
            del self._covered[next(iter(self._covered))]
        return Decision(telling=telling, severity=severity)


def severity_of(incident: Incident, rules: Rules) -> Severity:
    """Return how loudly an incident is to be told, by what it is for certain."""
    severity = rules.rule(incident.kind).severity
    if incident.kind in BENIGN and not incident.certain:
        return severity.at_least(rules.rule(AlertKind.ALARM).severity)
    return severity


def _is_stale(incident: Incident, now: datetime) -> bool:
    return incident.over_at is not None and now - incident.over_at > NEWS_LIMIT


def _hushed(severity: Severity, rules: Rules, circumstances: Circumstances) -> Severity:
    """In quiet hours what is only normal makes no sound."""
    if circumstances.local in rules.quiet and severity is Severity.NORMAL:
        return Severity.SILENT
    return severity


def _keys(incident: Incident) -> frozenset[str]:
    return frozenset(place.key for place in incident.places)
