"""A wrong configuration is one line that names file, key and what would be right."""

from pathlib import Path
import re

import pytest

from echonet_satellite import config as configuration
from echonet_satellite.errors import ConfigError
from echonet_satellite.location import locate
from echonet_satellite.protocol import Location, LocationSource

EVERYTHING = """
name = "Hallway"
port = 9000
bind = ["192.168.1.20", "::1"]
allowed_hosts = ["pi.fritz.box"]
state = "state"

[audio]
source = "microphone"
device = 2

[model]
path = "/opt/model"

[location]
latitude = 48.137
longitude = 11
accuracy_m = 5

[journal]
keep_days = 7
keep_detections = 500

[discovery]
announce = false
"""


def load(tmp_path: Path, text: str) -> configuration.Config:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return configuration.load(path)


def test_every_key(tmp_path: Path) -> None:
    config = load(tmp_path, EVERYTHING)
    assert config == configuration.Config(
        name="Hallway",
        port=9000,
        bind=("192.168.1.20", "::1"),
        allowed_hosts=("pi.fritz.box",),
        state=tmp_path / "state",
        source="microphone",
        device="2",
        model=Path("/opt/model"),
        location=Location(latitude=48.137, longitude=11.0, accuracy_m=5.0),
        keep_days=7,
        keep_detections=500,
        announce=False,
    )
    assert locate(config) == (LocationSource.CONFIGURED, config.location)


def test_nothing_needs_to_be_said(tmp_path: Path) -> None:
    config = load(tmp_path, "")
    assert config == configuration.Config()
    assert locate(config) == (LocationSource.NONE, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prot = 1", "prot: unknown key: did you mean port?"),
        ("keep_days = 1", "keep_days: unknown key: did you mean journal.keep_days?"),
        ("[audio]\ndevise = 1", "audio.devise: unknown key: did you mean audio.device?"),
        ("[gps]\nx = 1", "gps: unknown key: allowed are allowed_hosts, audio, audio.device"),
        ("audio = 1", "audio: must be a section: write [audio]"),
        ("name = 1", "name: must be a text, not 1"),
        ('name = ""', "name: must be a text"),
        ('name = "a\\nb"', "name: must be a text"),
        (f'name = "{"x" * 41}"', "name: must not be longer than 40"),
        ("port = 65536", "port: must be a whole number from 0 to 65535, not 65536"),
        ("port = true", "port: must be a whole number"),
        ("port = 1.5", "port: must be a whole number"),
        ('port = "8765"', "port: must be a whole number"),
        ('bind = "127.0.0.1"', 'bind: must be a list of texts, such as ["one", "two"]'),
        ('bind = ["eth0"]', "bind: must be IP addresses, not 'eth0'"),
        ("allowed_hosts = [1]", "allowed_hosts: must be a text, not 1"),
        ("[discovery]\nannounce = 1", "discovery.announce: must be true or false, not 1"),
        ("[journal]\nkeep_days = 0", "journal.keep_days: must be a number from 1 to 3650"),
        ("[journal]\nkeep_days = nan", "journal.keep_days: must be a number"),
        ("[location]\nlatitude = 1", "location.longitude: is missing"),
        (
            "[location]\nlatitude = 91\nlongitude = 0",
            "location.latitude: must be a number from -90 to 90, not 91",
        ),
        (
            "[location]\nlatitude = 1\nlongitude = 2\naltitude = 3",
            "location.altitude: unknown key: did you mean",
        ),
        ("port = ", "not valid TOML"),
        ("port = 1\nport = 2", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "config.toml"))
    assert expected in message
    assert "\n" not in message


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config"):
        configuration.load(tmp_path / "missing.toml")
    (tmp_path / "latin.toml").write_bytes('name = "Küche"'.encode("latin-1"))
    with pytest.raises(ConfigError, match="UTF-8"):
        configuration.load(tmp_path / "latin.toml")


def test_the_usual_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("system", "home/echonet-satellite"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "config.toml").write_text(f'name = "{name[:4]}"')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CONFIGURATION_DIRECTORY", raising=False)
    assert configuration.load().name == "home"
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path / "system"))
    assert configuration.load().name == "syst"


def test_the_documented_example_is_right(tmp_path: Path) -> None:
    """`docs/satellite.md`, where it shows a configuration, shows one that works."""
    page = Path(__file__).parents[2] / "docs" / "satellite.md"
    if not page.exists():
        pytest.skip("docs/satellite.md is not written yet")
    examples = re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
    assert examples
    for example in examples:
        load(tmp_path, example)
