"""What the station makes of what is heard, and of the owner's wishes."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlite3
import threading

import pytest

from echonet_satellite.protocol import (
    AlarmPattern,
    Configure,
    Detection,
    Health,
    Location,
    LocationSource,
    Message,
    Mute,
    Phase,
    Problem,
    Sensitivity,
    Settings,
    Snapshot,
    SoundClass,
    Test,
)
from echonet_satellite.settings import SettingsStore
from tests.support.disks import small_disk
from tests.support.satellite import SatelliteUnderTest, running_satellite


class Clock:
    """A clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def listen(satellite: SatelliteUnderTest) -> list[Message]:
    told: list[Message] = []
    satellite.station.subscribe(told.append)
    return told


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the health has no event of its own
            await asyncio.sleep(0.02)


def phases(told: list[Message]) -> list[tuple[str, Phase]]:
    return [(item.sound_class.value, item.phase) for item in told if isinstance(item, Detection)]


async def test_a_detection_is_on_disk_before_it_is_told(tmp_path: Path) -> None:
    async with running_satellite(tmp_path) as satellite:
        found: list[int] = []

        def look(message: Message) -> None:
            assert isinstance(message, Detection)
            with sqlite3.connect(satellite.state / "journal.sqlite3") as database:
                row = database.execute("SELECT max(sequence) FROM detections").fetchone()
            found.append(row[0] - message.sequence)

        satellite.station.subscribe(look)
        satellite.emit("dog")
        await settle()
        assert found == [0]


async def test_detections_of_another_thread_arrive_in_order(tmp_path: Path) -> None:
    async with running_satellite(tmp_path) as satellite:
        told = listen(satellite)

        def hear() -> None:
            for _ in range(50):
                identifier = satellite.emit("dog")
                satellite.emit("dog", "end", id=identifier)

        await asyncio.to_thread(hear)
        await settle()
        sequences = [item.sequence for item in told if isinstance(item, Detection)]
        assert len(sequences) == 100
        assert sequences == list(range(sequences[0], sequences[0] + 100))
        assert satellite.station.snapshot().active == ()


async def test_not_listening_ends_what_goes_on_and_hears_no_more(tmp_path: Path) -> None:
    async with running_satellite(tmp_path) as satellite:
        told = listen(satellite)
        fire = satellite.emit("fire", onset=datetime.now(UTC) - timedelta(seconds=3))
        await satellite.station.configure(Configure(listening=False))
        satellite.emit("fire", "update", id=fire)
        satellite.emit("fire", "end", id=fire)
        satellite.emit("dog")
        await settle()
        assert phases(told) == [("fire", Phase.START), ("fire", Phase.END)]
        end = told[1]
        assert isinstance(end, Detection)
        assert 3 <= end.duration_s < 60
        snapshot = told[2]
        assert isinstance(snapshot, Snapshot)
        assert snapshot.active == ()
        assert not satellite.configured[-1].listening


async def test_a_disk_that_is_slow_to_take_the_settings_holds_up_no_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_satellite(tmp_path) as satellite:
        told = listen(satellite)
        asked, done = threading.Event(), threading.Event()
        save = SettingsStore.save

        def slowly(store: SettingsStore, settings: Settings) -> None:
            asked.set()
            assert done.wait(60)
            save(store, settings)

        monkeypatch.setattr(SettingsStore, "save", slowly)
        wish = asyncio.create_task(
            satellite.station.configure(Configure(sensitivity={SoundClass.DOG: Sensitivity.OFF}))
        )
        try:
            assert await asyncio.to_thread(asked.wait, 60)
            await asyncio.to_thread(satellite.emit, "fire")
            await until(lambda: phases(told) == [("fire", Phase.START)])
            assert not wish.done()
        finally:
            done.set()
        await wish


async def test_a_class_that_is_off_is_not_told(tmp_path: Path) -> None:
    async with running_satellite(tmp_path) as satellite:
        await satellite.station.configure(Configure(sensitivity={SoundClass.DOG: Sensitivity.OFF}))
        told = listen(satellite)
        satellite.emit("dog")
        satellite.emit("fire")
        await settle()
        assert phases(told) == [("fire", Phase.START)]


async def test_mute_ends_with_its_time(tmp_path: Path) -> None:
    clock = Clock()
    async with running_satellite(tmp_path, clock=clock) as satellite:
        told = listen(satellite)
        dog = satellite.emit("dog")
        await satellite.station.mute(Mute(duration_s=60, classes=(SoundClass.DOG,)))
        muted = satellite.emit("dog")
        satellite.emit("fire")
        clock.now = 60
        satellite.emit("dog", "update", id=muted)  # its start was not told, so the rest is not either
        satellite.emit("dog", "end", id=muted)
        satellite.emit("dog", "end", id=dog)
        satellite.emit("dog")
        await settle()
        assert phases(told) == [
            ("dog", Phase.START),
            ("dog", Phase.END),
            ("fire", Phase.START),
            ("dog", Phase.START),
        ]


async def test_a_mute_of_one_room_lets_the_others_be_heard(tmp_path: Path) -> None:
    """Who silences the dog in the kitchen wants to hear of the one in the garage."""
    async with running_satellite(tmp_path, rooms=("Kitchen", "Garage")) as satellite:
        told = listen(satellite)
        await satellite.station.mute(Mute(duration_s=3600, classes=(SoundClass.DOG,), rooms=("Kitchen",)))
        satellite.emit("dog", room="Kitchen")
        satellite.emit("dog", room="Garage")
        satellite.emit("scream", room="Kitchen")
        await satellite.station.mute(Mute(duration_s=3600, rooms=("Attic",)))
        satellite.emit("gunshot", room="Garage")
        await satellite.station.mute(Mute(duration_s=0))
        satellite.emit("dog", room="Kitchen")
        await settle()
        heard = [(item.sound_class, item.room) for item in told if isinstance(item, Detection)]
        assert heard == [("dog", "Garage"), ("scream", "Kitchen"), ("gunshot", "Garage"), ("dog", "Kitchen")]


async def test_mute_of_all_and_its_early_end(tmp_path: Path) -> None:
    async with running_satellite(tmp_path, clock=Clock()) as satellite:
        told = listen(satellite)
        await satellite.station.mute(Mute(duration_s=3600))
        satellite.emit("gunshot")
        await satellite.station.drills.hold(Test(sound_class=SoundClass.ALARM))
        await satellite.station.mute(Mute(duration_s=0))
        satellite.emit("gunshot")
        await settle()
        assert phases(told) == [("alarm", Phase.START), ("gunshot", Phase.START)]


async def test_a_mute_never_silences_smoke_or_carbon_monoxide(tmp_path: Path) -> None:
    async with running_satellite(tmp_path, clock=Clock()) as satellite:
        told = listen(satellite)
        await satellite.station.mute(Mute(duration_s=3600))
        satellite.emit("alarm", pattern=AlarmPattern.SIREN)
        smoke = satellite.emit("alarm", pattern=AlarmPattern.T3)
        await settle()
        assert phases(told) == [("alarm", Phase.START)]
        await satellite.station.mute(Mute(duration_s=3600))  # nor does one that comes while it sounds
        satellite.emit("alarm", "end", id=smoke, pattern=AlarmPattern.T3)
        await settle()
        assert phases(told) == [("alarm", Phase.START), ("alarm", Phase.END)]


async def test_what_a_mute_holds_back_is_told_when_it_turns_out_to_be_smoke(tmp_path: Path) -> None:
    async with running_satellite(tmp_path, clock=Clock()) as satellite:
        told = listen(satellite)
        await satellite.station.mute(Mute(duration_s=3600))
        for pattern in (AlarmPattern.T3, AlarmPattern.T4):
            alarm = satellite.emit("alarm")
            satellite.emit("alarm", "update", id=alarm, pattern=pattern)
            satellite.emit("alarm", "update", id=alarm, pattern=pattern, confidence=0.99)
            satellite.emit("alarm", "end", id=alarm, pattern=pattern, duration_s=9.0)
            await settle()
            heard = [item for item in told if isinstance(item, Detection)]
            assert [item.phase for item in heard] == [Phase.START, Phase.UPDATE, Phase.END]
            assert {(item.id, item.pattern) for item in heard} == {(alarm, pattern)}
            told.clear()
        alarm = satellite.emit("alarm")
        satellite.emit("alarm", "end", id=alarm, pattern=AlarmPattern.T3, duration_s=3.0)
        await settle()
        assert phases(told) == [("alarm", Phase.START), ("alarm", Phase.END)]
        assert satellite.station.snapshot().active == ()


async def test_what_a_mute_has_ended_is_told_anew_when_it_turns_out_to_be_smoke(tmp_path: Path) -> None:
    async with running_satellite(tmp_path, clock=Clock()) as satellite:
        told = listen(satellite)
        alarm = satellite.emit("alarm")
        await satellite.station.mute(Mute(duration_s=3600))
        satellite.emit("alarm", "update", id=alarm, pattern=AlarmPattern.T3)
        satellite.emit("alarm", "end", id=alarm, pattern=AlarmPattern.T3, duration_s=9.0)
        await settle()
        heard = [item for item in told if isinstance(item, Detection)]
        assert [item.phase for item in heard] == [Phase.START, Phase.END, Phase.START, Phase.END]
        # Home Assistant takes a second start of the same id for an echo.
        assert heard[2].id == heard[3].id != heard[0].id


async def test_privacy_is_stronger_than_any_pattern(tmp_path: Path) -> None:
    async with running_satellite(tmp_path, clock=Clock()) as satellite:
        told = listen(satellite)
        await satellite.station.mute(Mute(duration_s=3600))
        alarm = satellite.emit("alarm")
        await satellite.station.configure(Configure(listening=False))
        satellite.emit("alarm", "update", id=alarm, pattern=AlarmPattern.T3)
        await settle()
        assert phases(told) == []


async def test_what_a_kill_cut_off_is_ended_at_the_next_start(tmp_path: Path) -> None:
    async with running_satellite(tmp_path) as satellite:
        fire = satellite.emit("fire")
        await satellite.stop()
        await satellite.start()
        found = satellite.journal.pending("new", up_to=satellite.journal.last_sequence)
        assert [(item.id, item.phase) for item in found] == [(fire, Phase.START), (fire, Phase.END)]
        assert satellite.station.told_sequence == satellite.journal.last_sequence


async def test_a_full_disk_is_told_and_so_is_the_alarm(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        async with running_satellite(disk.path) as satellite:
            told = listen(satellite)
            disk.fill()
            for _ in range(200):
                satellite.emit("gunshot")
            await until(lambda: satellite.station.snapshot().health.problems == (Problem.DISK_FULL,))
            assert len(phases(told)) == 200
            sequences = [item.sequence for item in told if isinstance(item, Detection)]
            assert sequences == sorted(set(sequences))
            # What the owner wishes holds at once, and is kept as soon as that is possible.
            await satellite.station.configure(Configure(listening=False))
            assert not satellite.configured[-1].listening
            disk.free()
            await until(lambda: satellite.station.snapshot().health.problems == ())
            await satellite.stop()
            await satellite.start()
            assert not satellite.station.settings.listening


async def test_a_listener_that_raises_keeps_nobody_else_from_hearing(tmp_path: Path) -> None:
    async with running_satellite(tmp_path) as satellite:

        def fail(message: Message) -> None:
            raise RuntimeError(message)

        satellite.station.subscribe(fail)
        told = listen(satellite)
        satellite.emit("gunshot")
        satellite.emit("dog")
        await settle()
        assert phases(told) == [("gunshot", Phase.START), ("dog", Phase.START)]


async def test_lost_settings_are_said_until_somebody_turns_something(tmp_path: Path) -> None:
    async with running_satellite(tmp_path) as satellite:
        await satellite.station.configure(Configure(listening=False))
        await satellite.stop()
        (satellite.state / "settings.json").write_text("damaged")
        await satellite.start()
        await until(lambda: satellite.station.snapshot().health.problems == (Problem.SETTINGS_LOST,))
        assert not satellite.station.settings.listening
        await satellite.station.configure(Configure(listening=True))
        await until(lambda: satellite.station.snapshot().health.problems == ())


async def test_health_is_told_when_it_changes(tmp_path: Path) -> None:
    async with running_satellite(tmp_path) as satellite:
        told = listen(satellite)
        for _ in range(2):
            satellite.set_health(Problem.MICROPHONE_CLIPPED)
        satellite.set_health()
        await settle()
        assert [item.problems for item in told if isinstance(item, Health)] == [
            (Problem.MICROPHONE_CLIPPED,),
            (),
        ]


async def test_the_place_is_in_the_welcome(tmp_path: Path) -> None:
    place = Location(latitude=48.1, longitude=11.5, accuracy_m=5.0)
    async with running_satellite(tmp_path, location=place) as satellite:
        welcome = satellite.station.welcome()
        assert (welcome.location_source, welcome.location) == (LocationSource.CONFIGURED, place)


async def test_a_class_that_the_model_does_not_have_is_no_setting(tmp_path: Path) -> None:
    async with running_satellite(tmp_path, classes=(SoundClass.DOG,)) as satellite:
        await satellite.station.configure(Configure(sensitivity={SoundClass.FIRE: Sensitivity.HIGH}))
        assert satellite.station.settings.sensitivity == {SoundClass.DOG: Sensitivity.MEDIUM}
