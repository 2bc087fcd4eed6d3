"""What an alert depends on besides the sound: the time, who is at home, and whether the alarm is armed."""

from datetime import datetime
from typing import Final

from homeassistant.components.alarm_control_panel import (
    DOMAIN as ALARM_DOMAIN,
    AlarmControlPanelState,
)
from homeassistant.components.person import DOMAIN as PERSON_DOMAIN
from homeassistant.const import STATE_HOME
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .policy import Circumstances

# A panel that rings, or is about to be armed or to ring, guards the house as well.
_GUARDED: Final = frozenset(
    {
        AlarmControlPanelState.ARMED_HOME,
        AlarmControlPanelState.ARMED_AWAY,
        AlarmControlPanelState.ARMED_NIGHT,
        AlarmControlPanelState.ARMED_VACATION,
        AlarmControlPanelState.ARMED_CUSTOM_BYPASS,
        AlarmControlPanelState.PENDING,
        AlarmControlPanelState.TRIGGERED,
    }
)


@callback
def async_get_circumstances(hass: HomeAssistant, now: datetime) -> Circumstances:
    """Return how things stand now.

    A home without any `person` counts as left: nobody can say that somebody is there who would hear it anyway.
    """
    return Circumstances(
        now=now,
        local=dt_util.as_local(now).time(),
        away=not any(state.state == STATE_HOME for state in hass.states.async_all(PERSON_DOMAIN)),
        armed=any(state.state in _GUARDED for state in hass.states.async_all(ALARM_DOMAIN)),
    )
