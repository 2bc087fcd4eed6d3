"""In which room an incident most probably is: what its satellites heard, and what the others that listen did not."""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from ..coordinator import SatelliteCoordinator
from ..helpers import async_get_satellites
from ..protocol import MICROPHONE_PROBLEMS, Problem, Sensitivity, SoundClass
from .incident import Incident, Observation
from .surroundings import async_get_place
from .where import MAX_LISTENERS, Hearing, Listener, Whereabouts, locate

# In 5 ms, sound comes less than two metres far: a clock that may be off by more says nothing of rooms.
CLOSE_ENOUGH: Final = timedelta(milliseconds=5)
# What a satellite has not told by then it has not heard.
PATIENCE: Final = timedelta(seconds=3)
# Afterwards people know better than any calculation.
SETTLED: Final = timedelta(seconds=20)
MAX_CORRECTIONS: Final = 2
REMEMBERED: Final = 256
# One that is overdriven hears all too well.
DEAF: Final = MICROPHONE_PROBLEMS - {Problem.MICROPHONE_CLIPPED}


@callback
def async_locate(hass: HomeAssistant, incident: Incident, now: datetime) -> Whereabouts | None:
    """Return the likely rooms of an incident, None where nothing can be said."""
    if incident.test:
        return None
    # What is heard again later, perhaps elsewhere, says nothing of where it began.
    heard: dict[tuple[str, str], Observation] = {}
    for item in incident.observations:
        heard.setdefault(item.place.listener, item)
    silence_counts = now - incident.onset > PATIENCE
    listeners: list[Listener] = []
    silent: list[Listener] = []
    for entry in async_get_satellites(hass):
        if entry.state is not ConfigEntryState.LOADED:
            continue
        satellite: SatelliteCoordinator = entry.runtime_data
        for source in satellite.data.welcome.rooms or ("",):
            observation = heard.pop((satellite.satellite_id, source), None)
            if observation is not None:
                listeners.append(_listener(observation, satellite))
            elif (
                silence_counts
                and len(silent) < MAX_LISTENERS
                and _listens(satellite, incident.sound_class, source)
            ):
                report = satellite.report
                place = async_get_place(hass, report.device_id, report.welcome, report.welcomed_at, source)
                silent.append(Listener(room=place.room or place.name))
    return locate(incident.sound_class, listeners + silent)


class RoomWatch:
    """Remembers which room was told of an incident, and says when what others did not hear makes it another."""

    def __init__(self) -> None:
        """Begin with nothing told."""
        self._told: OrderedDict[str, tuple[str | None, int]] = OrderedDict()

    def note(self, incident_id: str, whereabouts: Whereabouts | None) -> None:
        """Remember what is being told."""
        _, corrections = self._told.pop(incident_id, (None, 0))
        room = whereabouts.room if whereabouts is not None else None
        self._told[incident_id] = room, corrections
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    @callback
    def async_is_elsewhere(self, hass: HomeAssistant, incident: Incident, now: datetime) -> bool:
        """Tell whether a room is known now that was not told, and count that: it may change its mind a few times."""
        told, corrections = self._told.get(incident.id, (None, MAX_CORRECTIONS))
        if (
            corrections >= MAX_CORRECTIONS
            or not PATIENCE < now - incident.onset < SETTLED
            # Of a single room, the title says it.
            or len({place.key for place in incident.places}) < 2
        ):
            return False
        whereabouts = async_locate(hass, incident, now)
        if whereabouts is None or whereabouts.room in (None, told):
            return False
        self._told[incident.id] = told, corrections + 1
        return True


def _listener(observation: Observation, satellite: SatelliteCoordinator) -> Listener:
    offset = satellite.clock_offset
    detection = observation.detection
    timed = (
        offset is not None
        and offset.uncertainty <= CLOSE_ENOUGH
        and observation.believed
        and not detection.replayed
    )
    return Listener(
        room=observation.place.room or observation.place.name,
        heard=Hearing(
            level_dbfs=detection.peak_dbfs, onset_s=observation.onset.timestamp() if timed else None
        ),
    )


def _listens(satellite: SatelliteCoordinator, sound_class: SoundClass, source: str) -> bool:
    settings = satellite.data.settings
    problems = satellite.data.problems_of(source)
    return (
        satellite.last_update_success
        and settings.listening
        and settings.sensitivity.get(sound_class, Sensitivity.OFF) is not Sensitivity.OFF
        and DEAF.isdisjoint(problems)
    )
