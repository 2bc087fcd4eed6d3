"""Builds what a recipient reads, and the companion app's payload. Pure: home, time and zone are passed in."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from ..protocol import AlarmPattern, Location, SoundClass
from .incident import Incident, Place
from .kinds import AlertKind, Severity
from .policy import Decision, Telling
from .wording import describe_confidence, describe_moment, describe_room, describe_sound, join_words

GROUP = "echonet"
MAP_ZOOM = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One incident, ready to be told."""

    incident_id: str
    telling: Telling
    severity: Severity
    kind: AlertKind
    sound_class: SoundClass
    pattern: AlarmPattern | None
    title: str
    message: str
    rooms: tuple[str, ...]
    onset: datetime
    confidence: float
    location: Location

    @property
    def critical(self) -> bool:
        """Whether it is heard through any silence."""
        return self.severity is Severity.CRITICAL

    @property
    def text(self) -> str:
        """Everything in one line, for those who show no title."""
        return f"{self.title}. {self.message}"

    @property
    def map_url(self) -> str:
        """A web page that shows the place on OpenStreetMap."""
        latitude, longitude = _degrees(self.location.latitude), _degrees(self.location.longitude)
        return (
            f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}"
            f"#map={MAP_ZOOM}/{latitude}/{longitude}"
        )

    @property
    def geo_uri(self) -> str:
        """The place for a phone's own map (RFC 5870, with the query that Android needs to set a pin)."""
        latitude, longitude = _degrees(self.location.latitude), _degrees(self.location.longitude)
        return f"geo:{latitude},{longitude}?q={latitude},{longitude}"

    def companion_data(self) -> dict[str, Any]:
        """Return the `data` of a notification for the companion apps of Android and iOS.

        The tag makes a later telling of the same incident replace the earlier one.
        """
        data: dict[str, Any] = {
            "tag": f"{GROUP}-{self.incident_id}",
            "group": GROUP,
            "url": self.map_url,
            "clickAction": self.map_url,
            "actions": [
                {"action": "URI", "title": "Show on map", "uri": self.map_url},
            ],
            "latitude": self.location.latitude,
            "longitude": self.location.longitude,
        }
        if self.severity is Severity.SILENT:
            return data | {
                "alert_once": True,
                "channel": "EchoNet updates",
                "importance": "low",
                "push": {"interruption-level": "passive", "sound": "none"},
            }
        data |= {"ttl": 0, "priority": "high"}
        if self.critical:
            return data | {
                "channel": "alarm_stream",
                "push": {
                    "interruption-level": "critical",
                    "sound": {"name": "default", "critical": 1, "volume": 1.0},
                },
            }
        return data | {
            "channel": "EchoNet",
            "importance": "high",
            "push": {"interruption-level": "time-sensitive"},
        }


def build_alert(
    incident: Incident, decision: Decision, *, home: Location, now: datetime, zone: tzinfo
) -> Alert:
    """Put an incident into words.

    Args:
        incident: What happened.
        decision: How it is told.
        home: Coordinates of the home, for satellites that know none.
        now: The present time.
        zone: The zone in which the recipient reads times.
    """
    telling = decision.telling
    sound = describe_sound(incident.sound_class, incident.pattern)
    moment = describe_moment(incident.onset.astimezone(zone), now.astimezone(zone))
    message = f"Heard {moment} with {describe_confidence(incident.confidence)}."
    if telling is Telling.LATE:
        message += " You are told late because the connection to the satellite was down."
    elif telling is Telling.TEST:
        sound = f"Test: {sound[0].lower()}{sound[1:]}"
        message = f"This is only a test, sent {moment}. Nothing was heard."
    nearest = incident.loudest.place
    return Alert(
        incident_id=incident.id,
        telling=telling,
        severity=decision.severity,
        kind=incident.kind,
        sound_class=incident.sound_class,
        pattern=incident.pattern,
        title=f"{sound} {_describe_places(incident.places)}",
        message=message,
        rooms=tuple(dict.fromkeys(place.room or place.name for place in incident.places)),
        onset=incident.onset,
        confidence=incident.confidence,
        location=nearest.location or home,
    )


def _describe_places(places: tuple[Place, ...]) -> str:
    rooms = dict.fromkeys(describe_room(place.room) for place in places if place.room)
    if rooms:
        return f"in {join_words(tuple(rooms))}"
    return f"near {join_words(tuple(dict.fromkeys(place.name for place in places)))}"


def _degrees(value: float) -> str:
    # Six decimals are a tenth of a metre.
    return f"{value:.6f}"
