"""What a satellite has heard, and what the household was told: events that automations can trust."""

from typing import override

from homeassistant.components.event import EventEntityDescription
from homeassistant.const import ATTR_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .const import (
    ATTR_CONFIDENCE,
    ATTR_DURATION,
    ATTR_LEVEL,
    ATTR_ONSET,
    ATTR_PATTERN,
    ATTR_PULSES,
    ATTR_REPLAYED,
    ATTR_ROOM,
    ATTR_SOUND_CLASS,
)
from .coordinator import SatelliteConfigEntry, SatelliteCoordinator
from .dynamic import async_add_per_room
from .entity import SatelliteEntity
from .event_types import FiredEvents, event_of, event_types_of
from .fresh_event import FreshEvent
from .household.entity import home_subentry_of
from .household.event import AlertEvent
from .household.runtime import HouseholdConfigEntry, is_household
from .protocol import LoudNoise, Phase
from .reports import DetectionReport
from .times import NEWS_LIMIT

PARALLEL_UPDATES = 0

# For automations that want more than the alerts of the household; in the activity it would repeat each sound.
SOUND_DETECTION = EventEntityDescription(
    key="sound_detection", translation_key="sound_detection", entity_registry_enabled_default=False
)

LOUD_NOISE = EventEntityDescription(
    key="loud_noise",
    translation_key="loud_noise",
    event_types=["began", "ended", "late"],
    entity_registry_enabled_default=False,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SatelliteConfigEntry | HouseholdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the event entity of a satellite or of the household."""
    if is_household(entry):
        async_add_entities([AlertEvent(entry.runtime_data)], config_subentry_id=home_subentry_of(entry))
        return
    runtime = entry.runtime_data

    def events(room: str = "") -> list[Entity]:
        return [
            SoundDetectionEvent(runtime, SOUND_DETECTION, room),
            LoudNoiseEvent(runtime, LOUD_NOISE, room),
        ]

    async_add_entities(events())
    async_add_per_room(entry, async_add_entities, events)


class SoundDetectionEvent(FreshEvent, SatelliteEntity):
    """Fires when a sound begins, and when it becomes known what it is; the event type says that."""

    def __init__(
        self, coordinator: SatelliteCoordinator, description: EventEntityDescription, room: str = ""
    ) -> None:
        """Offer what the satellite's model can tell apart as event types; of one room, or of all."""
        super().__init__(coordinator, description, room)
        self._fired = FiredEvents()
        self._attr_event_types = event_types_of(coordinator.data.welcome.classes)

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to listen."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_subscribe_detections(self._async_handle_detection))

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Follow the satellite's model."""
        event_types = event_types_of(self.coordinator.data.welcome.classes)
        if event_types != self._attr_event_types:
            self._attr_event_types = event_types
            self.async_write_ha_state()

    @callback
    def _async_handle_detection(self, report: DetectionReport) -> None:
        detection = report.detection
        if self.room not in ("", detection.room):
            return
        if detection.phase is Phase.END and not self._fired.knows(detection.id):
            # What is over, and was an event before Home Assistant or the entry was started anew, is none again.
            return
        event_type = event_of(detection, late=report.late)
        # A class that the satellite's model does not have, by its own word, is nothing to act on.
        if event_type not in self.event_types or not self._fired.is_first(detection.id, event_type):
            return
        self._trigger_event(
            event_type,
            {
                ATTR_ID: detection.id,
                ATTR_SOUND_CLASS: detection.sound_class.value,
                ATTR_CONFIDENCE: round(detection.confidence, 3),
                ATTR_ONSET: detection.onset.isoformat(),
                ATTR_LEVEL: round(detection.peak_dbfs, 1),
                ATTR_PATTERN: detection.pattern,
                ATTR_REPLAYED: detection.replayed,
                # Only a satellite that hears several rooms says which.
                ATTR_ROOM: detection.room or None,
            },
        )
        self.async_write_ha_state()


class LoudNoiseEvent(FreshEvent, SatelliteEntity):
    """Fires when a loud noise begins and when it is over, whatever it is; once where that is no news any more."""

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to listen."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.moments.async_subscribe(LoudNoise, self._async_handle_noise))

    @callback
    def _async_handle_noise(self, noise: LoudNoise) -> None:
        if self.room not in ("", noise.room):
            return
        over = noise.phase is Phase.END
        late = noise.replayed and dt_util.utcnow() - noise.onset > NEWS_LIMIT
        if late and not over:
            return
        self._trigger_event(
            "late" if late else "ended" if over else "began",
            {
                ATTR_ID: noise.id,
                ATTR_ONSET: noise.onset.isoformat(),
                ATTR_DURATION: noise.duration_s,
                ATTR_LEVEL: noise.peak_dbfs,
                ATTR_PULSES: noise.pulses,
                ATTR_REPLAYED: noise.replayed,
                ATTR_ROOM: noise.room or None,
            },
        )
        self.async_write_ha_state()
