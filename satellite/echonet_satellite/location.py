"""Where the satellite is: what its owner wrote down, or nothing."""

from .config import Config
from .protocol import Location, LocationSource


def locate(config: Config) -> tuple[LocationSource, Location | None]:
    """Return the place of the satellite, and where it is known from."""
    if config.location is not None:
        return LocationSource.CONFIGURED, config.location
    return LocationSource.NONE, None
