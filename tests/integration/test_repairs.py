"""The owner decides about a certificate that has changed."""

from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.echonet.const import DOMAIN
from custom_components.echonet.repairs import async_create_fix_flow
from tests.integration.conftest import setup
from tests.support.satellite import SatelliteUnderTest


async def test_the_repair_asks_for_a_new_pairing(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    satellite: SatelliteUnderTest,
) -> None:
    await satellite.stop()
    satellite.new_identity()
    await satellite.start()
    assert await async_setup_component(hass, "repairs", {})
    await setup(hass, entry)
    client = await hass_client()

    async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = await client.post(f"/api/repairs/issues/fix{path}", json=body)
        assert response.status == 200
        answer: dict[str, Any] = await response.json()
        return answer

    form = await post("", {"handler": DOMAIN, "issue_id": f"certificate_changed_{entry.entry_id}"})
    assert form["step_id"] == "confirm"
    assert form["description_placeholders"] == {"name": "Hallway"}
    assert not hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    done = await post(f"/{form['flow_id']}", {})
    assert done["type"] == FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == SOURCE_REAUTH


async def test_the_repair_of_a_removed_satellite_ends(hass: HomeAssistant) -> None:
    flow = await async_create_fix_flow(hass, "certificate_changed_x", {"entry_id": "x"})
    flow.hass = hass
    flow.flow_id = "1"
    flow.handler = DOMAIN
    result = await flow.async_step_init()  # type: ignore[attr-defined]
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "satellite_removed"
