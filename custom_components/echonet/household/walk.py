"""What a walk test finds: for each room, the first link of the way from the microphone to the phones that is broken."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

# After so long without a walk that found nothing wrong, it is time for another one.
DUE_AFTER: Final = timedelta(days=30)


class Broken(StrEnum):
    """A link that is broken, in the order of the way."""

    AWAY = "away"
    NOT_LISTENING = "not_listening"
    MICROPHONE_MISSING = "microphone_missing"
    MICROPHONE_SILENT = "microphone_silent"
    NO_ANSWER = "no_answer"
    NO_RECIPIENT = "no_recipient"
    UNREACHED = "unreached"
    NO_PHONE = "no_phone"
    UNCONFIRMED = "unconfirmed"


class WalkState(StrEnum):
    """How the last walk went, or that one is under way."""

    NEVER = "never"
    WALKING = "walking"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What was found in one room; `unreached` names the recipients whom the test did not reach."""

    room: str
    broken: Broken | None = None
    unreached: tuple[str, ...] = ()


def state_of(visits: Sequence[Visit]) -> WalkState:
    """Return how a walk went; one that led nowhere shows nothing."""
    passed = bool(visits) and all(visit.broken is None for visit in visits)
    return WalkState.PASSED if passed else WalkState.FAILED


def is_due(passed_at: datetime | None, since: datetime, now: datetime) -> bool:
    """Tell whether it is time for a walk: a month after the last good one, or after the household was set up."""
    last = passed_at or since
    # A date in the future comes of a clock that was wrong.
    return now - last > DUE_AFTER or last - now > DUE_AFTER
