"""Recipients that raise, are unavailable, vanish or are members of groups: found out, tried again, stood in for."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
import logging

from homeassistant.components.group.notify import GroupNotifyPlatform
from homeassistant.components.mobile_app.const import DOMAIN as MOBILE_APP
from homeassistant.components.notify import NotifyEntityFeature
from homeassistant.components.notify.const import DATA_COMPONENT
from homeassistant.const import CONF_TARGET
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

from custom_components.echonet.const import CONF_KIND, DOMAIN
from custom_components.echonet.household import courier
from custom_components.echonet.household.alerts import Alert
from custom_components.echonet.household.courier import Courier
from custom_components.echonet.household.kinds import Severity
from custom_components.echonet.household.policy import Telling
from custom_components.echonet.household.recipients import Recipient, recipients_of, waves_of
from custom_components.echonet.household.sender import Tellable
from custom_components.echonet.protocol import AlarmPattern, SoundClass
from tests.integration.conftest import setup, wait_for
from tests.integration.phones import Notifier, add_recipient
from tests.integration.sounds import KITCHEN, alert, sound


class Told:
    """Whom the courier says that it has told."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, recipient: Recipient, _: Tellable) -> None:
        self.names.append(recipient.name)


@pytest.fixture(autouse=True)
def _short_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "RETRY_PAUSES_S", (0.02,) * 3)


@pytest.fixture
async def home(
    aioclient_mock: AiohttpClientMocker, hass: HomeAssistant, household: MockConfigEntry
) -> MockConfigEntry:
    """The household without satellites, in a world without internet."""
    await setup(hass, household)
    return household


@pytest.fixture
async def told() -> Told:
    return Told()


async def deliver(
    hass: HomeAssistant, home: MockConfigEntry, told: Told, news: Alert | None = None, first: int = 1
) -> Courier:
    news = news or alert((KITCHEN, sound()))
    carrier = Courier(hass, home, lambda: "/history", lambda _: None)
    waves = waves_of(recipients_of(home), news.sound_class)
    await carrier.async_deliver(news, waves, first=first, on_told=told)
    return carrier


def issue_of(hass: HomeAssistant, subentry_id: str) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"recipient_failed_{subentry_id}")


def key_of(hass: HomeAssistant, subentry_id: str) -> tuple[str | None, str]:
    issue = issue_of(hass, subentry_id)
    assert issue is not None
    assert issue.translation_placeholders is not None
    return issue.translation_key, issue.translation_placeholders["target"]


class Flaky:
    """An action of notify that fails so many times."""

    def __init__(self, hass: HomeAssistant, name: str, failures: int = 1000) -> None:
        self.failures = failures
        self.calls: list[ServiceCall] = []
        self.tries = 0
        hass.services.async_register("notify", name, self.take)

    async def take(self, call: ServiceCall) -> None:
        self.tries += 1
        if self.tries <= self.failures:
            raise HomeAssistantError("no network")
        self.calls.append(call)


async def test_an_entity_that_is_unavailable_is_found_out_and_the_next_one_is_told(
    hass: HomeAssistant, home: MockConfigEntry, told: Told
) -> None:
    hass.states.async_set("notify.email", "unavailable")
    ben = async_mock_service(hass, "notify", "mobile_app_ben")
    anna = add_recipient(hass, home, "notify.email", kind="entity", name="Anna")
    add_recipient(hass, home, "notify.mobile_app_ben", name="Ben", order=2)
    await deliver(hass, home, told)
    assert told.names == ["Ben"]
    assert "Passed on because Anna cannot be reached." in ben[0].data["message"]
    assert key_of(hass, anna) == ("recipient_unavailable", "notify.email")


async def test_an_action_that_has_vanished_is_found_out(
    hass: HomeAssistant, home: MockConfigEntry, told: Told
) -> None:
    anna = add_recipient(hass, home, "notify.mobile_app_anna", name="Anna")
    await deliver(hass, home, told)
    assert told.names == []
    assert key_of(hass, anna) == ("recipient_missing", "notify.mobile_app_anna")


async def test_who_is_in_reserve_hears_nothing_while_the_first_can_be_reached(
    hass: HomeAssistant, home: MockConfigEntry, told: Told
) -> None:
    ben = async_mock_service(hass, "notify", "ben")
    async_mock_service(hass, "notify", "anna")
    add_recipient(hass, home, "notify.ben", name="Ben", order=2)
    add_recipient(hass, home, "notify.anna", name="Anna")
    await deliver(hass, home, told)
    assert told.names == ["Anna"]
    assert not ben
    await deliver(hass, home, told, first=2)
    assert told.names == ["Anna", "Anna", "Ben"]
    assert "Passed on" not in ben[0].data["message"]


async def test_reserves_stand_in_for_each_other(
    hass: HomeAssistant, home: MockConfigEntry, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    neighbour = async_mock_service(hass, "notify", "neighbour")
    add_recipient(hass, home, "notify.anna", name="Anna")
    add_recipient(hass, home, "notify.ben", name="Ben", order=2)
    add_recipient(hass, home, "notify.neighbour", name="Neighbour", order=4)
    await deliver(hass, home, told)
    assert told.names == ["Neighbour"]
    assert "because Ben cannot" in neighbour[0].data["message"]
    hass.services.async_remove("notify", "neighbour")
    await deliver(hass, home, told)
    assert "Nobody is left to tell instead of Neighbour: Alarm in the kitchen" in caplog.text


async def test_who_could_not_be_reached_is_tried_again(
    hass: HomeAssistant, home: MockConfigEntry, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    phone = Flaky(hass, "mobile_app_anna", failures=3)
    anna = add_recipient(hass, home, "notify.mobile_app_anna", name="Anna")
    caplog.set_level(logging.INFO)
    await deliver(hass, home, told)
    assert key_of(hass, anna) == ("recipient_failed", "notify.mobile_app_anna")
    await wait_for(lambda: told.names == ["Anna"])
    assert issue_of(hass, anna) is None
    assert phone.calls[0].data["title"] == "Alarm in the kitchen"
    errors = [record for record in caplog.records if "Could not alert Anna" in record.message]
    assert [record.levelno for record in errors if record.levelno >= logging.ERROR] == [logging.ERROR]
    assert "Told Anna through notify.mobile_app_anna (new, critical): Alarm in the kitchen" in caplog.text


async def test_who_stood_in_hears_how_it_goes_on_and_nobody_else_does(
    hass: HomeAssistant, home: MockConfigEntry, told: Told
) -> None:
    phone = Flaky(hass, "mobile_app_anna", failures=1)
    add_recipient(hass, home, "notify.mobile_app_anna", name="Anna")
    ben, neighbour = (
        async_mock_service(hass, "notify", "ben"),
        async_mock_service(hass, "notify", "neighbour"),
    )
    add_recipient(hass, home, "notify.ben", name="Ben", order=2)
    add_recipient(hass, home, "notify.neighbour", name="Neighbour", order=3)
    detection = sound()
    carrier = await deliver(hass, home, told, alert((KITCHEN, detection)))
    await wait_for(lambda: len(told.names) == 2)
    phone.tries, phone.failures = 0, 1
    waves = waves_of(recipients_of(home), SoundClass.ALARM)
    clear = alert((KITCHEN, detection), telling=Telling.ALL_CLEAR, severity=Severity.SILENT)
    await carrier.async_deliver(clear, waves, on_told=told)
    await wait_for(lambda: len(told.names) == 4)
    assert sorted(told.names) == ["Anna", "Anna", "Ben", "Ben"]
    assert ben[1].data["title"] == "No longer heard: alarm in the kitchen"
    # A quiet piece of news that somebody misses for a moment is no reason to begin with others.
    assert not neighbour


async def test_retries_end(
    hass: HomeAssistant, home: MockConfigEntry, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    phone = Flaky(hass, "anna")
    anna = add_recipient(hass, home, "notify.anna", name="Anna")
    await deliver(hass, home, told)
    await wait_for(lambda: "Gave up telling Anna" in caplog.text)
    assert phone.tries == 4
    assert issue_of(hass, anna) is not None


async def test_nobody_is_tried_again_who_was_removed_or_whose_incident_is_taken_care_of(
    hass: HomeAssistant, home: MockConfigEntry, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    anna, ben = Flaky(hass, "anna"), Flaky(hass, "ben")
    add_recipient(hass, home, "notify.ben", name="Ben")
    removed = add_recipient(hass, home, "notify.anna", name="Anna")
    news = alert((KITCHEN, sound()))
    carrier = await deliver(hass, home, told, news)
    hass.config_entries.async_remove_subentry(home, removed)
    carrier.async_forget(news.incident_id)
    carrier = await deliver(hass, home, told, alert((KITCHEN, sound())))
    (last,) = (item.subentry_id for item in recipients_of(home))
    hass.config_entries.async_remove_subentry(home, last)
    await asyncio.sleep(0.1)
    assert (anna.tries, ben.tries) == (1, 2)
    assert issue_of(hass, last) is None
    assert "Gave up" not in caplog.text


async def test_who_gets_another_phone_while_the_old_one_cannot_be_reached_is_told_there(
    hass: HomeAssistant, home: MockConfigEntry, told: Told
) -> None:
    """The attempts ended with the old phone, and the person was never told."""
    Flaky(hass, "old")
    new = async_mock_service(hass, "notify", "new")
    anna = add_recipient(hass, home, "notify.old", name="Anna")
    await deliver(hass, home, told)
    hass.config_entries.async_update_subentry(
        home, home.subentries[anna], data={CONF_KIND: "action", CONF_TARGET: "notify.new"}
    )
    await wait_for(lambda: told.names == ["Anna"])
    assert len(new) == 1


async def test_those_of_a_group_who_have_it_are_not_rung_by_what_comes_in_its_place(
    hass: HomeAssistant, home: MockConfigEntry, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update rang for the whole group, because one of its phones had not been reached before."""
    monkeypatch.setattr(courier, "RETRY_PAUSES_S", (60.0,))
    anna, ben = Flaky(hass, "mobile_app_anna", failures=0), Flaky(hass, "mobile_app_ben", failures=1)
    group = GroupNotifyPlatform(hass, [{"action": "mobile_app_anna"}, {"action": "mobile_app_ben"}])
    await group.async_setup(hass, "family", "family")
    await group.async_register_services()
    add_recipient(hass, home, "notify.family")
    detection = sound()
    carrier = await deliver(hass, home, told, alert((KITCHEN, detection)))
    update = alert((KITCHEN, detection), telling=Telling.UPDATE, severity=Severity.SILENT)
    await carrier.async_deliver(update, waves_of(recipients_of(home), SoundClass.ALARM), on_told=told)
    levels = [
        [call.data["data"]["push"]["interruption-level"] for call in phone.calls] for phone in (anna, ben)
    ]
    assert levels == [["critical", "passive"], ["critical"]]
    await carrier.async_stop()


async def test_an_update_of_what_was_not_delivered_rings_as_the_alert_would_have(
    hass: HomeAssistant, home: MockConfigEntry, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "RETRY_PAUSES_S", (60.0,))
    phone = Flaky(hass, "mobile_app_anna", failures=1)
    add_recipient(hass, home, "notify.mobile_app_anna", name="Anna")
    detection = sound()
    carrier = await deliver(hass, home, told, alert((KITCHEN, detection)))
    update = alert((KITCHEN, detection), telling=Telling.UPDATE, severity=Severity.SILENT)
    await carrier.async_deliver(update, waves_of(recipients_of(home), SoundClass.ALARM), on_told=told)
    await carrier.async_deliver(update, waves_of(recipients_of(home), SoundClass.ALARM), on_told=told)
    levels = [call.data["data"]["push"]["interruption-level"] for call in phone.calls]
    assert levels == ["critical", "passive"]
    assert told.names == ["Anna", "Anna"]


async def test_everyone_reads_their_language_and_hears_of_their_classes(
    hass: HomeAssistant, home: MockConfigEntry, told: Told
) -> None:
    calls = async_mock_service(hass, "notify", "mobile_app_oma")
    add_recipient(hass, home, "notify.mobile_app_oma", name="Oma", language="de", classes=["alarm"])
    await deliver(hass, home, told, alert((KITCHEN, sound(SoundClass.DOG))))
    assert not calls
    await deliver(hass, home, told, alert((KITCHEN, sound(pattern=AlarmPattern.T3))))
    (call,) = calls
    assert call.data["title"] == "Rauchalarm: Kitchen"
    assert [button["title"] for button in call.data["data"]["actions"]][:2] == ["Bestätigen", "Fehlalarm"]


async def test_a_dead_member_of_a_group_is_found_out_and_the_living_get_critical_sound(
    hass: HomeAssistant, household: MockConfigEntry, told: Told
) -> None:
    anna = async_mock_service(hass, "notify", "mobile_app_anna")
    broken = Flaky(hass, "mobile_app_broken")
    inner = [{"action": "mobile_app_dead"}, {"action": "everybody"}]
    members = [
        {"action": "mobile_app_anna", "data": {"data": {"color": "red", "channel": "x"}}},
        {"action": "mobile_app_broken"},
        {"action": "inner"},
    ]
    groups = [
        {"platform": "group", "name": "everybody", "services": members},
        {"platform": "group", "name": "inner", "services": inner},
    ]
    assert await async_setup_component(hass, "group", {})
    assert await async_setup_component(hass, "notify", {"notify": groups})
    await setup(hass, household)
    family = add_recipient(hass, household, "notify.everybody", name="Family")
    reserve = async_mock_service(hass, "notify", "reserve")
    add_recipient(hass, household, "notify.reserve", name="Reserve", order=2)
    await deliver(hass, household, told)
    (call,) = anna
    assert call.data["data"]["push"]["interruption-level"] == "critical"
    assert (call.data["data"]["color"], call.data["data"]["channel"]) == ("red", "alarm_stream")
    assert key_of(hass, family) == ("recipient_failed", "notify.mobile_app_broken")
    assert len(reserve) == 1
    async_mock_service(hass, "notify", "mobile_app_dead")
    broken.failures = 0
    await wait_for(lambda: "Family" in told.names)
    assert len(anna) == len(broken.calls) == 1


async def test_a_group_of_entities_is_told_one_by_one(
    hass: HomeAssistant, home: MockConfigEntry, told: Told
) -> None:
    plain, titled = Notifier("Plain", NotifyEntityFeature(0)), Notifier("Titled", NotifyEntityFeature.TITLE)
    await hass.data[DATA_COMPONENT].async_add_entities([plain, titled])
    group = MockConfigEntry(
        domain="group",
        title="All",
        options={
            "group_type": "notify",
            "name": "All",
            "entities": ["notify.plain", "notify.titled", "notify.gone"],
            "hide_members": False,
        },
    )
    group.add_to_hass(hass)
    assert await hass.config_entries.async_setup(group.entry_id)
    await hass.async_block_till_done()
    everyone = add_recipient(hass, home, "notify.all", kind="entity", name="All")
    await deliver(hass, home, told)
    assert (len(plain.told), len(titled.told)) == (1, 1)
    assert titled.told[0][1] == "Alarm in the kitchen"
    assert key_of(hass, everyone) == ("recipient_missing", "notify.gone")


@pytest.fixture
async def phone(hass: HomeAssistant) -> AsyncIterator[str]:
    """A phone with the companion app, as it registers itself."""
    assert await async_setup_component(hass, MOBILE_APP, {})
    entry = MockConfigEntry(
        domain=MOBILE_APP,
        title="Anna",
        data={
            "app_data": {"push_token": "secret", "push_url": "https://push.example.com/push"},
            "app_id": "io.homeassistant.companion.android",
            "app_name": "Home Assistant",
            "app_version": "2026.11",
            "device_id": "anna",
            "device_name": "Anna",
            "manufacturer": "Google",
            "model": "Pixel",
            "os_name": "Android",
            "os_version": "16",
            "supports_encryption": False,
            "user_id": "anna",
            "webhook_id": "webhook",
        },
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    yield "notify.mobile_app_anna"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_push_that_is_refused_is_found_out_although_nothing_is_raised(
    hass: HomeAssistant, home: MockConfigEntry, told: Told, phone: str, aioclient_mock: AiohttpClientMocker
) -> None:
    push = "https://push.example.com/push"
    aioclient_mock.post(push, exc=TimeoutError)
    anna = add_recipient(hass, home, phone, name="Anna")
    async_mock_service(hass, "notify", "ben")
    add_recipient(hass, home, "notify.ben", name="Ben", order=2)
    await deliver(hass, home, told)
    assert told.names == ["Ben"]
    assert key_of(hass, anna) == ("recipient_failed", phone)
    aioclient_mock.clear_requests()
    aioclient_mock.post(push, status=HTTPStatus.CREATED, json={})
    await wait_for(lambda: told.names == ["Ben", "Anna"])
    assert issue_of(hass, anna) is None


async def test_two_phones_are_not_taken_for_each_other(
    hass: HomeAssistant, home: MockConfigEntry, told: Told
) -> None:
    complain = logging.getLogger("homeassistant.components.mobile_app.notify")
    both = asyncio.Barrier(2)

    async def refused(call: ServiceCall) -> None:
        await both.wait()
        complain.error("refused")

    async def accepted(call: ServiceCall) -> None:
        await both.wait()
        await asyncio.sleep(0.01)

    hass.services.async_register("notify", "mobile_app_anna", refused)
    hass.services.async_register("notify", "mobile_app_ben", accepted)
    add_recipient(hass, home, "notify.mobile_app_anna", name="Anna")
    add_recipient(hass, home, "notify.mobile_app_ben", name="Ben")
    carrier = await deliver(hass, home, told)
    assert told.names == ["Ben"]
    carrier.async_forget(next(iter(carrier._errands))[1])
