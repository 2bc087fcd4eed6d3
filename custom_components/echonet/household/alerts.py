"""An alert: one incident, as it is told at one moment. Pure: home, time and zone are passed in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from ..protocol import AlarmPattern, Location, LocationSource, SoundClass
from .incident import Incident
from .kinds import AlertKind, Severity
from .policy import Decision, Telling
from .position import Position
from .texts import TEXTS, Language
from .where import Whereabouts
from .wording import Facts, Notice, write


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """What all alerts of a household share: where it is, how it reads times, and which language it speaks.

    `address` is what helpers are told, and empty where nobody has entered one.
    """

    location: Location
    zone: tzinfo
    language: Language = Language.ENGLISH
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One incident, ready to be told in any language.

    `language` is the household's own; `whereabouts` is None where nothing can be said.
    """

    incident_id: str
    sound_class: SoundClass
    pattern: AlarmPattern | None
    rooms: tuple[str, ...]
    facts: Facts
    language: Language
    whereabouts: Whereabouts | None = None

    @property
    def telling(self) -> Telling:
        """Why it is told now."""
        return self.facts.telling

    @property
    def severity(self) -> Severity:
        """How loudly it is told."""
        return self.facts.severity

    @property
    def critical(self) -> bool:
        """Whether it is heard through any silence."""
        return self.severity is Severity.CRITICAL

    @property
    def kind(self) -> AlertKind:
        """What it is."""
        return self.facts.kind

    @property
    def onset(self) -> datetime:
        """When it began."""
        return self.facts.onset

    @property
    def confidence(self) -> float:
        """How sure it is."""
        return self.facts.confidence

    @property
    def position(self) -> Position:
        """Where it is on the map."""
        return self.facts.position

    @property
    def title(self) -> str:
        """The title in the household's language."""
        return self.notice().title

    @property
    def text(self) -> str:
        """Everything in the household's language."""
        return self.notice().text

    def notice(self, language: Language | None = None, instead_of: Sequence[str] = ()) -> Notice:
        """Return what a recipient reads; see `write`."""
        return write(self.facts, TEXTS[language or self.language], instead_of=instead_of)

    def as_loud_as(self, earlier: Alert) -> Alert:
        """Return it in the place of an earlier one of the same incident that has not arrived, and is still owed."""
        if earlier.severity.rank <= self.severity.rank:
            return self
        if self.telling is Telling.ALL_CLEAR:
            # What is over must be known, and need not tear anybody out of sleep any more.
            return replace(self, facts=replace(self.facts, severity=earlier.severity.at_most(Severity.HIGH)))
        return replace(self, facts=replace(self.facts, severity=earlier.severity, telling=earlier.telling))


def build_alert(
    incident: Incident,
    decision: Decision,
    *,
    home: Home,
    now: datetime,
    whereabouts: Whereabouts | None = None,
) -> Alert:
    """Return an incident as it is told now.

    Args:
        incident: What happened.
        decision: How it is told.
        home: What all alerts share.
        now: The present time.
        whereabouts: In which rooms it probably is, if that can be said.
    """
    places = incident.places
    over_at = incident.over_at
    return Alert(
        incident_id=incident.id,
        sound_class=incident.sound_class,
        pattern=incident.pattern,
        rooms=_once(place.room or place.name for place in places),
        language=home.language,
        whereabouts=whereabouts,
        facts=Facts(
            kind=incident.kind,
            telling=decision.telling,
            severity=decision.severity,
            rooms=_once(place.room for place in places),
            names=_once(place.name for place in places),
            floors=_once(place.floor for place in places),
            onset=incident.onset,
            now=now,
            zone=home.zone,
            confidence=incident.confidence,
            position=_position(incident, home),
            address=home.address,
            duration=None if over_at is None else over_at - incident.onset,
            lost=incident.lost,
            likely=_likely(whereabouts),
            acknowledgement=incident.acknowledgement if incident.answered else None,
        ),
    )


def _likely(whereabouts: Whereabouts | None) -> tuple[str, float] | None:
    if whereabouts is None or whereabouts.room is None:
        return None
    return whereabouts.room, whereabouts.rooms[0].probability


def _position(incident: Incident, home: Home) -> Position:
    place = incident.loudest.place
    if place.location is None:
        return Position(latitude=home.location.latitude, longitude=home.location.longitude)
    return Position(
        latitude=place.location.latitude,
        longitude=place.location.longitude,
        # A place that does not say where it knows this from was written down by somebody.
        source=(
            LocationSource.CONFIGURED
            if place.location_source is LocationSource.NONE
            else place.location_source
        ),
        accuracy_m=place.location.accuracy_m,
        known_at=place.located_at,
    )


def _once(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))
