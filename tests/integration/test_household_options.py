"""What the owner sets in the interface is what the policy and the escalation do."""

from datetime import time, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet.household.circumstances import async_get_circumstances
from custom_components.echonet.household.escalation import Plan
from custom_components.echonet.household.kinds import AlertKind, Severity
from custom_components.echonet.household.options import (
    options_of_rule,
    options_of_times,
    plan_of,
    rules_of,
)
from custom_components.echonet.household.rules import DEFAULT_RULES, Hours, Rule, Rules, When
from custom_components.echonet.household.surroundings import async_get_home
from tests.integration.conftest import setup
from tests.integration.flows import answer
from tests.integration.sounds import NIGHT

RULE: dict[str, Any] = {
    "severity": "high",
    "when": "night",
    "cooldown": 300,
    "least_confidence": 80,
    "rooms": 2,
}
TIMES: dict[str, Any] = {
    "interval": 30,
    "patience": 2,
    "most": 5,
    "night_start": "23:00:00",
    "night_end": "06:30:00",
    "quiet_start": "21:00:00",
    "quiet_end": "07:00:00",
    "silence_after": 10,
    "silence_severity": "high",
}


async def choose(hass: HomeAssistant, entry: MockConfigEntry, step: str) -> Any:
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.MENU
    return await hass.config_entries.options.async_configure(result["flow_id"], {"next_step_id": step})


async def test_how_a_sound_is_told(hass: HomeAssistant, household: MockConfigEntry) -> None:
    await setup(hass, household)
    options = hass.config_entries.options
    for kind in (AlertKind.DOG, AlertKind.SMOKE_ALARM):
        result = await choose(hass, household, "kind")
        result = await options.async_configure(result["flow_id"], {"kind": kind.value})
        assert result["step_id"] == "rule"
        schema = result["data_schema"]
        assert schema is not None
        shown = {key.schema: key.description["suggested_value"] for key in schema.schema}
        # Its name was in the language of the home, amid a form in that of whoever looked.
        assert shown == options_of_rule(kind) | {"kind": kind.value}
        assert schema.schema["kind"].config["read_only"]
        done = await options.async_configure(result["flow_id"], RULE | {"kind": kind.value})
        assert done["type"] is FlowResultType.CREATE_ENTRY
        assert household.options["kinds"][kind] == RULE
    rules = rules_of(household.options)
    for kind in AlertKind:
        wanted = Rule(
            severity=Severity.HIGH,
            when=When.NIGHT,
            cooldown=timedelta(minutes=5),
            least_confidence=0.8,
            rooms=2,
        )
        changed = kind in (AlertKind.DOG, AlertKind.SMOKE_ALARM)
        assert rules.rule(kind) == (wanted if changed else DEFAULT_RULES[kind])


async def test_reminders_and_hours(hass: HomeAssistant, household: MockConfigEntry) -> None:
    await setup(hass, household)
    result = await choose(hass, household, "times")
    await hass.config_entries.options.async_configure(result["flow_id"], TIMES)
    assert plan_of(household.options) == Plan(interval=timedelta(seconds=30), patience=2, most=5)
    rules = rules_of(household.options)
    assert rules.night == Hours(start=time(23), end=time(6, 30))
    assert rules.quiet == Hours(start=time(21), end=time(7))
    assert options_of_times(household.options) == TIMES

    result = await household.start_reconfigure_flow(hass)
    assert result["step_id"] == "reconfigure_household"
    result = await answer(hass, result, **(TIMES | {"interval": 90}))
    assert result["reason"] == "reconfigure_successful"
    assert plan_of(household.options).interval == timedelta(seconds=90)


def test_without_options_the_defaults_hold() -> None:
    assert rules_of({}) == Rules()
    assert plan_of({}) == Plan()
    assert time(12) not in Rules().quiet


@pytest.mark.parametrize(
    ("states", "away", "armed"),
    [
        ({}, True, False),
        ({"person.anna": "home", "person.ben": "not_home"}, False, False),
        ({"person.anna": "work", "person.ben": "not_home"}, True, False),
        ({"alarm_control_panel.a": "disarmed", "alarm_control_panel.b": "armed_night"}, True, True),
        ({"alarm_control_panel.a": "arming"}, True, False),
        ({"alarm_control_panel.a": "triggered"}, True, True),
    ],
)
def test_who_is_at_home_and_what_is_armed(
    hass: HomeAssistant, states: dict[str, str], *, away: bool, armed: bool
) -> None:
    for entity_id, state in states.items():
        hass.states.async_set(entity_id, state)
    circumstances = async_get_circumstances(hass, NIGHT)
    assert (circumstances.away, circumstances.armed) == (away, armed)


async def test_the_hours_are_those_of_the_home(hass: HomeAssistant) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    assert async_get_circumstances(hass, NIGHT).local == time(3, 12)


async def test_the_address_is_what_those_who_help_are_told(
    hass: HomeAssistant, household: MockConfigEntry
) -> None:
    await setup(hass, household)
    options = hass.config_entries.options
    for given, kept in (
        ({"address": " Hauptstraße 1,  Berlin "}, "Hauptstraße 1, Berlin"),
        ({}, ""),
    ):
        result = await choose(hass, household, "address")
        assert result["step_id"] == "address"
        await options.async_configure(result["flow_id"], given)
        assert household.options["address"] == kept
        assert async_get_home(hass, household).address == kept
    result = await choose(hass, household, "address")
    with pytest.raises(InvalidData):
        await options.async_configure(result["flow_id"], {"address": "x" * 201})
