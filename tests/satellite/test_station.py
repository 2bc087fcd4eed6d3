"""What the station makes of what is heard, of the owner's wishes, and of damaged files in its folder."""

import asyncio
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
import sqlite3

import pytest

from echonet_satellite.controllers import MAX_CONTROLLERS, Controllers
from echonet_satellite.errors import IdentityError, StateError
from echonet_satellite.identity import load_or_create
from echonet_satellite.protocol import (
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
    Snapshot,
    SoundClass,
    Test,
)
from echonet_satellite.settings import SettingsStore
from echonet_satellite.state import exclusive, prepare_directory, write_private
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


async def test_mute_of_all_and_its_early_end(tmp_path: Path) -> None:
    async with running_satellite(tmp_path, clock=Clock()) as satellite:
        told = listen(satellite)
        await satellite.station.mute(Mute(duration_s=3600))
        satellite.emit("gunshot")
        await satellite.station.test(Test(sound_class=SoundClass.ALARM))
        await satellite.station.mute(Mute(duration_s=0))
        satellite.emit("gunshot")
        await settle()
        assert phases(told) == [("alarm", Phase.START), ("gunshot", Phase.START)]


async def test_what_a_kill_cut_off_is_ended_at_the_next_start(tmp_path: Path) -> None:
    async with running_satellite(tmp_path) as satellite:
        fire = satellite.emit("fire")
        await satellite.stop()
        await satellite.start()
        found = satellite.journal.pending("new", up_to=satellite.journal.last_sequence)
        assert [(item.id, item.phase) for item in found] == [(fire, Phase.START), (fire, Phase.END)]
        assert satellite.station.told_sequence == satellite.journal.last_sequence


async def test_a_full_disk_is_told_and_so_is_the_alarm(tmp_path: Path) -> None:
    async with running_satellite(tmp_path) as satellite:
        told = listen(satellite)
        database = satellite.journal._database
        database.execute("PRAGMA max_page_count = 1")
        for _ in range(200):
            satellite.emit("gunshot")
        await settle()
        assert len(phases(told)) == 200
        sequences = [item.sequence for item in told if isinstance(item, Detection)]
        assert sequences == sorted(set(sequences))
        assert [item.problems for item in told if isinstance(item, Health)] == [(Problem.DISK_FULL,)]
        database.execute("PRAGMA max_page_count = 100000")
        satellite.emit("dog")
        await settle()
        assert satellite.station.snapshot().health.problems == ()


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


# Files of the state directory.


def aside(folder: Path) -> list[str]:
    return [item.read_text() for item in folder.iterdir() if "damaged" in item.name]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"listening": 1}',
        '{"listening": true, "sensitivity": {"cat": "low"}}',
        '{"listening": false, "sensitivity": {"dog": 1}}',
        '{"listening": true, "sensitivity": []}',
        "[" * 100_000,
    ],
)
def test_damaged_settings_are_set_aside(tmp_path: Path, content: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(content)
    settings = SettingsStore(path, tuple(SoundClass)).load()
    assert settings.listening
    assert settings.sensitivity == dict.fromkeys(SoundClass, Sensitivity.MEDIUM)
    assert aside(tmp_path) == [content]
    assert not path.exists()


def test_settings_survive_another_model(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    store = SettingsStore(path, (SoundClass.DOG,))
    path.write_text('{"listening": false, "sensitivity": {"fire": "low", "dog": "high"}}')
    assert store.load().sensitivity == {SoundClass.DOG: Sensitivity.HIGH}
    store.save(store.load())
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == {"listening": False, "sensitivity": {"dog": "high"}}


@pytest.mark.parametrize("content", ["", "[]", '{"controllers": [{}]}', '{"controllers": [{"id": 1}]}', "{}"])
def test_a_damaged_list_of_controllers_is_set_aside(tmp_path: Path, content: str) -> None:
    path = tmp_path / "controllers.json"
    path.write_text(content)
    assert Controllers(path).all == ()
    assert aside(tmp_path) == [content]


def test_tokens_are_recognised_after_a_restart_and_not_after_being_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "controllers.json"
    controllers = Controllers(path)
    controller, token = controllers.issue("Home")
    assert len(token) == 43
    assert path.stat().st_mode & 0o777 == 0o600
    again = Controllers(path)
    assert again.authenticate(token) == controller
    assert again.authenticate(token[:-1]) is None
    again.forget(controller.id)
    assert again.authenticate(token) is None
    assert Controllers(path).authenticate(token) is None


def test_the_oldest_controller_makes_room(tmp_path: Path) -> None:
    controllers = Controllers(tmp_path / "controllers.json")
    tokens = [controllers.issue(str(number))[1] for number in range(MAX_CONTROLLERS + 1)]
    assert len(controllers.all) == MAX_CONTROLLERS
    assert controllers.authenticate(tokens[0]) is None
    assert controllers.authenticate(tokens[1]) is not None


def test_an_identity_is_made_once_and_private(tmp_path: Path) -> None:
    state = tmp_path / "state"
    prepare_directory(state)
    identity = load_or_create(state)
    assert len(identity.satellite_id) == 32
    assert load_or_create(state) == identity
    assert state.stat().st_mode & 0o777 == 0o700
    folder = state / "identity"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {item.stat().st_mode & 0o777 for item in folder.iterdir()} == {0o600}
    assert [item.name for item in state.iterdir()] == ["identity"]
    other = tmp_path / "other"
    prepare_directory(other)
    assert load_or_create(other).satellite_id != identity.satellite_id


def test_loose_permissions_are_tightened(tmp_path: Path) -> None:
    prepare_directory(tmp_path)
    identity = load_or_create(tmp_path)
    for path in (tmp_path, tmp_path / "identity"):
        path.chmod(0o755)
    identity.key_path.chmod(0o644)
    prepare_directory(tmp_path)
    load_or_create(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "identity").stat().st_mode & 0o777 == 0o700
    assert identity.key_path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["key.pem", "certificate.pem", "satellite_id"])
@pytest.mark.parametrize("content", [None, b"", b"\xff damaged"])
def test_a_damaged_identity_is_never_replaced(tmp_path: Path, name: str, content: bytes | None) -> None:
    prepare_directory(tmp_path)
    load_or_create(tmp_path)
    path = tmp_path / "identity" / name
    before = {item.name: item.read_bytes() for item in path.parent.iterdir() if item != path}
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(IdentityError) as caught:
        load_or_create(tmp_path)
    assert "\n" not in str(caught.value)
    assert {item.name: item.read_bytes() for item in path.parent.iterdir() if item != path} == before


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        prepare_directory(tmp_path / name)
    one, two = load_or_create(tmp_path / "one"), load_or_create(tmp_path / "two")
    two.key_path.write_bytes(one.key_path.read_bytes())
    with pytest.raises(IdentityError, match="damaged"):
        load_or_create(tmp_path / "two")


def test_a_state_directory_is_for_one_satellite(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path),
        pytest.raises(StateError, match="another satellite"),
        exclusive(tmp_path),
    ):
        pass
    with exclusive(tmp_path):
        pass


def test_a_state_directory_that_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(StateError, match="--state"):
        prepare_directory(path)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    write_private(path, b"old")
    with pytest.raises(StateError):
        write_private(tmp_path / "missing" / "settings.json", b"new")
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert [item.name for item in tmp_path.iterdir()] == ["settings.json"]
