"""Where the satellite is: what GPS says, else what its owner wrote down, else nothing."""

from .config import Config
from .gpsd import Gpsd
from .protocol import Location, LocationSource


def locate(config: Config, gpsd: Gpsd | None = None) -> tuple[LocationSource, Location | None]:
    """Return the place of the satellite, and where it is known from."""
    if gpsd is not None and (found := gpsd.location) is not None:
        return LocationSource.GPS, found
    if config.location is not None:
        return LocationSource.CONFIGURED, config.location
    return LocationSource.NONE, None
