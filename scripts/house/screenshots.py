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
    with tempfile.TemporaryDirectory(prefix="echonet-screenshots-") as name:
        folder = Path(name)
        async with best_network(folder) as network, house(folder, network, *source, progress=print) as built:
            await _let_it_hear(built)
            device = await household.device(built.home.api, built.satellite_id)
            url = built.home.login.url
            pages = [
                {
                    "url": f"{url}/config/devices/device/{device['id']}",
                    "file": str(target / "device.png"),
                    "width": 1280,
                    "height": 1000,
                },
            ]
            print("Chromium opens the pages")
            await _take(built.home.login.tokens, pages)


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
