"""The actions that automations and people can call: acknowledge, label, mute, delete clips, send a test alert."""

from datetime import timedelta
from typing import Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_DEVICE_ID, ATTR_NAME
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.util.json import JsonValueType
import probatio

from .clip_access import async_delete_clips
from .clips import is_clip_id
from .const import ATTR_SOUND_CLASS, CONF_CLASSES, DOMAIN
from .coordinator import SatelliteCoordinator
from .device import async_room_of
from .household.answers import (
    MAX_MUTE,
    MUTE_DURATION,
    async_get_last,
    async_get_waiting,
    async_label,
    async_mute,
)
from .household.asking import async_ask
from .household.incident import Incident
from .household.runtime import Household, is_household
from .protocol import SoundClass, Test, Verdict
from .taught_sounds import async_forget_sound, async_teach, is_sound_name

ACKNOWLEDGE: Final = "acknowledge"
DELETE_CLIPS: Final = "delete_clips"
FORGET_SOUND: Final = "forget_sound"
LABEL: Final = "label"
MUTE: Final = "mute"
TEACH_SOUND: Final = "teach_sound"
TEST_ALERT: Final = "test_alert"

ATTR_CLIP: Final = "clip"
ATTR_DURATION: Final = "duration"
ATTR_INCIDENT: Final = "incident"
ATTR_VERDICT: Final = "verdict"


def _sound_name(name: str) -> str:
    """Return the name of a sound, as it may travel."""
    plain = " ".join(name.split())
    if not is_sound_name(plain):
        raise probatio.Invalid("a name of a few printable words")
    return plain


ACKNOWLEDGE_SCHEMA: Final = probatio.Schema({probatio.Optional(ATTR_INCIDENT): cv.string})
DELETE_CLIPS_SCHEMA: Final = probatio.Schema(
    {probatio.Required(ATTR_DEVICE_ID): cv.string, probatio.Optional(ATTR_CLIP): cv.string}
)
LABEL_SCHEMA: Final = probatio.Schema(
    {
        probatio.Optional(ATTR_INCIDENT): cv.string,
        probatio.Required(ATTR_VERDICT): probatio.Coerce(Verdict),
    }
)
MUTE_SCHEMA: Final = probatio.Schema(
    {
        probatio.Optional(ATTR_DURATION, default=MUTE_DURATION): probatio.All(
            cv.positive_time_period, probatio.Range(min=timedelta(0), max=MAX_MUTE)
        ),
        probatio.Optional(CONF_CLASSES, default=list): probatio.All(
            cv.ensure_list, [probatio.Coerce(SoundClass)]
        ),
    }
)
SOUND_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(ATTR_DEVICE_ID): cv.string,
        probatio.Required(ATTR_NAME): probatio.All(cv.string, _sound_name),
    }
)
TEST_ALERT_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(ATTR_DEVICE_ID): cv.string,
        probatio.Optional(ATTR_SOUND_CLASS, default=SoundClass.ALARM.value): probatio.Coerce(SoundClass),
    }
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions, once for all entries."""
    hass.services.async_register(DOMAIN, ACKNOWLEDGE, _async_acknowledge, ACKNOWLEDGE_SCHEMA)
    hass.services.async_register(DOMAIN, DELETE_CLIPS, _async_delete_clips, DELETE_CLIPS_SCHEMA)
    hass.services.async_register(DOMAIN, LABEL, _async_label, LABEL_SCHEMA)
    hass.services.async_register(DOMAIN, MUTE, _async_mute, MUTE_SCHEMA)
    hass.services.async_register(DOMAIN, FORGET_SOUND, _async_forget_sound, SOUND_SCHEMA)
    hass.services.async_register(
        DOMAIN, TEACH_SOUND, _async_teach_sound, SOUND_SCHEMA, supports_response=SupportsResponse.OPTIONAL
    )
    hass.services.async_register(DOMAIN, TEST_ALERT, _async_test_alert, TEST_ALERT_SCHEMA)


async def _async_acknowledge(call: ServiceCall) -> None:
    by = await _async_name(call)

    def acknowledge(household: Household) -> None:
        if ATTR_INCIDENT in call.data:
            household.async_acknowledge(_get_incident(household, call).id, by=by)
            return
        waiting = async_get_waiting(household)
        if not waiting:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="nothing_to_acknowledge")
        for incident in waiting:
            household.async_acknowledge(incident.id, by=by)

    await async_ask(call.hass, acknowledge)


async def _async_label(call: ServiceCall) -> None:
    by = await _async_name(call)

    def label(household: Household) -> Incident:
        incident = _get_incident(household, call)
        if call.data[ATTR_VERDICT] is Verdict.FALSE_ALARM:
            household.async_false_alarm(incident.id, by=by)
        return incident

    await async_label(call.hass, await async_ask(call.hass, label), call.data[ATTR_VERDICT])


async def _async_delete_clips(call: ServiceCall) -> None:
    coordinator = async_get_coordinator(call.hass, call.data[ATTR_DEVICE_ID])
    clip = call.data.get(ATTR_CLIP)
    if coordinator.data.settings.clips is None or (clip is not None and not is_clip_id(clip)):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="unknown_clip")
    await async_delete_clips(call.hass, coordinator.config_entry, clip)


async def _async_mute(call: ServiceCall) -> None:
    await async_mute(call.hass, call.data[ATTR_DURATION], call.data[CONF_CLASSES])


async def _async_teach_sound(call: ServiceCall) -> ServiceResponse:
    coordinator = async_get_coordinator(call.hass, call.data[ATTR_DEVICE_ID])
    taught = await async_teach(coordinator, call.data[ATTR_NAME])
    hint: dict[str, JsonValueType] = {} if taught.hint is None else {"hint": taught.hint.value}
    return {"recordings": taught.examples, "needed": taught.needed, **hint}


async def _async_forget_sound(call: ServiceCall) -> None:
    coordinator = async_get_coordinator(call.hass, call.data[ATTR_DEVICE_ID])
    await async_forget_sound(coordinator, call.data[ATTR_NAME])


async def _async_test_alert(call: ServiceCall) -> None:
    coordinator = async_get_coordinator(call.hass, call.data[ATTR_DEVICE_ID])
    sound_class: SoundClass = call.data[ATTR_SOUND_CLASS]
    if sound_class not in coordinator.data.welcome.classes:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="class_not_known",
            translation_placeholders={"name": coordinator.config_entry.title},
        )
    room = async_room_of(
        call.hass, coordinator.satellite_id, call.data[ATTR_DEVICE_ID], coordinator.data.rooms
    )
    await coordinator.async_send(Test(sound_class=sound_class, room=room))


def _get_incident(household: Household, call: ServiceCall) -> Incident:
    """Return the incident that is meant: the one that is named, else the last one."""
    if ATTR_INCIDENT not in call.data:
        return async_get_last(household)
    incident = household.async_get_incident(call.data[ATTR_INCIDENT])
    if incident is None:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="unknown_incident")
    return incident


@callback
def async_get_coordinator(hass: HomeAssistant, device_id: str) -> SatelliteCoordinator:
    """Return the coordinator of a device.

    Raises:
        ServiceValidationError: it is no satellite, or not set up now.
    """
    device = dr.async_get(hass).async_get(device_id)
    entries = [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN)
        if device is not None and entry.entry_id in device.config_entries and not is_household(entry)
    ]
    if not entries:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="not_a_satellite")
    entry = entries[0]
    if entry.state is not ConfigEntryState.LOADED:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="not_connected",
            translation_placeholders={"name": entry.title},
        )
    coordinator: SatelliteCoordinator = entry.runtime_data
    return coordinator


async def _async_name(call: ServiceCall) -> str | None:
    user = await call.hass.auth.async_get_user(call.context.user_id) if call.context.user_id else None
    return user.name if user is not None else None
