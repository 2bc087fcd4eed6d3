"""A satellite with GPS that moves: alerts know the new place, and how old it is."""

from datetime import timedelta

from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry

from echonet_satellite.protocol import Location, LocationSource, Position
from tests.integration.conftest import wait_for
from tests.support.satellite import SatelliteUnderTest


async def test_a_satellite_that_moves_is_known_where_it_is(
    loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    moved = Location(latitude=48.137, longitude=11.575, accuracy_m=6.0, age_s=120.0)

    satellite.station.announce(Position(location_source=LocationSource.GPS, location=moved))

    coordinator = loaded.runtime_data
    await wait_for(lambda: coordinator.data.welcome.location is not None)
    report = coordinator.report
    assert report.welcome.location_source == LocationSource.GPS
    assert (report.welcome.location.latitude, report.welcome.location.accuracy_m) == (48.137, 6.0)
    age = dt_util.utcnow() - report.welcomed_at
    assert timedelta(seconds=120) <= age < timedelta(seconds=180)
