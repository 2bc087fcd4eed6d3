"""What the event of a detection is called: a name for each thing that an automation may act on. Pure."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from .household.kinds import AlertKind, is_alarm, kind_of
from .protocol import AlarmPattern, Detection, Phase, SoundClass

TEST: Final = "test"
LATE: Final = "late"
LOW_BATTERY_CHIRP: Final = "low_battery_chirp"

REMEMBERED: Final = 1024


def event_types_of(classes: Iterable[SoundClass]) -> list[str]:
    """Return every event type that a satellite with these classes can fire."""
    types: list[str] = []
    for sound_class in classes:
        if sound_class is SoundClass.ALARM:
            types += [name_of(kind) for kind in AlertKind if is_alarm(kind)]
        else:
            types.append(sound_class.value)
    return [*types, TEST, LATE]


def event_type_of(sound_class: SoundClass, pattern: AlarmPattern | None) -> str:
    """Return what a sound is, as far as it is known."""
    return name_of(kind_of(sound_class, pattern))


def name_of(kind: AlertKind) -> str:
    """Return what automations know a kind by."""
    # What is heard is the chirp; that a battery is empty is what it means.
    return LOW_BATTERY_CHIRP if kind is AlertKind.LOW_BATTERY else kind.value


class FiredEvents:
    """Remembers which events were fired of a detection or an incident: of each type one."""

    def __init__(self) -> None:
        """Begin as if nothing had been fired."""
        self._fired: OrderedDict[str, set[str]] = OrderedDict()

    def knows(self, key: str) -> bool:
        """Tell whether any event was fired of it."""
        return key in self._fired

    def is_first(self, key: str, event_type: str) -> bool:
        """Tell whether it is the first event of this type, and remember it."""
        fired = self._fired.setdefault(key, set())
        if len(self._fired) > REMEMBERED:
            self._fired.popitem(last=False)
        if event_type in fired:
            return False
        fired.add(event_type)
        return True


def event_of(detection: Detection, *, late: bool) -> str | None:
    """Return the event type that a message of a detection stands for, None if it says nothing new.

    What a sound is may become known after its start: then it stands for what it is.
    """
    event_type = event_type_of(detection.sound_class, detection.pattern)
    if detection.phase is not Phase.START and event_type == detection.sound_class.value:
        return None
    return told_as(detection, late=late)


def told_as(detection: Detection, *, late: bool) -> str:
    """Return the event type of a detection as far as it is known: what it is, unless it is a test or no news."""
    if detection.test:
        return TEST
    return LATE if late else event_type_of(detection.sound_class, detection.pattern)
