"""The satellites of `scale.py`, in a process of their own: they do what the lines on standard input ask for."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
import json
from pathlib import Path
import random
import sys
import time
from typing import Any, Final

from echonet_satellite.codec import encode
from echonet_satellite.protocol import (
    MAX_ITEMS,
    Clip,
    Detection,
    Health,
    Learning,
    Lesson,
    LessonOutcome,
    Level,
    Location,
    LocationSource,
    LoudNoise,
    Message,
    Phase,
    Position,
    Problem,
    SelfTestOutcome,
    SelfTestResult,
    Settings,
    Snapshot,
    SoundClass,
    SoundHeard,
    Taught,
    TaughtSound,
    TeachOutcome,
    TimeReply,
)
from tests.support.satellite import SatelliteUnderTest, running_satellite

SOUNDS_PER_S: Final = 10
SOUND_S: Final = 1.0
# After its last sound, what is on its way arrives.
REST_S: Final = 3.0
FRAMES: Final = 4000
# Whoever is not dropped by then never will be.
FLOOD_S: Final = 120.0

# So many sounds fill a frame.
MANY: Final = 200
# What only a newer Home Assistant would understand, and another thing each time.
UNKNOWN: Final = "unknown"


async def serve(count: int, folder: Path) -> None:
    """Run satellites until standard input ends."""
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
                hostile = satellites[order["first"] :]
                await asyncio.gather(*map(flood, hostile, order["kinds"], strict=False))
            say(done=True)


def say(**fields: Any) -> None:
    """Answer with one line."""
    print(json.dumps(fields), flush=True)


async def sounds(satellites: Sequence[SatelliteUnderTest], seconds: float) -> None:
    """Let any satellite hear any sound, ten times a second."""
    choice = random.Random(1)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number in range(round(seconds * SOUNDS_PER_S)):
        await asyncio.sleep(max(0.0, begun + number / SOUNDS_PER_S - loop.time()))
        satellite, sound_class = choice.choice(satellites), choice.choice(list(SoundClass))
        at = time.time()
        detection = satellite.emit(sound_class)
        loop.call_later(SOUND_S, end, satellite, sound_class, detection)
        say(heard=detection, at=at)
    await asyncio.sleep(REST_S)


def end(satellite: SatelliteUnderTest, sound_class: SoundClass, detection: str) -> None:
    """End a sound."""
    satellite.emit(sound_class, Phase.END, id=detection, duration_s=SOUND_S)


async def flood(satellite: SatelliteUnderTest, kind: str) -> None:
    """Send hostile frames as fast as they are taken, until it is dropped or nobody takes any more."""
    sending = asyncio.create_task(send_all(satellite, kind))
    await asyncio.wait({sending}, timeout=FLOOD_S)
    sending.cancel()
    # Where the connection is lost while it waits, what it waits for is cancelled, which must not end all the others.
    await asyncio.gather(sending, return_exceptions=True)


async def send_all(satellite: SatelliteUnderTest, kind: str) -> None:
    """Send all frames, and wait until the connection ends."""
    for number in range(FRAMES):
        if not satellite.connected:
            return
        await satellite.say(frame(kind, number))
    while satellite.connected:
        await asyncio.sleep(0.1)


def frame(kind: str, number: int) -> str:
    """Return a hostile frame."""
    if kind == UNKNOWN:
        return json.dumps({"type": f"unheard of {number}"})
    return encode(HOSTILE[kind](number))


def detection(number: int, **more: Any) -> Detection:
    """A sound that begins, of each class in turn."""
    return replace(
        Detection(
            id=f"{number:032x}",
            sequence=number + 1,
            sound_class=list(SoundClass)[number % len(SoundClass)],
            phase=Phase.START,
            onset=datetime.now(UTC),
            confidence=0.9,
            peak_dbfs=-10.0,
        ),
        **more,
    )


def health(number: int) -> Health:
    """A problem that is another one each time."""
    return Health(problems=((Problem.DISK_FULL, Problem.TOO_SLOW)[number % 2],), dropped_blocks=number)


def snapshot(number: int) -> Snapshot:
    """More sounds at once than there can be, and taught ones, others each time."""
    return Snapshot(
        active=tuple(detection((number + FRAMES) * MANY + item) for item in range(MANY)),
        health=health(number),
        settings=Settings(listening=bool(number % 2), sensitivity={}),
        learning=Learning(
            false_alarms={},
            sounds=tuple(taught_sound(number * MAX_ITEMS + item) for item in range(MAX_ITEMS)),
        ),
    )


def taught_sound(number: int) -> TaughtSound:
    """A sound that the home is said to have taught."""
    return TaughtSound(id=f"{number:032x}", name=f"Sound {number}", examples=3, ready=True, active=True)


def position(number: int) -> Position:
    """A satellite that is never where it was."""
    location = Location(latitude=number % 90, longitude=number % 180)
    return Position(location_source=LocationSource.GPS, location=location)


def loud_noise(number: int) -> LoudNoise:
    """A noise that begins."""
    return LoudNoise(id=f"{number:032x}", phase=Phase.START, onset=datetime.now(UTC), peak_dbfs=-1.0)


def clip(number: int) -> Clip:
    """A clip of a sound that nobody has heard of."""
    return Clip(
        detection_id=f"{number:032x}", sound_class=SoundClass.DOG, onset=datetime.now(UTC), duration_s=1.0
    )


def sound_heard(number: int) -> SoundHeard:
    """A taught sound that begins and ends."""
    phase = (Phase.START, Phase.END)[number % 2]
    return SoundHeard(sound_id=f"{number:032x}", phase=phase, onset=datetime.now(UTC), confidence=0.9)


# What a satellite may send while it is connected, each as costly as it may be.
HOSTILE: Final[Mapping[str, Callable[[int], Message]]] = {
    "detection": detection,
    "update": lambda number: detection(
        2 * FRAMES, sequence=number + 1, phase=Phase.UPDATE, confidence=number % 100 / 100
    ),
    "replayed": lambda number: detection(number + FRAMES, replayed=True),
    "health": health,
    "snapshot": snapshot,
    "position": position,
    "level": lambda number: Level(rms_dbfs=-float(number % 90), peak_dbfs=-3.0),
    "loud_noise": loud_noise,
    "clip": clip,
    "lesson": lambda number: Lesson(detection_id=f"{number:032x}", outcome=LessonOutcome.LEARNED),
    "taught": lambda number: Taught(name=f"Sound {number}", outcome=TeachOutcome.LEARNED),
    "sound_heard": sound_heard,
    "time_reply": lambda number: TimeReply(number=number, time_s=float(number)),
    "self_test_result": lambda _: SelfTestResult(outcome=SelfTestOutcome.PASSED),
}
