"""What a satellite has heard, and what the household was told: events, for automations."""

from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.const import ATTR_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import ATTR_CONFIDENCE, ATTR_LEVEL, ATTR_ONSET, ATTR_PATTERN, ATTR_REPLAYED, ATTR_TEST
from .coordinator import DetectionReport, SatelliteConfigEntry, SatelliteCoordinator
from .entity import SatelliteEntity
from .household.event import AlertEvent
from .household.runtime import Household, HouseholdConfigEntry
from .protocol import Phase

PARALLEL_UPDATES = 0

SOUND_DETECTION = EventEntityDescription(key="sound_detection", translation_key="sound_detection")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SatelliteConfigEntry | HouseholdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the event entity of a satellite or of the household."""
    runtime = entry.runtime_data
    if isinstance(runtime, Household):
        async_add_entities([AlertEvent(runtime)])
    else:
        async_add_entities([SoundDetectionEvent(runtime, SOUND_DETECTION)])


class SoundDetectionEvent(SatelliteEntity, EventEntity):
    """Fires at the start of each sound; the event type is its class."""

    def __init__(self, coordinator: SatelliteCoordinator, description: EventEntityDescription) -> None:
        """Offer the classes of the satellite's model as event types."""
        super().__init__(coordinator, description)
        self._attr_event_types = [item.value for item in coordinator.data.welcome.classes]

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to listen."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_subscribe_detections(self._async_handle_detection))

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Follow the satellite's model, then its availability."""
        self._attr_event_types = [item.value for item in self.coordinator.data.welcome.classes]
        super()._handle_coordinator_update()

    @callback
    def _async_handle_detection(self, report: DetectionReport) -> None:
        detection = report.detection
        if detection.phase is not Phase.START or report.late:
            return
        self._trigger_event(
            detection.sound_class.value,
            {
                ATTR_ID: detection.id,
                ATTR_CONFIDENCE: round(detection.confidence, 3),
                ATTR_ONSET: detection.onset.isoformat(),
                ATTR_LEVEL: round(detection.peak_dbfs, 1),
                ATTR_PATTERN: detection.pattern,
                ATTR_REPLAYED: detection.replayed,
                ATTR_TEST: detection.test,
            },
        )
        self.async_write_ha_state()
