"""Follows a known sound through the whole chain: heard, on disk, told to each Home Assistant, acknowledged by it.

The sound is mixed into what the microphone captures, or comes from a loudspeaker in the room. What is heard of it is
marked as a test, so that it wakes nobody up.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
import subprocess
import time
from typing import Final

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
    SelfTestOutcome,
    SelfTestResult,
    Sensitivity,
    SoundClass,
)
from .station import Station

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
_ACKNOWLEDGED_WITHIN_S: Final = 10.0


class NoLoudspeakerError(EchonetError):
    """Nothing can be played."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """Runs a test of one satellite."""

    station: Station
    journal: Journal
    inject: Callable[[Floats], None]
    connected: Callable[[], tuple[str, ...]]  # the ids of the controllers

    async def run(self, *, aloud: bool = False) -> SelfTestResult:
        """Run the test; `aloud`, the sound comes from a loudspeaker and takes the way through the room.

        Raises:
            NoLoudspeakerError: nothing can be played.
        """
        play = _play_aloud if aloud else self.inject
        settings = self.station.settings
        if not settings.listening:
            return SelfTestResult(outcome=SelfTestOutcome.NOT_LISTENING)
        if not MICROPHONE_PROBLEMS.isdisjoint(self.station.snapshot().health.problems):
            return SelfTestResult(outcome=SelfTestOutcome.MICROPHONE)
        on = [
            name for name in _SOUNDS if settings.sensitivity.get(name, Sensitivity.OFF) is not Sensitivity.OFF
        ]
        if not on:
            return SelfTestResult(outcome=SelfTestOutcome.ALL_OFF)
        heard, took_s = await self._heard(on[0], play)
        if heard is None:
            return SelfTestResult(outcome=SelfTestOutcome.NOT_HEARD, sound_class=on[0])
        result = SelfTestResult(
            outcome=SelfTestOutcome.PASSED,
            sound_class=on[0],
            confidence=heard.confidence,
            took_s=took_s,
        )
        if self.journal.unsaved or self.journal.problem is not None:
            return _but(result, SelfTestOutcome.NOT_KEPT)
        controllers = self.connected()
        if not controllers:
            return _but(result, SelfTestOutcome.NOBODY_CONNECTED)
        if not await self._acknowledged(controllers, heard.sequence):
            return _but(result, SelfTestOutcome.NOT_ACKNOWLEDGED)
        return result

    async def _heard(
        self, sound_class: SoundClass, play: Callable[[Floats], None]
    ) -> tuple[Detection | None, float]:
        found: asyncio.Queue[Detection] = asyncio.Queue()

        def listen(message: Message) -> None:
            if (
                isinstance(message, Detection)
                and message.test
                and message.phase is Phase.START
                and message.sound_class is sound_class
            ):
                found.put_nowait(message)

        await self._quiet(sound_class)
        unsubscribe = self.station.subscribe(listen)
        self.station.expect_test(sound_class, _HEARD_WITHIN_S)
        random = np.random.default_rng(2)
        dry = _SOUNDS[sound_class](random)
        sound = (0.5 * synthesis.with_echo(random, dry, _REVERBERATION_S)).astype(np.float32)
        began = time.monotonic()
        try:
            await asyncio.to_thread(play, sound)
            async with asyncio.timeout(_HEARD_WITHIN_S):
                return await found.get(), time.monotonic() - began
        except TimeoutError:
            return None, 0.0
        finally:
            unsubscribe()

    async def _quiet(self, sound_class: SoundClass) -> None:
        """Wait until the last sound of this class is over: a second one soon after would belong to it."""
        deadline = time.monotonic() + _HEARD_WITHIN_S
        while time.monotonic() < deadline:
            await asyncio.sleep(_PAUSE_S)
            active = self.station.snapshot().active
            if all(item.sound_class is not sound_class for item in active):
                return

    async def _acknowledged(self, controllers: tuple[str, ...], sequence: int) -> bool:
        deadline = time.monotonic() + _ACKNOWLEDGED_WITHIN_S
        while any(self.journal.acknowledged(name) < sequence for name in controllers):
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


def _but(result: SelfTestResult, outcome: SelfTestOutcome) -> SelfTestResult:
    return SelfTestResult(
        outcome=outcome,
        sound_class=result.sound_class,
        confidence=result.confidence,
        took_s=result.took_s,
    )
