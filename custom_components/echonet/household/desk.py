"""Where everything of the household comes together: what is heard, what is told, what is still owed. Pure.

The runtime asks it, and sends the news that it answers with. It reads no clock and does no I/O, so that what must
always hold of it can be shown by playing thousands of stories.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final

from ..protocol import Detection
from ..times import NEWS_LIMIT
from .all_clear import awaits_all_clear, is_all_clear
from .escalation import Escalation, Plan
from .incident import Acknowledgement, Incident, Place
from .incidents import Change, Incidents
from .kinds import Severity
from .ledger import Ledger
from .news import News
from .policy import LATE_LIMIT, Circumstances, Decision, Policy, Quiet, Telling, Told
from .promises import Promise
from .rules import Rules
from .rungs import Rungs
from .silence import Silences
from .state import State

# For so long the courier tries. What was owed for longer when the household was loaded anew is no news any more.
TRIED_FOR: Final = timedelta(minutes=10)
# A shot is over at once, and where it was heard is still being told.
SETTLED_AFTER: Final = timedelta(seconds=15)


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
        self.incidents.is_needed = self.escalation.rings
        self.ledger = Ledger(state.promises, state.amends)
        self._left_at = state.at
        # Called with the id of each incident that turned out to be another one.
        self.on_absorbed: Callable[[str], None] = lambda _: None
        self._rungs = Rungs(state.rungs)
        self.silences = Silences(state.silences)

    @property
    def state(self) -> State:
        """What to store, so that the next run knows what this one does."""
        return State(
            incidents=tuple(self.incidents),
            told=tuple(self.policy.told.items()),
            covered=self.policy.covered,
            snoozed=tuple(self.policy.snoozed),
            ringing=tuple(self.escalation.ringing.items()),
            promises=tuple(self.ledger.promises),
            amends=tuple(self.ledger.amends),
            rungs=self._rungs.all,
            silences=self.silences.all,
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
            item.over_at is None
            or self.escalation.rings(item.id)
            or awaits_all_clear(item, self.policy.told.get(item.id))
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
            if is_all_clear(incident, self.policy.told.get(incident.id), self.incidents, now):
                self.policy.clear(incident.id)
                news.append(self._amend(incident, Telling.ALL_CLEAR, now))
        return news

    def update(self, incident: Incident, now: datetime) -> list[News]:
        """Return what tells quietly that more is known of an incident, if it was told."""
        told = self.policy.told.get(incident.id)
        if told is None or told.telling is not Telling.NEW or incident.test:
            return []
        return [self._amend(incident, Telling.UPDATE, now)]

    def acknowledge(self, incident_id: str, acknowledgement: Acknowledgement) -> list[News]:
        """Take an answer; the others are told of it quietly. Nothing if there is no such incident."""
        before = self.incidents.get(incident_id)
        change = self.incidents.acknowledge(incident_id, acknowledgement)
        if change is None or before is None:
            return []
        incident = change.incident
        self._settle(incident.id)
        if incident == before or incident.id not in self.policy.told or incident.test:
            return []
        return [self._amend(incident, Telling.UPDATE, acknowledgement.at)]

    def resume(self, circumstances: Circumstances) -> list[News]:
        """Return what recipients are still owed, after a restart, or after the household was loaded anew."""
        now = circumstances.now
        # Nothing can have been missed meanwhile, and what was being tried is tried on.
        handed_over = self._left_at is not None and abs(now - self._left_at) <= NEWS_LIMIT
        for incident_id, ringing in tuple(self.escalation.ringing.items()):
            if now - ringing.last > LATE_LIMIT and not handed_over:
                self._rest(incident_id, Severity.HIGH)
        news: list[News] = []
        for incident_id, promise in self.ledger.promises.take_inherited():
            incident = self.incidents.get(incident_id)
            if incident is None or incident.id != incident_id or promise.kept:
                self.ledger.promises.end(incident_id)
                continue
            decision = self._decide_late(incident, promise, now, handed_over=handed_over)
            news.append(self._owed(incident, decision, promise, now))
            for recipient in promise.waiting or ():
                # What they are told says all that is known.
                self.ledger.amends.keep(incident_id, recipient)
        for incident_id, promise in self.ledger.amends.take_inherited():
            incident = self.incidents.get(incident_id)
            if (
                incident is None
                or incident.id != incident_id
                or promise.kept
                or now - promise.at > LATE_LIMIT
            ):
                self.ledger.amends.end(incident_id)
                continue
            news.append(self._owed(incident, promise.decision, promise, now))
        return news

    def snooze(self, quiet: Quiet, now: datetime) -> list[str]:
        """Tell nothing of a kind for a while; return the ids of the incidents that ring no more because of it."""
        self.policy.snooze(quiet)
        snoozed = [item.id for item in self.incidents if self.policy.is_snoozed(item, now)]
        for incident_id in snoozed:
            self._settle(incident_id)
        return snoozed

    def is_wanted(self, incident_id: str, severity: Severity, now: datetime) -> bool:
        """Tell whether a telling is to go out now: not loudly of what somebody takes care of, or has put off."""
        incident = self.incidents.get(incident_id)
        return (
            incident is None
            or severity is Severity.SILENT
            or not (incident.answered or self.policy.is_snoozed(incident, now))
        )

    @property
    def announced(self) -> list[tuple[Incident, Told]]:
        """The incidents that were told, and how, so that nothing acts on them again."""
        announced = []
        for incident in self.incidents:
            told, promise = self.policy.told.get(incident.id), self.ledger.promises.get(incident.id)
            if told is not None and (promise is None or promise.owed is not None):
                announced.append((incident, told))
        return announced

    def rang(self, incident: Incident, recipient: str, telling: Telling, now: datetime) -> None:
        """Remember that a telling of an incident has reached a recipient, at once or after many attempts."""
        # Old news is no reason to keep quiet about the next one.
        if telling in (Telling.NEW, Telling.ESCALATED) and not incident.test:
            self._rungs.note(recipient, incident.kind, (place.key for place in incident.places), now)

    def _decide(self, changes: list[Change], circumstances: Circumstances) -> list[News]:
        news: list[News] = []
        for change in changes:
            self.policy.absorb(change.incident.id, change.absorbed)
            for other in change.absorbed:
                news += self._absorb(change.incident, other, circumstances.now)
            if change.before is None:
                # It may have been forgotten while its satellite was away, and what was told of it is long ago.
                self.policy.told.pop(change.incident.id, None)
            news += self._tell(change.incident, circumstances)
        if changes:
            self._forget()
        return news

    def _forget(self) -> None:
        known = {incident.id for incident in self.incidents}
        self.ledger.forget_all_but(known)
        for key in self.escalation.ringing.keys() - known:
            del self.escalation.ringing[key]

    def _absorb(self, incident: Incident, other: str, now: datetime) -> list[News]:
        """Take what rings and what is owed of an incident for that of another one that it turned out to be."""
        self.escalation.absorb(incident.id, other)
        promise = self.ledger.promises.absorb(incident.id, other)
        self.ledger.amends.end(other)
        self.on_absorbed(other)
        if incident.answered:
            self._settle(incident.id)
            return []
        if promise is None or promise.kept or promise.owed is None:
            return []
        return [self._owed(incident, promise.decision, promise, now)]

    def _settle(self, incident_id: str) -> None:
        """Owe nobody an incident any more, because somebody takes care of it."""
        self.escalation.end(incident_id)
        self.ledger.promises.end(incident_id)

    def _amend(self, incident: Incident, telling: Telling, now: datetime) -> News:
        """Tell quietly what has become known, and owe that to those who have been told of it."""
        decision = Decision(telling=telling, severity=Severity.SILENT)
        number = self.ledger.make(incident.id, decision, now)
        return News(
            incident=incident, decision=decision, at=now, waves=self._heard_by(incident.id), number=number
        )

    def _owed(self, incident: Incident, decision: Decision, promise: Promise, now: datetime) -> News:
        return News(
            incident=incident,
            decision=decision,
            at=now,
            waves=self._heard_by(incident.id),
            only=promise.waiting,
            without=promise.told,
            parts=promise.parts,
            number=self.ledger.next_number(),
        )

    def _decide_late(
        self, incident: Incident, promise: Promise, now: datetime, *, handed_over: bool
    ) -> Decision:
        """Return how to tell what somebody was owed before."""
        decision, age = promise.decision, now - promise.at
        told = self.policy.told.get(incident.id)
        if told is not None and told.cleared:
            # What is over must be known, and need not tear anybody out of sleep any more.
            return Decision(telling=Telling.ALL_CLEAR, severity=decision.severity.at_most(Severity.HIGH))
        if age <= (TRIED_FOR if handed_over else NEWS_LIMIT):
            return decision
        late = Decision(telling=Telling.LATE, severity=decision.severity.at_most(Severity.HIGH))
        if not handed_over:
            self._rest(incident.id, late.severity)
        return late

    def _tell(self, incident: Incident, circumstances: Circumstances) -> list[News]:
        now = circumstances.now
        first = incident.id not in self.policy.told
        decision = self.policy.decide(incident, self.rules, circumstances)
        if decision is None:
            return []
        if decision.telling is Telling.NEW and decision.severity is Severity.CRITICAL:
            self.escalation.begin(incident.id, now)
        number = self.ledger.make(incident.id, decision, now)
        # What became worse rings for everybody.
        without = self._rung_lately(incident, now) if first else frozenset[str]()
        waves = self._heard_by(incident.id)
        return [
            News(incident=incident, decision=decision, at=now, waves=waves, without=without, number=number)
        ]

    def _rung_lately(self, incident: Incident, now: datetime) -> frozenset[str]:
        if incident.test:
            return frozenset()
        places = [place.key for place in incident.places]
        return self._rungs.lately(incident.kind, places, self.rules.rule(incident.kind).cooldown, now)

    def _ring(self, incident: Incident, now: datetime) -> list[News]:
        # Of hundreds that are remembered, few ring, and counting the recipients takes longer than all the rest.
        if not self.escalation.rings(incident.id):
            return []
        ring = self.escalation.due(incident, self.plan, self.waves_for(incident), now)
        if ring is None:
            return []
        repeat = Decision(telling=Telling.REPEAT, severity=Severity.CRITICAL)
        number = self.ledger.next_number()
        news = [
            News(
                incident=incident,
                decision=repeat,
                at=now,
                waves=ring.waves,
                count=ring.count,
                number=number,
            )
        ]
        if ring.escalated:
            escalated = Decision(telling=Telling.ESCALATED, severity=Severity.CRITICAL)
            self.ledger.promises.extend(incident.id, escalated, now, number)
            news.append(
                News(
                    incident=incident,
                    decision=escalated,
                    at=now,
                    waves=ring.waves + 1,
                    skipped=ring.waves,
                    count=ring.count,
                    number=number,
                )
            )
        return news

    def _rest(self, incident_id: str, severity: Severity) -> None:
        """Take for old news what was told long ago. If it still goes on, its satellite says so, and it rings anew."""
        self.escalation.end(incident_id)
        self.policy.downgrade(incident_id, severity)

    def _heard_by(self, incident_id: str) -> int:
        return self.escalation.waves(incident_id)
