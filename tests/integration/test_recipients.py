"""Choosing who is told."""

from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from custom_components.echonet.const import SUBENTRY_RECIPIENT
from custom_components.echonet.household.recipient_flow import async_get_choices
from custom_components.echonet.household.recipients import Recipient, RecipientKind, recipients_of, waves_of
from custom_components.echonet.household.texts import Language
from custom_components.echonet.protocol import SoundClass
from tests.integration.conftest import setup


@pytest.fixture
async def home(hass: HomeAssistant, household: MockConfigEntry) -> MockConfigEntry:
    """The household, with two phones and an entity to choose from."""
    await setup(hass, household)
    async_mock_service(hass, "notify", "mobile_app_annas_phone")
    async_mock_service(hass, "notify", "mobile_app_ben")
    async_mock_service(hass, "notify", "a_group")
    hass.states.async_set("notify.email", "unknown", {"friendly_name": "E-mail"})
    return household


async def ask(hass: HomeAssistant, home: MockConfigEntry) -> Any:
    return await hass.config_entries.subentries.async_init(
        (home.entry_id, SUBENTRY_RECIPIENT), context={"source": SOURCE_USER}
    )


async def answer(hass: HomeAssistant, result: Any, **data: Any) -> Any:
    return await hass.config_entries.subentries.async_configure(result["flow_id"], data)


async def test_everything_that_notifies_is_offered_phones_first(
    hass: HomeAssistant, home: MockConfigEntry
) -> None:
    entity = er.async_get(hass).async_get_or_create(
        "notify", "mobile_app", "1", suggested_object_id="ben_entity"
    )
    hass.states.async_set(entity.entity_id, "unknown")
    assert async_get_choices(hass) == {
        "action:notify.mobile_app_annas_phone": "Annas phone (phone)",
        "action:notify.mobile_app_ben": "Ben (phone)",
        "action:notify.a_group": "A group",
        "entity:notify.email": "E-mail",
        "action:notify.persistent_notification": "Persistent notification",
    }


async def test_a_phone_is_called_one_in_the_language_of_the_home(
    hass: HomeAssistant, home: MockConfigEntry
) -> None:
    """A French form offered "Ben (phone)", and that became the name of the recipient."""
    hass.config.language = "fr"
    assert async_get_choices(hass)["action:notify.mobile_app_ben"] == "Ben (téléphone)"
    await answer(hass, await ask(hass, home), target="action:notify.mobile_app_ben")
    (subentry,) = (home.subentries[item.subentry_id] for item in recipients_of(home))
    assert subentry.title == "Ben"


@pytest.mark.parametrize(
    ("data", "title"),
    [
        ({"target": "action:notify.mobile_app_ben"}, "Ben"),
        ({"target": "action:notify.mobile_app_ben", "name": "  "}, "Ben"),
        ({"target": "action:notify.mobile_app_ben", "name": " Ben "}, "Ben"),
    ],
)
async def test_adding(hass: HomeAssistant, home: MockConfigEntry, data: dict[str, str], title: str) -> None:
    result = await ask(hass, home)
    assert result["step_id"] == "user"
    result = await answer(hass, result, **data)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (subentry,) = (home.subentries[item.subentry_id] for item in recipients_of(home))
    assert subentry.title == title
    assert subentry.data == {
        "kind": "action",
        "target": "notify.mobile_app_ben",
        "order": 1,
        "classes": [item.value for item in SoundClass],
    }
    assert subentry.unique_id == "action:notify.mobile_app_ben"


async def test_nobody_is_told_twice(hass: HomeAssistant, home: MockConfigEntry) -> None:
    await answer(hass, await ask(hass, home), target="entity:notify.email")
    result = await answer(hass, await ask(hass, home), target="entity:notify.email", name="Again")
    assert result["errors"] == {"target": "already_told"}
    result = await answer(hass, result, target="action:notify.mobile_app_ben")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert len(recipients_of(home)) == 2


async def reconfigure(hass: HomeAssistant, home: MockConfigEntry, subentry_id: str) -> Any:
    return await hass.config_entries.subentries.async_init(
        (home.entry_id, SUBENTRY_RECIPIENT),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry_id},
    )


async def test_changing(hass: HomeAssistant, home: MockConfigEntry) -> None:
    await answer(hass, await ask(hass, home), target="entity:notify.email", name="Anna")
    await answer(hass, await ask(hass, home), target="action:notify.a_group")
    first, _ = (item.subentry_id for item in recipients_of(home))
    result = await reconfigure(hass, home, first)
    assert result["step_id"] == "reconfigure"
    suggested = {
        str(key): key.description["suggested_value"]
        for key in result["data_schema"].schema
        if key.description
    }
    assert suggested == {
        "target": "entity:notify.email",
        "name": "Anna",
        "order": 1,
        "classes": [item.value for item in SoundClass],
    }
    result = await answer(hass, result, target="action:notify.a_group", name="Anna")
    assert result["errors"] == {"target": "already_told"}
    result = await answer(hass, result, target="action:notify.mobile_app_annas_phone", name="Anna")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    changed = home.subentries[first].data
    assert (changed["kind"], changed["target"]) == ("action", "notify.mobile_app_annas_phone")
    assert home.subentries[first].title == "Anna"


async def test_what_has_vanished_can_keep_its_place(hass: HomeAssistant, home: MockConfigEntry) -> None:
    await answer(hass, await ask(hass, home), target="action:notify.mobile_app_ben")
    (subentry_id,) = (item.subentry_id for item in recipients_of(home))
    hass.services.async_remove("notify", "mobile_app_ben")
    result = await reconfigure(hass, home, subentry_id)
    result = await answer(hass, result, target="action:notify.mobile_app_ben", name="Ben")
    assert result["reason"] == "reconfigure_successful"
    assert home.subentries[subentry_id].title == "Ben"


async def test_order_classes_and_language(hass: HomeAssistant, home: MockConfigEntry) -> None:
    result = await ask(hass, home)
    result = await answer(hass, result, target="entity:notify.email", classes=[])
    assert result["errors"] == {"classes": "no_classes"}
    await answer(hass, result, target="entity:notify.email", order=3, classes=["dog", "alarm"], language="fr")
    (recipient,) = recipients_of(home)
    assert recipient.order == 3
    assert recipient.classes == {SoundClass.DOG, SoundClass.ALARM}
    assert recipient.language is Language.FRENCH
    (subentry_id,) = (item.subentry_id for item in recipients_of(home))
    result = await reconfigure(hass, home, subentry_id)
    await answer(hass, result, target="entity:notify.email", order=3, classes=["dog"])
    (recipient,) = recipients_of(home)
    assert recipient.language is None


def test_who_is_told_at_once_and_who_later() -> None:
    def recipient(name: str, order: int, *classes: SoundClass) -> Recipient:
        return Recipient(
            subentry_id=name,
            name=name,
            kind=RecipientKind.ACTION,
            target=f"notify.{name}",
            order=order,
            classes=frozenset(classes or SoundClass),
        )

    everybody = [
        recipient("neighbour", 3),
        recipient("anna", 1),
        recipient("grandma", 2, SoundClass.BABY_CRY),
        recipient("ben", 1),
    ]

    def names(sound_class: SoundClass) -> list[list[str]]:
        return [[item.name for item in wave] for wave in waves_of(everybody, sound_class)]

    assert names(SoundClass.ALARM) == [["anna", "ben"], ["neighbour"]]
    assert names(SoundClass.BABY_CRY) == [["anna", "ben"], ["grandma"], ["neighbour"]]
    assert waves_of([], SoundClass.DOG) == []
