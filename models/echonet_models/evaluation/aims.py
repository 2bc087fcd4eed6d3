"""What the classifier should reach, and whether it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from echonet_satellite.protocol import SoundClass

from ..datasets import CLASSES
from . import IMITATION
from .clips import ALL_KINDS
from .events import MEAN

MEDIUM = "medium"
LEAST_RECALL = {
    **dict.fromkeys(
        (
            SoundClass.GUNSHOT,
            SoundClass.GLASS_BREAK,
            SoundClass.BABY_CRY,
            SoundClass.ALARM,
            SoundClass.DOG,
        ),
        0.9,
    ),
    **dict.fromkeys((SoundClass.FIRE, SoundClass.SCREAM, SoundClass.PRESENCE), 0.8),
}
MOST_IMITATIONS_PER_HOUR = {SoundClass.GUNSHOT: 10.0, SoundClass.GLASS_BREAK: 5.0, SoundClass.ALARM: 5.0}
MOST_FALSE_ALARMS_PER_DAY = 9.0
MOST_ERROR_RATE = 0.35
MOST_LATENCY_S = {"median_s": 0.25, "p95_s": 0.45}


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure that should be at least or at most so much, and where it is among the figures of a system."""

    text: str
    bound: float
    at_least: bool
    unit: str
    find: Callable[[Mapping[str, Any]], Mapping[str, Any] | None]

    def reached(self, value: float) -> bool:
        """Return whether a measured value is good enough."""
        return value >= self.bound if self.at_least else value <= self.bound


def aims() -> list[Aim]:
    """Return all aims, in the order of the page; of what a short evaluation leaves out, nothing is found."""
    found = [
        Aim(f"clips with {word(name)} that are heard", LEAST_RECALL[name], True, "share", _recall(name))
        for name in CLASSES
    ]
    found.append(
        Aim(
            "false alarms in 24 h of background, all safety classes together",
            MOST_FALSE_ALARMS_PER_DAY,
            False,
            "per_day",
            lambda system: system["sensitivity"][MEDIUM]["safety_per_day"][ALL_KINDS],
        )
    )
    found += [
        Aim(
            f"false alarms in an hour of sounds like {word(name)}", most, False, "per_hour", _imitations(name)
        )
        for name, most in MOST_IMITATIONS_PER_HOUR.items()
    ]
    found.append(
        Aim(
            "event error rate, mean of gunshot, glass break and baby cry",
            MOST_ERROR_RATE,
            False,
            "rate",
            lambda system: system.get("events", {}).get("every", {}).get(MEAN, {}).get("all"),
        )
    )
    found += [
        Aim(
            f"onset to detection, {word(name)}, {'median' if key == 'median_s' else '95th percentile'}",
            most,
            False,
            "seconds",
            _latency(name, key),
        )
        for name in (SoundClass.GUNSHOT, SoundClass.GLASS_BREAK)
        for key, most in MOST_LATENCY_S.items()
    ]
    return found


def word(name: str) -> str:
    """Return a class for a person."""
    return str(name).replace("_", " ")


def _recall(name: SoundClass) -> Callable[[Mapping[str, Any]], Mapping[str, Any] | None]:
    return lambda system: system["sensitivity"][MEDIUM]["recall"][str(name)]


def _imitations(name: SoundClass) -> Callable[[Mapping[str, Any]], Mapping[str, Any] | None]:
    return lambda system: system["sensitivity"][MEDIUM]["false_alarms_per_hour"][str(name)][IMITATION]


def _latency(name: SoundClass, key: str) -> Callable[[Mapping[str, Any]], Mapping[str, Any] | None]:
    return lambda system: system.get("latency", {}).get(str(name), {}).get(key)
