"""What goes on in the house now: the incident that matters most, for dashboards and conditions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription

from ..const import HOUSEHOLD_UNIQUE_ID
from ..event_types import name_of
from .entity import household_device
from .incident import Incident
from .kinds import AlertKind
from .runtime import Household

NO_INCIDENT = "none"
MAX_STATE_LENGTH = 255


@dataclass(frozen=True, kw_only=True)
class IncidentSensorDescription(SensorEntityDescription):
    """A sensor, and what it says of the current incident; without one it says `otherwise`."""

    value: Callable[[Incident], str | datetime]
    otherwise: str | None = None


def _places(incident: Incident) -> str:
    rooms = dict.fromkeys(place.room or place.name for place in incident.places)
    return ", ".join(rooms)[:MAX_STATE_LENGTH]


INCIDENT_SENSORS = (
    IncidentSensorDescription(
        key="incident",
        translation_key="incident",
        device_class=SensorDeviceClass.ENUM,
        options=[NO_INCIDENT, *map(name_of, AlertKind)],
        value=lambda incident: name_of(incident.kind),
        otherwise=NO_INCIDENT,
    ),
    # The activity would show each of these beside the alert that says the same.
    IncidentSensorDescription(
        key="incident_rooms",
        translation_key="incident_rooms",
        entity_registry_enabled_default=False,
        value=_places,
    ),
    IncidentSensorDescription(
        key="incident_since",
        translation_key="incident_since",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_registry_enabled_default=False,
        value=lambda incident: incident.onset,
    ),
)


class IncidentSensor(SensorEntity):
    """Says one thing of the incident that goes on, or waits for an answer; tests and old news are none."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    entity_description: IncidentSensorDescription

    def __init__(self, household: Household, description: IncidentSensorDescription) -> None:
        """Attach the sensor to the household."""
        self.entity_description = description
        self._household = household
        self._attr_unique_id = f"{HOUSEHOLD_UNIQUE_ID}-{description.key}"
        self._attr_device_info = household_device()

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to follow."""
        self.async_on_remove(self._household.async_subscribe_incidents(self.async_write_ha_state))

    @property
    @override
    def native_value(self) -> str | datetime | None:
        """What is so now."""
        incident = self._household.current
        if incident is None:
            return self.entity_description.otherwise
        return self.entity_description.value(incident)
