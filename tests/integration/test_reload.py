"""The household is loaded anew in the middle of an alert: nothing is lost, told twice, or told after the answer."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from homeassistant.components.group.notify import GroupNotifyPlatform
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_ENTITY_ID, EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet.const import DOMAIN
from custom_components.echonet.household import courier
from custom_components.echonet.household.kinds import AlertKind
from custom_components.echonet.household.options import CONF_COOLDOWN, CONF_KINDS, options_of_rule
from custom_components.echonet.household.payload import Answer, action_id
from custom_components.echonet.household.runtime import Household
from custom_components.echonet.household.storage import STORAGE_KEY
from echonet_satellite.protocol import AlarmPattern, Phase, SoundClass
from tests.integration.conftest import is_in, wait_for, wait_for_state
from tests.integration.phones import ALERT, add_recipient
from tests.support.satellite import SatelliteUnderTest

LOUD = {"critical", "time-sensitive", "active"}


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "RETRY_PAUSES_S", (0.01,) * 500)


class Phone:
    """A phone with the companion app that can be out of reach, or take its time."""

    def __init__(self, hass: HomeAssistant, name: str, *, reachable: bool = True) -> None:
        self.reachable = reachable
        self.hangs = False
        self.answer = asyncio.Event()
        self.tries: list[ServiceCall] = []
        self.calls: list[ServiceCall] = []
        hass.services.async_register("notify", f"mobile_app_{name}", self.take)

    async def take(self, call: ServiceCall) -> None:
        self.tries.append(call)
        if self.hangs:
            await self.answer.wait()
        if not self.reachable:
            raise HomeAssistantError("no network")
        self.calls.append(call)

    @property
    def rings(self) -> list[str]:
        """The titles of what has rung."""
        return [call.data["title"] for call in self.calls if level_of(call) in LOUD]


def level_of(call: ServiceCall) -> str:
    level: str = call.data["data"]["push"]["interruption-level"]
    return level


def add_phone(hass: HomeAssistant, home: MockConfigEntry, name: str, **data: Any) -> Phone:
    phone = Phone(hass, name, reachable=data.pop("reachable", True))
    add_recipient(hass, home, f"notify.mobile_app_{name}", name=name.title(), **data)
    return phone


def household_of(home: MockConfigEntry) -> Household:
    household: Household = home.runtime_data
    return household


async def reload(hass: HomeAssistant, home: MockConfigEntry) -> None:
    assert await hass.config_entries.async_reload(home.entry_id)


async def let_go_by(hass: HomeAssistant) -> None:
    """Let go by what would be many attempts."""
    await asyncio.sleep(0.1)
    await hass.async_block_till_done()


def press(hass: HomeAssistant, detection: str) -> None:
    action = action_id(Answer.ACKNOWLEDGE, detection)
    hass.bus.async_fire("mobile_app_notification_action", {"action": action})


async def call_acknowledge(hass: HomeAssistant) -> None:
    await hass.services.async_call(DOMAIN, "acknowledge", {}, blocking=True)


async def test_what_was_still_tried_when_the_household_was_loaded_anew_rings_once_and_no_more_once_answered(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    """The old courier went on trying, and rang after the acknowledgement, which only the new one knew of."""
    anna = add_phone(hass, home, "anna", reachable=False)
    detection = satellite.emit(SoundClass.GUNSHOT)
    await wait_for(lambda: anna.tries)
    await reload(hass, home)
    before = len(anna.tries)
    await wait_for(lambda: len(anna.tries) > before)
    household_of(home).async_acknowledge(detection, by="Ben")
    anna.reachable = True
    await wait_for(lambda: anna.calls)
    await let_go_by(hass)
    assert anna.rings == []
    assert "Acknowledged by Ben." in anna.calls[-1].data["message"]


async def test_what_is_owed_is_handed_over_as_it_was_promised_and_nobody_else_hears_of_it_again(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest, hass_storage: dict[str, Any]
) -> None:
    """It was stored as if nothing were owed: had Home Assistant been killed then, nobody would have been told."""
    anna, ben = add_phone(hass, home, "anna", reachable=False), add_phone(hass, home, "ben")
    satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.T3)
    await wait_for(lambda: anna.tries and ben.calls)
    household = household_of(home)
    assert await hass.config_entries.async_unload(home.entry_id)
    tried = len(anna.tries)
    ((_, promise),) = hass_storage[STORAGE_KEY]["data"]["promises"]
    assert (len(promise["owed"]), len(promise["told"])) == (2, 1)
    await let_go_by(hass)
    assert len(anna.tries) == tried
    anna.reachable = True
    assert await hass.config_entries.async_setup(home.entry_id)
    assert household_of(home) is not household
    await wait_for(lambda: anna.rings)
    await let_go_by(hass)
    assert anna.rings == ben.rings == ["Smoke alarm in the kitchen"]
    assert level_of(anna.calls[0]) == "critical"


async def test_who_is_being_told_when_the_household_is_loaded_anew_is_not_told_again(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    anna = add_phone(hass, home, "anna")
    anna.hangs = True
    satellite.emit(SoundClass.GUNSHOT)
    await wait_for(lambda: anna.tries)
    loading = hass.async_create_task(hass.config_entries.async_reload(home.entry_id))
    await wait_for(lambda: is_in(home, ConfigEntryState.UNLOAD_IN_PROGRESS))
    anna.answer.set()
    assert await loading
    await let_go_by(hass)
    assert anna.rings == ["Gunshot in the kitchen"]


async def test_who_stands_in_is_found_also_if_the_household_was_loaded_anew_meanwhile(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only those were asked again who had been asked before: where they failed, nobody was told."""
    monkeypatch.setattr(courier, "STOP_GRACE_S", 0.01)
    anna, ben = add_phone(hass, home, "anna"), add_phone(hass, home, "ben", order=2)
    anna.hangs = True
    satellite.emit(SoundClass.GUNSHOT)
    await wait_for(lambda: anna.tries)
    await reload(hass, home)
    anna.reachable = False
    anna.answer.set()
    await wait_for(lambda: ben.rings)
    await reload(hass, home)
    anna.reachable = True
    await wait_for(lambda: anna.rings)
    await let_go_by(hass)
    assert anna.rings == ben.rings == ["Gunshot in the kitchen"]


async def test_a_member_of_a_group_that_has_it_is_not_told_again_when_the_household_is_loaded_anew(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    anna, ben = Phone(hass, "anna", reachable=False), Phone(hass, "ben")
    members = [{"action": "mobile_app_anna"}, {"action": "mobile_app_ben"}]
    group = GroupNotifyPlatform(hass, members)
    await group.async_setup(hass, "family", "family")
    await group.async_register_services()
    add_recipient(hass, home, "notify.family")
    satellite.emit(SoundClass.GUNSHOT)
    await wait_for(lambda: anna.tries and ben.calls)
    await reload(hass, home)
    anna.reachable = True
    await wait_for(lambda: anna.rings)
    await let_go_by(hass)
    assert anna.rings == ben.rings == ["Gunshot in the kitchen"]


async def test_loading_the_household_anew_unlocks_no_door_again(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    """What rang on after it, or was still owed, fired its event a second time."""
    anna = add_phone(hass, home, "anna", reachable=False)
    detection = satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.T3)
    await wait_for(lambda: anna.tries)
    state = hass.states.get(ALERT)
    assert state is not None
    assert state.attributes["event_type"] == "smoke_alarm"
    await reload(hass, home)
    anna.reachable = True
    await wait_for(lambda: anna.rings)
    household_of(home).async_acknowledge(detection)
    await wait_for(lambda: len(anna.calls) > 1)
    state = hass.states.get(ALERT)
    assert state is not None
    assert state.attributes["event_type"] is None


async def test_that_somebody_takes_care_is_told_also_if_the_household_was_loaded_anew_before_a_phone_could_be_reached(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    """What was owed quietly was forgotten: the phone went on showing an alarm that nobody cared for."""
    anna, ben = add_phone(hass, home, "anna"), add_phone(hass, home, "ben")
    detection = satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.T3)
    await wait_for(lambda: anna.rings and ben.rings)
    anna.reachable = False
    household_of(home).async_acknowledge(detection, by="Ben")
    await wait_for(lambda: len(ben.calls) == 2)
    await reload(hass, home)
    anna.reachable = True
    await wait_for(lambda: len(anna.calls) == 2)
    await let_go_by(hass)
    assert "Acknowledged by Ben." in anna.calls[1].data["message"]
    assert (level_of(anna.calls[1]), len(ben.calls)) == ("passive", 2)


WAYS: dict[str, Callable[[HomeAssistant, str], Any]] = {
    "phone": press,
    "action": lambda hass, _: hass.async_create_task(call_acknowledge(hass)),
    "button": lambda hass, _: hass.async_create_task(
        hass.services.async_call(
            "button", "press", {ATTR_ENTITY_ID: "button.echonet_household_acknowledge"}, blocking=True
        )
    ),
}


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_counts_at_whatever_moment_of_the_loading_it_comes(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest, way: str
) -> None:
    """While nobody listened for buttons of phones, they were lost; actions and buttons knew of no household."""
    at_once = options_of_rule(AlertKind.SMOKE_ALARM) | {CONF_COOLDOWN: 0}
    hass.config_entries.async_update_entry(home, options={CONF_KINDS: {"smoke_alarm": at_once}})
    anna = add_phone(hass, home, "anna", reachable=False)
    moment, last, onset = 0, False, dt_util.utcnow() - timedelta(seconds=50)
    while not last:
        # Longer after the one before than one sound may begin in two places.
        onset += timedelta(seconds=3)
        anna.reachable = False
        anna.tries.clear()
        detection = satellite.emit(SoundClass.ALARM, pattern=AlarmPattern.T3, onset=onset)
        await wait_for(lambda: anna.tries)
        loading = hass.async_create_task(hass.config_entries.async_reload(home.entry_id))
        for _ in range(moment):
            await asyncio.sleep(0)
        last = loading.done()
        button = hass.states.get("button.echonet_household_acknowledge")
        if way == "button" and (button is None or button.state == "unavailable"):
            # Nobody can press it now.
            await loading
        WAYS[way](hass, detection)
        before = len(anna.tries)
        assert await loading
        anna.reachable = True
        await wait_for(lambda: anna.calls)
        await let_go_by(hass)
        incident = household_of(home).async_get_incident(detection)
        assert incident is not None
        assert incident.answered, moment
        assert anna.rings == [], moment
        assert len([call for call in anna.tries[before:] if level_of(call) in LOUD]) <= 1, moment
        anna.calls.clear()
        satellite.emit(SoundClass.ALARM, Phase.END, id=detection, onset=onset, duration_s=0.0)
        moment = moment + 1 if moment < 4 else moment * 2


async def test_who_answers_while_a_phone_hangs_is_not_rung_by_it(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    """The one in reserve was told because the first could not be reached: seconds after somebody had answered."""
    anna, ben = add_phone(hass, home, "anna"), add_phone(hass, home, "ben", order=2)
    carla = add_phone(hass, home, "carla")
    anna.hangs = True
    anna.reachable = False
    detection = satellite.emit(SoundClass.GUNSHOT)
    await wait_for(lambda: anna.tries and carla.rings)
    press(hass, detection)
    await wait_for(lambda: len(carla.calls) == 2)
    anna.answer.set()
    await let_go_by(hass)
    assert anna.rings == ben.rings == []
    assert not ben.tries


async def test_who_answers_while_home_assistant_starts_is_not_rung_when_it_has(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    """What waited for the start of the companion app rang after it, whoever had answered meanwhile."""
    hass.set_state(CoreState.starting)
    add_recipient(hass, home, "notify.mobile_app_anna", name="Anna")
    ben = add_phone(hass, home, "ben")
    detection = satellite.emit(SoundClass.GUNSHOT)
    await wait_for(lambda: ben.rings)
    press(hass, detection)
    await wait_for(lambda: len(ben.calls) == 2)
    anna = Phone(hass, "anna")
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await let_go_by(hass)
    assert anna.rings == []


async def test_a_satellite_that_is_away_is_not_told_again_because_the_household_was_loaded_anew(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    """Five minutes later everybody heard of it once more, and whoever had not been reached never did."""
    now = dt_util.utcnow()
    anna, ben = add_phone(hass, home, "anna", reachable=False), add_phone(hass, home, "ben")
    await satellite.server.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", "off")
    for seconds in (0, 301):
        await household_of(home).silence.async_look(now + timedelta(seconds=seconds))
    await wait_for(lambda: ben.calls and anna.tries)
    await reload(hass, home)
    anna.reachable = True
    for seconds in (331, 361, 900):
        await household_of(home).silence.async_look(now + timedelta(seconds=seconds))
    await let_go_by(hass)
    assert anna.rings == ben.rings == ["Hallway is away"]
