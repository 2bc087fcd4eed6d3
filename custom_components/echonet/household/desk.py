"""Where everything of the household comes together: what is heard, what is told, what is still owed. Pure.

The runtime asks it, and sends the news that it answers with. It reads no clock and does no I/O, so that what must
always hold of it can be shown by playing thousands of stories.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ..protocol import Detection
from ..times import NEWS_LIMIT
from .escalation import ALL_CLEAR_AFTER, Escalation, Plan, Ringing, is_quiet
from .incident import Acknowledgement, Incident, Place
from .incidents import Change, Incidents
from .kinds import BENIGN, LASTING, Severity, is_alarm
from .policy import LATE_LIMIT, Circumstances, Covered, Decision, Policy, Quiet, Rules, Telling, Told
from .rungs import Rung, Rungs

# What somebody must hear, also if Home Assistant is started anew before they have.
_OWED: Final = frozenset({Telling.NEW, Telling.LATE, Telling.ESCALATED})
# A shot is over at once, and where it was heard is still being told.
SETTLED_AFTER: Final = timedelta(seconds=15)


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
        only: the recipients that are still owed it, None if nobody has been told yet.
        without: the recipients for whom it has rung of the same thing a moment ago.
    """

    incident: Incident
    decision: Decision
    at: datetime
    waves: int = 1
    skipped: int = 0
    count: int = 0
    only: frozenset[str] | None = None
    without: frozenset[str] = frozenset()

    def concerns(self, recipient: str) -> bool:
        """Tell whether a recipient of the waves that hear of it is to hear of it."""
        return recipient not in self.without and (self.only is None or recipient in self.only)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What recipients are owed of an incident: to whom (None: not chosen yet), and who has it."""

    decision: Decision
    at: datetime
    owed: frozenset[str] | None = None
    told: frozenset[str] = frozenset()

    @property
    def kept(self) -> bool:
        """Whether everybody has it."""
        return self.owed is not None and self.owed <= self.told


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything that must outlive a restart."""

    incidents: tuple[Incident, ...] = ()
    told: tuple[tuple[str, Told], ...] = ()
    covered: tuple[Covered, ...] = ()
    snoozed: tuple[Quiet, ...] = ()
    ringing: tuple[tuple[str, Ringing], ...] = ()
    promises: tuple[tuple[str, Promise], ...] = ()
    rungs: tuple[Rung, ...] = ()


class Desk:
    """See the docstring of the module. `rules`, `plan` and `waves_for` are the owner's, and may change at any time."""

    def __init__(self, state: State | None = None) -> None:
        """Start with the state of an earlier run, or with none."""
        state = state or State()
        self.rules = Rules()
        self.plan = Plan()
        self.waves_for: Callable[[Incident], int] = lambda _: 1
        # Whether what went on then goes on now, only the satellites can say.
        self.incidents = Incidents([incident.suspended() for incident in state.incidents])
        self.policy = Policy(told=dict(state.told), covered=state.covered, snoozed=state.snoozed)
        self.escalation = Escalation()
        self.escalation.ringing = dict(state.ringing)
        self._promises = dict(state.promises)
        self._rungs = Rungs(state.rungs)

    @property
    def state(self) -> State:
        """What to store, so that the next run knows what this one does."""
        return State(
            incidents=tuple(self.incidents),
            told=tuple(self.policy.told.items()),
            covered=self.policy.covered,
            snoozed=tuple(self.policy.snoozed),
            ringing=tuple(self.escalation.ringing.items()),
            promises=tuple(self._promises.items()),
            rungs=self._rungs.all,
        )

    @property
    def current(self) -> Incident | None:
        """The most severe incident that goes on or waits for an answer, the latest of several."""
        waiting = [
            item
            for item in self.incidents
            if item.id in self.policy.told
            and not item.test
            and (item.over_at is None or self.escalation.rings(item.id))
        ]
        return max(
            waiting, key=lambda item: (self.policy.told[item.id].severity.rank, item.onset), default=None
        )

    @property
    def restless(self) -> bool:
        """Whether something may have to be told although nothing more is heard."""
        return any(
            item.over_at is None or self.escalation.rings(item.id) or self._awaits_all_clear(item)
            for item in self.incidents
        )

    def hear(
        self,
        place: Place,
        detection: Detection,
        circumstances: Circumstances,
        *,
        late: bool = False,
        away_since: datetime | None = None,
    ) -> list[News]:
        """Take in a message of a detection."""
        changes = self.incidents.add(place, detection, circumstances.now, late=late, away_since=away_since)
        return self._decide(changes, circumstances)

    def lost(self, satellite_id: str, now: datetime) -> None:
        """Hear that a satellite is not connected any more."""
        self.incidents.lost(satellite_id, now)

    def back(self, place: Place, active: Collection[Detection], circumstances: Circumstances) -> list[News]:
        """Hear what goes on at a satellite."""
        return self._decide(self.incidents.back(place, active, circumstances.now), circumstances)

    def tick(self, circumstances: Circumstances) -> list[News]:
        """Look whether time alone has made something due; to be called every second while `restless`."""
        now = circumstances.now
        news = self._decide(self.incidents.expire(now), circumstances)
        for incident in self.incidents:
            if incident.over_at is None or now - incident.over_at < SETTLED_AFTER:
                news += self._tell(incident, circumstances)
            news += self._ring(incident, now)
            if self._is_all_clear(incident, now):
                self.policy.clear(incident.id)
                decision = Decision(telling=Telling.ALL_CLEAR, severity=Severity.SILENT)
                news.append(
                    News(incident=incident, decision=decision, at=now, waves=self._heard_by(incident.id))
                )
        return news

    def update(self, incident: Incident, now: datetime) -> list[News]:
        """Return what tells quietly that more is known of an incident, if it was told."""
        told = self.policy.told.get(incident.id)
        if told is None or told.telling is not Telling.NEW or incident.test:
            return []
        decision = Decision(telling=Telling.UPDATE, severity=Severity.SILENT)
        return [News(incident=incident, decision=decision, at=now, waves=self._heard_by(incident.id))]

    def acknowledge(self, incident_id: str, acknowledgement: Acknowledgement) -> list[News]:
        """Take an answer; the others are told of it quietly. Nothing if there is no such incident."""
        change = self.incidents.acknowledge(incident_id, acknowledgement)
        if change is None:
            return []
        waves = self._heard_by(change.incident.id)
        self.escalation.end(change.incident.id)
        self._promises.pop(change.incident.id, None)
        if change.incident.id not in self.policy.told or change.incident.test:
            return []
        decision = Decision(telling=Telling.UPDATE, severity=Severity.SILENT)
        return [News(incident=change.incident, decision=decision, at=acknowledgement.at, waves=waves)]

    def resume(self, circumstances: Circumstances) -> list[News]:
        """Return what recipients are still owed, after a restart."""
        news = []
        for incident_id, ringing in tuple(self.escalation.ringing.items()):
            if circumstances.now - ringing.last > LATE_LIMIT:
                self._rest(incident_id, Severity.HIGH)
        for incident_id, promise in tuple(self._promises.items()):
            incident = self.incidents.get(incident_id)
            if incident is None or incident.id != incident_id or promise.kept:
                del self._promises[incident_id]
                continue
            decision = promise.decision
            if circumstances.now - promise.at > NEWS_LIMIT:
                decision = Decision(telling=Telling.LATE, severity=decision.severity.at_most(Severity.HIGH))
                self._rest(incident.id, decision.severity)
            only = None if promise.owed is None else promise.owed - promise.told
            news.append(
                News(
                    incident=incident,
                    decision=decision,
                    at=circumstances.now,
                    waves=self._heard_by(incident.id),
                    only=only,
                )
            )
        return news

    def snooze(self, quiet: Quiet) -> None:
        """Tell nothing of a kind for a while."""
        self.policy.snooze(quiet)

    def owe(self, incident_id: str, recipients: Collection[str]) -> None:
        """Remember whom an incident is promised to."""
        if (promise := self._promises.get(incident_id)) is not None:
            owed = (promise.owed or frozenset()) | frozenset(recipients)
            self._promises[incident_id] = replace(promise, owed=owed)

    def delivered(self, incident_id: str, recipient: str) -> None:
        """Remember that a recipient has what was promised."""
        if (promise := self._promises.get(incident_id)) is not None:
            self._promises[incident_id] = replace(promise, told=promise.told | {recipient})

    def rang(self, incident: Incident, recipient: str, telling: Telling, now: datetime) -> None:
        """Remember that a telling of an incident has reached a recipient, at once or after many attempts."""
        # Old news is no reason to keep quiet about the next one.
        if telling in (Telling.NEW, Telling.ESCALATED) and not incident.test:
            self._rungs.note(recipient, incident.kind, (place.key for place in incident.places), now)

    def nobody_reached(self, now: datetime) -> bool:
        """Tell whether something critical was promised for a while, and nobody has it."""
        return any(
            promise.decision.severity is Severity.CRITICAL
            and promise.owed
            and not promise.told
            and now - promise.at > NEWS_LIMIT
            for promise in self._promises.values()
        )

    def _decide(self, changes: list[Change], circumstances: Circumstances) -> list[News]:
        news: list[News] = []
        for change in changes:
            self.policy.absorb(change.incident.id, change.absorbed)
            for other in change.absorbed:
                self.escalation.ringing.pop(other, None)
                self._promises.pop(other, None)
            if change.before is None:
                # It may have been forgotten while its satellite was away, and what was told of it is long ago.
                self.policy.told.pop(change.incident.id, None)
            news += self._tell(change.incident, circumstances)
        if changes:
            self._forget()
        return news

    def _forget(self) -> None:
        known = {incident.id for incident in self.incidents}
        for book in (self._promises, self.escalation.ringing):
            for key in book.keys() - known:
                del book[key]

    def _tell(self, incident: Incident, circumstances: Circumstances) -> list[News]:
        now = circumstances.now
        first = incident.id not in self.policy.told
        decision = self.policy.decide(incident, self.rules, circumstances)
        if decision is None:
            return []
        if decision.telling is Telling.NEW and decision.severity is Severity.CRITICAL:
            self.escalation.begin(incident.id, now)
        if decision.telling in _OWED:
            self._promises[incident.id] = Promise(decision=decision, at=now)
        # What became worse rings for everybody.
        without = self._rung_lately(incident, now) if first else frozenset[str]()
        waves = self._heard_by(incident.id)
        return [News(incident=incident, decision=decision, at=now, waves=waves, without=without)]

    def _rung_lately(self, incident: Incident, now: datetime) -> frozenset[str]:
        if incident.test:
            return frozenset()
        places = [place.key for place in incident.places]
        return self._rungs.lately(incident.kind, places, self.rules.rule(incident.kind).cooldown, now)

    def _ring(self, incident: Incident, now: datetime) -> list[News]:
        ring = self.escalation.due(incident, self.plan, self.waves_for(incident), now)
        if ring is None:
            return []
        repeat = Decision(telling=Telling.REPEAT, severity=Severity.CRITICAL)
        news = [News(incident=incident, decision=repeat, at=now, waves=ring.waves, count=ring.count)]
        if ring.escalated:
            escalated = Decision(telling=Telling.ESCALATED, severity=Severity.CRITICAL)
            told = self._promises.get(incident.id)
            self._promises[incident.id] = (
                Promise(decision=escalated, at=now)
                if told is None
                else replace(told, decision=escalated, at=now)
            )
            news.append(
                News(
                    incident=incident,
                    decision=escalated,
                    at=now,
                    waves=ring.waves + 1,
                    skipped=ring.waves,
                    count=ring.count,
                )
            )
        return news

    def _rest(self, incident_id: str, severity: Severity) -> None:
        """Take for old news what was told long ago. If it still goes on, its satellite says so, and it rings anew."""
        self.escalation.end(incident_id)
        self.policy.downgrade(incident_id, severity)

    def _heard_by(self, incident_id: str) -> int:
        return self.escalation.waves(incident_id)

    def _awaits_all_clear(self, incident: Incident) -> bool:
        told = self.policy.told.get(incident.id)
        return (
            told is not None
            and told.telling is Telling.NEW
            and not told.cleared
            and incident.kind in LASTING
            and not incident.lost
            and not (incident.acknowledgement is not None and incident.acknowledgement.false_alarm)
        )

    def _is_all_clear(self, incident: Incident, now: datetime) -> bool:
        if not self._awaits_all_clear(incident) or not is_quiet(incident):
            return False
        assert incident.over_at is not None
        if now - incident.over_at < ALL_CLEAR_AFTER:
            return False
        # Nobody is told that it is over while an alarm that was not told by itself goes on there.
        here = {place.key for place in incident.places}
        return not any(
            other.over_at is None
            and other.sound_class is incident.sound_class
            and not (is_alarm(other.kind) and other.kind in BENIGN)
            and not here.isdisjoint(place.key for place in other.places)
            for other in self.incidents
        )
