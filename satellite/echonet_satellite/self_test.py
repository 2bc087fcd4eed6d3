"""Follows a known sound through the whole chain: heard, on disk, told to each Home Assistant, acknowledged by it.

The sound is mixed into what the microphone captures, or comes from a loudspeaker in the room. What is heard of it is
marked as a test, so that it wakes nobody up.
"""

import asyncio
from collections.abc import Callable, Mapping
import contextlib
from dataclasses import dataclass
import subprocess
import time
from typing import Final, Protocol

import numpy as np

from . import synthesis
from .audio import SAMPLE_RATE
from .errors import EchonetError
from .frontend import Floats
from .journal import Journal
from .protocol import (
    MICROPHONE_PROBLEMS,
    Detection,
    Message,
    Phase,
    RoomResult,
    SelfTestOutcome,
    SelfTestResult,
    Sensitivity,
    SoundClass,
)
from .station import Station
from .watch import STUCK_AFTER_S

# What it sounds like: sounds that the network knows even from synthesis, and that are over at once. A real one of the
# same class in that very moment is marked as a test, too.
_SOUNDS: Final[Mapping[SoundClass, Callable[[np.random.Generator], Floats]]] = {
    SoundClass.GLASS_BREAK: synthesis.glass_break,
    SoundClass.GUNSHOT: synthesis.gunshot,
    SoundClass.SCREAM: synthesis.scream,
}
_REVERBERATION_S: Final = 0.35
# Longer than any of the sounds and what the network needs to know it.
_HEARD_WITHIN_S: Final = 15.0
_PAUSE_S: Final = 4.0
_KEPT_WITHIN_S: Final = 5.0
_ACKNOWLEDGED_WITHIN_S: Final = 10.0


class NoLoudspeakerError(EchonetError):
    """Nothing can be played."""


class Ear(Protocol):
    """What hears a room."""

    @property
    def over(self) -> bool:
        """Whether it was a recording, which has ended."""

    @property
    def busy_s(self) -> float:
        """For how long it has been at one thing; one that is well is done within a second."""

    def inject(self, samples: Floats) -> None:
        """Mix a sound into what is captured next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """Runs a test of one satellite: of each room that it hears, all at once."""

    station: Station
    journal: Journal
    ears: Mapping[str, Ear]  # by the room; without a name where there is only one
    connected: Callable[[], tuple[str, ...]]  # the ids of the controllers

    async def run(self, *, aloud: bool = False) -> SelfTestResult:
        """Run the test; `aloud`, the sound comes from a loudspeaker and takes the way through the room.

        Raises:
            NoLoudspeakerError: nothing can be played.
        """
        settings = self.station.settings
        if not settings.listening:
            return SelfTestResult(outcome=SelfTestOutcome.NOT_LISTENING)
        deaf = {room: outcome for room, ear in self.ears.items() if (outcome := self._deaf(room, ear))}
        on = [
            name for name in _SOUNDS if settings.sensitivity.get(name, Sensitivity.OFF) is not Sensitivity.OFF
        ]
        hearing = tuple(room for room in self.ears if room not in deaf)
        if not hearing:
            return self._joined(None, deaf, {}, aloud=aloud)
        if not on:
            return SelfTestResult(outcome=SelfTestOutcome.ALL_OFF)
        heard = await self._heard(on[0], hearing, aloud=aloud)
        fate = await self._followed(tuple(detection for detection, _ in heard.values()))
        # What was well when the test began may have ended meanwhile, or gone.
        outcomes = deaf | {
            room: fate if room in heard else self._deaf(room, self.ears[room]) or SelfTestOutcome.NOT_HEARD
            for room in hearing
        }
        return self._joined(on[0], outcomes, heard, aloud=aloud)

    def _deaf(self, room: str, ear: Ear) -> SelfTestOutcome | None:
        """Return why nothing can be heard of a room, if that is known already."""
        if ear.over:
            return SelfTestOutcome.SOURCE_ENDED
        health = self.station.snapshot().health
        own = [source.problems for source in health.sources if source.room == room]
        if not MICROPHONE_PROBLEMS.isdisjoint(own[0] if own else health.problems):
            return SelfTestOutcome.MICROPHONE
        return SelfTestOutcome.MICROPHONE if ear.busy_s > STUCK_AFTER_S else None

    def _joined(
        self,
        sound_class: SoundClass | None,
        outcomes: Mapping[str, SelfTestOutcome],
        heard: Mapping[str, tuple[Detection, float]],
        *,
        aloud: bool,
    ) -> SelfTestResult:
        """Return what came of it on the whole: a loudspeaker need not be heard in every room."""
        results = tuple(
            RoomResult(
                room=room,
                outcome=outcomes[room],
                confidence=heard[room][0].confidence if room in heard else 0.0,
                took_s=heard[room][1] if room in heard else 0.0,
            )
            for room in self.ears
        )
        told = results
        if aloud and heard:
            told = tuple(item for item in results if item.outcome is not SelfTestOutcome.NOT_HEARD)
        worst = next((item for item in told if item.outcome is not SelfTestOutcome.PASSED), told[0])
        return SelfTestResult(
            outcome=worst.outcome,
            sound_class=sound_class,
            confidence=worst.confidence,
            took_s=worst.took_s,
            rooms=results if len(results) > 1 else (),
        )

    async def _heard(
        self, sound_class: SoundClass, rooms: tuple[str, ...], *, aloud: bool
    ) -> dict[str, tuple[Detection, float]]:
        """Play a sound, and return what was heard of it in each room, and how long after it began."""
        heard: dict[str, tuple[Detection, float]] = {}
        complete = asyncio.Event()
        began = 0.0

        def listen(message: Message) -> None:
            if (
                isinstance(message, Detection)
                and message.test
                and message.phase is Phase.START
                and message.sound_class is sound_class
                and message.room in rooms
            ):
                heard.setdefault(message.room, (message, time.monotonic() - began))
                if len(heard) == len(rooms):
                    complete.set()

        await self._quiet(sound_class)
        unsubscribe = self.station.subscribe(listen)
        random = np.random.default_rng(2)
        dry = _SOUNDS[sound_class](random)
        sound = (0.5 * synthesis.with_echo(random, dry, _REVERBERATION_S)).astype(np.float32)
        for room in rooms:
            self.station.drills.expect(sound_class, _HEARD_WITHIN_S, room=room)
        began = time.monotonic()
        try:
            if aloud:
                await asyncio.to_thread(_play_aloud, sound)
            else:
                for room in rooms:
                    self.ears[room].inject(sound)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_HEARD_WITHIN_S):
                    await complete.wait()
        finally:
            unsubscribe()
            for room in rooms:
                self.station.drills.expect_no_more(sound_class, room=room)
        return heard

    async def _quiet(self, sound_class: SoundClass) -> None:
        """Wait until the last sound of this class is over: a second one soon after would belong to it."""
        deadline = time.monotonic() + _HEARD_WITHIN_S
        while time.monotonic() < deadline:
            await asyncio.sleep(_PAUSE_S)
            active = self.station.snapshot().active
            if all(item.sound_class is not sound_class for item in active):
                return

    async def _followed(self, heard: tuple[Detection, ...]) -> SelfTestOutcome:
        """Return how far came what was heard."""
        if not heard:
            return SelfTestOutcome.NOT_HEARD
        last = max(item.sequence for item in heard)
        # A card that is busy for a moment is well: `append` does not wait for it any longer than an alarm may.
        if not await _within(
            _KEPT_WITHIN_S, lambda: all(self.journal.holds(item.sequence) for item in heard)
        ):
            return SelfTestOutcome.NOT_KEPT
        controllers = self.connected()
        if not controllers:
            return SelfTestOutcome.NOBODY_CONNECTED
        if not await _within(
            _ACKNOWLEDGED_WITHIN_S,
            lambda: all(self.journal.acknowledged(name) >= last for name in controllers),
        ):
            return SelfTestOutcome.NOT_ACKNOWLEDGED
        return SelfTestOutcome.PASSED


async def _within(limit_s: float, holds: Callable[[], bool]) -> bool:
    """Wait until something holds; False where that takes too long."""
    deadline = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True


def _play_aloud(samples: Floats) -> None:
    command = ("aplay", "-q", "-t", "raw", "-f", "FLOAT_LE", "-c", "1", "-r", str(SAMPLE_RATE))
    try:
        subprocess.run(
            command, input=samples.tobytes(), check=True, capture_output=True, timeout=2 * _HEARD_WITHIN_S
        )
    except FileNotFoundError:
        raise NoLoudspeakerError("`aplay` is not installed: run `apt install alsa-utils`") from None
    except subprocess.CalledProcessError as err:
        reason = " ".join(err.stderr.decode(errors="replace").split())
        raise NoLoudspeakerError(f"the loudspeaker cannot be used: {reason}") from None
    except subprocess.TimeoutExpired:
        raise NoLoudspeakerError("the loudspeaker does not play: is another program using it?") from None
