"""What was promised outlives a restart, and is told at most once to each recipient."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from hypothesis import given, strategies as st
import pytest

from custom_components.echonet.household import storage
from custom_components.echonet.household.desk import Desk
from custom_components.echonet.household.kinds import AlertKind, Severity
from custom_components.echonet.household.policy import Decision, Quiet, Telling
from custom_components.echonet.household.state import State
from custom_components.echonet.household.storage import (
    STORAGE_KEY,
    StateStore,
    StorageError,
    loaded,
    stored,
)
from custom_components.echonet.protocol import AlarmPattern, Location, SoundClass
from tests.integration.desks import Household
from tests.integration.sounds import HALL, KITCHEN, NIGHT, sound


def test_what_nobody_has_yet_is_told_after_the_start() -> None:
    home = Household()
    alarm = sound(pattern=AlarmPattern.T3)
    home.hears(KITCHEN, alarm)
    (news,) = home.restart(20)
    assert news.decision == Decision(telling=Telling.NEW, severity=Severity.CRITICAL)
    assert (news.incident.id, news.only) == (alarm.id, None)


def test_whoever_has_it_is_not_told_again() -> None:
    home = Household()
    alarm = sound()
    home.hears(KITCHEN, alarm)
    home.desk.ledger.owe(alarm.id, ["anna", "ben"])
    home.desk.ledger.delivered(alarm.id, "anna")
    (news,) = home.restart(20)
    assert news.only == frozenset({"ben"})
    home.desk.ledger.delivered(alarm.id, "ben")
    assert home.restart() == []
    # The satellite says again what it has no acknowledgement for.
    assert home.hears(KITCHEN, alarm) == []


def test_what_began_while_the_household_was_being_set_up_is_not_told_twice() -> None:
    """It was taken for something that an earlier run had owed."""
    home = Household()
    home.desk = Desk(State())
    (news,) = home.hears(KITCHEN, sound(pattern=AlarmPattern.T3))
    assert news.decision.telling is Telling.NEW
    assert home.desk.resume(home.circumstances) == []


def test_what_is_handed_over_is_tried_on_as_it_was_and_rings_for_nobody_else() -> None:
    """After a minute of attempts it became old news, and what goes on is told anew to everybody."""
    home = Household()
    alarm = sound(pattern=AlarmPattern.T3)
    home.hears(KITCHEN, alarm)
    home.desk.ledger.owe(alarm.id, ["anna", "ben"])
    home.desk.ledger.delivered(alarm.id, "ben")
    home.wait(100)
    (news,) = home.restart(2)
    assert (news.decision.telling, news.only) == (Telling.NEW, frozenset({"anna"}))
    assert not news.concerns("ben", reserve=True)
    assert home.back(KITCHEN, alarm) == []
    assert home.wait(10) == []


def test_after_a_long_time_it_is_told_as_old_news_and_rings_if_it_still_goes_on() -> None:
    home = Household()
    alarm = sound(pattern=AlarmPattern.T3)
    home.hears(KITCHEN, alarm)
    home.wait(5)
    (news,) = home.restart(3 * 3600)
    assert news.decision == Decision(telling=Telling.LATE, severity=Severity.HIGH)
    assert home.wait(5) == []
    (rings,) = home.back(KITCHEN, alarm)
    assert rings.decision == Decision(telling=Telling.NEW, severity=Severity.CRITICAL)


def test_what_rang_rings_on_after_a_restart() -> None:
    home = Household()
    alarm = sound(pattern=AlarmPattern.T3)
    home.hears(KITCHEN, alarm)
    home.desk.ledger.owe(alarm.id, ["anna"])
    home.desk.ledger.delivered(alarm.id, "anna")
    home.wait(90)
    assert home.restart(40) == []
    assert [item.count for item in home.wait(1)] == [2]
    home.acknowledge(alarm.id)
    home.desk.ledger.owe(alarm.id, ["anna"], Telling.UPDATE)
    home.desk.ledger.delivered(alarm.id, "anna", Severity.SILENT)
    assert home.restart(100) == []
    assert home.wait(300) == []


def test_cooldown_and_snooze_outlive_a_restart() -> None:
    home = Household()
    first = sound(SoundClass.SCREAM)
    home.hears(KITCHEN, first)
    home.ends(KITCHEN, first)
    home.desk.snooze(Quiet(kind=AlertKind.DOG, place=None, until=NIGHT + timedelta(hours=1)), NIGHT)
    home.acknowledge(first.id)
    home.restart(10)
    assert home.hears(KITCHEN, sound(SoundClass.SCREAM, at=10)) == []
    assert home.hears(HALL, sound(SoundClass.DOG, at=10)) == []
    assert home.hears(HALL, sound(SoundClass.SCREAM, at=13))


def test_everything_is_stored_and_read_again() -> None:
    home = Household()
    garden = type(KITCHEN)(satellite_id="g", name="Garden", location=Location(latitude=1.5, longitude=2))
    for place, detection in (
        (KITCHEN, sound(pattern=AlarmPattern.T3)),
        (HALL, sound(SoundClass.GUNSHOT)),
        (garden, sound(SoundClass.DOG, at=1)),
    ):
        home.hears(place, detection)
        home.desk.ledger.owe(detection.id, ["anna"])
    home.wait(100)
    home.ends(garden, detection)
    assert loaded(stored(home.desk.state)) == home.desk.state


@pytest.mark.parametrize(
    "data",
    [
        {"incidents": 5},
        {"incidents": [{"id": "a"}]},
        {"told": [["a"]]},
        {"covered": [{"kind": "unheard of", "place": "x", "late": False, "at": NIGHT.isoformat()}]},
        {"covered": [{"kind": "dog", "place": "x", "late": False, "at": "2026-11-20T02:12:00"}]},
        {"covered": [{"kind": "dog", "place": 5, "late": False, "at": NIGHT.isoformat()}]},
        {"a field of a later version": 1},
    ],
)
def test_a_file_that_is_damaged_is_refused_in_one_line(data: dict[str, Any]) -> None:
    with pytest.raises(StorageError):
        loaded(data)


async def test_a_house_that_is_never_quiet_is_written_all_the_same(
    hass: HomeAssistant, hass_storage: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "SAVE_DELAY_S", 0.05)
    home = Household()
    home.hears(KITCHEN, sound())
    store = StateStore(hass)
    async with asyncio.timeout(10):
        while STORAGE_KEY not in hass_storage:
            store.async_save_soon(lambda: home.desk.state)
            await asyncio.sleep(0.01)
    assert await StateStore(hass).async_load() == home.desk.state


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_no_file_raises_anything_else(value: Any) -> None:
    for name in State.__dataclass_fields__:
        with suppress(StorageError):
            loaded({name: value})
