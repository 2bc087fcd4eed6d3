"""Setting up, unloading, and what keeps a satellite away."""

from unittest.mock import MagicMock, patch

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import CONF_PORT, STATE_OFF, STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from zeroconf import DNSPointer, DNSText, RecordUpdate  # type: ignore[attr-defined]

from custom_components.echonet import coordinator, link
from custom_components.echonet.backoff import Backoff
from custom_components.echonet.const import CONF_FINGERPRINT, DOMAIN
from custom_components.echonet.protocol import SERVICE_TYPE
from echonet_satellite.protocol import Problem
from tests.integration.conftest import (
    StartSatellite,
    is_in,
    make_entry,
    setup,
    state_of,
    wait_for,
    wait_for_state,
)
from tests.support.satellite import SatelliteUnderTest

# The server side of aiohttp leaves a timer behind when it has closed a WebSocket itself.
REFUSED = pytest.mark.parametrize("expected_lingering_timers", [True])


async def test_set_up_registers_the_device(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    assert loaded.state is ConfigEntryState.LOADED
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, satellite.satellite_id), loaded.entry_id
    )
    assert device is not None
    assert device.manufacturer == "EchoNet"
    assert device.model == "Raspberry Pi 4 Model B"
    assert device.sw_version == "0.1.0"
    # The classifier's version is none of the hardware.
    assert device.hw_version is None
    assert device.serial_number == satellite.satellite_id[:8]
    assert device.name == "Hallway"


async def test_unloading_closes_the_connection(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    satellite: SatelliteUnderTest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await setup(hass, entry)
    await satellite.wait_connected(1)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert is_in(entry, ConfigEntryState.NOT_LOADED)
    await satellite.wait_connected(0)
    assert state_of(hass, "binary_sensor.hallway_alarm").state == STATE_UNAVAILABLE
    assert "Lost Hallway" not in caplog.text

    await setup(hass, entry)
    await satellite.wait_connected(1)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_stopping_home_assistant_closes_the_connection(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await setup(hass, entry)
    await satellite.wait_connected(1)
    await hass.async_stop(force=True)
    await satellite.wait_connected(0)


async def test_an_unreachable_satellite_is_tried_again(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await satellite.stop()
    await setup(hass, entry)
    assert is_in(entry, ConfigEntryState.SETUP_RETRY)
    assert entry.error_reason_translation_key == "cannot_connect"

    await satellite.start()
    await hass.config_entries.async_reload(entry.entry_id)
    assert is_in(entry, ConfigEntryState.LOADED)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_satellite_that_never_answers_does_not_hold_up_the_start(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch, unanswering_port: int
) -> None:
    monkeypatch.setattr(coordinator, "SETUP_TIMEOUT_S", 0.2)
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_PORT: unanswering_port})
    await setup(hass, entry)
    assert is_in(entry, ConfigEntryState.SETUP_RETRY)
    assert entry.error_reason_translation_key == "cannot_connect"


@REFUSED
async def test_a_refused_token_asks_for_a_new_pairing(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    satellite.forget_controllers()
    await setup(hass, entry)
    assert is_in(entry, ConfigEntryState.SETUP_ERROR)
    assert entry.error_reason_translation_key == "invalid_token"
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == SOURCE_REAUTH


@REFUSED
async def test_a_token_refused_later_asks_for_a_new_pairing(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await satellite.stop()
    await satellite.start()
    satellite.forget_controllers()
    await wait_for(lambda: hass.config_entries.flow.async_progress_by_handler(DOMAIN))
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert state_of(hass, "binary_sensor.hallway_connection").state == STATE_OFF


async def test_a_changed_certificate_is_never_trusted_and_becomes_an_issue(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    pinned = entry.data[CONF_FINGERPRINT]
    await satellite.stop()
    satellite.new_identity()
    await satellite.start()
    await setup(hass, entry)
    assert is_in(entry, ConfigEntryState.SETUP_RETRY)
    assert entry.error_reason_translation_key == "certificate_changed"
    assert entry.data[CONF_FINGERPRINT] == pinned
    assert satellite.connected == ()
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"certificate_changed_{entry.entry_id}")
    assert issue is not None
    assert issue.is_fixable
    assert issue.translation_placeholders == {"name": "Hallway"}

    await hass.config_entries.async_remove(entry.entry_id)
    assert ir.async_get(hass).async_get_issue(DOMAIN, f"certificate_changed_{entry.entry_id}") is None


async def test_the_issue_goes_when_the_right_satellite_is_back(
    hass: HomeAssistant,
    start_satellite: StartSatellite,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
) -> None:
    """Somebody who calls himself the satellite is at its address for a while."""
    await satellite.stop()
    other = await start_satellite(port=satellite.port)
    object.__setattr__(other.station.info, "satellite_id", satellite.satellite_id)
    issue_id = f"certificate_changed_{loaded.entry_id}"
    await wait_for(lambda: ir.async_get(hass).async_get_issue(DOMAIN, issue_id))
    await other.stop()
    await satellite.start()
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_ON)
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is None


async def test_loss_and_return_are_shown_and_logged_once(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "custom_components.echonet")
    await satellite.stop()
    await wait_for_state(hass, "binary_sensor.hallway_alarm", STATE_UNAVAILABLE)
    assert state_of(hass, "binary_sensor.hallway_connection").state == STATE_OFF
    await satellite.start()
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_ON)
    assert state_of(hass, "binary_sensor.hallway_alarm").state == STATE_OFF
    messages = [
        record.getMessage() for record in caplog.records if record.name.startswith("custom_components")
    ]
    assert len([message for message in messages if message.startswith("Lost Hallway")]) == 1
    assert messages.count("Hallway is back") == 1


async def test_an_announcement_ends_the_pause(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    mock_async_zeroconf: MagicMock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With pauses of an hour, only the announcement can bring the satellite back in time."""
    monkeypatch.setattr(loaded.runtime_data._link, "_backoff", Backoff(first=3600.0, limit=3600.0))
    registry = mock_async_zeroconf.zeroconf
    ours = [call.args[0] for call in registry.async_add_listener.call_args_list]
    (listener,) = (item for item in ours if type(item).__module__.startswith("custom_components.echonet"))
    await satellite.stop()
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_OFF)
    await satellite.start()

    def announce(satellite_id: str) -> None:
        name = f"Hallway.{SERVICE_TYPE}"
        pointer = DNSPointer(SERVICE_TYPE, 12, 1, 4500, name)
        text = f"id={satellite_id}".encode()
        record = DNSText(name, 16, 1, 4500, bytes([len(text)]) + text)
        listener.async_update_records(
            registry, 0.0, [RecordUpdate(pointer, pointer), RecordUpdate(record, record)]
        )

    announce("0" * 32)
    assert not loaded.runtime_data._link._wake.is_set()
    announce(satellite.satellite_id)
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_ON)

    assert await hass.config_entries.async_unload(loaded.entry_id)
    registry.async_remove_listener.assert_called_with(listener)


async def test_a_defect_while_listening_does_not_end_the_listening(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with patch.object(loaded.runtime_data, "on_message", side_effect=RuntimeError("a defect")):
        satellite.set_health(Problem.DISK_FULL)
        await wait_for(lambda: "Unexpected error while listening to Hallway" in caplog.text)
    await wait_for_state(hass, "sensor.hallway_health", "disk_full")
    satellite.set_health()
    await wait_for_state(hass, "sensor.hallway_health", "ok")


async def test_a_connection_that_lasted_makes_the_next_pause_short(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link, "STABLE_AFTER_S", 0.0)
    backoff = loaded.runtime_data._link._backoff
    for _ in range(10):
        backoff.next()
    await satellite.stop()
    await satellite.start()
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_OFF)
    await wait_for_state(hass, "binary_sensor.hallway_connection", STATE_ON)


async def test_an_error_while_adding_entities_leaves_no_connection_behind(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    with patch.object(
        hass.config_entries, "async_forward_entry_setups", side_effect=RuntimeError("a defect")
    ):
        await setup(hass, entry)
    assert is_in(entry, ConfigEntryState.SETUP_ERROR)
    await satellite.wait_connected(0)


async def test_satellites_are_removed_one_by_one(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    first, second = await start_satellite(name="Kitchen"), await start_satellite(name="Garage")
    entries = [make_entry(first), make_entry(second)]
    for entry in entries:
        entry.add_to_hass(hass)
        await setup(hass, entry)
    assert state_of(hass, "binary_sensor.kitchen_alarm").state == STATE_OFF
    await hass.config_entries.async_remove(entries[0].entry_id)
    await first.wait_connected(0)
    assert hass.states.get("binary_sensor.kitchen_alarm") is None
    assert state_of(hass, "binary_sensor.garage_alarm").state == STATE_OFF
    await hass.config_entries.async_unload(entries[1].entry_id)
