"""What the household knows, in a form that can be stored. Pure."""

from dataclasses import dataclass
from datetime import datetime

from .escalation import Ringing
from .incident import Incident
from .policy import Covered, Quiet, Told
from .promises import Promise
from .rungs import Rung
from .silence import Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything that must outlive a restart; `at` is when that was so."""

    incidents: tuple[Incident, ...] = ()
    told: tuple[tuple[str, Told], ...] = ()
    covered: tuple[Covered, ...] = ()
    snoozed: tuple[Quiet, ...] = ()
    ringing: tuple[tuple[str, Ringing], ...] = ()
    promises: tuple[tuple[str, Promise], ...] = ()
    amends: tuple[tuple[str, Promise], ...] = ()
    rungs: tuple[Rung, ...] = ()
    silences: tuple[Silence, ...] = ()
    at: datetime | None = None
