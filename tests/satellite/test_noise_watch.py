"""The sound sensor on a pin of gpiozero's mock: its pulses become messages, health, and confidence."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Self

from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin
import numpy as np
import pytest

from echonet_satellite.audio.playback import open_samples
from echonet_satellite.learning.sounds import TaughtEvent
from echonet_satellite.noise_watch import NoiseWatch, end
from echonet_satellite.pipeline import Pipeline
from echonet_satellite.protocol import Health, Level, LoudNoise, Phase, Problem, SoundClass
from echonet_satellite.sensor import SensorConfig, SensorError, SoundSensor
from echonet_satellite.sound_event import SoundEvent
from tests.support.hearing import LoudnessClassifier, noise, settings, silence

PIN = 17
START = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    """Pins without a Raspberry Pi."""
    before, Device.pin_factory = Device.pin_factory, MockFactory()
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = before


class Told:
    """Who is told in the end."""

    def __init__(self) -> None:
        self.events: list[SoundEvent] = []
        self.healths: list[Health] = []
        self.levels: list[Level] = []
        self.noises: list[LoudNoise] = []

    def on_event(self, event: SoundEvent) -> None:
        self.events.append(event)

    def on_taught(self, event: TaughtEvent, onset: datetime) -> None:
        """None of these tests teaches anything."""

    def on_health(self, health: Health) -> None:
        self.healths.append(health)

    def on_level(self, level: Level) -> None:
        self.levels.append(level)

    def on_noise(self, noise: LoudNoise) -> None:
        self.noises.append(noise)


class Scene:
    """A watch with a sensor, and a clock that stands still until it is moved."""

    def __init__(self, config: SensorConfig | None, *, listening: bool = True) -> None:
        self.told = Told()
        self.now = 50.0
        self.listening = listening
        self.watch = NoiseWatch(
            self.told,
            sensor=config,
            loud_dbfs=-15.0,
            listening=lambda: self.listening,
            monotonic=lambda: self.now,
            utc_now=lambda: START + timedelta(seconds=self.now - 50.0),
        )
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.watch.run())
        await asyncio.sleep(0.1)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        await end(self._task)

    def pulse(self, pin: MockPin, count: int, *, active_low: bool = True) -> None:
        for _ in range(count):
            self.now += 0.01
            (pin.drive_low if active_low else pin.drive_high)()
            (pin.drive_high if active_low else pin.drive_low)()


@pytest.mark.parametrize("active_low", [True, False])
async def test_pulses_on_a_pin_become_a_noise(pins: MockFactory, active_low: bool) -> None:
    async with Scene(SensorConfig(pin=PIN, active_low=active_low)) as scene:
        pin = pins.pin(f"GPIO{PIN}")
        scene.pulse(pin, 25, active_low=active_low)
        scene.now += 2.0
        scene.watch.tick()

    start, over = scene.told.noises
    assert (start.phase, over.phase, start.id) == (Phase.START, Phase.END, over.id)
    assert over.pulses == 25
    assert over.duration_s == pytest.approx(0.24)
    assert over.onset == START + timedelta(seconds=0.01)
    assert over.peak_dbfs is None


async def test_the_pin_is_free_again_afterwards(pins: MockFactory) -> None:
    async with Scene(SensorConfig(pin=PIN)):
        other = SoundSensor(SensorConfig(pin=PIN), lambda: None)
        with pytest.raises(SensorError, match=f"GPIO{PIN} cannot be read"):
            other.open()
    other.open()
    other.close()


async def test_nothing_is_told_while_the_owner_does_not_let_it_listen(pins: MockFactory) -> None:
    async with Scene(SensorConfig(pin=PIN), listening=False) as scene:
        scene.pulse(pins.pin(f"GPIO{PIN}"), 25)
        scene.now += 2.0
        scene.watch.tick()
    assert scene.told.noises == []


def bang(onset: datetime, sound_class: SoundClass = SoundClass.GUNSHOT) -> SoundEvent:
    return SoundEvent(
        id="1",
        sound_class=sound_class,
        phase=Phase.START,
        onset=onset,
        confidence=0.6,
        peak_dbfs=-3.0,
        duration_s=0.0,
    )


async def test_a_bang_that_the_sensor_noticed_is_surer_and_no_other_is_less_sure(pins: MockFactory) -> None:
    async with Scene(SensorConfig(pin=PIN)) as scene:
        scene.watch.on_event(bang(START))
        scene.pulse(pins.pin(f"GPIO{PIN}"), 5)
        scene.watch.on_event(bang(START))
        scene.watch.on_event(bang(START, SoundClass.BABY_CRY))
        scene.now += 10.0
        scene.watch.on_event(bang(START + timedelta(seconds=10)))
    assert [event.confidence for event in scene.told.events] == pytest.approx([0.6, 0.8, 0.6, 0.6])


async def test_a_sensor_that_is_not_there_is_said_and_everything_else_goes_on() -> None:
    """No GPIO on this machine: one warning, one problem, and the microphone alone finds what is loud."""
    before, Device.pin_factory = Device.pin_factory, None
    try:
        async with Scene(SensorConfig(pin=PIN)) as scene:
            with suppress(TimeoutError):
                async with asyncio.timeout(20):
                    while not scene.told.healths:  # noqa: ASYNC110 - it is told from another thread
                        await asyncio.sleep(0.05)
            scene.watch.on_peak(-2.0)
            scene.watch.on_health(Health(problems=(Problem.TOO_SLOW,)))
    finally:
        Device.pin_factory = before
    assert scene.told.healths[0].problems == (Problem.SENSOR_MISSING,)
    assert scene.told.healths[-1].problems == (Problem.TOO_SLOW, Problem.SENSOR_MISSING)
    assert [noise.phase for noise in scene.told.noises] == [Phase.START]


def test_the_pipeline_tells_peaks_whoever_watches() -> None:
    """Levels are made only while somebody looks at the card; what is loud is found in any case."""
    peaks: list[float] = []
    told = Told()
    sound = np.concatenate((silence(1.0), noise(0.5), silence(1.0)))
    pipeline = Pipeline(
        open_samples(sound, "a bang"), LoudnessClassifier(), settings(), told, on_peak=peaks.append
    )
    pipeline.start()
    assert pipeline.join(30)
    assert told.levels == []
    assert len(peaks) >= 4
    assert max(peaks) > -15.0 > min(peaks)


async def test_without_a_sensor_the_microphone_alone(pins: MockFactory) -> None:
    async with Scene(None) as scene:
        scene.watch.on_peak(-2.0)
        scene.now += 2.0
        scene.watch.tick()
    assert [(noise.phase, noise.pulses) for noise in scene.told.noises] == [
        (Phase.START, None),
        (Phase.END, None),
    ]
    assert scene.told.noises[0].peak_dbfs == -2.0


async def test_the_cross_check_shows_in_the_health_and_recovers(pins: MockFactory) -> None:
    async with Scene(SensorConfig(pin=PIN)) as scene:
        pin = pins.pin(f"GPIO{PIN}")
        for peak in (-49.0, -49.0, -49.0, -4.0):
            for _ in range(4):
                scene.now += 0.5
                scene.watch.on_peak(-50.0)
            scene.pulse(pin, 10)
            scene.watch.on_peak(peak)
            scene.now += 1.5
            scene.watch.tick()
    assert [health.problems for health in scene.told.healths] == [(Problem.MICROPHONE_DEAF,), ()]
