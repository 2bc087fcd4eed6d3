"""Takes the pictures of docs/images: builds a house, lets it hear, and opens its pages in a browser."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
import os
from pathlib import Path
import sys
import tempfile
from typing import Any

from playwright.async_api import Browser, Error as PageError, Page, TimeoutError as PageTimeoutError

from echonet_satellite.protocol import EchonetError

from . import household
from .browser import chromium, open_page
from .configuration import REPOSITORY
from .errors import HouseError
from .home_assistant import HomeAssistant, Login
from .house import House, house
from .network import best_network
from .satellite import NAME
from .timeline import Timeline

IMAGES = REPOSITORY / "docs" / "images"
_ALARM_TIMEOUT_MS = 180_000
_PATIENCE_MS = 60_000
_LOADING_MS = 8000
_ANSWERS = 12
_CLIPS = 4
_CLIP_TRIES = 60
_CLIP_PAUSE_S = 2.0
_LANGUAGES = ("en", "de", "fr", "es")


def main() -> int:
    """Take the pictures and return the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/screenshot", description=__doc__)
    parser.add_argument("--model", type=Path, metavar="DIR", help="another model than the built-in one")
    parser.add_argument("--to", type=Path, default=IMAGES, metavar="DIR", help="where the pictures go")
    options = parser.parse_args()
    try:
        asyncio.run(_run(options.model, options.to.absolute()))
    except EchonetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except PageError as error:
        first = str(error).splitlines()[0]
        print(f"error: a page does not show what a picture needs, or not in time: {first}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


async def _run(model: Path | None, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    source: list[str | Path] = ["--source", "demo"]
    if model is not None:
        source += ["--model", model.absolute()]

    async def meet(home: HomeAssistant) -> None:
        print("Chromium opens what was discovered")
        discovered = "/config/integrations/dashboard"
        async with chromium() as browser:
            await _take(browser, home.login, _Picture(discovered, target / "discovery.png", height=410))
            await _take(
                browser, home.login, _Picture(discovered, target / "pairing.png", height=700, clicks=("Add",))
            )

    with tempfile.TemporaryDirectory(prefix="echonet-screenshots-") as name:
        folder = Path(name)
        async with (
            best_network(folder) as network,
            house(
                folder, network, *source, environment=_as_a_service(), progress=print, before_pairing=meet
            ) as built,
            chromium() as browser,
        ):
            await built.home.api.call("switch.turn_on", entity_id=built.entities["clips"])
            cards = await _open_cards(browser, built)
            await _let_it_hear(built, lambda: _take_cards(cards, built, target))
            print("Chromium opens the pages")
            await _wait_for_clips(built)
            missing: list[str] = []
            for picture in await _pictures(built, target):
                await _try(_take(browser, built.home.login, picture), picture.file.name, missing)
            # Home Assistant itself takes notifications, too: what a phone would show, without a phone.
            await household.tell(built.home.api, "notify.persistent_notification")
            for language in _LANGUAGES:
                # The activity is written in the language of the home, the rest in that of whoever looks.
                await _speak(built, language)
                if language != "en":
                    page = await _device_page(built, target, language)
                    await _try(_take(browser, built.home.login, page), page.file.name, missing)
                shown = target / f"notification_{language}.png"
                await _try(_take_notification(browser, built, language, shown), shown.name, missing)
            if missing:
                raise HouseError(f"these pictures could not be taken: {', '.join(missing)}")


def _as_a_service() -> dict[str, str]:
    """Return what makes a satellite take itself for what most people install: the service of systemd."""
    return {**os.environ, "INVOCATION_ID": "pictures", "STATE_DIRECTORY": "/var/lib/echonet-satellite"}


async def _try(taking: Awaitable[None], name: str, missing: list[str]) -> None:
    """Take a picture; one that cannot be taken keeps none of the others from it."""
    try:
        await taking
    except PageError as error:
        print(f"{name}: {str(error).splitlines()[0]}", file=sys.stderr)
        missing.append(name)


@dataclass(frozen=True, slots=True)
class _Picture:
    """A page, how much of it is seen, and what is clicked before the picture is taken."""

    path: str
    file: Path
    height: int
    clicks: tuple[str, ...] = ()
    language: str | None = None


async def _pictures(built: House, target: Path) -> list[_Picture]:
    device = await household.device(built.home.api, built.satellite_id)
    home = await household.device(built.home.api, household.HOUSEHOLD)
    integration = "/config/integrations/integration/echonet"
    return [
        await _device_page(built, target),
        _Picture(integration, target / "integration.png", height=800),
        _Picture(f"/config/devices/device/{home['id']}", target / "household.png", height=900),
        _Picture(integration, target / "recipient.png", height=1130, clicks=("Add recipient",)),
        _Picture(integration, target / "options.png", height=800, clicks=("Configure",)),
        _Picture(
            integration,
            target / "options-sound.png",
            height=1000,
            clicks=("Configure", "How a sound is told", "Submit"),
        ),
        _Picture(
            integration,
            target / "options-times.png",
            height=1300,
            clicks=("Configure", "Reminders, hours and outages"),
        ),
        _Picture("/media-browser/browser", target / "media.png", height=800, clicks=("EchoNet", NAME)),
        _Picture(f"/logbook?device_id={device['id']}", target / "activity.png", height=800),
    ]


async def _take(browser: Browser, login: Login, picture: _Picture) -> None:
    page = await open_page(
        browser,
        login,
        picture.path,
        language=picture.language,
        viewport={"width": 1280, "height": picture.height},
    )
    # Cards, icons and the activity come after the page, each by a request of its own.
    await page.wait_for_timeout(_LOADING_MS)
    for click in picture.clicks:
        button = page.get_by_role("button", name=click, exact=True)
        named = page.get_by_text(click, exact=True)
        # The same words may also stand where nobody sees them, as in a tooltip.
        found = (button if await button.count() else named).filter(visible=True)
        await found.first.click(timeout=_PATIENCE_MS)
        # What lies under the mouse looks otherwise than the rest.
        await page.mouse.move(0, 0)
        await page.wait_for_timeout(_LOADING_MS // 2)
    await page.screenshot(path=picture.file)
    await page.context.close()


async def _open_cards(browser: Browser, built: House) -> dict[str, Page]:
    """Open the card in all the ways in which a picture of it is taken."""
    path = f"/echonet/{built.satellite_id}"
    phone: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}
    pages = {
        "card.png": await open_page(browser, built.home.login, path),
        "card-dark.png": await open_page(browser, built.home.login, path, dark=True),
        "card-phone.png": await open_page(browser, built.home.login, path, **phone),
        **{
            f"card_{language}.png": await open_page(browser, built.home.login, path, language=language)
            for language in _LANGUAGES[1:]
        },
    }
    for page in pages.values():
        await page.locator("echonet-card .parts").wait_for()
    return pages


async def _take_cards(pages: dict[str, Page], built: House, target: Path) -> None:
    """Take the card while it moves, and the alert before somebody has answered it."""
    alert = pages["card.png"].locator("echonet-overlay dialog", has_text="Smoke alarm")
    await alert.wait_for(timeout=_ALARM_TIMEOUT_MS)
    await pages["card.png"].screenshot(path=target / "card-alert.png")
    for name, page in pages.items():
        await _acknowledge(page, built)
        if name == "card-phone.png":
            await page.screenshot(path=target / name)
        else:
            await page.locator("echonet-card").screenshot(path=target / name)
        await page.context.close()


async def _acknowledge(page: Page, built: House) -> None:
    """Answer what covers the page, and what does next: the sounds go on meanwhile."""
    overlay = page.locator("echonet-overlay")
    for _ in range(_ANSWERS):
        # Where nothing waits for an answer, the page is about to show that.
        with suppress(HouseError):
            await built.home.api.call("echonet.acknowledge")
        with suppress(PageTimeoutError):
            await overlay.wait_for(state="detached", timeout=_LOADING_MS)
            return
    raise HouseError("the alert covers the card although it was acknowledged")


async def _take_notification(browser: Browser, built: House, language: str, file: Path) -> None:
    """Send a test alert, and take the notification that Home Assistant shows of it."""
    api = built.home.api
    for shown in (await api.command("persistent_notification/get")) or ():
        await api.call("persistent_notification.dismiss", notification_id=shown["notification_id"])
    await api.call("echonet.test_alert", sound_class="alarm", **await _device_target(built))
    page = await open_page(
        browser, built.home.login, "/profile", language=language, viewport={"width": 900, "height": 560}
    )
    await page.locator("home-assistant-main").wait_for(state="attached", timeout=_PATIENCE_MS)
    await page.wait_for_timeout(_LOADING_MS)
    await page.evaluate(
        "document.querySelector('home-assistant').shadowRoot.querySelector('home-assistant-main')"
        ".dispatchEvent(new CustomEvent('hass-show-notifications', { bubbles: true, composed: true }))"
    )
    await page.wait_for_timeout(_LOADING_MS)
    await page.screenshot(path=file)
    await page.context.close()


async def _device_target(built: House) -> dict[str, str]:
    return {"device_id": (await household.device(built.home.api, built.satellite_id))["id"]}


async def _wait_for_clips(built: House) -> None:
    """Wait until the satellite has made the clips of its last sounds, which it does beside everything else."""
    folder = await household.clips_folder(built.home.api, built.satellite_id)
    for _ in range(_CLIP_TRIES):
        found = await built.home.api.command("media_source/browse_media", media_content_id=folder)
        if len(found["children"]) >= _CLIPS:
            return
        await asyncio.sleep(_CLIP_PAUSE_S)


async def _speak(built: House, language: str) -> None:
    """Make it a home in which another language is spoken; entities get their names when they are set up."""
    api = built.home.api
    await api.command("config/core/update", language=language)
    for entry in await api.command("config_entries/get", domain=household.DOMAIN):
        await api.post(f"/api/config/config_entries/entry/{entry['entry_id']}/reload")
    await household.wait_for_state(api, built.entities["connection"], "on")
    # For a line in the activity that is written in this language.
    await api.call("button.press", entity_id=built.entities["test"])


async def _device_page(built: House, target: Path, language: str | None = None) -> _Picture:
    device = await household.device(built.home.api, built.satellite_id)
    name = "device.png" if language is None else f"device_{language}.png"
    path = f"/config/devices/device/{device['id']}"
    return _Picture(path, target / name, height=1000, language=language)


async def _let_it_hear(built: House, look: Callable[[], Awaitable[None]]) -> None:
    timeline = Timeline()
    follower = asyncio.create_task(
        timeline.follow(built.home.api, built.satellite, built.satellite_id, built.phone)
    )
    try:
        await timeline.ready.wait()
        looking = asyncio.ensure_future(look())
        await built.listen()
        print("The satellite hears its built-in sounds")
        await looking
        await built.satellite.said("source_ended", timeout_s=600)
        if not timeline.entries:
            raise HouseError("the satellite heard none of its built-in sounds; there is nothing to show")
    finally:
        follower.cancel()
        with suppress(asyncio.CancelledError):
            await follower


if __name__ == "__main__":
    sys.exit(main())
