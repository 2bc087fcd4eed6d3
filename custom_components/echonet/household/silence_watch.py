"""Looks for silence every half minute; what lasts becomes a repair and an alert."""

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
import logging
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..coordinator import SatelliteCoordinator
from ..device import async_name_room
from ..helpers import async_get_satellites
from .courier import Courier
from .desk import Desk
from .kinds import Severity
from .options import care_of
from .recipients import Recipient, recipients_of, waves_of
from .sender import Tellable
from .silence import Concern, Trouble
from .silence_notice import SilenceNotice
from .texts import Language, nearest_language

_LOGGER = logging.getLogger(__name__)

LOOK_EVERY: Final = timedelta(seconds=30)
# What a touch on the notification opens: what is wrong, and what to do.
PAGE: Final = "/config/repairs"

_ISSUE_SEVERITIES: Final = {
    Trouble.SATELLITE_AWAY: ir.IssueSeverity.WARNING,
    Trouble.MICROPHONE_DEAD: ir.IssueSeverity.ERROR,
    Trouble.NO_RECIPIENT: ir.IssueSeverity.WARNING,
    Trouble.NOBODY_REACHED: ir.IssueSeverity.CRITICAL,
}


class SilenceWatch:
    """The silences of one household."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        desk: Desk,
        courier: Courier,
        store: Callable[[], None],
    ) -> None:
        """Prepare to watch; `store` is called when the desk knows something that is to outlive a restart."""
        self._hass = hass
        self._entry = entry
        self._desk = desk
        self._courier = courier
        self._store = store
        # What an earlier run has told, some may not have heard of, and its repairs may be gone.
        self._taken_over = False

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Begin to look; returns what ends it."""
        return async_track_time_interval(self._hass, self._async_look, LOOK_EVERY)

    async def _async_look(self, _: datetime) -> None:
        await self.async_look(dt_util.utcnow())

    async def async_look(self, now: datetime) -> None:
        """Look once, raise and withdraw repairs, and tell of what is new."""
        care = care_of(self._entry.options)
        look = self._desk.silences.look(self._async_find(now), now, care.patience)
        known = () if self._taken_over else look.known
        self._taken_over = True
        if look.lasting or look.over:
            self._store()
        for concern in look.over:
            ir.async_delete_issue(self._hass, DOMAIN, concern.id)
            self._courier.async_forget(concern.id)
        for concern in (*look.lasting, *known):
            if concern not in known:
                _LOGGER.warning("Silence: %s %s", concern.trouble, concern.name)
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                concern.id,
                is_fixable=False,
                severity=_ISSUE_SEVERITIES[concern.trouble],
                translation_key=concern.trouble.value,
                translation_placeholders={"name": concern.name},
            )
            if concern.key:
                await self._async_tell(concern, care.severity)

    @callback
    def _async_find(self, now: datetime) -> dict[Concern, bool]:
        found: dict[Concern, bool] = {}
        satellites = async_get_satellites(self._hass)
        for satellite in satellites:
            here = {"key": satellite.entry_id, "name": satellite.title}
            if satellite.state is ConfigEntryState.LOADED:
                coordinator = satellite.runtime_data
                if not coordinator.last_update_success:
                    found[Concern(trouble=Trouble.SATELLITE_AWAY, **here)] = False
                    continue
                for room in coordinator.data.deaf:
                    found[_deaf(self._hass, satellite, room)] = False
            elif satellite.disabled_by is None and satellite.state is not ConfigEntryState.SETUP_IN_PROGRESS:
                found[Concern(trouble=Trouble.SATELLITE_AWAY, **here)] = False
        if satellites and not recipients_of(self._entry):
            found[Concern(trouble=Trouble.NO_RECIPIENT)] = False
        if self._desk.ledger.nobody_reached(now):
            found[Concern(trouble=Trouble.NOBODY_REACHED)] = True
        return found

    async def _async_tell(self, concern: Concern, severity: Severity) -> None:
        """Tell the first recipients, and the next ones where these cannot be reached, as of any alert."""
        recipients = recipients_of(self._entry)
        language = nearest_language(self._hass.config.language)
        notice = SilenceNotice(
            concern=concern,
            severity=severity,
            words={
                item: await self._async_words(item, concern)
                for item in {language, *(recipient.language or language for recipient in recipients)}
            },
            language=language,
            opens=PAGE,
        )
        reached = self._desk.silences.reached(concern)
        waves = [
            tuple(item for item in wave if item.subentry_id not in reached) for wave in waves_of(recipients)
        ]

        @callback
        def told(recipient: Recipient, _: Tellable) -> None:
            self._desk.silences.reach(concern, recipient.subentry_id)
            self._store()

        await self._courier.async_deliver(notice, waves, on_told=told)

    async def _async_words(self, language: Language, concern: Concern) -> tuple[str, str]:
        """Return what the repair says, without the marks that only the interface understands."""
        texts = await async_get_translations(self._hass, language, "issues", {DOMAIN})
        prefix = f"component.{DOMAIN}.issues.{concern.trouble}"
        title, message = (texts.get(f"{prefix}.{part}", part) for part in ("title", "description"))
        plain = message.replace("**", "").replace("`", "")
        return title.replace("{name}", concern.name), plain.replace("{name}", concern.name)


@callback
def _deaf(hass: HomeAssistant, satellite: ConfigEntry[SatelliteCoordinator], room: str) -> Concern:
    """Return the trouble of a satellite, or of one of its rooms, of which nothing is heard."""
    key, name = satellite.entry_id, satellite.title
    if room:
        # A name may be long, and of any script; what notifications and repairs are known by may not.
        key = f"{key}-{sha256(room.encode()).hexdigest()[:8]}"
        name = f"{async_name_room(hass, satellite.runtime_data.satellite_id, room)} ({name})"
    return Concern(trouble=Trouble.MICROPHONE_DEAD, key=key, name=name)


@callback
def async_forget_silences(hass: HomeAssistant) -> None:
    """Withdraw all repairs of silence, because nobody watches any more."""
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain == DOMAIN and issue_id.startswith(tuple(Trouble)):
            ir.async_delete_issue(hass, DOMAIN, issue_id)
