"""Silence is news: what keeps a house from being heard or told becomes a repair, and an alert of its own."""

import asyncio
from datetime import timedelta

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from custom_components.echonet.const import DOMAIN
from custom_components.echonet.household import courier
from custom_components.echonet.household.runtime import Household
from custom_components.echonet.household.silence import Concern, Silences, Trouble
from custom_components.echonet.protocol import AlarmPattern
from echonet_satellite.protocol import SoundClass
from tests.integration.conftest import wait_for, wait_for_state
from tests.integration.desks import Household as DeskOnly
from tests.integration.phones import add_recipient
from tests.integration.sounds import KITCHEN, NIGHT, sound
from tests.support.satellite import SatelliteUnderTest

PATIENCE = timedelta(minutes=5)
AWAY = Concern(trouble=Trouble.SATELLITE_AWAY, key="a", name="Hallway")
UNREACHED = Concern(trouble=Trouble.NOBODY_REACHED)


def shown(hass: HomeAssistant) -> set[str]:
    return {issue_id for domain, issue_id in ir.async_get(hass).issues if domain == DOMAIN}


async def look(home: MockConfigEntry, after: float) -> None:
    household: Household = home.runtime_data
    await household.silence.async_look(dt_util.utcnow() + timedelta(seconds=after))


def test_what_lasts_is_told_once_and_what_ends_is_withdrawn() -> None:
    silences = Silences()
    assert silences.look({AWAY: False}, NIGHT, PATIENCE).lasting == ()
    late = NIGHT + PATIENCE
    assert silences.look({AWAY: False, UNREACHED: True}, late, PATIENCE).lasting == (AWAY, UNREACHED)
    assert silences.look({AWAY: False, UNREACHED: True}, late, PATIENCE).lasting == ()
    assert silences.look({}, late, PATIENCE).over == (AWAY, UNREACHED)
    assert silences.look({}, late, PATIENCE).over == ()


@given(st.lists(st.tuples(st.booleans(), st.integers(min_value=1, max_value=400)), max_size=30))
def test_a_satellite_that_comes_and_goes_is_told_once_for_each_long_absence(
    steps: list[tuple[bool, int]],
) -> None:
    silences = Silences()
    now, since, told = NIGHT, None, False
    for away, seconds in steps:
        now += timedelta(seconds=seconds)
        since = (since or now) if away else None
        found = silences.look({AWAY: False} if away else {}, now, PATIENCE)
        due = since is not None and not told and now - since >= PATIENCE
        assert found.lasting == ((AWAY,) if due else ())
        assert found.over == ((AWAY,) if told and not away else ())
        told = away and (told or due)


async def test_a_satellite_that_is_away_is_told_and_is_a_repair_until_it_is_back(
    hass: HomeAssistant, home: MockConfigEntry, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    async def broken(call: ServiceCall) -> None:
        raise HomeAssistantError("no network")

    hass.services.async_register("notify", "broken", broken)
    anna = async_mock_service(hass, "notify", "mobile_app_anna")
    mail = async_mock_service(hass, "notify", "mail")
    broken_id, *_ = (
        add_recipient(hass, home, f"notify.{name}") for name in ("broken", "mobile_app_anna", "mail")
    )
    await satellite.server.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", "off")
    await look(home, 0)
    assert not shown(hass)
    await look(home, 301)
    await look(home, 331)
    assert shown(hass) == {f"satellite_away_{loaded.entry_id}", f"recipient_failed_{broken_id}"}
    assert [call.data["title"] for call in (*anna, *mail)] == ["Hallway is away", "Hallway is away"]
    assert "**" not in anna[0].data["message"]
    assert anna[0].data["data"]["push"] == {"interruption-level": "active"}
    satellite.port = await satellite.server.start(satellite.port, [satellite.host])
    await wait_for_state(hass, "binary_sensor.hallway_connection", "on")
    await look(home, 361)
    assert shown(hass) == {f"recipient_failed_{broken_id}"}


async def test_a_dead_microphone_is_told_and_is_a_repair(
    hass: HomeAssistant, home: MockConfigEntry, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    calls = async_mock_service(hass, "notify", "mobile_app_anna")
    add_recipient(hass, home, "notify.mobile_app_anna")
    hass.config_entries.async_update_entry(home, options={"silence_after": 1, "silence_severity": "critical"})
    satellite.set_health("microphone_silent")
    await wait_for_state(hass, "binary_sensor.hallway_microphone", "on")
    await look(home, 0)
    await look(home, 61)
    assert shown(hass) == {f"microphone_dead_{loaded.entry_id}"}
    assert calls[0].data["title"] == "Hallway is deaf"
    assert calls[0].data["data"]["push"]["interruption-level"] == "critical"
    await hass.config_entries.async_remove(home.entry_id)
    assert not shown(hass)


async def test_silence_is_told_in_the_language_of_each_tried_again_and_passed_on(
    hass: HomeAssistant,
    home: MockConfigEntry,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was told in the language of the house, once, and whoever could not be reached then never heard of it."""
    monkeypatch.setattr(courier, "RETRY_PAUSES_S", (0.05,))
    tries: list[ServiceCall] = []

    async def fails_once(call: ServiceCall) -> None:
        tries.append(call)
        if len(tries) == 1:
            raise HomeAssistantError("no network")

    hass.services.async_register("notify", "mobile_app_anna", fails_once)
    ben = async_mock_service(hass, "notify", "ben")
    add_recipient(hass, home, "notify.mobile_app_anna", name="Anna", language="de")
    add_recipient(hass, home, "notify.ben", language="fr", order=2)
    satellite.set_health("microphone_silent")
    await wait_for_state(hass, "binary_sensor.hallway_microphone", "on")
    await look(home, 0)
    await look(home, 301)
    await wait_for(lambda: len(tries) == 2)
    issues = {
        language: await async_get_translations(hass, language, "issues", {DOMAIN})
        for language in ["de", "fr"]
    }
    title = f"component.{DOMAIN}.issues.microphone_dead.title"
    assert tries[1].data["title"] == issues["de"][title].format(name="Hallway")
    assert tries[1].data["data"]["clickAction"] == "/config/repairs"
    assert [call.data["title"] for call in ben] == [issues["fr"][title].format(name="Hallway")]
    assert ben[0].data["message"].endswith("Anna.")
    assert issues["de"][title] != issues["fr"][title]


async def test_who_could_not_be_told_of_silence_is_left_in_peace_when_it_is_over(
    hass: HomeAssistant,
    home: MockConfigEntry,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(courier, "RETRY_PAUSES_S", (0.3,))
    add_recipient(hass, home, "notify.anna")
    satellite.set_health("microphone_silent")
    await wait_for_state(hass, "binary_sensor.hallway_microphone", "on")
    await look(home, 0)
    await look(home, 301)
    satellite.set_health()
    await wait_for_state(hass, "binary_sensor.hallway_microphone", "off")
    await look(home, 331)
    calls = async_mock_service(hass, "notify", "anna")
    await asyncio.sleep(0.5)
    assert not calls


async def test_without_a_recipient_there_is_a_repair(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await look(home, 0)
    await look(home, 301)
    assert shown(hass) == {"no_recipient"}
    add_recipient(hass, home, "notify.persistent_notification")
    await look(home, 331)
    assert not shown(hass)


async def test_that_nobody_could_be_reached_is_a_repair(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    add_recipient(hass, home, "notify.vanished")
    detection = satellite.emit(SoundClass.GUNSHOT)
    await wait_for(
        lambda: home.runtime_data.desk.ledger.nobody_reached(dt_util.utcnow() + timedelta(minutes=2))
    )
    await look(home, 30)
    assert "nobody_reached" not in shown(hass)
    await look(home, 90)
    assert "nobody_reached" in shown(hass)
    home.runtime_data.async_acknowledge(detection)
    await look(home, 120)
    assert "nobody_reached" not in shown(hass)


@pytest.mark.parametrize(("told", "reached"), [(False, False), (True, True)])
def test_who_has_it_is_reached(*, told: bool, reached: bool) -> None:
    home = DeskOnly()
    alarm = sound(pattern=AlarmPattern.T3)
    home.hears(KITCHEN, alarm)
    home.desk.ledger.owe(alarm.id, ["anna"])
    if told:
        home.desk.ledger.delivered(alarm.id, "anna")
    assert home.desk.ledger.nobody_reached(NIGHT + timedelta(minutes=2)) is not reached
