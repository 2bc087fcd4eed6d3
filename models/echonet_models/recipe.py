"""What mixtures are made of: the one place where their chances stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from echonet_satellite.protocol import SoundClass

# How often an event is of a class. Gunshot, glass and alarm have few recordings and matter most; most of what presence
# has is a single step or door, a moment that the speech in backgrounds would drown.
CLASS_SHARES = {
    SoundClass.GUNSHOT: 0.17,
    SoundClass.GLASS_BREAK: 0.17,
    SoundClass.BABY_CRY: 0.11,
    SoundClass.ALARM: 0.15,
    SoundClass.FIRE: 0.08,
    SoundClass.DOG: 0.09,
    SoundClass.PRESENCE: 0.15,
    SoundClass.SCREAM: 0.08,
}

# How many of a class's events are made up. Recordings of breaking glass are two dozen, of screams half a dozen, of
# cries on anything but a telephone a dozen.
SYNTHETIC_SHARES = {
    SoundClass.GUNSHOT: 0.3,
    SoundClass.GLASS_BREAK: 0.35,
    SoundClass.BABY_CRY: 0.2,
    SoundClass.ALARM: 0.5,
    SoundClass.SCREAM: 0.4,
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How many events, how loud, which, how often what happens to them."""

    events: tuple[float, ...] = (0.12, 0.28, 0.28, 0.2, 0.12)
    other_share: float = 0.38
    imitation_share: float = 0.65
    ebr_db: tuple[float, float] = (-6.0, 24.0)
    # A share of events stand nearly alone, as in a quiet room.
    clean_share: float = 0.25
    clean_ebr_db: tuple[float, float] = (24.0, 50.0)
    # Two dozen recordings of breaking glass are few: another one close by makes a break that nobody recorded.
    companion_share: float = 0.4
    second_background_share: float = 0.3
    room_share: float = 0.5
    colour_share: float = 0.6
    speed_share: float = 0.5
    # What the telephone took from a baby's cry is put back in so many of them.
    treble_share: float = 0.5
    clip_share: float = 0.08
    # Of recordings that were bent far ahead of time, and judged, so many are heard like that.
    varied_share: float = 0.35
    # Of the sounds of no class so many are made up: knocks, tunes, and what was meant as a shot and is taken for none.
    synthetic_other_share: float = 0.3
    # 0: every recording of a class is heard as often; 1: every source. Between: a recording of a small source counts
    # for more than one of a large source.
    source_balance: float = 0.5
    class_shares: Mapping[SoundClass, float] = field(default_factory=CLASS_SHARES.copy)
    synthetic_shares: Mapping[SoundClass, float] = field(default_factory=SYNTHETIC_SHARES.copy)
