"""The card in a real browser, fed by a real Home Assistant and a real satellite."""

import asyncio
from collections.abc import AsyncIterator
import json
import re
from typing import Any

from playwright.async_api import Page, expect
import pytest
import pytest_asyncio

from house import household
from house.browser import open_page
from tests.card.conftest import AXE, Room

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE_MS = 60_000
OVERLAY = "echonet-overlay dialog"


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def windows(room: Room) -> AsyncIterator[None]:
    """Let the browser's assertions be patient, and close its windows after each test."""
    expect.set_options(timeout=PATIENCE_MS)
    yield
    for context in room.browser.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def alarmed(room: Room) -> Room:
    """A house in which a smoke alarm begins to sound in some seconds."""
    await room.play()
    return room


@pytest_asyncio.fixture(loop_scope="module")
async def calm(room: Room) -> Room:
    """A house that hears the quiet after the alarm, which somebody has answered."""
    await room.calm()
    return room


async def violations(page: Page, selector: str) -> list[str]:
    """What axe-core finds wrong with an element, in one line each."""
    await page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = await page.locator(selector).first.evaluate(
        "async (element) => (await axe.run(element)).violations"
    )
    return [
        f"{item['id']}: {item['help']}: {json.dumps(node['target'])} {node['failureSummary']}"
        for item in found
        for node in item["nodes"]
    ]


async def picture_of(page: Page) -> list[int]:
    """The pixels of the newest column of the spectrogram, and how many columns have been drawn."""
    pixels: list[int] = await page.locator("echonet-spectrogram canvas").evaluate(
        """(canvas) => {
            const context = canvas.getContext('2d');
            return [...context.getImageData(canvas.width - 20, 0, 20, canvas.height).data];
        }"""
    )
    return pixels


async def test_the_card_shows_what_is_heard_as_it_is_heard(alarmed: Room) -> None:
    page = await alarmed.open()
    await expect(page.locator("echonet-card header")).to_contain_text("Listening")
    loudness = page.locator("echonet-bars .loudness")
    await expect(loudness).not_to_have_attribute("aria-valuenow", "-80")
    assert await page.locator("echonet-bars .row").count() == 8
    before = await picture_of(page)
    alarm = page.locator('echonet-bars [data-class="alarm"] [role=meter]')
    await expect(alarm).to_have_attribute("aria-valuenow", re.compile(r"^([5-9]\d|100)$"))
    assert await picture_of(page) != before
    sound = page.locator("echonet-sounds li").first
    await expect(sound).to_contain_text("Smoke alarm")
    await expect(sound).to_contain_text("%")


async def test_nobody_who_cannot_hear_overlooks_an_alert_and_it_can_be_answered_there(alarmed: Room) -> None:
    page = await alarmed.open()
    dialog = page.locator(OVERLAY)
    await expect(dialog).to_contain_text("Smoke alarm in the living room")
    box = await dialog.bounding_box()
    assert box == {"x": 0, "y": 0, "width": 1280, "height": 900}
    animation = await dialog.evaluate("(element) => getComputedStyle(element).animationDuration")
    # Fewer than three flashes a second, so that it hurts nobody.
    assert animation == "1s"
    assert not await violations(page, "echonet-overlay")
    # Whoever presses Enter has answered.
    await expect(dialog.get_by_role("button", name="Acknowledge")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(page.locator("echonet-card .banner")).to_contain_text("Acknowledged by Demo")


async def test_an_alert_can_be_hidden_and_answered_on_the_card(alarmed: Room) -> None:
    page = await alarmed.open()
    await expect(page.locator(OVERLAY)).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator(OVERLAY)).to_have_count(0)
    banner = page.locator("echonet-card .banner")
    await expect(banner).to_contain_text("Smoke alarm in the living room")
    assert not await violations(page, "echonet-card")
    await banner.get_by_role("button", name="False alarm").click()
    await expect(page.locator("echonet-sounds li").first).to_contain_text("was a false alarm")


async def test_who_asks_for_less_motion_sees_no_flashing(alarmed: Room) -> None:
    page = await alarmed.open(reduced_motion="reduce")
    dialog = page.locator(OVERLAY)
    await expect(dialog).to_be_visible()
    assert await dialog.evaluate("(element) => getComputedStyle(element).animationName") == "none"


async def test_a_test_alert_is_shown_as_a_test(calm: Room) -> None:
    page = await calm.open()
    await calm.house.home.api.call("button.press", entity_id=calm.house.entities["test"])
    dialog = page.locator(OVERLAY)
    await expect(dialog).to_contain_text("Test: ")
    await expect(dialog).to_contain_text("This is only a test. Nothing was heard.")
    await dialog.get_by_role("button", name="Hide").click()
    await expect(dialog).to_have_count(0)


async def test_the_satellite_is_watched_only_while_the_page_is_seen(calm: Room) -> None:
    page = await calm.open()
    pulse = page.locator("echonet-bars .loudness")
    await expect(pulse).not_to_have_attribute("aria-valuenow", "-80")
    # A page in the background, as the browser tells it.
    await page.evaluate(
        """() => {
            Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
            document.dispatchEvent(new Event('visibilitychange'));
        }"""
    )
    await asyncio.sleep(0.3)
    before = await picture_of(page)
    await asyncio.sleep(1.2)
    assert await picture_of(page) == before
    await page.evaluate(
        """() => {
            Object.defineProperty(document, 'hidden', { configurable: true, get: () => false });
            document.dispatchEvent(new Event('visibilitychange'));
        }"""
    )
    async with asyncio.timeout(30):
        while await picture_of(page) == before:  # noqa: ASYNC110  # a canvas has no event
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 1280), (False, 360), (True, 360)], ids=str)
async def test_it_can_be_read_in_every_light_and_on_a_phone(calm: Room, dark: bool, width: int) -> None:
    page = await calm.open(dark=dark, viewport={"width": width, "height": 780})
    await expect(page.locator("echonet-bars .loudness")).not_to_have_attribute("aria-valuenow", "-80")
    assert not await violations(page, "echonet-card")
    overflow = await page.locator("echonet-card").evaluate(
        "(element) => element.scrollWidth - element.clientWidth"
    )
    assert overflow <= 0
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_the_device_page_leads_to_a_page_that_can_be_read(calm: Room) -> None:
    page = await open_page(calm.browser, calm.house.home.login, f"/config/devices/device/{calm.device_id}")
    await page.get_by_text("Visit").click(timeout=PATIENCE_MS)
    await expect(page.get_by_role("heading", name="What do you hear", level=1)).to_be_visible()
    assert page.url.endswith(f"/echonet/{calm.house.satellite_id}")
    await expect(page.locator("echonet-card header")).to_contain_text("Living room satellite")
    assert not await violations(page, "echonet-panel")
    await page.get_by_role("button", name="Back").click()
    await expect(page).to_have_url(re.compile("/config/devices/device/"))


@pytest.mark.parametrize(
    ("language", "listening", "glass"),
    [
        ("de", "Hört zu", "Glasbruch"),
        ("fr", "À l’écoute", "Bris de verre"),
        ("es", "Escuchando", "Rotura de cristal"),
    ],
)
async def test_it_speaks_the_language_of_who_looks(
    calm: Room, language: str, listening: str, glass: str
) -> None:
    await calm.speak(language)
    try:
        page = await calm.open()
        await expect(page.locator("echonet-card header")).to_contain_text(listening)
        await expect(page.locator("echonet-bars")).to_contain_text(glass)
    finally:
        await calm.speak("en")


async def test_it_is_put_on_a_dashboard_without_a_line_of_yaml(calm: Room) -> None:
    page = await calm.open(f"/{household.DASHBOARD}/0?edit=1")
    cards = await page.evaluate(
        "window.customCards.map(({ type, name, description }) => ({ type, name, description }))"
    )
    assert {
        "type": "echonet-card",
        "name": "EchoNet: what do you hear",
        "description": "What a satellite hears now, its last sounds, and an alert that nobody overlooks.",
    } in cards
    form = await page.evaluate(
        "customElements.get('echonet-card').getConfigForm().schema.map(({ name }) => name)"
    )
    assert form == ["device_id", "title", "sounds", "spectrogram", "full_screen_alert"]
    suggested = await page.evaluate(
        """(entity) => {
            const card = window.customCards.find(({ type }) => type === 'echonet-card');
            return card.getEntitySuggestion(document.querySelector('home-assistant').hass, entity);
        }""",
        calm.house.entities["alarm"],
    )
    assert suggested == {"config": {"type": "custom:echonet-card", "device_id": calm.device_id}}


async def test_a_connection_that_is_lost_is_said_and_hides_nothing(calm: Room) -> None:
    page = await calm.open()
    header, bars = page.locator("echonet-card header"), page.locator("echonet-bars .loudness")
    await expect(bars).not_to_have_attribute("aria-valuenow", "-80")
    known = await page.locator("echonet-sounds li").count()
    assert known
    # As the frontend tells it when its WebSocket ends; what still arrives over it is stopped first.
    connection = "document.querySelector('home-assistant').hass.connection"
    await page.evaluate(
        f"{connection}.suspendReconnectUntil(new Promise(() => undefined)); {connection}.suspend()"
    )
    await expect(header).to_contain_text("No connection to Home Assistant")
    await expect(bars).to_have_attribute("aria-valuenow", "-80")
    assert await page.locator("echonet-sounds li").count() == known


async def test_what_is_not_there_is_said_and_becomes_visible_when_it_comes(calm: Room) -> None:
    page = await calm.open()
    found = await page.evaluate(
        """async (device) => {
            const hass = document.querySelector('home-assistant').hass;
            const card = document.createElement('echonet-card');
            const { [device]: _, ...devices } = hass.devices;
            card.setConfig({ type: 'custom:echonet-card', device_id: device, sounds: -1 });
            card.hass = { ...hass, devices };
            document.body.append(card);
            await card.updateComplete;
            const missing = card.renderRoot.textContent;
            card.hass = hass;
            while (!card.renderRoot.querySelector('.parts')) await new Promise((wake) => setTimeout(wake, 50));
            const sounds = card.renderRoot.querySelector('echonet-sounds').renderRoot.querySelectorAll('li').length;
            card.remove();
            return { missing, sounds };
        }""",
        calm.device_id,
    )
    assert "This satellite is not there any more." in found["missing"]
    assert found["sounds"] == 0


async def test_the_longest_name_fits_on_a_phone(calm: Room) -> None:
    async def call_it(name: str | None) -> None:
        await calm.house.home.api.command(
            "config/device_registry/update", device_id=calm.device_id, name_by_user=name
        )

    await call_it("W" * 200)
    try:
        page = await calm.open(viewport={"width": 360, "height": 780})
        await expect(page.locator("echonet-card h2")).to_contain_text("WWWW")
        overflow = await page.locator("echonet-card").evaluate(
            "(element) => element.scrollWidth - element.clientWidth"
        )
        assert overflow <= 0
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    finally:
        await call_it(None)


async def test_who_reads_from_right_to_left_sees_bars_grow_that_way_and_time_as_always(calm: Room) -> None:
    await calm.speak("he")
    try:
        page = await calm.open(reduced_motion="reduce")
        await page.wait_for_function(
            "getComputedStyle(document.querySelector('home-assistant')).direction === 'rtl'"
            " || document.dir === 'rtl'"
        )
        fill = page.locator("echonet-bars .fill").first
        origin, width, motion = await fill.evaluate(
            "(element) => { const style = getComputedStyle(element);"
            " return [style.transformOrigin.split(' ')[0], style.width, style.transitionDuration]; }"
        )
        assert origin == width
        assert motion == "0s"
        past, present = [
            await page.locator("echonet-spectrogram .axis span").nth(place).bounding_box()
            for place in range(2)
        ]
        assert past is not None
        assert present is not None
        assert past["x"] < present["x"]
        assert not await violations(page, "echonet-card")
    finally:
        await calm.speak("en")


async def test_a_satellite_that_does_not_listen_says_so(calm: Room) -> None:
    page = await calm.open()
    await calm.switch(listening=False)
    await expect(page.locator("echonet-card header")).to_contain_text("Not listening: switched off")
