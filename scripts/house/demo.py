"""The demo: shows on the terminal how a sound becomes a state in Home Assistant and an alert on a phone."""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
import fcntl
from pathlib import Path
import re
import shutil
import signal
import sys
import time

from echonet_satellite.audio import SAMPLE_RATE
from echonet_satellite.audio.microphone import NO_MICROPHONE, list_microphones
from echonet_satellite.protocol import EchonetError, SoundClass
from echonet_satellite.report import IN_WORDS
from echonet_satellite.synthesis import demo_scene

from .configuration import REPOSITORY, cache_folder
from .errors import HouseError
from .home_assistant import OWNER, PASSWORD, USERNAME
from .house import House, house
from .household import DASHBOARD, device, make_dashboard
from .network import best_network
from .pace import Pace
from .phone import Notification, Phone
from .timeline import ACKNOWLEDGE, Entry, Timeline

FOLDER = REPOSITORY / ".demo"

# After this long without news a row is printed as it is.
_ROW_TIMEOUT_S = 3.0
# Somebody takes the phone out of the pocket and looks.
_ANSWER_AFTER_S = 2.0
_HEAD = (
    f"  {'begins':<13} {'sound':<22} {'sure':>5} {'detected':>10} {'state':>10} {'alert':>10}   on the phone"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return asyncio.run(_run(options))
    except EchonetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt, asyncio.CancelledError:
        print("\nStopped; everything that the demo had started is gone.")
        return 130
    except Exception as error:  # noqa: BLE001  a traceback helps nobody who wants to see a demo
        text = " ".join(str(error).split()) or "no more is known"
        print(
            f"error: unexpected {type(error).__name__}: {text}; what all parts said is in {FOLDER}",
            file=sys.stderr,
        )
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Starts a real satellite and a real Home Assistant, pairs them, and shows what becomes of sounds.",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--microphone", action="store_true", help="hear with this machine's microphone")
    source.add_argument("--file", type=Path, metavar="FILE", help="hear a recording (WAV, FLAC, ...)")
    parser.add_argument("--device", help="which microphone; `.venv/bin/echonet-satellite devices` lists them")
    parser.add_argument("--model", type=Path, metavar="DIR", help="another model than the built-in one")
    parser.add_argument("--keep", action="store_true", help="stay when the sounds are over, until Ctrl-C")
    return parser


async def _run(options: argparse.Namespace) -> int:
    _stop_on_signals()
    source = _source(options)
    with FOLDER.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise HouseError(
                "another demo runs from this folder: stop it first (Ctrl-C where it runs)"
            ) from None
        if FOLDER.exists():
            shutil.rmtree(FOLDER)
        FOLDER.mkdir()
        return await _build(source, options)


async def _build(source: Sequence[str | Path], options: argparse.Namespace) -> int:
    started = time.monotonic()
    noted = cache_folder() / "demo-steps.json"
    pace = Pace.load(noted)

    def progress(text: str) -> None:
        passed = time.monotonic() - started
        left_s = pace.left_s(text.partition(":")[0], passed)
        left = f" (about {left_s:.0f} s left)" if left_s else ""
        print(f"  {passed:5.1f} s  {text}{left}", flush=True)

    if options.microphone:
        _require_a_microphone()

    async with best_network(FOLDER) as network:
        where = (
            "closed network: nothing leaves this machine" if network.closed else "this machine's own network"
        )
        print(f"EchoNet: a real Home Assistant and a real satellite ({where}).\n", flush=True)
        async with house(FOLDER, network, *source, progress=progress) as built:
            progress("Everything is ready.")
            pace.save(noted)
            await make_dashboard(built.home.api)
            page = await _device_page(built)
            print(f"\n  Home Assistant: {built.home.login.url}   user: {USERNAME}   password: {PASSWORD}")
            print(f"  What the satellite hears: {built.home.login.url}/{DASHBOARD}")
            print(f"  Its page: {page}\n", flush=True)
            return await _show(built, options)


async def _device_page(built: House) -> str:
    found = await device(built.home.api, built.satellite_id)
    return f"{built.home.login.url}/config/devices/device/{found['id']}"


def _require_a_microphone() -> None:
    """End at once where there is none: the satellite would wait for one, and say nothing of it here."""
    if not list_microphones():
        raise HouseError(
            f"{NO_MICROPHONE}. Without one, scripts/demo hears built-in sounds, and --file a recording"
        )


def _source(options: argparse.Namespace) -> list[str | Path]:
    if options.file is not None:
        # The satellite runs in another folder.
        source: list[str | Path] = ["--source", options.file.absolute()]
    else:
        source = ["--source", "microphone" if options.microphone else "demo"]
    if options.device is not None:
        source += ["--device", options.device]
    if options.model is not None:
        source += ["--model", options.model.absolute()]
    return source


async def _show(built: House, options: argparse.Namespace) -> int:
    timeline = Timeline()
    rows = _Rows(timeline)
    person = _Person(timeline, built.phone)
    follower = asyncio.create_task(
        timeline.follow(built.home.api, built.satellite, built.satellite_id, built.phone)
    )
    try:
        await timeline.ready.wait()
        # Before anything is heard: it takes seconds, in which nobody would read what the satellite says.
        scene = await asyncio.to_thread(demo_scene)
        await built.listen()
        heard = "its built-in sounds"
        if options.microphone:
            heard = "this machine's microphone; make a noise, or press Ctrl-C"
        elif options.file is not None:
            heard = options.file.name
        print(f"  The satellite hears {heard}. Times count from the beginning of each sound.")
        print("  Whoever has the phone acknowledges what is critical.")
        if not options.microphone and options.file is None:
            names = ", ".join(
                f"{name.value.replace('_', ' ')} (at {at_s:.0f} s)" for name, at_s in scene.sounds
            )
            left_out = [name.value.replace("_", " ") for name in SoundClass if name not in dict(scene.sounds)]
            print(f"  In {len(scene.samples) / SAMPLE_RATE:.0f} s it plays: {names}.")
            if left_out:
                print(f"  No such sound is built in for: {', '.join(left_out)}.")
        print(f"\n{_HEAD}", flush=True)
        if options.microphone:
            await _until_stopped(built, follower)
            return 0
        await built.satellite.said("source_ended", timeout_s=3600)
        await rows.finish()
        await person.finish()
        code = _summary(timeline, options)
        if options.keep:
            print(f"\n  {built.home.login.url}/{DASHBOARD} stays until you press Ctrl-C.", flush=True)
            await _until_stopped(built, follower)
        return code
    finally:
        follower.cancel()
        with suppress(asyncio.CancelledError):
            await follower


async def _until_stopped(built: House, follower: asyncio.Task[None]) -> None:
    ends = [asyncio.create_task(program.wait()) for program in (built.home.program, built.satellite.program)]
    await asyncio.wait([*ends, follower], return_when=asyncio.FIRST_COMPLETED)
    for program in (built.home.program, built.satellite.program):
        if not program.running:
            raise program.failure()


def _summary(timeline: Timeline, options: argparse.Namespace) -> int:
    entries = list(timeline.entries.values())
    classes = [entry.sound.sound_class for entry in entries]
    states = sum(entry.state_changed is not None for entry in entries)
    alerts = sum(entry.alert is not None for entry in entries)
    answered = sum(entry.answered is not None for entry in entries)
    if options.file is not None:
        print(f"\n  Recognised in {options.file.name}: {len(entries)}. Alerts on the phone: {alerts}.")
        if not entries:
            known = ", ".join(item.value.replace("_", " ") for item in SoundClass)
            print(
                f"  It may hold none of what a satellite knows ({known}), or too quietly.\n"
                "  What the network makes of it: "
                f".venv/bin/echonet-satellite classify --sensitivity high {options.file}"
            )
        return 0
    expected = [sound_class.value for sound_class, _ in demo_scene().sounds]
    missed = [name for name in expected if name not in classes]
    besides = [name for name in classes if name not in expected]
    print(
        f"\n  Of {len(expected)} built-in sounds {len(expected) - len(missed)} were recognised"
        + _listed("missed", missed)
    )
    print(
        f"  {states} changed a state in Home Assistant, {alerts} alerted the phone, {answered} were acknowledged there"
        + _listed("besides", besides)
    )
    if alerts == 0:
        print(f"error: no sound became an alert; what all parts said is in {FOLDER}", file=sys.stderr)
        return 1
    return 0


def _listed(word: str, names: Sequence[str]) -> str:
    return f" ({word}: {', '.join(names).replace('_', ' ')})." if names else "."


class _Rows:
    """Prints one row per detection, when it has come all the way or nothing more is to be expected."""

    def __init__(self, timeline: Timeline) -> None:
        self._waiting: dict[str, tuple[asyncio.Event, asyncio.Task[None]]] = {}
        self._updates: dict[str, int] = {}
        self._answered: set[str] = set()
        timeline.listen(self._on_entry)

    async def finish(self) -> None:
        """Wait until every row is printed."""
        await asyncio.gather(*(task for _, task in self._waiting.values()))

    def _on_entry(self, entry: Entry) -> None:
        if entry.sound.id not in self._waiting:
            complete = asyncio.Event()
            self._waiting[entry.sound.id] = complete, asyncio.create_task(self._print(entry, complete))
        if entry.state_changed is not None and entry.alert is not None:
            self._waiting[entry.sound.id][0].set()
        if entry.answered is not None and entry.sound.id not in self._answered:
            self._answered.add(entry.sound.id)
            print(_later_row(entry, entry.answered, "acknowledged on the phone"), flush=True)
        for update in entry.updates[self._updates.get(entry.sound.id, 0) :]:
            print(_later_row(entry, update.received, f"now: {_in_short(entry, update)}"), flush=True)
        self._updates[entry.sound.id] = len(entry.updates)

    async def _print(self, entry: Entry, complete: asyncio.Event) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(complete.wait(), _ROW_TIMEOUT_S)
        print(row(entry), flush=True)


def row(entry: Entry) -> str:
    """One line of the timeline."""
    sound = entry.sound
    # The kind of an alarm says more than that it is one.
    known = {pattern.value: words.partition(" ")[2] for pattern, words in IN_WORDS.items()}
    name = known.get(sound.pattern or "", sound.sound_class.replace("_", " "))
    times = (sound.detected, entry.state_changed, entry.alert.received if entry.alert else None)
    columns = " ".join(f"{_milliseconds(entry.after_onset_ms(moment)):>10}" for moment in times)
    shown = ""
    if entry.alert is not None:
        shown = f"{'(critical) ' if entry.alert.critical else ''}{entry.alert.title}"
    onset = sound.onset.astimezone().strftime("%H:%M:%S.%f")[:-3]
    return f"  {onset:<13} {name:<22} {min(sound.confidence, 0.99):>5.0%} {columns}   {shown}".rstrip()


def _later_row(entry: Entry, moment: datetime, text: str) -> str:
    when = _milliseconds(entry.after_onset_ms(moment))
    return f"  {'':<13} {'':<22} {'':>5} {'':>10} {'':>10} {when:>10}   {text}"


def _in_short(entry: Entry, update: Notification) -> str:
    """What an update says that the alert did not: that it is acknowledged, or its title."""
    if entry.answered is not None and update.button(ACKNOWLEDGE) is None:
        said = re.search(rf"[^.\n]*\b{OWNER}\b", update.message)
        return f"{update.title}. {said[0].strip()}." if said else update.title
    return update.title


class _Person:
    """Has the phone, and acknowledges each critical alert after a moment."""

    def __init__(self, timeline: Timeline, phone: Phone) -> None:
        self._timeline = timeline
        self._phone = phone
        self._answers: dict[str, asyncio.Task[None]] = {}
        timeline.listen(self._on_entry)

    async def finish(self) -> None:
        """Wait until everything is answered, and the answers have come back."""
        if self._answers:
            await asyncio.gather(*self._answers.values())
            await asyncio.sleep(_ANSWER_AFTER_S)

    def _on_entry(self, entry: Entry) -> None:
        told = entry.alert is not None and any(item.critical for item in (entry.alert, *entry.updates))
        if told and entry.sound.id not in self._answers:
            self._answers[entry.sound.id] = asyncio.create_task(self._answer(entry))

    async def _answer(self, entry: Entry) -> None:
        await asyncio.sleep(_ANSWER_AFTER_S)
        await self._timeline.acknowledge(entry, self._phone)


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"+{value:.0f} ms"


def _stop_on_signals() -> None:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


if __name__ == "__main__":
    sys.exit(main())
