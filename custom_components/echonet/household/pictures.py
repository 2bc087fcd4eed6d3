"""The picture of what was heard on the alert: added quietly once the satellite has kept the clip."""

from collections.abc import Callable
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..clip_access import clip_url
from ..clips import Part, is_clip_id
from ..reports import SIGNAL_CLIP, ClipReport
from .incident import Incident

REMEMBERED: Final = 256


class ClipPictures:
    """The first picture of each incident."""

    def __init__(self) -> None:
        """Know none."""
        self._urls: dict[str, str] = {}

    def of(self, incident_id: str) -> str | None:
        """Return the address of the picture of an incident, behind Home Assistant's login; None without a picture."""
        return self._urls.get(incident_id)

    @callback
    def async_connect(
        self,
        hass: HomeAssistant,
        incident_of: Callable[[str], Incident | None],
        show: Callable[[str], None],
    ) -> CALLBACK_TYPE:
        """Listen for clips; `show` is called with the id of each incident that has got its picture."""

        @callback
        def kept(report: ClipReport) -> None:
            detection_id = report.clip.detection_id
            incident = incident_of(detection_id)
            if incident is None or incident.id in self._urls or not is_clip_id(detection_id):
                return
            self._urls[incident.id] = clip_url(report.entry_id, detection_id, Part.PICTURE)
            while len(self._urls) > REMEMBERED:
                del self._urls[next(iter(self._urls))]
            if not incident.answered:
                # Whoever has answered has put it away, and does not want it back.
                show(incident.id)

        return async_dispatcher_connect(hass, SIGNAL_CLIP, kept)
