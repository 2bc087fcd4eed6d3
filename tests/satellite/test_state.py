"""What a satellite keeps in its state directory: private, written whole, and set aside or refused where damaged."""

from itertools import count
import json
from pathlib import Path
import time

import pytest

from echonet_satellite.controllers import MAX_CONTROLLERS, Controllers
from echonet_satellite.errors import IdentityError, StateError
from echonet_satellite.identity import load_or_create
from echonet_satellite.protocol import Sensitivity, SoundClass
from echonet_satellite.settings import SettingsStore
from echonet_satellite.state import exclusive, prepare_directory, write_private


def aside(folder: Path) -> list[str]:
    return [item.read_text() for item in folder.iterdir() if "damaged" in item.name]


@pytest.mark.parametrize(
    ("content", "listening"),
    [
        ("", False),
        ("{", False),
        ("[]", False),
        ("null", False),
        ('{"listening": 1}', False),
        ('{"sensitivity": {}}', False),
        pytest.param("[" * 100_000, False, id="deep"),
        ('{"listening": false, "sensitivity": {"dog": 1}}', False),
        ('{"listening": true, "sensitivity": {"cat": "low"}}', True),
        ('{"listening": true, "sensitivity": []}', True),
    ],
)
def test_damaged_settings_never_turn_listening_on(tmp_path: Path, content: str, listening: bool) -> None:
    path = tmp_path / "settings.json"
    path.write_text(content)
    for _ in range(2):  # nor does the start after the one that found the damage
        store = SettingsStore(path, tuple(SoundClass))
        settings = store.load()
        assert settings.listening is listening
        assert settings.sensitivity == dict.fromkeys(SoundClass, Sensitivity.MEDIUM)
        assert store.damaged
    assert aside(tmp_path) == [content]
    store.save(settings)
    assert not store.damaged
    store.load()
    assert not store.damaged


@pytest.mark.parametrize("step_ns", [0, -(10**13)])
def test_damage_that_comes_again_and_again_fills_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step_ns: int
) -> None:
    # A clock that stands still, and one that runs backwards.
    monkeypatch.setattr(time, "time_ns", count(1_795_790_355_000_000_000, step_ns).__next__)
    path = tmp_path / "settings.json"
    for number in range(6):
        path.write_text(str(number))
        SettingsStore(path, tuple(SoundClass)).load()
    assert sorted(aside(tmp_path)) == ["3", "4", "5"]


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
