"""One house for all tests of the card: a real Home Assistant, a real satellite that hears a file, and a browser."""

from collections.abc import AsyncIterator
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Browser, Page
import pytest
import pytest_asyncio
import pytest_socket
import soundfile

from echonet_satellite.audio import SAMPLE_RATE
from echonet_satellite.synthesis import room_tone, smoke_alarm
from house import household
from house.browser import chromium, find_chromium, open_page
from house.errors import HouseError
from house.house import House, house
from house.network import best_network

AXE = Path(__file__).parents[2] / "custom_components/echonet/frontend/node_modules/axe-core/axe.min.js"

# Long enough for all tests; turning the listening switch off and on plays it from its beginning.
QUIET_BEFORE_S = 6.0
ALARM_S = 20.0
QUIET_AFTER_S = 900.0


@dataclass(slots=True, kw_only=True)
class Room:
    """What the tests look at."""

    house: House
    device_id: str
    browser: Browser
    _answered: bool = False

    async def open(
        self, path: str = f"/{household.DASHBOARD}", *, dark: bool = False, **options: Any
    ) -> Page:
        """Open a page of Home Assistant, logged in, with a card on it that has got its first view."""
        page = await open_page(self.browser, self.house.home.login, path, dark=dark, **options)
        await page.locator("echonet-card .parts").first.wait_for(timeout=60_000)
        return page

    async def play(self) -> None:
        """Let the satellite hear its file from the beginning: some quiet, then a smoke alarm."""
        self._answered = False
        await self.switch(listening=False)
        await self.switch(listening=True)

    async def calm(self) -> None:
        """See to it that it hears the quiet after the alarm, and that the alarm has been answered."""
        api = self.house.home.api
        if (await api.states())[self.house.entities["listening"]]["state"] == "off":
            await self.play()
        if not self._answered:
            await household.wait_for_state(api, self.house.entities["alarm"], "on", timeout_s=60)
            await household.wait_for_state(api, self.house.entities["alarm"], "off", timeout_s=90)
            with contextlib.suppress(HouseError):  # a test may have answered already
                await api.call("echonet.acknowledge")
            self._answered = True

    async def switch(self, *, listening: bool) -> None:
        """Turn the listening switch, as its owner does."""
        entity_id = self.house.entities["listening"]
        state = "on" if listening else "off"
        await self.house.home.api.call(f"switch.turn_{state}", entity_id=entity_id)
        await household.wait_for_state(self.house.home.api, entity_id, state)

    async def speak(self, language: str) -> None:
        """Set the language of the user, as in the profile."""
        await self.house.home.api.command(
            "frontend/set_user_data", key="language", value={"language": language}
        )


def _why_not() -> str | None:
    if find_chromium() is None:
        return "the program chromium is missing: scripts/test card installs it"
    if not AXE.exists():
        return "the card has not been built here: scripts/test card does that"
    return None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    """The house, with a dashboard that holds the card."""
    if reason := _why_not():
        pytest.skip(reason)
    # The harness forbids sockets; this test process is a client of real programs.
    pytest_socket.enable_socket()
    folder = tmp_path_factory.mktemp("house")
    sound = folder / "smoke.wav"
    chance = np.random.default_rng(1)
    samples = np.concatenate(
        [room_tone(chance, QUIET_BEFORE_S), smoke_alarm(chance, ALARM_S), room_tone(chance, QUIET_AFTER_S)]
    )
    soundfile.write(sound, samples, SAMPLE_RATE)
    async with (
        best_network(folder) as network,
        house(folder, network, "--source", sound, progress=print) as built,
        chromium() as browser,
    ):
        await household.tell_everything(built.home.api)
        await household.make_dashboard(built.home.api)
        device = await household.device(built.home.api, built.satellite_id)
        yield Room(house=built, device_id=device["id"], browser=browser)


@pytest.fixture(autouse=True)
def verify_cleanup() -> None:
    """Replaces the harness's check for tasks that outlive a test: the house is meant to."""


@pytest.fixture(autouse=True)
def _sockets_allowed() -> None:
    pytest_socket.enable_socket()
