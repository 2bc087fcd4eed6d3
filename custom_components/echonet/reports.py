"""What the coordinator of a satellite tells the household and the entities."""

from dataclasses import dataclass
from datetime import datetime

from homeassistant.util.signal_type import SignalType

from .const import DOMAIN
from .protocol import Clip, Detection, Health, Welcome


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionReport:
    """A detection that has just arrived; `late` if it was replayed, is over, and is no longer news.

    `away_since` is when the connection was lost before which it would have been told at once, if that is known.
    """

    device_id: str
    welcome: Welcome
    welcomed_at: datetime
    detection: Detection
    late: bool
    away_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SatelliteReport:
    """How a satellite is, told whenever that changes; `active` is what it hears, as far as it is connected."""

    entry_id: str
    device_id: str
    welcome: Welcome
    welcomed_at: datetime
    connected: bool
    health: Health
    active: tuple[Detection, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipReport:
    """A clip that a satellite has kept just now."""

    entry_id: str
    clip: Clip


SIGNAL_CLIP: SignalType[ClipReport] = SignalType(f"{DOMAIN}_clip")
SIGNAL_SATELLITE: SignalType[SatelliteReport] = SignalType(f"{DOMAIN}_satellite")
