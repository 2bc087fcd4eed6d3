"""What is known of one sound: who heard it, what it is, whether it goes on, and who has answered. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import prod
from typing import Final

from ..protocol import AlarmPattern, Detection, Location, LocationSource, Phase, SoundClass
from ..times import settle_end, settle_onset
from .kinds import BENIGN, DANGER, EXACT, AlertKind, kind_of

MERGE_WINDOW: Final = timedelta(seconds=2)
# Nothing was heard of it for so long: what begins now is told by itself, also if this was never said to have ended.
SILENCE_LIMIT: Final = timedelta(minutes=10)
# Before that not even a clock has had several cycles, and what claims to be one is taken for a guess.
CERTAIN_AFTER: Final = timedelta(seconds=4)
_ORDER: Final = {Phase.START: 0, Phase.UPDATE: 1, Phase.END: 2}
# No satellite is surer than that, so that one model's mistake is not proof.
SUREST: Final = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a satellite is: its room and floor if it has them, its own name, and its coordinates if it knows them.

    `location_source` is where it has the coordinates from, and `located_at` when it told them. `source` is what the
    satellite calls the room, where it hears several.
    """

    satellite_id: str
    name: str
    room: str | None = None
    floor: str | None = None
    location: Location | None = None
    location_source: LocationSource = LocationSource.NONE
    located_at: datetime | None = None
    source: str = ""

    @property
    def listener(self) -> tuple[str, str]:
        """What hears there: of a satellite that hears several rooms, the microphone of this one."""
        return (self.satellite_id, self.source)

    def of(self, source: str) -> Place:
        """Return the place of a room by what the satellite calls it; without a name that is its own."""
        return replace(self, source=source, room=source, floor=None) if source else self

    @property
    def key(self) -> str:
        """What makes two places the same one: the room, else the satellite."""
        return self.room or self.satellite_id


@dataclass(frozen=True, slots=True, kw_only=True)
class KindChange:
    """From when on an incident was known to be of a kind."""

    at: datetime
    kind: AlertKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Somebody's answer to an incident, and what it was thought to be then."""

    at: datetime
    by: str | None
    kind: AlertKind
    false_alarm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One detection, as far as it has been told, and where it was heard.

    `onset` and `ended` are what is believed, and `believed` says whether that is what the satellite said. `ended` is
    None while the sound goes on; `lost` if it is not known how it ended, because the satellite is gone. `begun` is
    False if only the end was ever told.
    """

    place: Place
    detection: Detection
    heard_at: datetime
    onset: datetime
    kind: AlertKind
    certain: bool = True
    believed: bool = True
    begun: bool = True
    late: bool = False
    ended: datetime | None = None
    lost: bool = False

    @classmethod
    def first(
        cls,
        place: Place,
        detection: Detection,
        now: datetime,
        *,
        late: bool = False,
        away_since: datetime | None = None,
    ) -> Observation:
        """Return what the first message of a detection tells."""
        moment = settle_onset(detection, now, away_since=away_since)
        kind = kind_of(detection.sound_class, detection.pattern)
        return cls(
            place=place,
            detection=detection,
            heard_at=now,
            onset=moment.onset,
            believed=moment.believed,
            kind=kind,
            certain=_is_certain(kind, moment.onset, now),
            begun=detection.phase is not Phase.END,
            late=late,
        ).with_end(now)

    def told(self, place: Place, detection: Detection, now: datetime) -> Observation:
        """Return what is known after another message of the same detection, which may be one that comes twice."""
        kind = kind_of(self.detection.sound_class, detection.pattern)
        # What was heard as a smoke alarm stays one, whatever the next second sounds like.
        if self.kind in DANGER and DANGER.get(kind, 0) <= DANGER[self.kind]:
            kind = self.kind
        if _ORDER[detection.phase] < _ORDER[self.detection.phase] or detection.phase is Phase.START:
            # It comes late or twice: the only news in it can be danger.
            return replace(self, begun=True, kind=kind if kind in DANGER else self.kind)
        return replace(
            self,
            place=place,
            detection=replace(
                detection,
                sound_class=self.detection.sound_class,
                confidence=max(self.detection.confidence, detection.confidence),
                peak_dbfs=max(self.detection.peak_dbfs, detection.peak_dbfs),
                test=self.detection.test,
            ),
            heard_at=now,
            kind=kind,
            certain=_is_certain(kind, self.onset, now),
            begun=self.begun or detection.phase is not Phase.END,
            late=self.late and (detection.replayed or detection.phase is Phase.END),
        ).with_end(now)

    def found(self, *, going_on: bool, now: datetime) -> Observation:
        """Return what is known after the satellite has said whether it still hears it."""
        if going_on:
            return replace(self, ended=None, lost=False, late=False) if self.lost or self.late else self
        if self.ended is None:
            return replace(self, ended=now)
        return replace(self, lost=False)

    def ended_by_loss(self, since: datetime) -> Observation:
        """Return it as over, without knowing how, because its satellite is gone."""
        return replace(self, ended=max(since, self.onset), lost=True)

    def belongs_with(self, other: Observation) -> bool:
        """Tell whether both are of one sound: begun together, or the later one begun during the earlier one."""
        if self.detection.sound_class is not other.detection.sound_class:
            return False
        if self.detection.test or other.detection.test:
            # Whoever asks for a test waits for its alert, also when asking twice.
            return False
        if abs(self.onset - other.onset) <= MERGE_WINDOW:
            return True
        first, second = sorted((self, other), key=lambda item: item.onset)
        until = first.heard_at + SILENCE_LIMIT if first.ended is None else first.ended
        if second.onset > until:
            return False
        # What is not known yet may be what goes on, but a clock explains nothing but clocks.
        return self.kind is other.kind or (
            AlertKind.ALARM in {self.kind, other.kind} and BENIGN.isdisjoint({self.kind, other.kind})
        )

    def contradicts(self, other: Observation) -> bool:
        """Tell whether both are known to be different things."""
        return self.kind is not other.kind and self.kind in EXACT and other.kind in EXACT

    def with_end(self, now: datetime) -> Observation:
        """Return it with the end that its detection tells, if it does."""
        if self.detection.phase is not Phase.END:
            return self
        ended, believed = settle_end(self.detection, self.onset, now)
        return replace(self, ended=ended, lost=False, believed=self.believed and believed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Everything heard of one sound; `id` is the id of the detection that opened it, and stays."""

    id: str
    observations: tuple[Observation, ...]
    history: tuple[KindChange, ...]
    acknowledgement: Acknowledgement | None = None

    @classmethod
    def opened(cls, observation: Observation, incident_id: str | None = None) -> Incident:
        """Return the incident that an observation opens."""
        return cls(
            id=incident_id or observation.detection.id,
            observations=(observation,),
            history=(KindChange(at=observation.heard_at, kind=observation.kind),),
        )

    def of(self, observations: tuple[Observation, ...], now: datetime) -> Incident:
        """Return it with other observations, and the history of its kind continued."""
        changed = replace(self, observations=observations)
        if changed.kind is self.history[-1].kind:
            return changed
        # A kind that flips to and fro is remembered by its last changes.
        return replace(changed, history=(*self.history[-15:], KindChange(at=now, kind=changed.kind)))

    def suspended(self) -> Incident:
        """Return it with nothing going on any more as far as anybody knows."""
        observations = tuple(
            item if item.ended is not None else item.ended_by_loss(item.heard_at)
            for item in self.observations
        )
        return replace(self, observations=observations)

    def observation(self, detection_id: str) -> Observation:
        """Return the observation of a detection that is in it."""
        return next(item for item in self.observations if item.detection.id == detection_id)

    def without(self, detection_id: str) -> tuple[Observation, ...]:
        """Return the other observations."""
        return tuple(item for item in self.observations if item.detection.id != detection_id)

    @property
    def sound_class(self) -> SoundClass:
        """The class, of which an alarm is one."""
        return self.observations[0].detection.sound_class

    @property
    def kind(self) -> AlertKind:
        """What it is: the most dangerous that is known of an alarm, and unknown only if nobody knows."""
        kinds = {item.kind for item in self.observations}
        return max(kinds, key=lambda kind: (DANGER.get(kind, 0), kind is not AlertKind.ALARM, kind))

    @property
    def certain(self) -> bool:
        """Whether the kind may make it less than an alarm that nobody knows: nobody has to guess for that."""
        return all(item.certain for item in self.observations if item.kind is self.kind)

    @property
    def test(self) -> bool:
        """Whether it was asked for, to try the way to the phone."""
        return self.observations[0].detection.test

    @property
    def begun(self) -> bool:
        """Whether anybody told of its beginning, and not only of its end."""
        return any(item.begun for item in self.observations)

    @property
    def late(self) -> bool:
        """Whether it was over, and no news, before anybody heard of it."""
        return all(item.late for item in self.observations)

    @property
    def believed(self) -> bool:
        """Whether its times are what the satellites said, and could be."""
        return all(item.believed for item in self.observations)

    @property
    def over_at(self) -> datetime | None:
        """When it was over for all who heard it, None while it goes on."""
        ends = [item.ended for item in self.observations]
        return None if None in ends else max(end for end in ends if end is not None)

    @property
    def lost(self) -> bool:
        """Whether it is over only because a satellite is gone, so that nobody knows."""
        return self.over_at is not None and any(item.lost for item in self.observations)

    @property
    def answered(self) -> bool:
        """Whether somebody has acknowledged it as what it is; what turns out to be dangerous asks again."""
        if self.acknowledgement is None:
            return False
        return _danger(self.kind) <= _danger(self.acknowledgement.kind)

    @property
    def earliest(self) -> Observation:
        """Who heard it first."""
        return min(self.observations, key=lambda item: item.onset)

    @property
    def loudest(self) -> Observation:
        """Who heard it loudest, and so was probably nearest."""
        return max(self.observations, key=lambda item: item.detection.peak_dbfs)

    @property
    def onset(self) -> datetime:
        """When it began."""
        return self.earliest.onset

    @property
    def confidence(self) -> float:
        """How sure it is, taking what the satellites heard as independent evidence: 1 - (1 - a)(1 - b)...

        Each microphone counts once, with the surest it was. Two that are each 70 % sure make 91 %. Those that share a
        model also share its mistakes, so that none of them counts for more than 99 %.
        """
        surest: dict[tuple[str, str], float] = {}
        for item in self.observations:
            here = item.place.listener
            surest[here] = max(surest.get(here, 0.0), min(item.detection.confidence, SUREST))
        return 1.0 - prod(1.0 - confidence for confidence in surest.values())

    @property
    def pattern(self) -> AlarmPattern | None:
        """The pattern that makes it what it is."""
        of_kind = [item for item in self.observations if item.kind is self.kind]
        loudest = max(of_kind, key=lambda item: item.detection.peak_dbfs)
        for pattern in AlarmPattern:
            if self.kind is not AlertKind.ALARM and kind_of(SoundClass.ALARM, pattern) is self.kind:
                return pattern
        return loudest.detection.pattern

    @property
    def places(self) -> tuple[Place, ...]:
        """Where it was heard: each place once, the loudest first."""
        ordered = sorted(self.observations, key=lambda item: -item.detection.peak_dbfs)
        return tuple({item.place.listener: item.place for item in ordered}.values())


def _danger(kind: AlertKind) -> int:
    """Return how much more than what was answered something is: who has put off a clock knows of no alarm."""
    return -1 if kind in BENIGN else DANGER.get(kind, 0)


def _is_certain(kind: AlertKind, onset: datetime, now: datetime) -> bool:
    return kind is not AlertKind.ALARM_CLOCK or now - onset >= CERTAIN_AFTER
