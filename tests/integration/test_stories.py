"""Random stories of a household: satellites die, clocks jump, sounds overlap, recipients fail, Home Assistant restarts.

ECHONET_STORIES=1000 plays so many; without it there are few, so that the suite stays quick.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
import os
from typing import Any, override

from hypothesis import HealthCheck, Phase as Stage, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
import pytest

from custom_components.echonet.delivery import Delivery, Done
from custom_components.echonet.household.desk import Desk
from custom_components.echonet.household.escalation import Plan
from custom_components.echonet.household.incident import Incident, Place
from custom_components.echonet.household.kinds import BENIGN, DANGER, AlertKind, Severity, kind_of
from custom_components.echonet.household.news import News
from custom_components.echonet.household.policy import Telling
from custom_components.echonet.household.rules import DEFAULT_RULES
from custom_components.echonet.household.storage import loaded, stored
from custom_components.echonet.protocol import AlarmPattern, Detection, Phase, SoundClass, Welcome
from custom_components.echonet.reports import DetectionReport
from custom_components.echonet.times import is_late, settle_onset
from tests.integration.desks import Household
from tests.integration.sounds import HALL, KITCHEN, SHED, sound

STORIES = int(os.environ.get("ECHONET_STORIES", "25"))
# To shrink a story may take minutes; it is worth it only where somebody waits for it.
PHASES = [Stage.explicit, Stage.generate] + ([Stage.shrink] if "ECHONET_SHRINK" in os.environ else [])
INTERVAL = timedelta(seconds=60)
# What is said of cooldowns is checked between two jumps of the clock.
MAX_JUMPS = 2
COOLDOWN = timedelta(seconds=60)
WAVES = ("anna", "ben")
PLAN = Plan(interval=INTERVAL, patience=2, most=5)
PROMISED = frozenset({Telling.NEW, Telling.LATE, Telling.ESCALATED})
LOUD = frozenset({Telling.NEW, Telling.LATE, Telling.REPEAT, Telling.ESCALATED})
WELCOME = Welcome(
    satellite_id="a" * 32,
    name="Hallway",
    version="1",
    hardware="Pi",
    model_name="echonet",
    model_version="1",
    classes=tuple(SoundClass),
)

CRITICAL = [SoundClass.ALARM, SoundClass.GUNSHOT, SoundClass.GLASS_BREAK, SoundClass.SCREAM]
SOUNDS = [*CRITICAL, SoundClass.DOG, SoundClass.BABY_CRY]
KEYS = st.sampled_from([KITCHEN.key, HALL.key, SHED.key])


@dataclass(frozen=True)
class Something:
    """What may happen at a satellite."""

    key: str
    sound_class: SoundClass
    pattern: AlarmPattern
    confidence: float
    then: str


SOMETHING = st.builds(
    Something,
    key=KEYS,
    sound_class=st.sampled_from(SOUNDS),
    pattern=st.sampled_from(list(AlarmPattern)),
    confidence=st.sampled_from([0.5, 0.9]),
    then=st.sampled_from(["turns", "twice", "ends", "absurd"]),
)


@dataclass
class Truth:
    """A sound as it really is: what was said of it, and until when its satellite was heard to hear it."""

    place: Place
    start: Detection
    onset: datetime
    kind: AlertKind
    told_kinds: list[AlertKind] = field(default_factory=list)
    arrived: bool = False
    too_old: bool = False
    heard_until: datetime | None = None
    jumps: int = 0

    @property
    def id(self) -> str:
        return self.start.id


@dataclass
class Ears:
    """A satellite: its clock, whether it is connected, and what Home Assistant has not acknowledged."""

    place: Place
    delivery: Delivery
    offset: timedelta = timedelta(0)
    away_since: datetime | None = None
    connected: bool = True
    sequence: int = 0
    journal: list[tuple[Truth, Detection]] = field(default_factory=list)
    sounds: dict[SoundClass, Truth] = field(default_factory=dict)

    def forget(self) -> None:
        """Forget what Home Assistant has acknowledged."""
        settled = self.delivery.settled
        self.journal = [item for item in self.journal if item[1].sequence > settled]


@dataclass
class Heard:
    """What reached a recipient; `forgotten` if Home Assistant was killed before it could store that."""

    news: News
    telling: Telling
    at: datetime
    jumps: int
    forgotten: bool = False


def as_loud_as(news: News, before: News | None) -> News:
    """As the courier does: what comes later takes the place of what was not delivered, and is as loud."""
    if before is None or before.decision.severity.rank <= news.decision.severity.rank:
        return news
    if news.decision.telling is Telling.ALL_CLEAR:
        severity = before.decision.severity.at_most(Severity.HIGH)
        return replace(news, decision=replace(news.decision, severity=severity))
    return replace(news, decision=before.decision)


def count_waves(_: Incident) -> int:
    """How many recipients there are, one after the other."""
    return len(WAVES)


class Stories(RuleBasedStateMachine):
    """Whatever happens: nothing raises, what is critical is told, and nobody is told the same thing twice."""

    @initialize(what=st.lists(SOMETHING, min_size=1, max_size=3))
    def begin(self, what: list[Something]) -> None:
        self.home = Household()
        self.home.desk.plan, self.home.desk.waves_for = PLAN, count_waves
        self.ears = {place.key: Ears(place, self.new_delivery()) for place in (KITCHEN, HALL, SHED)}
        self.waiting_for_the_disk: list[Done] = []
        self.on_disk = self.put_down()
        self.since_stored: list[Heard] = []
        self.rings: list[tuple[News, int]] = []
        self.started = self.now
        self.truths: list[Truth] = []
        self.emitted: list[News] = []
        self.failing: set[str] = set()
        self.waiting: dict[tuple[str, str], News] = {}
        self.heard: dict[str, list[Heard]] = {name: [] for name in WAVES}
        self.answered: set[str] = set()
        self.jumps = 0
        for each in what:
            self.happens(each)

    @property
    def now(self) -> datetime:
        return self.home.circumstances.now

    # What sounds. Two rules of the same: Hypothesis leaves some out of each story, and one without a sound is none.

    @rule(what=SOMETHING)
    def sounds(self, what: Something) -> None:
        self.happens(what)

    @rule(what=SOMETHING)
    def sounds_too(self, what: Something) -> None:
        self.happens(what)

    def happens(self, what: Something) -> None:
        """Begin a sound; where it goes on already, let it turn out to be something, be said twice, or end."""
        ears = self.ears[what.key]
        truth = ears.sounds.get(what.sound_class)
        if truth is None:
            self.begins(ears, what)
        elif what.then == "twice" and truth.arrived and ears.connected:
            self.arrives(ears, truth, replace(truth.start, phase=Phase.START))
        elif what.then == "turns" and what.sound_class is SoundClass.ALARM:
            self.turns_out_to_be(ears, truth, what.pattern)
        else:
            self.ends(ears, truth, absurd=what.then == "absurd")

    def begins(self, ears: Ears, what: Something) -> None:
        # Before it was heard for a while, only the exact rhythms of smoke and carbon monoxide can be known.
        known = what.sound_class is SoundClass.ALARM and what.pattern in (AlarmPattern.T3, AlarmPattern.T4)
        pattern = what.pattern if known else None
        start = sound(
            what.sound_class,
            onset=self.now + ears.offset,
            pattern=pattern,
            confidence=what.confidence,
        )
        truth = Truth(
            place=ears.place,
            start=start,
            onset=self.now,
            kind=kind_of(what.sound_class, pattern),
            jumps=self.jumps,
        )
        ears.sounds[what.sound_class] = truth
        self.truths.append(truth)
        self.says(ears, truth, start)

    def turns_out_to_be(self, ears: Ears, truth: Truth, pattern: AlarmPattern) -> None:
        truth.start = replace(truth.start, pattern=pattern)
        kind = kind_of(SoundClass.ALARM, pattern)
        if not (truth.kind in DANGER and DANGER.get(kind, 0) <= DANGER[truth.kind]):
            truth.kind = kind
        self.says(ears, truth, replace(truth.start, phase=Phase.UPDATE))

    def ends(self, ears: Ears, truth: Truth, *, absurd: bool) -> None:
        del ears.sounds[truth.start.sound_class]
        duration = 1e12 if absurd else max(0.0, (self.now - truth.onset).total_seconds())
        self.says(ears, truth, replace(truth.start, phase=Phase.END, duration_s=duration))

    def says(self, ears: Ears, truth: Truth, detection: Detection) -> None:
        ears.sequence += 1
        detection = replace(detection, sequence=ears.sequence)
        ears.journal.append((truth, detection))
        if ears.connected:
            self.arrives(ears, truth, detection)

    def arrives(self, ears: Ears, truth: Truth, detection: Detection) -> None:
        now, away_since = self.now, ears.away_since
        ongoing = truth in ears.sounds.values()
        moment = settle_onset(detection, now, away_since=away_since)
        late = is_late(detection, moment, now, ongoing=ongoing, away_since=away_since)
        if not truth.arrived:
            truth.arrived = True
            truth.too_old = late and now - moment.onset > timedelta(minutes=59)
        truth.told_kinds.append(kind_of(detection.sound_class, detection.pattern))
        ears.delivery.take(
            DetectionReport(
                device_id=ears.place.key,
                welcome=WELCOME,
                welcomed_at=now,
                detection=detection,
                late=late,
                away_since=away_since,
            )
        )
        ears.forget()

    def new_delivery(self) -> Delivery:
        """What Home Assistant has of the code between a connection and the household."""

        def hear(report: DetectionReport) -> Callable[[Done], None]:
            place = self.ears[report.device_id].place
            how = {"late": report.late, "away_since": report.away_since}
            self.tells(self.home.hears(place, report.detection, **how))
            return self.waiting_for_the_disk.append

        delivery = Delivery("A satellite", lambda: self.home.at)
        delivery.subscribe(hear)
        return delivery

    # What fails.

    @rule(key=KEYS)
    def satellite_dies_or_comes_back(self, key: str) -> None:
        ears = self.ears[key]
        if ears.connected:
            ears.connected = False
            ears.away_since = self.now
            self.home.lost(ears.place)
        else:
            self.comes_back(ears)

    def comes_back(self, ears: Ears) -> None:
        ears.connected = True
        for truth in ears.sounds.values():
            truth.arrived = True
            truth.told_kinds.append(truth.kind)
        active = [truth.start for truth in ears.sounds.values()]
        self.tells(self.home.back(ears.place, *active))
        ears.delivery.begin()
        for truth, detection in tuple(ears.journal):
            self.arrives(ears, truth, replace(detection, replayed=True))

    @rule(
        key=KEYS,
        hours=st.sampled_from([0, -5, 5, -500_000, 1_500_000]),
    )
    def satellite_has_another_clock(self, key: str, hours: int) -> None:
        self.ears[key].offset = timedelta(hours=hours)

    @precondition(lambda self: self.jumps < MAX_JUMPS)
    @rule(seconds=st.sampled_from([-7200, -30, 30, 7200]))
    def clock_jumps(self, seconds: int) -> None:
        self.home.at += seconds
        self.jumps += 1

    @rule(name=st.sampled_from(WAVES))
    def recipient_fails_or_recovers(self, name: str) -> None:
        if name not in self.failing:
            self.failing.add(name)
            return
        self.failing.discard(name)
        for key in [key for key in self.waiting if key[0] == name]:
            news = self.waiting.pop(key)
            if self.is_wanted(news):
                self.reaches(name, news)

    @rule(seconds=st.sampled_from([0, 20, 70, 600]))
    def home_assistant_restarts(self, seconds: int) -> None:
        self.stores()
        self.starts_again(seconds)

    @rule(seconds=st.sampled_from([0, 20, 70, 600]))
    def home_assistant_is_killed(self, seconds: int) -> None:
        """What was not stored is lost, and those who were told of it are told again."""
        self.waiting_for_the_disk.clear()
        for heard in self.since_stored:
            heard.forgotten = True
        # A satellite tells again what it has no acknowledgement for, and what goes on.
        kept = {
            truth.id
            for ears in self.ears.values()
            for truth in (*ears.sounds.values(), *(item for item, _ in ears.journal))
        }
        known = self.known()
        self.home.desk = Desk(loaded(self.on_disk))
        assert known <= self.known() | kept, (
            "neither of them has it: it was acknowledged before it was stored"
        )
        self.home.desk.plan, self.home.desk.waves_for = PLAN, count_waves
        for truth in self.truths:
            if truth.id in known - self.known():
                # Only its satellite has it until that comes back.
                truth.arrived = False
                truth.told_kinds.clear()
        self.starts_again(seconds)

    def known(self) -> set[str]:
        """Which sounds the household knows of."""
        return {item.detection.id for incident in self.home.desk.incidents for item in incident.observations}

    def starts_again(self, seconds: int) -> None:
        self.waiting.clear()
        self.tells(self.home.restart(seconds))
        self.started = self.now
        for ears in self.ears.values():
            ears.away_since = None
            ears.delivery = self.new_delivery()
            if ears.connected:
                self.comes_back(ears)

    def put_down(self) -> dict[str, Any]:
        return stored(replace(self.home.desk.state, at=self.now))

    @rule()
    def household_is_loaded_anew(self) -> None:
        """As after a change of its entry: what is owed is handed over, and nobody else notices."""
        self.stores()
        loud = {
            key
            for key, news in self.waiting.items()
            if news.decision.severity is not Severity.SILENT and self.is_wanted(news)
        }
        owed = {
            key
            for key in loud
            if self.waiting[key].decision.telling in PROMISED
            # One that turned out to be another is owed as that.
            and key[1] in {incident.id for incident in self.home.desk.incidents}
        }
        heard = {name: len(items) for name, items in self.heard.items()}
        self.waiting.clear()
        connected = {
            ears.place: [truth.start for truth in ears.sounds.values()]
            for ears in self.ears.values()
            if ears.connected
        }
        self.tells(
            self.home.reload(connected, *(item.place for item in self.ears.values() if not item.connected))
        )
        for name, items in self.heard.items():
            for item in items[heard[name] :]:
                if item.news.decision.severity is not Severity.SILENT:
                    assert (name, item.news.incident.id) in loud, item
                    owed.discard((name, item.news.incident.id))
        assert owed <= self.waiting.keys(), (owed, self.waiting)
        self.stores()

    def stores(self) -> None:
        """What the store does a quarter of a second after something has happened."""
        self.on_disk = self.put_down()
        self.since_stored.clear()
        waiting, self.waiting_for_the_disk = self.waiting_for_the_disk, []
        for done in waiting:
            done()
        for ears in self.ears.values():
            ears.forget()

    @precondition(lambda self: self.emitted)
    @rule(data=st.data())
    def somebody_answers(self, data: st.DataObject) -> None:
        incident_id = data.draw(st.sampled_from(self.emitted)).incident.id
        if self.home.desk.incidents.get(incident_id) is None:
            return
        self.answered |= {item.detection.id for item in self.incident(incident_id).observations}
        self.tells(self.home.acknowledge(incident_id))

    @rule(seconds=st.sampled_from([1, 5, 20, 61, 130]))
    def time_passes(self, seconds: int) -> None:
        self.stores()
        for _ in range(seconds):
            self.tells(self.home.wait(1))
            self.what_is_critical_rings_until_somebody_answers()
        self.stores()

    # What the household does.

    def incident(self, incident_id: str) -> Any:
        return self.home.desk.incidents.get(incident_id)

    def tells(self, many: Iterable[News]) -> None:
        for news in many:
            self.emitted.append(news)
            if news.decision.telling in LOUD:
                self.rings.append((news, self.jumps))
            names = [name for name in WAVES[news.skipped : news.waves] if news.concerns(name)]
            self.home.desk.ledger.owe(news.incident.id, names, news.decision.telling)
            for name in names:
                if name in self.failing:
                    before = self.waiting.get((name, news.incident.id))
                    if before is not None and not self.is_wanted(before):
                        before = None
                    self.waiting[name, news.incident.id] = as_loud_as(news, before)
                else:
                    self.waiting.pop((name, news.incident.id), None)
                    self.reaches(name, news)

    def is_wanted(self, news: News) -> bool:
        """What the runtime says to the courier before each attempt."""
        return self.home.desk.is_wanted(news.incident.id, news.decision.severity, self.now)

    def reaches(self, name: str, news: News) -> None:
        telling = news.decision.telling
        # Nothing rings after the answer.
        assert self.is_wanted(news), news
        self.home.desk.ledger.delivered(news.incident.id, name, news.decision.severity, news.number)
        self.home.desk.rang(news.incident, name, telling, self.now)
        heard = Heard(news, telling, self.now, self.jumps)
        self.heard[name].append(heard)
        self.since_stored.append(heard)

    # What must hold.

    @invariant()
    def what_is_critical_is_told(self) -> None:
        for truth in getattr(self, "truths", ()):
            if truth in self.ears[truth.place.key].sounds.values() and self.ears[truth.place.key].connected:
                truth.heard_until = self.now
            if truth.arrived and not truth.too_old and self.is_critical(truth):
                assert self.is_told(truth, self.emitted), (truth, self.emitted)

    def is_critical(self, truth: Truth) -> bool:
        return bool(truth.told_kinds) and (DEFAULT_RULES[truth.told_kinds[-1]].severity is Severity.CRITICAL)

    def is_told(self, truth: Truth, emitted: Iterable[News]) -> bool:
        kind = truth.told_kinds[-1]
        until = truth.heard_until or truth.onset
        current = self.home.desk.incidents.of_detection(truth.id)
        same = {truth.id} | ({item.detection.id for item in current.observations} if current else set())
        for news in emitted:
            ids = {item.detection.id for item in news.incident.observations}
            loud = news.decision.telling not in (Telling.ALL_CLEAR, Telling.UPDATE)
            told = same & ids or (current is not None and current.id == news.incident.id)
            if told and loud and news.incident.kind not in BENIGN:
                return True
            here = truth.place.key in {place.key for place in news.incident.places}
            age = until - news.at
            if news.incident.kind is kind and here and (age <= COOLDOWN or truth.jumps != self.jumps):
                return True
        return False

    @invariant()
    def nobody_is_told_the_same_thing_twice_within_its_cooldown(self) -> None:
        for heard in getattr(self, "heard", {}).values():
            rings = [item for item in heard if item.telling is Telling.NEW and not item.forgotten]
            for number, later in enumerate(rings):
                for earlier in rings[:number]:
                    if earlier.jumps == later.jumps:
                        assert not self.is_same(earlier, later), (earlier, later)

    def is_same(self, earlier: Heard, later: Heard) -> bool:
        kind = later.news.incident.kind
        if kind is not earlier.news.incident.kind:
            return False
        places = {place.key for place in earlier.news.incident.places}
        return {place.key for place in later.news.incident.places} <= places and (
            timedelta(0) <= later.at - earlier.at < DEFAULT_RULES[kind].cooldown
        )

    def what_is_critical_rings_until_somebody_answers(self) -> None:
        """Again after each interval, and for the next ones when nobody has answered twice; as often as is wanted."""
        for incident in self.home.desk.incidents:
            told = self.home.desk.policy.told.get(incident.id)
            if (
                incident.over_at is not None
                or incident.answered
                or told is None
                or (told.telling, told.severity) != (Telling.NEW, Severity.CRITICAL)
            ):
                continue
            ids = {incident.id, *(item.detection.id for item in incident.observations)}
            rings = [item for item in self.rings if item[0].incident.id in ids]
            news = [item for item, _ in rings]
            assert news, incident
            begun = max(
                n for n, item in enumerate(news) if item.decision.telling in (Telling.NEW, Telling.LATE)
            )
            # Two sounds that turned out to be one have counted each by itself.
            repeats = Counter(
                item.incident.id for item in news[begun:] if item.decision.telling is Telling.REPEAT
            )
            # What is told anew after a start goes on counting where it was.
            count = sum(item.decision.telling is Telling.REPEAT for item in news)
            if rings[-1][1] == self.jumps and count < PLAN.most:
                # One that was set back while it was killed begins to count anew.
                last = max(news[-1].at, self.started)
                assert self.now - last <= INTERVAL + timedelta(seconds=1), (incident, news[-1])
            if max(repeats.values(), default=0) >= PLAN.patience:
                assert any(item.decision.telling is Telling.ESCALATED for item in news), incident

    @override
    def teardown(self) -> None:
        """In the end everybody can be reached, and Home Assistant starts once more."""
        if not hasattr(self, "home"):
            return
        self.failing.clear()
        self.waiting.clear()
        self.tells(self.home.restart())
        told = [item.news for item in self.heard["anna"]]
        for truth in self.truths:
            if (
                truth.arrived
                and not truth.too_old
                and self.is_critical(truth)
                and truth.id not in self.answered
            ):
                assert self.is_told(truth, told) or self.is_settled(truth), (truth, told)

    def is_settled(self, truth: Truth) -> bool:
        """Whether nobody is owed it: somebody has answered, or it was over an hour ago, and is forgotten."""
        incident = self.home.desk.incidents.of_detection(truth.id)
        return incident is None or incident.answered


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_whatever_happens_no_critical_incident_is_untold_and_nobody_is_told_twice() -> None:
    from hypothesis.stateful import run_state_machine_as_test  # noqa: PLC0415  # only where it is played

    run_state_machine_as_test(
        Stories,
        settings=settings(
            max_examples=STORIES,
            stateful_step_count=40,
            deadline=None,
            # The few that the suite plays are always the same; whoever asks for many gets new ones.
            derandomize="ECHONET_STORIES" not in os.environ,
            suppress_health_check=list(HealthCheck),
            phases=PHASES,
            report_multiple_bugs=False,
        ),
    )
