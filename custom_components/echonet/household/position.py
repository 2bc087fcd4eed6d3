"""Where an alert is from, in coordinates: which ones, how accurate, how old, and how a map shows them. Pure."""

from dataclasses import dataclass
from datetime import datetime

from ..protocol import LocationSource

MAP_ZOOM = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place on the map; `source` NONE means that no satellite knew one, so that it is the home's."""

    latitude: float
    longitude: float
    source: LocationSource = LocationSource.NONE
    accuracy_m: float = 0.0
    known_at: datetime | None = None

    @property
    def coordinates(self) -> str:
        """The coordinates as any map or dispatcher takes them."""
        return f"{_degrees(self.latitude)}, {_degrees(self.longitude)}"

    @property
    def map_url(self) -> str:
        """A web page that shows the place on OpenStreetMap."""
        latitude, longitude = _degrees(self.latitude), _degrees(self.longitude)
        return (
            f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}"
            f"#map={MAP_ZOOM}/{latitude}/{longitude}"
        )

    @property
    def geo_uri(self) -> str:
        """The place for a phone's own map (RFC 5870, with the query that Android needs to set a pin)."""
        latitude, longitude = _degrees(self.latitude), _degrees(self.longitude)
        return f"geo:{latitude},{longitude}?q={latitude},{longitude}"


def _degrees(value: float) -> str:
    # Six decimals are a tenth of a metre.
    return f"{value:.6f}"
