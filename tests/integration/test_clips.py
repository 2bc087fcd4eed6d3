"""Clips in Home Assistant: switched on and off, seen and heard behind its login, on the alert, and deleted."""

from http import HTTPStatus
import io
from typing import Any

from homeassistant.components.media_player import BrowseError
from homeassistant.components.media_source import (
    Unresolvable,
    async_browse_media,
    async_resolve_media,
    generate_media_source_id,
)
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity import Entity
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator
import soundfile

from custom_components.echonet.const import CONF_FINGERPRINT, DOMAIN
from echonet_satellite.protocol import ClipSettings, SoundClass, Talk
from tests.integration.conftest import StartSatellite, make_entry, setup, state_of, wait_for, wait_for_state
from tests.integration.phones import add_recipient
from tests.support.satellite import SatelliteUnderTest

CLIPS = "switch.hallway_keep_clips"
ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def _all_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have also the entities that only who looks for them gets."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)


def settings_of(satellite: SatelliteUnderTest) -> ClipSettings:
    clips = satellite.station.settings.clips
    assert clips is not None
    return clips


async def call(hass: HomeAssistant, domain: str, action: str, entity_id: str, **data: Any) -> None:
    await hass.services.async_call(domain, action, {"entity_id": entity_id, **data}, blocking=True)


@pytest.mark.usefixtures("_all_enabled")
async def test_what_is_kept_is_turned_in_home_assistant(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    await setup(hass, entry)
    assert state_of(hass, CLIPS).state == STATE_OFF
    await call(hass, "switch", "turn_on", CLIPS)
    await wait_for_state(hass, CLIPS, STATE_ON)
    assert state_of(hass, "switch.hallway_clips_dog").state == STATE_ON
    assert state_of(hass, "switch.hallway_clips_presence").state == STATE_OFF
    # Two changes at once: neither takes the other back.
    await call(hass, "switch", "turn_off", "switch.hallway_clips_dog")
    await call(hass, "switch", "turn_on", "switch.hallway_clips_presence")
    await wait_for_state(hass, "switch.hallway_clips_presence", STATE_ON)
    await wait_for_state(hass, "switch.hallway_clips_dog", STATE_OFF)
    await call(hass, "select", "select_option", "select.hallway_talk_in_clips", option="dropped")
    await wait_for_state(hass, "select.hallway_talk_in_clips", "dropped")
    await call(hass, "number", "set_value", "number.hallway_keep_clips_for", value=30)
    await call(hass, "number", "set_value", "number.hallway_room_for_clips", value=500)
    await wait_for_state(hass, "number.hallway_room_for_clips", "500")
    assert state_of(hass, "number.hallway_keep_clips_for").state == "30"
    told = settings_of(satellite)
    assert (told.enabled, told.talk, told.keep_days, told.keep_mb) == (True, Talk.DROPPED, 30, 500)
    assert told.classes[SoundClass.PRESENCE]
    assert not told.classes[SoundClass.DOG]
    await call(hass, "switch", "turn_off", CLIPS)
    await wait_for_state(hass, CLIPS, STATE_OFF)
    assert not settings_of(satellite).enabled


async def test_an_older_satellite_has_nothing_about_clips(
    hass: HomeAssistant, start_satellite: StartSatellite
) -> None:
    older = await start_satellite(keeps_clips=False)
    entry = make_entry(older)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    assert hass.states.get(CLIPS) is None
    assert hass.states.get("button.hallway_delete_all_clips") is None
    older.keeps_clips = True  # it is updated
    await older.stop()
    await older.start()
    await wait_for_state(hass, CLIPS, STATE_OFF)


async def test_sound_and_picture_are_behind_the_login(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    identifier = satellite.keep_clip()
    base = f"/api/echonet/clips/{loaded.entry_id}"
    stranger = await hass_client_no_auth()
    for suffix in ("flac", "png"):
        assert (await stranger.get(f"{base}/{identifier}.{suffix}")).status == HTTPStatus.UNAUTHORIZED
    client = await hass_client()
    sound = await client.get(f"{base}/{identifier}.flac")
    assert (sound.status, sound.content_type) == (HTTPStatus.OK, "audio/flac")
    assert "no-store" in sound.headers["Cache-Control"]
    assert soundfile.info(io.BytesIO(await sound.read())).duration == 1.0
    picture = await client.get(f"{base}/{identifier}.png")
    assert picture.content_type == "image/png"
    assert (await picture.read()).startswith(b"\x89PNG")
    for wrong in (f"{base}/{ID}.flac", f"{base}/{identifier}.wav", f"{base}/.png"):
        assert (await client.get(wrong)).status == HTTPStatus.NOT_FOUND
    assert (await client.get(f"/api/echonet/clips/nobody/{identifier}.png")).status == HTTPStatus.NOT_FOUND
    await satellite.stop()
    assert (await client.get(f"{base}/{identifier}.png")).status == HTTPStatus.BAD_GATEWAY


async def test_the_token_goes_to_nobody_but_the_satellite(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    hass_client: ClientSessionGenerator,
) -> None:
    identifier = satellite.keep_clip()
    client = await hass_client()
    hass.config_entries.async_update_entry(loaded, data={**loaded.data, CONF_FINGERPRINT: "00" * 32})
    answer = await client.get(f"/api/echonet/clips/{loaded.entry_id}/{identifier}.png")
    assert answer.status == HTTPStatus.BAD_GATEWAY


async def test_clips_are_in_the_media_browser(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    hass_ws_client: WebSocketGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    await async_setup_component(hass, "media_source", {})
    first = satellite.keep_clip("dog")
    second = satellite.keep_clip("glass_break")
    root = await async_browse_media(hass, generate_media_source_id(DOMAIN, ""))
    assert [item.title for item in root.children or []] == ["Hallway"]
    folder = await async_browse_media(hass, generate_media_source_id(DOMAIN, loaded.entry_id))
    shown = list(folder.children or [])
    assert {item.title.split(" 20")[0] for item in shown} == {"Dog", "Glass break"}
    assert {item.media_content_id.rpartition("/")[2] for item in shown} == {first, second}
    # What the browser plays is signed for it, and for nobody else.
    web_socket = await hass_ws_client(hass)
    await web_socket.send_json_auto_id(
        {"type": "media_source/resolve_media", "media_content_id": shown[0].media_content_id}
    )
    answer = await web_socket.receive_json()
    assert answer["result"]["mime_type"] == "audio/flac"
    stranger = await hass_client_no_auth()
    assert (await stranger.get(answer["result"]["url"])).status == HTTPStatus.OK
    assert (await stranger.get(answer["result"]["url"].partition("?")[0])).status == HTTPStatus.UNAUTHORIZED
    for wrong in (f"{loaded.entry_id}/../x", f"nobody/{first}", loaded.entry_id):
        with pytest.raises(Unresolvable):
            await async_resolve_media(hass, generate_media_source_id(DOMAIN, wrong), None)
    with pytest.raises(BrowseError):
        await async_browse_media(hass, generate_media_source_id(DOMAIN, "nobody"))
    await satellite.stop()
    with pytest.raises(BrowseError, match="not connected"):
        await async_browse_media(hass, generate_media_source_id(DOMAIN, loaded.entry_id))


async def test_clips_are_deleted_on_request(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    first, *_ = (satellite.keep_clip() for _ in range(3))
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
    await hass.services.async_call(
        DOMAIN, "delete_clips", {"device_id": device.id, "clip": first}, blocking=True
    )
    kept = satellite.clips.store.clips()
    assert len(kept) == 2
    assert first not in {clip.detection_id for clip in kept}
    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(
            DOMAIN, "delete_clips", {"device_id": device.id, "clip": "../x"}, blocking=True
        )
    assert len(satellite.clips.store.clips()) == 2
    await call(hass, "button", "press", "button.hallway_delete_all_clips")
    assert satellite.clips.store.clips() == []
    satellite.keep_clip()
    await hass.services.async_call(DOMAIN, "delete_clips", {"device_id": device.id}, blocking=True)
    assert satellite.clips.store.clips() == []
    await satellite.stop()
    await wait_for_state(hass, CLIPS, STATE_UNAVAILABLE)
    with pytest.raises(HomeAssistantError, match="does not answer"):
        await hass.services.async_call(DOMAIN, "delete_clips", {"device_id": device.id}, blocking=True)


async def test_the_picture_of_what_was_heard_comes_onto_the_alert_without_a_sound(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest, loaded: MockConfigEntry
) -> None:
    phone = async_mock_service(hass, "notify", "mobile_app_phone")
    other = async_mock_service(hass, "notify", "email")
    add_recipient(hass, home, "notify.mobile_app_phone")
    add_recipient(hass, home, "notify.email")
    identifier = satellite.emit("glass_break")
    await wait_for(lambda: phone and other)
    assert "image" not in phone[0].data["data"]
    satellite.keep_clip("glass_break", id=identifier)
    await wait_for(lambda: len(phone) == 2)
    before, after = phone[0].data["data"], phone[1].data["data"]
    assert after["image"] == f"/api/echonet/clips/{loaded.entry_id}/{identifier}.png"
    assert after["tag"] == before["tag"]
    assert after["push"] == {"interruption-level": "passive", "sound": "none"}
    assert phone[1].data["message"] == phone[0].data["message"]
    # A second satellite's picture of the same does not bother anybody again, and mail has no place for one.
    satellite.keep_clip("glass_break", id=identifier)
    await hass.async_block_till_done()
    assert len(phone) == 2
    assert len(other) == 1


async def test_a_picture_of_what_was_answered_does_not_bring_it_back(
    hass: HomeAssistant, home: MockConfigEntry, satellite: SatelliteUnderTest
) -> None:
    phone = async_mock_service(hass, "notify", "mobile_app_phone")
    add_recipient(hass, home, "notify.mobile_app_phone")
    identifier = satellite.emit("glass_break")
    await wait_for(lambda: len(phone) == 1)
    await hass.services.async_call(DOMAIN, "label", {"verdict": "false_alarm"}, blocking=True)
    await hass.async_block_till_done()
    told = len(phone)
    satellite.keep_clip("glass_break", id=identifier)
    satellite.set_health("disk_full")  # comes after it, over the same connection
    await wait_for_state(hass, "sensor.hallway_health", "disk_full")
    await hass.async_block_till_done()
    assert len(phone) == told
