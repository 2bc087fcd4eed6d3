"""What a household wants to hear of: how loudly, when, how often, and of what it is sure enough. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import StrEnum
from typing import Final

from .kinds import AlertKind, Severity

DEFAULT_COOLDOWN: Final = timedelta(seconds=60)


class When(StrEnum):
    """When a kind counts."""

    ALWAYS = "always"
    AWAY = "away"
    ARMED = "armed"
    NIGHT = "night"
    DAY = "day"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a household wants for one kind."""

    severity: Severity
    when: When = When.ALWAYS
    cooldown: timedelta = DEFAULT_COOLDOWN
    least_confidence: float = 0.0
    rooms: int = 1


DEFAULT_RULES: Final[Mapping[AlertKind, Rule]] = {
    AlertKind.SMOKE_ALARM: Rule(severity=Severity.CRITICAL),
    AlertKind.CO_ALARM: Rule(severity=Severity.CRITICAL),
    AlertKind.SIREN: Rule(severity=Severity.CRITICAL),
    AlertKind.ALARM: Rule(severity=Severity.CRITICAL),
    AlertKind.FIRE: Rule(severity=Severity.CRITICAL),
    AlertKind.GUNSHOT: Rule(severity=Severity.CRITICAL),
    AlertKind.GLASS_BREAK: Rule(severity=Severity.CRITICAL),
    AlertKind.SCREAM: Rule(severity=Severity.CRITICAL),
    AlertKind.BABY_CRY: Rule(severity=Severity.HIGH),
    AlertKind.DOG: Rule(severity=Severity.NORMAL, when=When.AWAY),
    AlertKind.PRESENCE: Rule(severity=Severity.NORMAL, when=When.ARMED),
    AlertKind.ALARM_CLOCK: Rule(severity=Severity.SILENT),
    # It chirps for days: once in an hour is enough to be reminded of the battery.
    AlertKind.LOW_BATTERY: Rule(severity=Severity.NORMAL, cooldown=timedelta(hours=1)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A part of the day; it may span midnight. None at all if it ends when it begins."""

    start: time
    end: time

    def __contains__(self, moment: time) -> bool:
        """Tell whether a local time lies in it."""
        if self.start <= self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything that a household wants."""

    kinds: Mapping[AlertKind, Rule] = field(default_factory=lambda: DEFAULT_RULES)
    night: Hours = Hours(start=time(22), end=time(7))
    quiet: Hours = Hours(start=time(0), end=time(0))

    def rule(self, kind: AlertKind) -> Rule:
        """Return what is wanted for a kind."""
        return self.kinds.get(kind, DEFAULT_RULES[kind])
