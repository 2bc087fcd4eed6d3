"""Takes the pictures of docs/images: builds a house, lets it hear, and opens its pages in a browser."""

import argparse
import asyncio
from contextlib import suppress
import json
import os
from pathlib import Path
import shutil
import sys
import tempfile

from echonet_satellite.protocol import EchonetError

from . import household
from .configuration import REPOSITORY
from .errors import HouseError
from .home_assistant import HomeAssistant
from .house import House, house
from .network import best_network
from .timeline import Timeline

IMAGES = REPOSITORY / "docs" / "images"
_SCRIPT = REPOSITORY / "scripts" / "lib" / "screenshot.cjs"


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
    except KeyboardInterrupt:
        return 130
    return 0


async def _run(model: Path | None, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    source: list[str | Path] = ["--source", "demo"]
    if model is not None:
        source += ["--model", model.absolute()]

    async def meet(home: HomeAssistant) -> None:
        url = f"{home.login.url}/config/integrations/dashboard"
        print("Chromium opens what was discovered")
        await _take(
            home.login.tokens,
            [
                _page(url, target / "discovery.png", height=410),
                _page(url, target / "pairing.png", height=700, clicks=["Add"]),
            ],
        )

    with tempfile.TemporaryDirectory(prefix="echonet-screenshots-") as name:
        folder = Path(name)
        async with (
            best_network(folder) as network,
            house(folder, network, *source, progress=print, before_pairing=meet) as built,
        ):
            await _let_it_hear(built)
            print("Chromium opens the pages")
            await _take(built.home.login.tokens, await _pages(built, target))
            for language in ("de", "fr", "es"):
                # The activity is written in the language of the home, the rest in that of whoever looks.
                await _speak(built, language)
                await _take(built.home.login.tokens, [await _device_page(built, target, language)])


async def _pages(built: House, target: Path) -> list[dict[str, object]]:
    url = built.home.login.url
    device = await household.device(built.home.api, built.satellite_id)
    household_page = f"{url}/config/integrations/integration/echonet"
    return [
        await _device_page(built, target),
        _page(household_page, target / "integration.png", height=800),
        _page(household_page, target / "options.png", height=800, clicks=["Configure"]),
        _page(f"{url}/logbook?device_id={device['id']}", target / "activity.png", height=800),
    ]


async def _speak(built: House, language: str) -> None:
    """Make it a home in which another language is spoken; entities get their names when they are set up."""
    api = built.home.api
    await api.command("config/core/update", language=language)
    for entry in await api.command("config_entries/get", domain=household.DOMAIN):
        await api.post(f"/api/config/config_entries/entry/{entry['entry_id']}/reload")
    await household.wait_for_state(api, built.entities["connection"], "on")
    # For a line in the activity that is written in this language.
    await api.call("button.press", entity_id=built.entities["test"])


async def _device_page(built: House, target: Path, language: str | None = None) -> dict[str, object]:
    device = await household.device(built.home.api, built.satellite_id)
    name = "device.png" if language is None else f"device_{language}.png"
    url = f"{built.home.login.url}/config/devices/device/{device['id']}"
    return _page(url, target / name, height=1000, language=language)


def _page(
    url: str,
    file: Path,
    *,
    height: int,
    clicks: list[str] | None = None,
    language: str | None = None,
) -> dict[str, object]:
    return {
        "url": url,
        "file": str(file),
        "width": 1280,
        "height": height,
        "clicks": clicks or [],
        "language": language,
    }


async def _let_it_hear(built: House) -> None:
    timeline = Timeline()
    follower = asyncio.create_task(
        timeline.follow(built.home.api, built.satellite, built.satellite_id, built.phone)
    )
    try:
        await timeline.ready.wait()
        await built.listen()
        print("The satellite hears its built-in sounds")
        await built.satellite.said("source_ended", timeout_s=600)
        if not timeline.entries:
            raise HouseError("the satellite heard none of its built-in sounds; there is nothing to show")
    finally:
        follower.cancel()
        with suppress(asyncio.CancelledError):
            await follower


async def _take(login: dict[str, object], pages: list[dict[str, object]]) -> None:
    node = shutil.which("node")
    if node is None:
        raise HouseError("the program `node` is missing: run scripts/screenshot, which installs it")
    process = await asyncio.create_subprocess_exec(
        node,
        str(_SCRIPT),
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    _, complaint = await process.communicate(json.dumps({"login": login, "pages": pages}).encode())
    if process.returncode != 0:
        raise HouseError(f"the browser failed: {complaint.decode(errors='replace').strip()}")


if __name__ == "__main__":
    sys.exit(main())
