"""A browser without a screen, logged in to Home Assistant."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import shutil
import time
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from .errors import HouseError
from .home_assistant import Login

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en-US",
)
_PATIENCE_MS = 120_000


def find_chromium() -> str | None:
    """Return where Chromium is, or Chrome, if one of them is there."""
    return shutil.which("chromium") or shutil.which("google-chrome")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run a browser."""
    program = find_chromium()
    if program is None:
        raise HouseError("the program `chromium` is missing: install it, then run this again")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


async def open_page(
    browser: Browser,
    login: Login,
    path: str,
    *,
    dark: bool = False,
    language: str | None = None,
    **options: Any,
) -> Page:
    """Open a page of Home Assistant in a window of its own, logged in, once it knows the states."""
    look = {
        "viewport": {"width": 1280, "height": 900},
        "color_scheme": "dark" if dark else "light",
        "locale": language or "en-US",
        "timezone_id": "Europe/Berlin",
    }
    context = await browser.new_context(**(look | options))
    tokens = {**login.tokens, "expires": round(1000 * (time.time() + login.tokens["expires_in"]))}
    await context.add_init_script(
        f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(tokens))});"
        "localStorage.setItem('dockedSidebar', '\"always_hidden\"');"
    )
    if language is not None:
        await context.add_init_script(
            f"localStorage.setItem('selectedLanguage', {json.dumps(json.dumps(language))});"
        )
    page = await context.new_page()
    await page.goto(f"{login.url}{path}", wait_until="domcontentloaded", timeout=_PATIENCE_MS)
    await page.wait_for_function(
        "document.querySelector('home-assistant')?.hass?.states", timeout=_PATIENCE_MS
    )
    return page
