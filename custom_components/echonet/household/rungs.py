"""For whom it has rung lately, and for what: an alert may come later to one than to the others. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .kinds import AlertKind

REMEMBERED: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """When a recipient was last told of a kind at a place, so that it rang."""

    recipient: str
    kind: AlertKind
    place: str
    at: datetime


class Rungs:
    """The last rings of all recipients.

    What the household told a minute ago may have reached a phone only now, because it could not be reached or because
    Home Assistant started anew: for its owner the cooldown begins now, and for nobody else.
    """

    def __init__(self, rungs: Iterable[Rung] = ()) -> None:
        """Start with those of an earlier run."""
        self._rungs = {(item.recipient, item.kind, item.place): item for item in rungs}

    @property
    def all(self) -> tuple[Rung, ...]:
        """What is remembered, oldest first."""
        return tuple(self._rungs.values())

    def note(self, recipient: str, kind: AlertKind, places: Iterable[str], at: datetime) -> None:
        """Remember that it has rung for a recipient."""
        for place in places:
            self._rungs.pop((recipient, kind, place), None)
            self._rungs[recipient, kind, place] = Rung(recipient=recipient, kind=kind, place=place, at=at)
        while len(self._rungs) > REMEMBERED:
            del self._rungs[next(iter(self._rungs))]

    def lately(
        self, kind: AlertKind, places: Collection[str], cooldown: timedelta, now: datetime
    ) -> frozenset[str]:
        """Return for whom it has rung of a kind in all of these places, not longer ago than the cooldown."""
        places_of: dict[str, set[str]] = {}
        for item in self._rungs.values():
            if item.kind is kind and timedelta(0) <= now - item.at < cooldown:
                places_of.setdefault(item.recipient, set()).add(item.place)
        return frozenset(recipient for recipient, rung in places_of.items() if rung.issuperset(places))
