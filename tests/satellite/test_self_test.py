"""The self-test of a running satellite: a real process, a real network, a real controller."""

import asyncio
import os
from pathlib import Path
import subprocess
import sys

import aiohttp
import numpy as np
import pytest
import soundfile

from echonet_satellite import self_test as module, synthesis
from echonet_satellite.audio import SAMPLE_RATE
from echonet_satellite.frontend import Floats
from echonet_satellite.protocol import Detection, Message, SelfTestOutcome, SoundClass
from echonet_satellite.self_test import SelfTest
from tests.support.disks import held_by_another_process
from tests.support.hearing import model_directory
from tests.support.satellite import SatelliteUnderTest, running_satellite
from tests.support.wire import client, protocol

REPOSITORY = Path(__file__).parents[2]
QUIET_S = 300.0


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home of its own, and a loudspeaker that plays into a file."""
    player = tmp_path / "bin" / "aplay"
    player.parent.mkdir()
    player.write_text(f"#!/bin/sh\ncat > {tmp_path}/played\n")
    player.chmod(0o755)
    return {
        **os.environ,
        "HOME": str(tmp_path),
        "PYTHONPATH": str(REPOSITORY / "satellite"),
        "PATH": f"{player.parent}{os.pathsep}{os.environ['PATH']}",
    }


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "echonet_satellite", *map(str, arguments)]


async def self_test(environment: dict[str, str], state: Path, *arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *command("selftest", "--state", state, *arguments),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_a_known_sound_is_followed_from_the_microphone_to_the_acknowledgement(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    state, room = tmp_path / "state", tmp_path / "room.wav"
    soundfile.write(
        room, synthesis.room_tone(np.random.default_rng(1), QUIET_S), SAMPLE_RATE, subtype="PCM_16"
    )
    model = model_directory()
    satellite = await asyncio.create_subprocess_exec(
        *command("run", "--source", room, "--model", model, "--state", state, "--port", 0, "--no-announce"),
        env=environment,
        stdout=subprocess.PIPE,
    )
    try:
        assert satellite.stdout is not None
        listening = (await satellite.stdout.readline()).decode()
        port = int(listening.rpartition("on port ")[2].strip().rstrip("."))
        code = (await satellite.stdout.readline()).decode().partition("Pairing code: ")[2].split()[0]
        async with aiohttp.ClientSession() as session:
            status, said = await self_test(environment, state)
            assert status == 1
            assert "no Home Assistant is connected" in said

            paired = await client.async_pair(session, "127.0.0.1", port, code, controller_name="Home")
            connection = await client.async_connect(
                session,
                "127.0.0.1",
                port,
                satellite_id=paired.satellite_id,
                fingerprint=paired.fingerprint,
                token=paired.token,
            )
            told: list[protocol.Message] = []
            answered = asyncio.Event()

            async def acknowledge() -> None:
                async for message in connection:
                    told.append(message)
                    if isinstance(message, protocol.SelfTestResult):
                        answered.set()
                    if isinstance(message, protocol.Detection):
                        await connection.send(protocol.Ack(sequence=message.sequence))

            acknowledging = asyncio.create_task(acknowledge())
            status, said = await self_test(environment, state)
            assert "Passed" in said
            assert status == 0
            assert {item.test for item in told if isinstance(item, protocol.Detection)} == {True}
            outcomes = [item.outcome for item in told if isinstance(item, protocol.SelfTestResult)]
            assert outcomes == [protocol.SelfTestOutcome.PASSED]

            # Home Assistant asks for the same over the connection.
            answered.clear()
            await connection.send(protocol.SelfTest())
            await asyncio.wait_for(answered.wait(), 60)

            # A loudspeaker that does not reach the microphone is not heard.
            status, said = await self_test(environment, state, "--loudspeaker")
            assert status == 1
            assert "was not recognised" in said
            played = np.frombuffer((tmp_path / "played").read_bytes(), np.float32)
            assert np.abs(played).max() > 0.1

            acknowledging.cancel()
            await asyncio.gather(acknowledging, return_exceptions=True)
            await connection.close()
    finally:
        satellite.kill()
        await satellite.communicate()


async def test_each_room_is_tried_and_each_that_fails_is_named(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """Two rooms go on, and one plays a recording that is over."""
    state, quiet, over = tmp_path / "state", tmp_path / "quiet.wav", tmp_path / "over.wav"
    tone = synthesis.room_tone(np.random.default_rng(1), QUIET_S)
    soundfile.write(quiet, tone, SAMPLE_RATE, subtype="PCM_16")
    soundfile.write(over, tone[: SAMPLE_RATE // 4], SAMPLE_RATE, subtype="PCM_16")
    sources = ", ".join(
        f'{{room = "{room}", source = "{path}"}}'
        for room, path in (("Shed", over), ("Kitchen", quiet), ("Attic", quiet))
    )
    satellite = await asyncio.create_subprocess_exec(
        *command("run", "--model", model_directory(), "--state", state, "--port", 0, "--no-announce"),
        env={**environment, "ECHONET_SATELLITE_SOURCES": f"[{sources}]"},
        stdout=subprocess.PIPE,
    )
    try:
        assert satellite.stdout is not None
        assert b"listens to" in await satellite.stdout.readline()
        status, said = await self_test(environment, state)
        assert status == 1
        assert "Kitchen: heard glass break" in said
        assert "Attic: heard glass break" in said
        assert "Shed: nothing is heard any more, because its source was a recording" in said
        assert "Kitchen, Attic: it was heard and kept, but no Home Assistant is connected" in said
        assert "quieter" not in said
    finally:
        satellite.kill()
        await satellite.communicate()


class Room:
    """What hears one room of a satellite, or is deaf without anybody knowing."""

    busy_s = 0.0

    def __init__(
        self, satellite: SatelliteUnderTest, name: str, *, over: bool = False, deaf: bool = False
    ) -> None:
        self._satellite, self._name, self._deaf = satellite, name, deaf
        self.over = over

    def inject(self, samples: Floats) -> None:
        assert np.abs(samples).max() > 0.1
        if not self._deaf:
            self._satellite.emit(SoundClass.GLASS_BREAK, room=self._name)


async def test_a_loudspeaker_need_not_be_heard_in_every_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSE_S", 0.0)
    monkeypatch.setattr(module, "_HEARD_WITHIN_S", 0.5)
    async with running_satellite(tmp_path, rooms=("Attic", "Kitchen", "Shed")) as satellite:
        kitchen = Room(satellite, "Kitchen")
        monkeypatch.setattr(module, "_play_aloud", kitchen.inject)
        ears = {"Attic": Room(satellite, "Attic", deaf=True), "Kitchen": kitchen}
        test = SelfTest(station=satellite.station, journal=satellite.journal, ears=ears, connected=lambda: ())
        behind, aloud = await test.run(), await test.run(aloud=True)
        for result in (behind, aloud):
            assert {item.room: item.outcome for item in result.rooms} == {
                "Attic": SelfTestOutcome.NOT_HEARD,
                "Kitchen": SelfTestOutcome.NOBODY_CONNECTED,
            }
        assert behind.outcome is SelfTestOutcome.NOT_HEARD
        assert aloud.outcome is SelfTestOutcome.NOBODY_CONNECTED
        ears["Shed"] = Room(satellite, "Shed", over=True)
        assert [item.outcome for item in (await test.run(aloud=True)).rooms][
            2
        ] is SelfTestOutcome.SOURCE_ENDED
        # What breaks in the attic after all that is real.
        told: asyncio.Queue[Message] = asyncio.Queue()
        satellite.station.subscribe(told.put_nowait)
        satellite.emit(SoundClass.GLASS_BREAK, room="Attic")
        detection = await told.get()
        assert isinstance(detection, Detection)
        assert not detection.test


async def test_a_card_that_is_busy_for_a_moment_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSE_S", 0.0)
    monkeypatch.setattr(module, "_HEARD_WITHIN_S", 0.5)
    async with running_satellite(tmp_path) as satellite:
        test = SelfTest(
            station=satellite.station,
            journal=satellite.journal,
            ears={"": Room(satellite, "")},
            connected=lambda: (),
        )
        followed: asyncio.Queue[Message] = asyncio.Queue()
        satellite.station.subscribe(followed.put_nowait)
        with held_by_another_process(satellite.state / "journal.sqlite3"):
            running = asyncio.create_task(test.run())
            while not isinstance(await followed.get(), Detection):
                pass
            assert satellite.journal.unsaved
        assert (await running).outcome is SelfTestOutcome.NOBODY_CONNECTED
        monkeypatch.setattr(module, "_KEPT_WITHIN_S", 0.2)
        with held_by_another_process(satellite.state / "journal.sqlite3"):
            assert (await test.run()).outcome is SelfTestOutcome.NOT_KEPT
