"""Measures what many satellites, and hostile ones, cost one Home Assistant.

usage: .venv/bin/python benchmarks/scale.py [--satellites 300] [--seconds 60] [--write]

Satellites run in a process of their own and speak real TLS. All connect at once; then they hear ten sounds a second;
then one after the other floods Home Assistant with 4,000 hostile frames. Meanwhile it is measured how late the event
loop of Home Assistant comes to a timer, and how long a detection takes to its event and to the notify action.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence
import contextlib
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
import json
import os
from pathlib import Path
import random
import socket
import sys
import tempfile
import time
from typing import Any
from unittest.mock import AsyncMock, MagicMock, patch

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(1, str(Path(__file__).parents[1] / "satellite"))

from tests import ha_first  # noqa: F401  # must be imported before the harness

# isort: split
from homeassistant import loader
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TARGET, CONF_TOKEN
from homeassistant.core import Event, HomeAssistant, ServiceCall
from homeassistant.helpers import frame
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_test_home_assistant

from custom_components.echonet.const import (
    CONF_FINGERPRINT,
    CONF_KIND,
    DOMAIN,
    HOUSEHOLD_TITLE,
    HOUSEHOLD_UNIQUE_ID,
    SUBENTRY_RECIPIENT,
)
from echonet_satellite.protocol import Phase, SoundClass
from tests.support.satellite import SatelliteUnderTest, running_satellite

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"
SOUNDS_PER_S = 10
FRAMES = 4000
HOSTILE = ("detection", "health", "snapshot", "unknown")
_TIMER_S = 0.01


# The process of the satellites.


async def serve(count: int, folder: Path) -> None:
    """Run satellites, and do what the lines on standard input ask for."""
    async with AsyncExitStack() as stack:
        satellites = []
        for number in range(count):
            satellite = await stack.enter_async_context(
                running_satellite(folder / str(number), name=f"Room {number}")
            )
            satellites.append(satellite)
            say(
                port=satellite.port,
                id=satellite.satellite_id,
                fingerprint=satellite.fingerprint,
                token=satellite.issue_token(),
            )
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            if order["do"] == "sounds":
                await sounds(satellites, order["seconds"])
            else:
                await flood(satellites[order["satellite"]], order["kind"])
            say(done=True)


def say(**fields: Any) -> None:
    """Answer with one line."""
    print(json.dumps(fields), flush=True)


async def sounds(satellites: Sequence[SatelliteUnderTest], seconds: float) -> None:
    """Let any satellite hear any sound, ten times a second, each for a second."""
    choice = random.Random(1)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number in range(round(seconds * SOUNDS_PER_S)):
        await asyncio.sleep(max(0.0, begun + number / SOUNDS_PER_S - loop.time()))
        satellite, sound_class = choice.choice(satellites), choice.choice(list(SoundClass))
        at = time.time()
        detection = satellite.emit(sound_class)
        loop.call_later(1.0, end, satellite, sound_class, detection)
        say(heard=detection, at=at)
    await asyncio.sleep(3.0)


def end(satellite: SatelliteUnderTest, sound_class: SoundClass, detection: str) -> None:
    """End a sound."""
    satellite.emit(sound_class, Phase.END, id=detection, duration_s=1.0)


async def flood(satellite: SatelliteUnderTest, kind: str) -> None:
    """Send hostile frames as fast as they are taken, until they are all taken or nobody takes any more."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(120):
            for number in range(FRAMES):
                if not satellite.connected:
                    return
                await satellite.say(json.dumps(hostile(kind, number)))
            while satellite.connected:
                await asyncio.sleep(0.1)


def hostile(kind: str, number: int) -> dict[str, Any]:
    """One frame of a kind, as large or as costly as it may be."""
    detection = {
        "type": "detection",
        "id": f"{number:032x}",
        "sequence": number + 1,
        "sound_class": list(SoundClass)[number % len(SoundClass)],
        "phase": "start",
        "onset": datetime.now(UTC).isoformat(),
        "confidence": 0.9,
        "peak_dbfs": -10.0,
    }
    health = {"type": "health", "problems": [["disk_full"], ["too_slow"]][number % 2]}
    if kind == "detection":
        return detection
    if kind == "health":
        return health
    if kind == "snapshot":
        active = [{**detection, "id": f"{number + item:032x}"} for item in range(200)]
        settings = {"listening": bool(number % 2), "sensitivity": {}}
        return {"type": "snapshot", "active": active, "health": health, "settings": settings}
    return {"type": f"unheard of {number}"}


# The process of Home Assistant.


@dataclass(slots=True)
class Measured:
    """What was seen: lags in seconds, and when what was heard came to its event and to the notify action."""

    lags: list[float] = field(default_factory=list)
    longest_turn: float = 0.0
    heard: dict[str, float] = field(default_factory=dict)
    events: dict[str, float] = field(default_factory=dict)
    alerts: dict[str, float] = field(default_factory=dict)

    async def watch_the_loop(self) -> None:
        """Note how late a timer comes, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _TIMER_S
            await asyncio.sleep(_TIMER_S)
            self.lags.append(loop.time() - due)

    def time_the_turns(self) -> AbstractContextManager[object]:
        """Note the longest turn of the loop by the processor time that it took, whatever else the machine does."""
        run = asyncio.Handle._run  # noqa: SLF001  # the only place where every turn comes by

        def timed(handle: asyncio.Handle) -> None:
            begun = time.thread_time()
            run(handle)
            self.longest_turn = max(self.longest_turn, time.thread_time() - begun)

        return patch.object(asyncio.Handle, "_run", timed)

    def note_event(self, event: Event[Any]) -> None:
        """Note the first event of a detection."""
        state = event.data["new_state"]
        if state is not None and state.domain == "event" and "sound_class" in state.attributes:
            self.events.setdefault(str(state.attributes.get("id")), time.time())

    async def note_alert(self, call: ServiceCall) -> None:
        """Note the first alert of an incident, whose tag ends with the detection that began it."""
        tag = str(call.data.get("data", {}).get("tag", ""))
        self.alerts.setdefault(tag.removeprefix("echonet-"), time.time())


class Satellites:
    """The process of the satellites, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Talk to a process that runs `serve`."""
        self._process = process

    async def line(self) -> dict[str, Any]:
        """Return the next thing it says."""
        assert self._process.stdout is not None
        answer = await self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the satellites have ended: run with fewer of them")
        said: dict[str, Any] = json.loads(answer)
        return said

    async def order(self, measured: Measured, **order: Any) -> None:
        """Let it do something, and note what it heard."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        while "done" not in (said := await self.line()):
            measured.heard[said["heard"]] = said["at"]


@asynccontextmanager
async def satellites_in_their_process(count: int, folder: Path) -> AsyncIterator[Satellites]:
    """Run the satellites while the block runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, "--serve", str(count), str(folder)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Satellites(process)
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def home_assistant(folder: Path) -> AsyncIterator[HomeAssistant]:
    """Run a Home Assistant that announces and discovers nothing, at a port where it is in nobody's way."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / ".storage").mkdir()
    (folder / ".storage" / "http").write_text(json.dumps(http_settings(port)))
    network = MagicMock()
    with (
        patch("homeassistant.components.zeroconf.HaAsyncZeroconf", return_value=network),
        patch("homeassistant.components.zeroconf.discovery.AsyncServiceBrowser") as browser,
    ):
        for name in ("async_register_service", "async_close", "ha_async_close"):
            setattr(network, name, AsyncMock())
        network.zeroconf.async_wait_for_start = AsyncMock()
        browser.return_value.async_cancel = AsyncMock()
        async with async_test_home_assistant(config_dir=str(folder)) as hass:
            frame.async_setup(hass)
            hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            yield hass
            await hass.async_stop(force=True)


def http_settings(port: int) -> dict[str, Any]:
    """What Home Assistant has stored where its owner has chosen a port."""
    stable = {
        "server_host": ["127.0.0.1"],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": True,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": datetime.now(UTC).isoformat(),
        "error": None,
        "error_message": None,
    }
    data = {"stable": stable, "pending": None, "yaml_migration_done": True}
    return {"version": 3, "minor_version": 1, "key": "http", "data": data}


def household() -> MockConfigEntry:
    """The household with one phone."""
    phone = {
        "data": {CONF_KIND: "action", CONF_TARGET: "notify.mobile_app_scale"},
        "subentry_type": SUBENTRY_RECIPIENT,
        "title": "Phone",
        "unique_id": "phone",
    }
    return MockConfigEntry(
        domain=DOMAIN, unique_id=HOUSEHOLD_UNIQUE_ID, title=HOUSEHOLD_TITLE, subentries_data=[phone]
    )


async def measure(
    hass: HomeAssistant, satellites: Satellites, measured: Measured, count: int, seconds: float
) -> list[str]:
    """Run all parts; return the rows of the table."""
    hass.services.async_register("notify", "mobile_app_scale", measured.note_alert)
    hass.bus.async_listen("state_changed", measured.note_event)
    entries = []
    for number in range(count):
        said = await satellites.line()
        data = {
            CONF_HOST: "127.0.0.1",
            CONF_PORT: said["port"],
            CONF_FINGERPRINT: said["fingerprint"],
            CONF_TOKEN: said["token"],
        }
        entries.append(
            MockConfigEntry(domain=DOMAIN, unique_id=said["id"], title=f"Room {number}", data=data)
        )
    print(f"  {count} satellites run", flush=True)
    home = household()
    for entry in (home, *entries):
        entry.add_to_hass(hass)
    watching = asyncio.create_task(measured.watch_the_loop())
    rows = []
    begun = time.time()
    if not await hass.config_entries.async_setup(home.entry_id):
        raise RuntimeError("Home Assistant does not set the integration up: look at what it says above")
    for entry in entries:
        while entry.state in (ConfigEntryState.NOT_LOADED, ConfigEntryState.SETUP_IN_PROGRESS):
            await asyncio.sleep(0.05)
    connected = sum(entry.state is ConfigEntryState.LOADED for entry in entries)
    rows.append(row(f"{connected} of {count} connect at once, in {time.time() - begun:.1f} s", measured))
    print(rows[-1], flush=True)
    await satellites.order(measured, do="sounds", seconds=seconds)
    rows.append(row(f"{SOUNDS_PER_S} detections a second for {seconds:g} s", measured))
    print(rows[-1], flush=True)
    for number, kind in enumerate(HOSTILE):
        await satellites.order(measured, do="flood", satellite=number, kind=kind)
        rows.append(row(f"{FRAMES} hostile frames: {kind}", measured))
        print(rows[-1], flush=True)
    watching.cancel()
    rows += ["", *delays("event", measured.heard, measured.events)]
    return rows + delays("alert", measured.heard, measured.alerts)


def row(what: str, measured: Measured) -> str:
    """Return what the loop was like since the last row."""
    lags, measured.lags = sorted(measured.lags), []
    turn, measured.longest_turn = measured.longest_turn, 0.0
    p99 = lags[int(len(lags) * 0.99)]
    return f"| {what} | {p99 * 1000:.0f} ms | {lags[-1] * 1000:.0f} ms | {turn * 1000:.0f} ms |"


def delays(name: str, heard: dict[str, float], told: dict[str, float]) -> list[str]:
    """Return a sentence on how long it took from the detection."""
    taken = sorted(told[key] - at for key, at in heard.items() if key in told)
    if not taken:
        return [f"No {name} of {len(heard)} detections."]
    middle, last = taken[len(taken) // 2], taken[-1]
    sentence = (
        f"From the detection to its {name}: median {middle * 1000:.0f} ms, worst {last * 1000:.0f} ms; "
    )
    return [sentence + f"{len(taken)} of {len(heard)} detections have one."]


async def run(options: argparse.Namespace) -> None:
    """Measure, print, and write the page if asked to."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="echonet-scale-") as name:
        folder = Path(name)
        async with (
            satellites_in_their_process(options.satellites, folder / "satellites") as satellites,
            home_assistant(folder) as hass,
        ):
            measured = Measured()
            with measured.time_the_turns():
                rows = await measure(hass, satellites, measured, options.satellites, options.seconds)
    text = f"""\
# Many satellites

What {options.satellites} satellites cost one Home Assistant, and what a hostile one does. The satellites run in a
process of their own; TLS, integration and household are real. The lag is how late the event loop of Home Assistant
comes to a timer of {_TIMER_S * 1000:g} ms. The longest turn is the processor time of the longest thing that it did
without letting anything else have a turn: that part of the lag is ours, whatever else the machine does.

All on one machine with {os.cpu_count()} processor cores; in the minute before it began, {load:.1f} processes on
average were running or waiting for one of them, those of other work included.

| part | lag, p99 | lag, worst | longest turn |
| --- | --- | --- | --- |
{"\n".join(rows)}

Written by `.venv/bin/python benchmarks/scale.py --write`.
"""
    print(text)
    if options.write:
        PAGE.write_text(text)


def main() -> int:
    """Run the measurement and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--satellites", type=int, default=300, help="how many (default: 300)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long they hear sounds (default: 60)")
    parser.add_argument("--write", action="store_true", help="write docs/scale.md")
    parser.add_argument("--serve", nargs=2, metavar=("COUNT", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(int(options.serve[0]), Path(options.serve[1])))
    else:
        asyncio.run(run(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
