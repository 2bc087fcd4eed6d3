"""Measures what many satellites, and hostile ones, cost one Home Assistant.

usage: .venv/bin/python benchmarks/scale.py [--satellites 300] [--seconds 60] [--write]

Satellites run in a process of their own and speak real TLS. All connect at once; then they hear ten sounds a second;
then some, one after the other, send 4,000 hostile frames of a kind each. Meanwhile it is measured how late the event
loop of Home Assistant comes to a timer, and how long a detection takes to its event and to the notify action. `--write`
writes docs/scale.md. Exit status 1 where an aim is missed.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
import gc
import json
import logging
import os
from pathlib import Path
import sys
import tempfile
import time
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(1, str(Path(__file__).parents[1] / "satellite"))

from benchmarks.crowd import FLOOD_S, FRAMES, HOSTILE, REST_S, SOUNDS_PER_S, UNKNOWN, serve
from benchmarks.lone_home import home_assistant, household, satellite_entry

# isort: split
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Event, HomeAssistant, ServiceCall

PAGE: Final = Path(__file__).parents[1] / "docs" / "scale.md"
TIMER_S: Final = 0.01
# The garbage collector's last generation, which is everything.
OLDEST: Final = 2
LAG_AIM_S, HOSTILE_AIM_S, TOLD_AIM_S = 0.05, 0.1, 1.0
# Each from one satellite; what costs less comes from many at once.
ALONE: Final = (UNKNOWN, "detection", "update", "replayed", "health", "snapshot", "position")
TOGETHER: Final = tuple(kind for kind in HOSTILE if kind not in ALONE)
# About how long it takes to start a satellite, to connect one, and until a hostile one is dropped.
START_S, CONNECT_S, DROP_S = 0.06, 0.15, 36.0


@dataclass(slots=True)
class Measured:
    """What was seen: lags in seconds, and when what was heard came to its event and to the notify action.

    `own` are the lags as they would be at most if the processor did nothing else: no later than the time for which
    the loop used it since the timer was set. `collections` are those of Python's garbage collector that went through
    everything, in seconds of the processor; they are part of both.
    """

    lags: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    collections: list[float] = field(default_factory=list)
    heard: dict[str, float] = field(default_factory=dict)
    events: dict[str, float] = field(default_factory=dict)
    alerts: dict[str, float] = field(default_factory=dict)
    _timer: asyncio.TimerHandle | None = None

    @contextmanager
    def watching_the_loop(self) -> Iterator[None]:
        """Note how late timers come while the block runs."""
        loop = asyncio.get_running_loop()

        def set_timer() -> None:
            self._timer = loop.call_later(TIMER_S, ring, loop.time() + TIMER_S, time.thread_time())

        def ring(due: float, used: float) -> None:
            lag = loop.time() - due
            self._note(self.lags, lag)
            self._note(self.own, min(lag, time.thread_time() - used))
            set_timer()

        set_timer()
        gc.callbacks.append(self._note_collection)
        try:
            yield
        finally:
            gc.callbacks.remove(self._note_collection)
            assert self._timer is not None
            self._timer.cancel()

    def _note_collection(self, phase: str, info: dict[str, int]) -> None:
        if info["generation"] == OLDEST:
            used = time.thread_time()
            self.collections.append(used if phase == "start" else used - self.collections.pop())

    @staticmethod
    def _note(lags: list[float], lag: float) -> None:
        # Timers that would have been due meanwhile are late as well.
        lags.append(max(0.0, lag))
        while (lag := lag - TIMER_S) > 0:
            lags.append(lag)

    def note_event(self, event: Event[Any]) -> None:
        """Note the first event of a detection."""
        state = event.data["new_state"]
        if state is not None and state.domain == "event" and "id" in state.attributes:
            self.events.setdefault(str(state.attributes["id"]), time.time())

    async def note_alert(self, call: ServiceCall) -> None:
        """Note the first alert of an incident, whose tag ends with the detection that began it."""
        tag = str(call.data.get("data", {}).get("tag", ""))
        self.alerts.setdefault(tag.removeprefix("echonet-"), time.time())


@dataclass(slots=True)
class Progress:
    """Says what is being done, and how long all of it will take."""

    left_s: float

    def begin(self, what: str, takes_s: float) -> None:
        """Say what comes now; it takes about so long."""
        print(f"  about {self.left_s / 60:.0f} min left: {what}", file=sys.stderr, flush=True)
        self.left_s -= takes_s


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
        async with asyncio.timeout(order.get("seconds", 0.0) + 2 * FLOOD_S):
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
        if process.returncode is None:
            process.kill()
        await process.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the loop was like during a part; `aim_s` is for its p99 or, of the hostile, for its worst lag."""

    part: str
    lags: Sequence[float]
    own: Sequence[float]
    hostile: bool = False

    @property
    def missed(self) -> bool:
        """Whether the lag was longer than it should be."""
        if self.hostile:
            return self.lags[-1] > HOSTILE_AIM_S
        return p99(self.lags) > LAG_AIM_S

    @property
    def text(self) -> str:
        """Write it."""
        figures = (p99(self.lags), self.lags[-1], p99(self.own), self.own[-1])
        return f"| {self.part} | {' | '.join(f'{item * 1000:.0f} ms' for item in figures)} |"


def p99(lags: Sequence[float]) -> float:
    """Return what 99 of 100 are below."""
    return lags[int(len(lags) * 0.99)]


def row(part: str, measured: Measured, *, hostile: bool = False) -> Row:
    """Return what the loop was like since the last row."""
    lags, own = sorted(measured.lags), sorted(measured.own)
    measured.lags.clear()
    measured.own.clear()
    result = Row(part=part, lags=lags, own=own, hostile=hostile)
    print(result.text, flush=True)
    return result


async def connect(hass: HomeAssistant, satellites: Satellites, measured: Measured, count: int) -> Row:
    """Let all satellites connect at once."""
    said = [await satellites.line() for _ in range(count)]
    home, entries = household(), [satellite_entry(number, item) for number, item in enumerate(said)]
    for entry in (home, *entries):
        entry.add_to_hass(hass)
    begun = time.time()
    with measured.watching_the_loop():
        if not await hass.config_entries.async_setup(home.entry_id):
            raise RuntimeError("Home Assistant does not set the integration up: look at what it says above")
        for entry in entries:
            while entry.state in (ConfigEntryState.NOT_LOADED, ConfigEntryState.SETUP_IN_PROGRESS):
                await asyncio.sleep(0.05)
    connected = sum(entry.state is ConfigEntryState.LOADED for entry in entries)
    return row(f"{connected} of {count} connect at once, in {time.time() - begun:.1f} s", measured)


async def measure(
    hass: HomeAssistant, satellites: Satellites, measured: Measured, count: int, seconds: float
) -> list[Row]:
    """Run all parts."""
    hass.services.async_register("notify", "mobile_app_scale", measured.note_alert)
    hass.bus.async_listen("state_changed", measured.note_event)
    floods = [kinds for kinds in (*((kind,) for kind in ALONE), TOGETHER) if kinds]
    progress = Progress(count * (START_S + CONNECT_S) + seconds + REST_S + len(floods) * DROP_S)
    progress.begin(f"{count} satellites start and connect", count * (START_S + CONNECT_S))
    rows = [await connect(hass, satellites, measured, count)]
    with measured.watching_the_loop():
        progress.begin("detections", seconds + REST_S)
        await satellites.order(measured, do="sounds", seconds=seconds)
        rows.append(row(f"{SOUNDS_PER_S} detections a second for {seconds:g} s", measured))
        first = 0
        for kinds in floods:
            progress.begin(f"hostile frames: {', '.join(kinds)}", DROP_S)
            await satellites.order(measured, do="flood", first=first, kinds=kinds)
            first += len(kinds)
            what = kinds[0] if len(kinds) == 1 else f"{', '.join(kinds)}, each of a satellite, at once"
            rows.append(row(f"{FRAMES} hostile frames: {what}", measured, hostile=True))
    return rows


def delays(name: str, heard: dict[str, float], told: dict[str, float]) -> tuple[str, float]:
    """Return a sentence on how long it took from the detection, and the longest time."""
    taken = sorted(told[key] - at for key, at in heard.items() if key in told)
    if not taken:
        return f"No {name} of {len(heard)} detections.", float("inf")
    sentence = (
        f"From the detection to its {name}: median {taken[len(taken) // 2] * 1000:.0f} ms, worst "
        f"{taken[-1] * 1000:.0f} ms; {len(taken)} of {len(heard)} detections have one."
    )
    return sentence, taken[-1]


async def run(options: argparse.Namespace) -> int:
    """Measure, print, write the page if asked to, and return the exit status."""
    load = os.getloadavg()[0]
    begun = time.time()
    # What it says to its log is of no use here, and the terminal is for the progress.
    logging.getLogger("custom_components.echonet").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="echonet-scale-") as name:
        folder = Path(name)
        async with (
            satellites_in_their_process(options.satellites, folder / "satellites") as satellites,
            home_assistant(folder) as hass,
        ):
            measured = Measured()
            rows = await measure(hass, satellites, measured, options.satellites, options.seconds)
    event, event_s = delays("event", measured.heard, measured.events)
    alert, alert_s = delays("alert", measured.heard, measured.alerts)
    missed = [item.part for item in rows if item.missed]
    if len(measured.heard.keys() - measured.events.keys()) or max(event_s, alert_s) > TOLD_AIM_S:
        missed.append("telling")
    took_s = time.time() - begun
    text = page(options.satellites, load, took_s, rows, (event, alert), measured.collections)
    print(text)
    if options.write:
        PAGE.write_text(text, encoding="utf-8")
        print(f"written to {PAGE}")
    if missed:
        print(f"aims missed: {'; '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


def page(
    count: int,
    load: float,
    took_s: float,
    rows: Sequence[Row],
    told: Sequence[str],
    collections: Sequence[float],
) -> str:
    """Return what docs/scale.md says."""
    return f"""\
# Many satellites

What {count} satellites cost one Home Assistant, and what a hostile one does. The satellites run in a process of their
own; TLS, integration and household are real, every entity is enabled, also those that are off at first, and one phone
is told of everything. A hostile satellite sends {FRAMES} frames as fast as they are taken: Home Assistant reads them
slowly, and after half a minute no more for ten minutes.

The lag is how late the event loop of Home Assistant comes to a timer that is due every {TIMER_S * 1000:g} ms. Of the
lag, *its own* is at most the time for which the loop itself has used the processor since the timer was set: what is
left if the machine does nothing else.

All on one machine with {os.cpu_count()} processor cores, in {took_s / 60:.0f} minutes; in the minute before it began,
{load:.1f} processes on average were running or waiting for one of them.

| part | lag, p99 | lag, worst | its own, p99 | its own, worst |
| --- | --- | --- | --- | --- |
{"\n".join(item.text for item in rows)}

Python's garbage collector went through all of Home Assistant {len(collections)} times, for
{max(collections, default=0.0) * 1000:.0f} ms at most. It does so when there is a quarter more of it than the last time,
as while hundreds of satellites are added, whatever integration they are of; that is in the figures.

{"\n".join(told)}
Sounds of one kind within two seconds are one incident, and one kind from one place rings once in its cooldown: most
detections have an event, and no alert of their own.

Written by `.venv/bin/python benchmarks/scale.py --write`.
"""


def main() -> int:
    """Run the measurement and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--satellites", type=int, default=300, help="how many (default: 300, at least 20)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long they hear sounds (default: 60)")
    parser.add_argument("--write", action="store_true", help="write docs/scale.md")
    parser.add_argument("--serve", nargs=2, metavar=("COUNT", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(int(options.serve[0]), Path(options.serve[1])))
        return 0
    if options.satellites < len(ALONE) + len(TOGETHER):
        parser.error(
            f"--satellites: at least {len(ALONE) + len(TOGETHER)}, one for each kind of hostile frame"
        )
    return asyncio.run(run(options))


if __name__ == "__main__":
    sys.exit(main())
