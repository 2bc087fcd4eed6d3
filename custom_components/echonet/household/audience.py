"""Who hears how an incident goes on: those who have been told of it, and those who stand in for others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .recipients import Recipient
from .sender import Tellable

REMEMBERED = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Informed:
    """What somebody was told last of an incident, and instead of whom."""

    recipient: Recipient
    alert: Tellable
    instead_of: Sequence[str]


class Audience:
    """The audience of each incident; only the last incidents are remembered."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._informed: dict[str, dict[str, Informed]] = {}
        self._stand_ins: dict[str, frozenset[str]] = {}

    def note_informed(self, informed: Informed) -> None:
        """Remember what somebody has been told, in the place of what they were told before."""
        incident_id = informed.alert.incident_id
        before = self._informed.pop(incident_id, {})
        self._informed[incident_id] = {**before, informed.recipient.subentry_id: informed}
        _forget_oldest(self._informed)

    def informed(self, incident_id: str) -> tuple[Informed, ...]:
        """Return who has been told of an incident, and of what."""
        return tuple(self._informed.get(incident_id, {}).values())

    def note_stand_ins(self, incident_id: str, recipients: Iterable[str]) -> None:
        """Remember who stands in for others, and so hears how an incident goes on."""
        before = self._stand_ins.pop(incident_id, frozenset())
        self._stand_ins[incident_id] = before | frozenset(recipients)
        _forget_oldest(self._stand_ins)

    def stand_ins(self, incident_id: str) -> frozenset[str]:
        """Return who stands in for others."""
        return self._stand_ins.get(incident_id, frozenset())


def _forget_oldest[T](incidents: dict[str, T]) -> None:
    while len(incidents) > REMEMBERED:
        del incidents[next(iter(incidents))]
