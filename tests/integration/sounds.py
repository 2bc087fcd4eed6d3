"""Detections for tests of what is pure."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from custom_components.echonet.household.alerts import Alert, Home, build_alert
from custom_components.echonet.household.incident import Incident, Observation, Place
from custom_components.echonet.household.kinds import Severity
from custom_components.echonet.household.policy import Decision, Telling
from custom_components.echonet.protocol import Detection, Location, Phase, SoundClass

NIGHT = datetime(2026, 11, 20, 2, 12, 0, tzinfo=UTC)

KITCHEN = Place(satellite_id="k" * 32, name="Kitchen satellite", room="Kitchen")
HALL = Place(satellite_id="h" * 32, name="Hall satellite", room="Hall")
SHED = Place(satellite_id="s" * 32, name="Garden Pi")

_numbers = count(1)


def sound(
    sound_class: SoundClass = SoundClass.ALARM, at: float = 0.0, phase: Phase = Phase.START, **fields: Any
) -> Detection:
    """A detection whose onset is `at` seconds after `NIGHT`."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "id": f"detection {number}",
        "sequence": number,
        "sound_class": sound_class,
        "phase": phase,
        "onset": NIGHT + timedelta(seconds=at),
        "confidence": 0.94,
        "peak_dbfs": -20.0,
        **fields,
    }
    return Detection(**values)


def incident(*heard: tuple[Place, Detection]) -> Incident:
    """An incident of these detections."""
    observations = tuple(Observation.first(place, item, item.onset) for place, item in heard)
    return Incident.opened(observations[0]).of(observations, observations[-1].heard_at)


HOME = Home(location=Location(latitude=52.5, longitude=13.4), zone=ZoneInfo("Europe/Berlin"))


def alert(
    *heard: tuple[Place, Detection],
    telling: Telling = Telling.NEW,
    severity: Severity = Severity.CRITICAL,
    after: float = 1.0,
    home: Home = HOME,
) -> Alert:
    """An alert of what was heard, told so many seconds after `NIGHT`, which is 3:12 in Berlin."""
    return build_alert(
        incident(*heard),
        Decision(telling=telling, severity=severity),
        home=home,
        now=NIGHT + timedelta(seconds=after),
    )
