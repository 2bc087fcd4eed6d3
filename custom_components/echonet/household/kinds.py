"""What an incident is (a smoke alarm, a barking dog), and how much it matters. Pure."""

from enum import StrEnum
from typing import Final

from ..protocol import AlarmPattern, SoundClass


class AlertKind(StrEnum):
    """What people are told of: the classes, with the alarms by what they mean."""

    GUNSHOT = "gunshot"
    GLASS_BREAK = "glass_break"
    BABY_CRY = "baby_cry"
    FIRE = "fire"
    DOG = "dog"
    PRESENCE = "presence"
    SCREAM = "scream"
    SMOKE_ALARM = "smoke_alarm"
    CO_ALARM = "co_alarm"
    SIREN = "siren"
    ALARM = "alarm"
    ALARM_CLOCK = "alarm_clock"
    LOW_BATTERY = "low_battery"


class Severity(StrEnum):
    """How loudly something is told: through any silence, at once, as usual, without a sound."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    SILENT = "silent"

    @property
    def rank(self) -> int:
        """Return a number that grows with the severity."""
        return _RANKS[self]

    def at_most(self, other: Severity) -> Severity:
        """Return the lower of the two."""
        return min(self, other, key=lambda item: item.rank)

    def at_least(self, other: Severity) -> Severity:
        """Return the higher of the two."""
        return max(self, other, key=lambda item: item.rank)


_RANKS: Final = {Severity.SILENT: 0, Severity.NORMAL: 1, Severity.HIGH: 2, Severity.CRITICAL: 3}

_ALARMS: Final = {
    AlarmPattern.T3: AlertKind.SMOKE_ALARM,
    AlarmPattern.T4: AlertKind.CO_ALARM,
    AlarmPattern.SIREN: AlertKind.SIREN,
    AlarmPattern.CLOCK: AlertKind.ALARM_CLOCK,
    AlarmPattern.CHIRP: AlertKind.LOW_BATTERY,
}

# How dangerous what is known of an alarm is. What was once heard as one of these is never taken for less.
DANGER: Final = {AlertKind.SIREN: 1, AlertKind.SMOKE_ALARM: 2, AlertKind.CO_ALARM: 3}
BENIGN: Final = frozenset({AlertKind.ALARM_CLOCK, AlertKind.LOW_BATTERY})
# Nothing may keep these from being told: no mute and no snooze.
UNMUTABLE: Final = frozenset({AlertKind.SMOKE_ALARM, AlertKind.CO_ALARM})
# Rhythms that are exact. A siren is a guess by comparison: the next room may know better.
EXACT: Final = frozenset({AlertKind.SMOKE_ALARM, AlertKind.CO_ALARM, *BENIGN})
# Sounds that last, so that their end is news. A shot is over at once, and that says nothing.
LASTING: Final = frozenset({AlertKind.ALARM, *DANGER, *BENIGN, AlertKind.FIRE, AlertKind.BABY_CRY})


def kind_of(sound_class: SoundClass, pattern: AlarmPattern | None) -> AlertKind:
    """Return what a detection is."""
    if sound_class is SoundClass.ALARM:
        return AlertKind.ALARM if pattern is None else _ALARMS.get(pattern, AlertKind.ALARM)
    return AlertKind(sound_class.value)


def kinds_of(sound_class: SoundClass) -> frozenset[AlertKind]:
    """Return what a detection of a class may be."""
    return frozenset(kind_of(sound_class, pattern) for pattern in (None, *AlarmPattern))


def is_alarm(kind: AlertKind) -> bool:
    """Tell whether it is an alarm of any kind, also one not known yet."""
    return kind is AlertKind.ALARM or kind in DANGER or kind in BENIGN
