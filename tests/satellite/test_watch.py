"""A hearing thread that hangs is told by the event loop; several rooms are told as one satellite."""

import asyncio
from contextlib import suppress
from pathlib import Path
import socket
import threading

import numpy as np
import pytest

from echonet_satellite import watch as watch_module
from echonet_satellite.audio.playback import open_samples
from echonet_satellite.classifier import Heard, load_classifier
from echonet_satellite.frontend import Floats
from echonet_satellite.pipeline import Pipeline
from echonet_satellite.protocol import Health, Level, Phase, Problem, SourceHealth
from echonet_satellite.rooms import Peaks, Pipelines, Rooms
from echonet_satellite.supervisor import Supervisor
from echonet_satellite.watch import hopeless, watch
from tests.support.hearing import RATE, Ear, LoudnessClassifier, model_directory, noise, settings, silence


class HangingClassifier(LoudnessClassifier):
    """Hangs in the network until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def step(self, log_mel: Floats) -> Heard:
        self.go_on.wait(60)
        return super().step(log_mel)


async def test_a_thread_that_hangs_is_told_and_taken_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watch_module, "_LOOK_S", 0.02)
    monkeypatch.setattr(watch_module, "STUCK_AFTER_S", 0.5)
    classifier = HangingClassifier()
    pipeline = Pipeline(open_samples(silence(60), "a quiet room"), classifier, settings(), Ear())
    told: asyncio.Queue[tuple[Problem, ...]] = asyncio.Queue()
    task = asyncio.create_task(
        watch({"Kitchen": pipeline}, lambda _, *problems, room: told.put_nowait((room, *problems)))
    )
    pipeline.start()
    try:
        async with asyncio.timeout(60):
            assert await told.get() == ("Kitchen", Problem.HEARING_STUCK)
            classifier.go_on.set()
            assert await told.get() == ("Kitchen",)
    finally:
        classifier.go_on.set()
        pipeline.stop()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert pipeline.join(10)
    assert "The hearing of Kitchen hangs" in caplog.text


async def test_a_thread_that_hangs_for_long_is_left_to_systemd(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing but a new start of the process frees a thread that hangs: the watchdog is fed only while none does."""
    monkeypatch.setattr(watch_module, "HOPELESS_AFTER_S", 0.5)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "60000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    classifier = HangingClassifier()
    pipelines = {"Hall": Pipeline(open_samples(silence(60), "a quiet room"), classifier, settings(), Ear())}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        feeding = asyncio.create_task(Supervisor().watch(lambda: hopeless(pipelines)))
        pipelines["Hall"].start()
        try:
            async with asyncio.timeout(60):
                assert await asyncio.to_thread(systemd.recv, 99) == b"WATCHDOG=1"
                while hopeless(pipelines) is None:  # noqa: ASYNC110 - a thread hangs, and says nothing
                    await asyncio.sleep(0.02)
                await asyncio.sleep(0.1)
                systemd.setblocking(False)
                with suppress(BlockingIOError):
                    while True:
                        systemd.recv(99)
                await asyncio.sleep(0.2)
                with pytest.raises(BlockingIOError):
                    systemd.recv(99)
                assert hopeless(pipelines) == "the hearing of Hall has hung for more than 0.5 s"
                systemd.settimeout(30)
                classifier.go_on.set()
                assert await asyncio.to_thread(systemd.recv, 99) == b"WATCHDOG=1"
        finally:
            classifier.go_on.set()
            pipelines["Hall"].stop()
            feeding.cancel()
            assert pipelines["Hall"].join(10)


async def test_waiting_on_purpose_is_no_hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "_LOOK_S", 0.02)
    monkeypatch.setattr(watch_module, "STUCK_AFTER_S", 0.2)
    pipeline = Pipeline(
        open_samples(silence(1), "a room"), LoudnessClassifier(), settings(listening=False), Ear()
    )
    told: list[object] = []
    task = asyncio.create_task(watch({"": pipeline}, lambda *problems, room: told.append((room, problems))))
    pipeline.start()
    await asyncio.sleep(0.6)
    task.cancel()
    pipeline.stop()
    assert pipeline.join(10)
    assert not told


def test_each_room_is_heard_by_itself_and_named() -> None:
    ear = Ear()
    rooms = Rooms(ear, ("Kitchen", "Nursery"))
    shot = np.concatenate((silence(0.8), noise(0.2), silence(1.0)))
    pipelines = [
        Pipeline(open_samples(sound, room), LoudnessClassifier(), settings(), rooms.ear(room))
        for room, sound in (("Kitchen", shot), ("Nursery", silence(2.0)))
    ]
    for pipeline in pipelines:
        pipeline.start()
    Pipelines(pipelines).configure(settings())
    for pipeline in pipelines:
        assert pipeline.join(30)
    assert {event.room for event in ear.events} == {"Kitchen"}
    assert [event.phase for event in ear.events if event.phase is not Phase.UPDATE] == [
        Phase.START,
        Phase.END,
    ]


def test_the_health_of_all_rooms_is_that_of_the_satellite() -> None:
    ear = Ear()
    rooms = Rooms(ear, ("Kitchen", "Nursery"))
    gone = (Problem.MICROPHONE_MISSING,)
    rooms.ear("Nursery").on_health(Health(problems=gone, dropped_blocks=2, realtime_factor=0.3))
    rooms.ear("Kitchen").on_health(
        Health(problems=(Problem.BLOCKS_DROPPED,), dropped_blocks=3, realtime_factor=0.1)
    )
    assert ear.health[-1] == Health(
        problems=(Problem.MICROPHONE_MISSING, Problem.BLOCKS_DROPPED),
        dropped_blocks=5,
        realtime_factor=0.3,
        sources=(
            SourceHealth(room="Kitchen", problems=(Problem.BLOCKS_DROPPED,)),
            SourceHealth(room="Nursery", problems=gone),
        ),
    )


def test_the_level_is_that_of_the_loudest_room() -> None:
    ear = Ear()
    rooms = Rooms(ear, ("Kitchen", "Nursery"))
    for _ in range(2):
        rooms.ear("Kitchen").on_level(Level(rms_dbfs=-50.0, peak_dbfs=-20.0))
        rooms.ear("Nursery").on_level(Level(rms_dbfs=-30.0, peak_dbfs=-25.0))
    assert ear.levels == [Level(rms_dbfs=-30.0, peak_dbfs=-20.0, rooms={"Kitchen": -50.0, "Nursery": -30.0})]


def test_a_noise_in_one_room_is_not_ended_by_the_quiet_of_another() -> None:
    told: list[tuple[float, str]] = []
    peaks = Peaks(lambda peak_dbfs, room: told.append((peak_dbfs, room)))
    for _ in range(3):
        peaks.of("Kitchen")(-3.0)
        peaks.of("Nursery")(-60.0)
    assert told == [(-3.0, "Kitchen")] * 2


def test_a_single_source_is_told_as_it_is() -> None:
    ear = Ear()
    health = Health(problems=(Problem.MICROPHONE_SILENT,))
    Rooms(ear, ("",)).ear("").on_health(health)
    assert ear.health == [health]


def test_two_streams_of_one_network_do_not_hear_each_other() -> None:
    network = load_classifier(model_directory())
    frames = np.random.default_rng(1).uniform(-8, 2, (40, network.card.step_frames, 128)).astype(np.float32)
    frames = frames[:, :, : network.card.frontend.n_mels]
    alone = network.for_another_stream()
    expected = [alone.step(step).probabilities for step in frames[:10]]
    first, second = network.for_another_stream(), network.for_another_stream()
    threads = [
        threading.Thread(target=lambda: [second.step(step) for step in frames[10:]]),
    ]
    for thread in threads:
        thread.start()
    heard = [first.step(step).probabilities for step in frames[:10]]
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(heard, expected)
    assert network.card.frontend.sample_rate == RATE
