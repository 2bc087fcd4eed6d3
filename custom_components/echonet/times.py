"""When a sound really began and ended, as far as a satellite's clock can be believed. Pure.

A Raspberry Pi has no clock of its own: until it has found a time server it may live in 1970, or hours from the truth.
What it says of a moment is believed where it can be true, and replaced by the time of arrival where it cannot.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .protocol import Detection, Phase

# A satellite may be ahead of Home Assistant by so much, without being wrong.
AHEAD_LIMIT: Final = timedelta(seconds=5)
# A start that is sent as it happens is never older: the connection would have been given up.
LIVE_LIMIT: Final = timedelta(seconds=60)
# Satellites keep what they hear for 30 days.
KEPT_LIMIT: Final = timedelta(days=31)
# A replayed detection counts as news for this long; afterwards it is history.
NEWS_LIMIT: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a sound began; `believed` unless the satellite named a time that cannot be."""

    onset: datetime
    believed: bool


def settle_onset(detection: Detection, now: datetime, *, away_since: datetime | None = None) -> Moment:
    """Return when a sound began that has just been heard of for the first time.

    Args:
        detection: What the satellite says.
        now: The time of arrival.
        away_since: When the connection was lost over which it would have been told at once, if it was replayed and
            that is known: it cannot have happened long before.
    """
    if detection.replayed:
        earliest = now - KEPT_LIMIT if away_since is None else away_since - LIVE_LIMIT
    elif detection.phase is Phase.START:
        earliest = now - LIVE_LIMIT
    else:
        earliest = now - KEPT_LIMIT
    if earliest <= detection.onset <= now + AHEAD_LIMIT:
        return Moment(onset=min(detection.onset, now), believed=True)
    return Moment(onset=now, believed=False)


def settle_end(detection: Detection, onset: datetime, now: datetime) -> tuple[datetime, bool]:
    """Return when a sound ended that began at `onset`, and whether the satellite's word was possible."""
    longest = max(now - onset, timedelta(0))
    if detection.duration_s > (longest + AHEAD_LIMIT).total_seconds():
        return onset + longest, False
    return onset + timedelta(seconds=detection.duration_s), True


def is_late(
    detection: Detection, moment: Moment, now: datetime, *, ongoing: bool, away_since: datetime | None = None
) -> bool:
    """Tell whether a detection was replayed, is over, and is no longer news."""
    if not detection.replayed or ongoing:
        return False
    if not moment.believed:
        # All that is known is that it happened while the satellite was away.
        return away_since is None or now - away_since > NEWS_LIMIT
    return now - moment.onset > NEWS_LIMIT
