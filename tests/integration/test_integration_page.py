"""The page of the integration: the household's device stands beside its recipients, and nothing stands apart."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.echonet.const import SUBENTRY_HOME
from custom_components.echonet.household.recipients import recipients_of
from tests.integration.conftest import setup
from tests.integration.phones import add_recipient


def home_subentry(household: MockConfigEntry) -> str:
    found = [
        item.subentry_id for item in household.subentries.values() if item.subentry_type == SUBENTRY_HOME
    ]
    assert len(found) == 1
    return str(found[0])


async def test_the_device_of_the_household_belongs_to_a_subentry(
    hass: HomeAssistant, household: MockConfigEntry
) -> None:
    hass.config.language = "de"
    await setup(hass, household)
    add_recipient(hass, household, "notify.anna")
    found = home_subentry(household)
    assert household.subentries[found].title == "Ganzes Zuhause"
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), household.entry_id)
    assert device.config_subentry_id == found
    entities = er.async_entries_for_config_entry(er.async_get(hass), household.entry_id)
    assert {entity.config_subentry_id for entity in entities} == {found}
    assert [recipient.name for recipient in recipients_of(household)] == ["notify.anna"]
    await hass.config_entries.async_unload(household.entry_id)


async def test_what_its_owner_deletes_by_mistake_comes_back(
    hass: HomeAssistant, household: MockConfigEntry
) -> None:
    await setup(hass, household)
    before = {
        entity.unique_id
        for entity in er.async_entries_for_config_entry(er.async_get(hass), household.entry_id)
    }
    hass.config_entries.async_remove_subentry(household, home_subentry(household))
    await hass.async_block_till_done()
    entities = er.async_entries_for_config_entry(er.async_get(hass), household.entry_id)
    assert {entity.unique_id for entity in entities} == before
    assert {entity.config_subentry_id for entity in entities} == {home_subentry(household)}
    await hass.config_entries.async_unload(household.entry_id)
