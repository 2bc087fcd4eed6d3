"""Looking at a satellite: what a card is told, and that nobody is told anything who does not look."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.echonet.const import DOMAIN
from custom_components.echonet.live import BURST, MAX_VIEWERS
from custom_components.echonet.protocol import Phase, SoundClass
from echonet_satellite.protocol import AlarmPattern
from tests.integration.conftest import StartSatellite, make_entry, setup, wait_for
from tests.support.satellite import SatelliteUnderTest

type Event = dict[str, Any]


class Viewer:
    """A browser that looks at a satellite."""

    def __init__(self, client: Any, device_id: str) -> None:
        self._client = client
        self._device_id = device_id
        self._subscription = 0
        self.error: dict[str, Any] = {}

    async def look(self, **options: str) -> Viewer:
        self._subscription = await self.request(f"{DOMAIN}/watch", device_id=self._device_id, **options)
        return self

    async def request(self, kind: str, **fields: Any) -> int:
        await self._client.send_json_auto_id({"type": kind, **fields})
        while (answer := await self._client.receive_json())["type"] != "result":
            pass
        self.error = answer.get("error", {})
        number: int = answer["id"]
        return number

    async def look_away(self) -> None:
        await self.request("unsubscribe_events", subscription=self._subscription)
        assert not self.error

    async def until(self, wanted: Callable[[Event], Any]) -> Event:
        """Return the first event that is what was wanted."""
        async with asyncio.timeout(10):
            while True:
                message = await self._client.receive_json()
                if message["type"] == "event" and wanted(message["event"]):
                    event: Event = message["event"]
                    return event

    async def view(self, wanted: Callable[[Event], Any] = lambda _: True) -> Event:
        """Return the first view that is as wanted."""
        event = await self.until(lambda event: event.get("view") and wanted(event["view"]))
        view: Event = event["view"]
        return view

    async def events_of(self, seconds: float) -> list[Event]:
        """Return what is told in so many seconds."""
        events = []
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    events.append((await self._client.receive_json())["event"])
        return events


type NewViewer = Callable[..., Awaitable[Viewer]]


@pytest.fixture
def new_viewer(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> NewViewer:
    """Open a browser in front of a satellite."""

    async def new(entry: MockConfigEntry, token: str | None = None) -> Viewer:
        (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
        client = await (hass_ws_client(hass) if token is None else hass_ws_client(hass, token))
        return Viewer(client, device.id)

    return new


async def until_asked(satellite: SatelliteUnderTest, *watched: bool) -> None:
    await wait_for(lambda: satellite.watched == list(watched))


async def test_the_satellite_is_asked_for_the_first_viewer_and_told_off_after_the_last(
    loaded: MockConfigEntry, satellite: SatelliteUnderTest, new_viewer: NewViewer
) -> None:
    first, second = await new_viewer(loaded), await new_viewer(loaded)
    await until_asked(satellite, False)
    await first.look()
    await until_asked(satellite, False, True)
    await second.look()
    await first.look_away()
    assert satellite.watched == [False, True]
    await second.look_away()
    await until_asked(satellite, False, True, False)


async def test_what_it_sounds_like_is_told(
    loaded: MockConfigEntry, satellite: SatelliteUnderTest, new_viewer: NewViewer
) -> None:
    viewer = await (await new_viewer(loaded)).look()
    await until_asked(satellite, False, True)
    satellite.set_level(
        -20.0,
        -10.0,
        probabilities={SoundClass.DOG: 0.75, SoundClass.ALARM: 1.5},
        thresholds={SoundClass.DOG: 0.4},
        bands_dbfs=(-80, -40),
    )
    event = await viewer.until(lambda event: "level" in event)
    assert event["level"] == {
        "rms": -20.0,
        "peak": -10.0,
        # Whatever a satellite says, nothing is surer than sure.
        "probabilities": {"dog": 0.75, "alarm": 1.0},
        "thresholds": {"dog": 0.4},
        "bands": [-80, -40],
    }


async def test_an_older_satellite_tells_only_how_loud_it_is(
    loaded: MockConfigEntry, satellite: SatelliteUnderTest, new_viewer: NewViewer
) -> None:
    viewer = await (await new_viewer(loaded)).look()
    await until_asked(satellite, False, True)
    await satellite.say('{"type":"level","rms_dbfs":-20.5,"peak_dbfs":-9}')
    event = await viewer.until(lambda event: "level" in event)
    assert event["level"] == {"rms": -20.5, "peak": -9.0, "probabilities": {}, "thresholds": {}, "bands": []}


async def test_a_satellite_that_comes_back_is_asked_again(
    loaded: MockConfigEntry, satellite: SatelliteUnderTest, new_viewer: NewViewer
) -> None:
    viewer = await (await new_viewer(loaded)).look()
    await until_asked(satellite, False, True)
    await satellite.stop()
    await viewer.view(lambda view: not view["connected"])
    satellite.watched.clear()
    await satellite.start()
    await until_asked(satellite, False, True)
    await viewer.view(lambda view: view["connected"])
    satellite.set_level(-30.0)
    assert (await viewer.until(lambda event: "level" in event))["level"]["rms"] == -30.0


async def test_a_viewer_looks_on_when_the_entry_is_loaded_anew(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest, new_viewer: NewViewer
) -> None:
    viewer = await (await new_viewer(loaded)).look()
    await until_asked(satellite, False, True)
    await hass.config_entries.async_reload(loaded.entry_id)
    await wait_for(lambda: satellite.watched[-1] is True and len(satellite.watched) > 2)
    satellite.set_level(-30.0)
    assert (await viewer.until(lambda event: "level" in event))["level"]["rms"] == -30.0


async def test_who_closes_the_browser_looks_no_more(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest, new_viewer: NewViewer
) -> None:
    viewer = await (await new_viewer(loaded)).look()
    await until_asked(satellite, False, True)
    await viewer._client.close()
    await until_asked(satellite, False, True, False)


async def test_a_flood_of_levels_does_not_reach_the_browser(
    loaded: MockConfigEntry, satellite: SatelliteUnderTest, new_viewer: NewViewer
) -> None:
    viewer = await (await new_viewer(loaded)).look()
    await until_asked(satellite, False, True)
    for number in range(150):
        await satellite.say(f'{{"type":"level","rms_dbfs":{-number},"peak_dbfs":0}}')
    satellite.emit(SoundClass.DOG)
    levels = 0
    async with asyncio.timeout(20):
        while True:
            event = (await viewer._client.receive_json())["event"]
            levels += "level" in event
            if event.get("view") and event["view"]["sounds"]:
                break
    assert 0 < levels < 50 + BURST


async def test_only_so_many_may_look_at_once(
    loaded: MockConfigEntry, satellite: SatelliteUnderTest, new_viewer: NewViewer
) -> None:
    viewer = await new_viewer(loaded)
    for _ in range(MAX_VIEWERS):
        await viewer.look()
        assert not viewer.error
    await viewer.look()
    assert viewer.error["translation_key"] == "too_many_viewers"


async def test_a_user_who_may_see_nothing_sees_nothing(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    new_viewer: NewViewer,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
) -> None:
    viewer = await (await new_viewer(loaded, hass_read_only_access_token)).look()
    assert not viewer.error
    hass_read_only_user.mock_policy({"entities": {"entity_ids": {"light.hallway": {POLICY_READ: True}}}})
    await viewer.look()
    assert viewer.error["code"] == "unauthorized"


async def test_what_is_no_satellite_cannot_be_watched(home: MockConfigEntry, new_viewer: NewViewer) -> None:
    viewer = await (await new_viewer(home)).look()
    assert viewer.error["translation_key"] == "not_a_satellite"


async def test_the_view_says_how_the_satellite_is(
    home: MockConfigEntry, loaded: MockConfigEntry, satellite: SatelliteUnderTest, new_viewer: NewViewer
) -> None:
    viewer = await (await new_viewer(loaded)).look(language="de-CH")
    view = await viewer.view()
    assert view["name"] == "Hallway"
    assert view["room"] == "Kitchen"
    assert view["connected"]
    assert view["listening"]
    assert view["classes"] == list(SoundClass)
    assert view["names"]["glass_break"] == "Glasbruch"
    assert view["sounds"] == []
    assert view["alert"] is None
    satellite.set_health("microphone_silent")
    assert (await viewer.view(lambda view: view["problems"]))["problems"] == ["microphone_silent"]


async def test_a_sound_is_shown_while_it_goes_on_and_after(
    loaded: MockConfigEntry, satellite: SatelliteUnderTest, new_viewer: NewViewer
) -> None:
    viewer = await (await new_viewer(loaded)).look()
    identifier = satellite.emit(SoundClass.ALARM, confidence=0.8)
    view = await viewer.view(lambda view: view["sounds"])
    (sound,) = view["sounds"]
    assert sound["id"] == identifier
    assert (sound["kind"], sound["confidence"], sound["going_on"]) == ("alarm", 0.8, True)
    assert view["active"] == ["alarm"]
    # Without a household nobody can answer to it.
    assert sound["incident"] is None
    satellite.emit(SoundClass.ALARM, Phase.UPDATE, id=identifier, confidence=0.6, pattern=AlarmPattern.T3)
    satellite.emit(SoundClass.ALARM, Phase.END, id=identifier, confidence=0.6, pattern=AlarmPattern.T3)
    view = await viewer.view(lambda view: view["sounds"] and not view["sounds"][0]["going_on"])
    (sound,) = view["sounds"]
    assert (sound["kind"], sound["confidence"]) == ("smoke_alarm", 0.8)
    assert view["active"] == []


async def test_the_last_sounds_outlive_a_restart(
    hass: HomeAssistant, loaded: MockConfigEntry, satellite: SatelliteUnderTest, new_viewer: NewViewer
) -> None:
    viewer = await (await new_viewer(loaded)).look()
    identifier = satellite.emit(SoundClass.DOG, confidence=0.7)
    await viewer.view(lambda view: view["sounds"])
    await satellite.stop()
    await hass.config_entries.async_unload(loaded.entry_id)
    await satellite.start()
    await hass.config_entries.async_setup(loaded.entry_id)
    view = await viewer.view(lambda view: view["connected"] and view["sounds"])
    (sound,) = view["sounds"]
    # The satellite has told its end meanwhile, or nobody knows better.
    assert (sound["id"], sound["confidence"], sound["going_on"]) == (identifier, 0.7, False)


async def test_a_damaged_file_of_sounds_keeps_nobody_from_hearing(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    entry: MockConfigEntry,
    satellite: SatelliteUnderTest,
    new_viewer: NewViewer,
) -> None:
    key = f"{DOMAIN}.sounds.{entry.entry_id}"
    hass_storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": [{"detection": "{"}]}
    await setup(hass, entry)
    viewer = await (await new_viewer(entry)).look()
    satellite.emit(SoundClass.DOG)
    await viewer.view(lambda view: view["sounds"])
    await hass.config_entries.async_unload(entry.entry_id)


async def test_an_alert_of_the_house_is_shown_at_every_satellite_until_it_is_answered(
    hass: HomeAssistant,
    home: MockConfigEntry,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    start_satellite: StartSatellite,
    new_viewer: NewViewer,
) -> None:
    other = await start_satellite(name="Cellar")
    entry = make_entry(other)
    entry.add_to_hass(hass)
    await setup(hass, entry)
    viewer = await (await new_viewer(entry)).look()
    identifier = satellite.emit(SoundClass.GLASS_BREAK)
    view = await viewer.view(lambda view: view["alert"])
    assert view["sounds"] == []
    alert = view["alert"]
    assert alert["title"] == "Breaking glass in the kitchen"
    assert (alert["kind"], alert["severity"], alert["answered"]) == ("glass_break", "critical", False)
    await hass.services.async_call(DOMAIN, "acknowledge", {"incident": alert["incident"]}, blocking=True)
    view = await viewer.view(lambda view: not view["alert"] or view["alert"]["answered"])
    assert view["alert"]["going_on"]
    satellite.emit(SoundClass.GLASS_BREAK, Phase.END, id=identifier)
    await viewer.view(lambda view: view["alert"] is None)


async def test_a_false_alarm_is_shown_as_one(
    hass: HomeAssistant,
    home: MockConfigEntry,
    loaded: MockConfigEntry,
    satellite: SatelliteUnderTest,
    new_viewer: NewViewer,
) -> None:
    viewer = await (await new_viewer(loaded)).look()
    satellite.emit(SoundClass.DOG)
    view = await viewer.view(lambda view: view["sounds"] and view["sounds"][0]["incident"])
    incident = view["sounds"][0]["incident"]
    assert not view["sounds"][0]["false_alarm"]
    await hass.services.async_call(
        DOMAIN, "label", {"incident": incident, "verdict": "false_alarm"}, blocking=True
    )
    await viewer.view(lambda view: view["sounds"][0]["false_alarm"])
