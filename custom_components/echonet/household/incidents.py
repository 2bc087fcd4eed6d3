"""Merges what several satellites heard of one sound into one incident. Pure: no I/O and no clock of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..protocol import AlarmPattern, Detection, Location, Phase, SoundClass

MERGE_WINDOW = timedelta(seconds=2)

# A satellite that vanished never tells the end of what it heard: after this long without news its part is over.
SILENCE_LIMIT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a satellite is: its room if it has one, its own name, and its coordinates if it knows them."""

    satellite_id: str
    name: str
    room: str | None = None
    location: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One detection, as far as it has been told, and where it was heard."""

    place: Place
    detection: Detection
    heard_at: datetime

    @property
    def ended(self) -> datetime | None:
        """When the sound ended, None while it goes on."""
        if self.detection.phase is not Phase.END:
            return None
        return self.detection.onset + timedelta(seconds=self.detection.duration_s)

    def belongs_with(self, onset: datetime) -> bool:
        """Tell whether a sound with this onset is the same as this one: begun together, or begun during it."""
        if abs(onset - self.detection.onset) <= MERGE_WINDOW:
            return True
        return self.detection.onset <= onset and (self.ended is None or onset <= self.ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Everything heard of one sound; `id` is the id of the detection that opened it."""

    id: str
    observations: tuple[Observation, ...]

    @property
    def sound_class(self) -> SoundClass:
        """What it is."""
        return self.observations[0].detection.sound_class

    @property
    def test(self) -> bool:
        """Whether it was asked for, to try the way to the phone."""
        return self.observations[0].detection.test

    @property
    def earliest(self) -> Observation:
        """Who heard it first."""
        return min(self.observations, key=lambda item: item.detection.onset)

    @property
    def loudest(self) -> Observation:
        """Who heard it loudest, and so was probably nearest."""
        return max(self.observations, key=lambda item: item.detection.peak_dbfs)

    @property
    def onset(self) -> datetime:
        """When it began."""
        return self.earliest.detection.onset

    @property
    def confidence(self) -> float:
        """The confidence of the satellite that was surest."""
        return max(item.detection.confidence for item in self.observations)

    @property
    def pattern(self) -> AlarmPattern | None:
        """The pattern of an alarm, of the loudest satellite that recognised one."""
        known = [
            item for item in self.observations if item.detection.pattern not in (None, AlarmPattern.UNKNOWN)
        ]
        if not known:
            return self.loudest.detection.pattern
        return max(known, key=lambda item: item.detection.peak_dbfs).detection.pattern

    @property
    def places(self) -> tuple[Place, ...]:
        """Where it was heard: each place once, the loudest first."""
        ordered = sorted(self.observations, key=lambda item: -item.detection.peak_dbfs)
        return tuple({item.place.satellite_id: item.place for item in ordered}.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a detection did: the incident as it is now, and as it was before (None: it is new)."""

    incident: Incident
    before: Incident | None


class Incidents:
    """The incidents that may still grow."""

    def __init__(self) -> None:
        """Start without any."""
        self._incidents: dict[str, Incident] = {}

    def __iter__(self) -> Iterator[Incident]:
        """Go through the incidents that may still grow, oldest first."""
        return iter(self._incidents.values())

    def add(self, place: Place, detection: Detection, now: datetime) -> Change | None:
        """Take in a start, update or end; None if it is of a detection whose start is unknown."""
        self._forget(now)
        observation = Observation(place=place, detection=detection, heard_at=now)
        if (known := self._find(detection.id)) is not None:
            others = tuple(
                observation if item.detection.id == detection.id else item for item in known.observations
            )
            return self._store(replace(known, observations=others), before=known)
        if detection.phase is not Phase.START:
            return None
        if (match := self._match(detection)) is not None:
            return self._store(replace(match, observations=(*match.observations, observation)), before=match)
        return self._store(Incident(id=detection.id, observations=(observation,)), before=None)

    def _store(self, incident: Incident, before: Incident | None) -> Change:
        self._incidents[incident.id] = incident
        return Change(incident=incident, before=before)

    def _find(self, detection_id: str) -> Incident | None:
        for incident in self._incidents.values():
            if any(item.detection.id == detection_id for item in incident.observations):
                return incident
        return None

    def _match(self, detection: Detection) -> Incident | None:
        if detection.test:
            # Whoever asks for a test waits for its alert, also when asking twice.
            return None
        for incident in self._incidents.values():
            if incident.sound_class is not detection.sound_class or incident.test:
                continue
            if any(item.belongs_with(detection.onset) for item in incident.observations):
                return incident
        return None

    def _forget(self, now: datetime) -> None:
        self._incidents = {
            key: incident
            for key, incident in self._incidents.items()
            if any(now - item.heard_at < SILENCE_LIMIT for item in incident.observations)
        }
