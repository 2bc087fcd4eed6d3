"""Merges what several satellites heard of one sound into one incident. Pure: no I/O and no clock of its own."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ..protocol import Detection, Phase
from .incident import Acknowledgement, Incident, Observation, Place
from .kinds import BENIGN, AlertKind

# A satellite that is gone never tells the end of what it heard: after this long its part is over.
LOST_AFTER: Final = timedelta(seconds=60)
# Satellites that come back replay what they heard: until then an incident waits for them, though it is over.
KEPT_AFTER_END: Final = timedelta(hours=1)
MAX_INCIDENTS: Final = 256
MAX_OBSERVATIONS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What has happened to an incident: as it is now, as it was (None: it is new), and what it has taken in."""

    incident: Incident
    before: Incident | None
    absorbed: tuple[str, ...] = ()


class Incidents:
    """The incidents that may still grow."""

    def __init__(self, incidents: Collection[Incident] = ()) -> None:
        """Start with those of an earlier run."""
        self._incidents = {incident.id: incident for incident in incidents}
        self._of_detection = {
            item.detection.id: incident.id for incident in incidents for item in incident.observations
        }
        self._lost: dict[str, datetime] = {}
        # Says which incidents are not to be forgotten, however long ago they were.
        self.is_needed: Callable[[str], bool] = lambda _: False

    def __iter__(self) -> Iterator[Incident]:
        """Go through all that is remembered, oldest first."""
        return iter(tuple(self._incidents.values()))

    def get(self, incident_id: str) -> Incident | None:
        """Return an incident; where none has this id, the one that holds the detection of this id."""
        return self._incidents.get(incident_id) or self.of_detection(incident_id)

    def of_detection(self, detection_id: str) -> Incident | None:
        """Return the incident that holds a detection, which need not be the one that it has opened."""
        return self._incidents.get(self._of_detection.get(detection_id, ""))

    def add(
        self,
        place: Place,
        detection: Detection,
        now: datetime,
        *,
        late: bool = False,
        away_since: datetime | None = None,
    ) -> list[Change]:
        """Take in a start, update or end, in whatever order they come.

        Args:
            place: Where it was heard.
            detection: What the satellite says.
            now: The time of arrival.
            late: Whether it was over, and no news, before it was told.
            away_since: See `settle_onset`.
        """
        self._forget(now)
        self._lost.pop(place.satellite_id, None)
        known = self.of_detection(detection.id)
        if known is None:
            observation = Observation.first(place, detection, now, late=late, away_since=away_since)
            return [*self._end_older(observation, now), self._open(observation)]
        before = known.observation(detection.id)
        observation = before.told(place, detection, now)
        if observation == before:
            return []
        rest = known.without(detection.id)
        if rest and observation.kind is not before.kind and not _fits(observation, rest):
            return self._split(known, rest, observation, now)
        return [self._store(known.of((*rest, observation), now), before=known)]

    def lost(self, satellite_id: str, now: datetime) -> None:
        """Hear that a satellite is not connected any more."""
        self._lost.setdefault(satellite_id, now)

    def back(self, place: Place, active: Collection[Detection], now: datetime) -> list[Change]:
        """Hear what goes on at a satellite that is connected again, and so what is over."""
        changes: list[Change] = []
        self._lost.pop(place.satellite_id, None)
        going_on = {item.id for item in active}
        for incident in self:
            observations = tuple(
                item.found(going_on=item.detection.id in going_on, now=now)
                if item.place.satellite_id == place.satellite_id
                else item
                for item in incident.observations
            )
            if observations != incident.observations:
                changes.append(self._store(incident.of(observations, now), before=incident))
        for detection in active:
            if detection.id not in self._of_detection:
                # It may have begun long ago: only of a start that is sent at once is that not to be believed.
                changes += self.add(place.of(detection.room), replace(detection, phase=Phase.UPDATE), now)
        return changes

    def expire(self, now: datetime) -> list[Change]:
        """End what was heard by satellites that have been gone for a minute."""
        gone = {key: since for key, since in self._lost.items() if now - since >= LOST_AFTER}
        changes: list[Change] = []
        if not gone:
            return changes
        for incident in self:
            observations = tuple(
                item.ended_by_loss(gone[item.place.satellite_id])
                if item.ended is None and item.place.satellite_id in gone
                else item
                for item in incident.observations
            )
            if observations != incident.observations:
                changes.append(self._store(incident.of(observations, now), before=incident))
        return changes

    def acknowledge(self, incident_id: str, acknowledgement: Acknowledgement) -> Change | None:
        """Remember that somebody has answered; None if there is no such incident.

        Who answers after somebody else says nothing new, unless it is that it was a false alarm.
        """
        incident = self.get(incident_id)
        if incident is None:
            return None
        earlier = incident.acknowledgement
        if (
            incident.answered
            and earlier is not None
            and (earlier.false_alarm or not acknowledgement.false_alarm)
        ):
            return Change(incident=incident, before=incident)
        return self._store(replace(incident, acknowledgement=acknowledgement), before=incident)

    def _open(self, observation: Observation) -> Change:
        matches: list[Incident] = []
        for incident in reversed(self._incidents.values()):
            if incident.sound_class is not observation.detection.sound_class:
                continue
            if (
                observation.kind is AlertKind.ALARM
                and incident.kind in BENIGN
                and any(item.place.listener == observation.place.listener for item in incident.observations)
            ):
                # It has heard the clock, and this is something else: a clock explains no alarm that nobody knows.
                continue
            if _fits(observation, incident.observations) and all(
                _agree(incident.observations, other.observations) for other in matches
            ):
                matches.append(incident)
        if not matches:
            return self._store(Incident.opened(observation), before=None)
        # What bridges two incidents shows that they are one, and the older one lives on.
        survivor, *others = reversed(matches)
        observations = survivor.observations + tuple(item for other in others for item in other.observations)
        for other in others:
            del self._incidents[other.id]
        merged = survivor.of((*observations, observation), observation.heard_at)
        if survivor.acknowledgement is None:
            # Who takes care of one of them takes care of the sound that they are.
            answers = [other.acknowledgement for other in others if other.acknowledgement is not None]
            merged = replace(merged, acknowledgement=max(answers, key=lambda item: item.at, default=None))
        return self._store(merged, before=survivor, absorbed=tuple(other.id for other in others))

    def _end_older(self, observation: Observation, now: datetime) -> list[Change]:
        """A satellite hears one sound of a class at a time: the end of an older one was lost."""
        detection = observation.detection
        if detection.test or detection.replayed or detection.phase is Phase.END:
            return []
        changes: list[Change] = []
        for incident in self:
            observations = tuple(
                replace(item, ended=max(item.onset, min(item.heard_at, observation.onset)))
                if item.ended is None
                and not item.detection.test
                and item.place.listener == observation.place.listener
                and item.detection.sound_class is detection.sound_class
                else item
                for item in incident.observations
            )
            if observations != incident.observations:
                changes.append(self._store(incident.of(observations, now), before=incident))
        return changes

    def _split(
        self, known: Incident, rest: tuple[Observation, ...], observation: Observation, now: datetime
    ) -> list[Change]:
        """What turns out to be an alarm of another kind is another incident, and told as one."""
        remaining = self._store(known.of(rest, now), before=known)
        name = observation.detection.id
        if name == known.id:
            name = f"{name}-{observation.kind}"
        return [remaining, self._store(Incident.opened(observation, name), before=None)]

    def _store(self, incident: Incident, before: Incident | None, absorbed: tuple[str, ...] = ()) -> Change:
        for item in _superfluous(incident.observations):
            # What is told of it later is taken in anew.
            self._of_detection.pop(item.detection.id, None)
            incident = replace(incident, observations=incident.without(item.detection.id))
        self._incidents[incident.id] = incident
        self._of_detection |= {item.detection.id: incident.id for item in incident.observations}
        return Change(incident=incident, before=before, absorbed=absorbed)

    def _forget(self, now: datetime) -> None:
        kept = {
            key: incident
            for key, incident in self._incidents.items()
            # What is over by a clock that was set back since, and what rings, is not forgotten.
            if incident.over_at is None or now - incident.over_at < KEPT_AFTER_END or self.is_needed(key)
        }
        over = [
            key for key, incident in kept.items() if incident.over_at is not None and not self.is_needed(key)
        ]
        for key in [*over, *kept][: max(0, len(kept) - MAX_INCIDENTS)]:
            del kept[key]
        if len(kept) != len(self._incidents):
            self._incidents = kept
            self._of_detection = {key: value for key, value in self._of_detection.items() if value in kept}


def _superfluous(observations: Collection[Observation]) -> list[Observation]:
    """Return the oldest of too many, but first of those that are over: of the others more is told."""
    ordered = sorted(observations, key=lambda item: item.ended is None)
    return ordered[: max(0, len(ordered) - MAX_OBSERVATIONS)]


def _fits(observation: Observation, others: Collection[Observation]) -> bool:
    """Tell whether an observation is of the same sound as these: it goes with one, and contradicts none."""
    return any(observation.belongs_with(item) for item in others) and _agree((observation,), others)


def _agree(some: Collection[Observation], others: Collection[Observation]) -> bool:
    return not any(item.contradicts(other) for item in some for other in others)
