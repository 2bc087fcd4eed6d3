"""Says when those who were told of an incident may hear that it is over. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from .escalation import is_quiet
from .incident import Incident
from .kinds import BENIGN, LASTING, is_alarm
from .policy import Telling, Told

# A sound that comes and goes is not over at every gap.
ALL_CLEAR_AFTER: Final = timedelta(seconds=30)


def awaits_all_clear(incident: Incident, told: Told | None) -> bool:
    """Tell whether people who were told of an incident want to know when it is over, and do not know yet."""
    return (
        told is not None
        and told.telling is Telling.NEW
        and not told.cleared
        and incident.kind in LASTING
        and not incident.lost
        and not (incident.acknowledgement is not None and incident.acknowledgement.false_alarm)
    )


def is_all_clear(incident: Incident, told: Told | None, incidents: Iterable[Incident], now: datetime) -> bool:
    """Tell whether people are to be told now that an incident is over.

    Args:
        incident: What is known of it.
        told: What was told of it, if anything.
        incidents: All that the household remembers, this one among them.
        now: The present time.
    """
    if not awaits_all_clear(incident, told) or not is_quiet(incident):
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
        for other in incidents
    )
