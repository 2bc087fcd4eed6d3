"""A wrong configuration is one line that names file, key and what would be right."""

import os
from pathlib import Path
import re

import pytest

from echonet_satellite import config as configuration
from echonet_satellite.channel import Blend
from echonet_satellite.config_command import text
from echonet_satellite.errors import ConfigError
from echonet_satellite.location import locate
from echonet_satellite.option_table import OPTIONS
from echonet_satellite.protocol import Location, LocationSource
from echonet_satellite.source_config import SourceConfig

EVERYTHING = """
name = "Hallway"
port = 9000
bind = ["192.168.1.20", "::1"]
allowed_hosts = ["pi.fritz.box"]
state = "state"

[audio]
source = "microphone"
device = 2
channel = "mix"

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
    return configuration.load(path, environment={}).config


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
        channel=Blend.MIX,
        model=Path("/opt/model"),
        location=Location(latitude=48.137, longitude=11.0, accuracy_m=5.0),
        keep_days=7,
        keep_detections=500,
        announce=False,
    )
    assert locate(config) == (LocationSource.CONFIGURED, config.location)


def test_each_room_has_its_source(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        '[[sources]]\nroom = "Kitchen"\ndevice = 1\nchannel = 2\n'
        '[[sources]]\nroom = "Garden"\nsource = "rtsp://camera/1"\n',
    )
    assert config.all_sources == (
        SourceConfig(room="Kitchen", device="1", channel=2),
        SourceConfig(room="Garden", source="rtsp://camera/1"),
    )
    assert load(tmp_path, "").all_sources == (SourceConfig(),)


def test_rooms_on_one_line_for_a_container_or_a_shell(tmp_path: Path) -> None:
    rooms = '[{room = "Hall"}, {room = "Garden", source = "rtsp://camera/1", channel = 2}]'
    by_variable = configuration.load(environment={"ECHONET_SATELLITE_SOURCES": rooms})
    by_flag = configuration.load(environment={}, flags={"sources": rooms})
    assert by_variable.config == by_flag.config
    assert by_flag.config.all_sources == (
        SourceConfig(room="Hall"),
        SourceConfig(room="Garden", source="rtsp://camera/1", channel=2),
    )
    assert by_variable.origins["sources"] == "$ECHONET_SATELLITE_SOURCES"
    assert "# $ECHONET_SATELLITE_SOURCES" in text(by_variable)
    kept = tmp_path / "kept.toml"
    kept.write_text(text(by_flag))
    assert configuration.load(kept, environment={}).config == by_flag.config
    for wrong, said in {
        "Hall": "--sources must be sections",
        '[{room = "Hall"}, {source = "demo"}]': "--sources: sources.room: is missing",
        '[{room = "Hall", volume = 3}]': "--sources: sources.volume: unknown key",
    }.items():
        with pytest.raises(ConfigError, match=re.escape(said)):
            configuration.load(environment={}, flags={"sources": wrong})


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
        (
            "[weather]\nx = 1",
            "weather: unknown key: allowed are allowed_hosts, audio, audio.channel, audio.device",
        ),
        ("[audio]\nchannel = 0", 'audio.channel: must be "mix", "loudest" or the number of a channel'),
        ("sources = 1", "sources: must be sections: write [[sources]] for each room"),
        ('[audio]\nsource = "demo"\n[[sources]]\nroom = "Hall"', "sources: must not stand beside [audio]"),
        ('[[sources]]\nroom = "Hall"\n[[sources]]\ndevice = 1', "sources.room: is missing"),
        ('[[sources]]\nroom = "Hall"\n[[sources]]\nroom = "hall"', "'Hall' is there twice"),
        (
            '[[sources]]\nrooms = "Hall"',
            "sources.rooms: unknown key: allowed are channel, device, room, source",
        ),
        ("[[sources]]\nchannel = true", "sources.channel: must be"),
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
    assert re.match(rf"{re.escape(str(tmp_path / 'config.toml'))}:\d+: ", message), message
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
    assert configuration.load().config.name == "home"
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path / "system"))
    assert configuration.load().config.name == "syst"


def test_the_documented_example_is_right(tmp_path: Path) -> None:
    """`docs/satellite.md`, where it shows a configuration, shows one that works."""
    page = Path(__file__).parents[2] / "docs" / "satellite.md"
    if not page.exists():
        pytest.skip("docs/satellite.md is not written yet")
    examples = re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
    assert examples
    for example in examples:
        load(tmp_path, example)


def test_every_option_is_also_an_environment_variable_and_a_flag() -> None:
    """The flag goes before the variable, the variable before the file; `config` shows where each value is from."""
    given = {
        "name": "Hall",
        "port": "9001",
        "bind": "192.168.1.20, ::1",
        "allowed_hosts": "pi.fritz.box,kitchen",
        "state": "/tmp/state",
        "audio.source": "demo",
        "audio.device": "2",
        "model.path": "/opt/model",
        "journal.keep_days": "7.5",
        "journal.keep_detections": "500",
        "discovery.announce": "no",
        "location.latitude": "48.137",
        "location.longitude": "11",
        "location.accuracy_m": "5",
        "location.gpsd": "localhost",
        "sensor.pin": "17",
        "sensor.active": "high",
        "sensor.loud_dbfs": "-20",
        "log.format": "json",
        "log.verbose": "true",
        "log.events_json": "on",
    }
    known = {option.key: option for option in OPTIONS}
    assert set(given) <= set(known)

    by_variable = configuration.load(environment={known[key].variable: value for key, value in given.items()})
    by_flag = configuration.load(environment={}, flags=given)

    assert by_variable.config == by_flag.config
    assert by_flag.config.bind == ("192.168.1.20", "::1")
    assert by_flag.config.location == Location(latitude=48.137, longitude=11.0, accuracy_m=5.0)
    assert by_flag.config.announce is False
    assert by_variable.origins["port"] == "$ECHONET_SATELLITE_PORT"
    assert by_flag.origins["port"] == "--port"


def test_a_flag_goes_before_a_variable_and_that_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('name = "File"\nport = 1\n\n[journal]\nkeep_days = 3\n')
    environment = {"ECHONET_SATELLITE_NAME": "Variable", "ECHONET_SATELLITE_PORT": "2"}

    found = configuration.load(path, environment=environment, flags={"port": "3"})

    assert (found.config.name, found.config.port, found.config.keep_days) == ("Variable", 3, 3)
    assert found.origins["name"] == "$ECHONET_SATELLITE_NAME"
    assert found.origins["port"] == "--port"
    assert found.origins["journal.keep_days"] == f"{path}:5"


@pytest.mark.parametrize(
    ("environment", "flags", "expected"),
    [
        ({"ECHONET_SATELLITE_PORT": "x"}, {}, "$ECHONET_SATELLITE_PORT must be a whole number"),
        ({"ECHONET_SATELLITE_ANNOUNCE": "maybe"}, {}, "$ECHONET_SATELLITE_ANNOUNCE must be true or false"),
        ({"ECHONET_SATELLITE_PROT": "1"}, {}, "did you mean ECHONET_SATELLITE_PORT?"),
        ({}, {"port": "70000"}, "--port must be a whole number from 0 to 65535, not 70000"),
        ({}, {"log.format": "xml"}, "--log-format must be text or json, not 'xml'"),
    ],
)
def test_a_wrong_variable_or_flag_is_named(
    environment: dict[str, str], flags: dict[str, str], expected: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        configuration.load(environment=environment, flags=flags)
    assert expected in str(caught.value)


def test_the_name_of_a_file_may_be_any_bytes(tmp_path: Path) -> None:
    """As Python hands over what is not UTF-8; a name for a person is another matter."""
    name = os.fsdecode(b"caf\xe9.wav")
    found = configuration.load(
        environment={"ECHONET_SATELLITE_STATE": str(tmp_path / name)}, flags={"audio.source": name}
    ).config
    assert (found.source, found.state) == (name, tmp_path / name)
    for flags in ({"name": name}, {"audio.source": "bell\n.wav"}, {"state": "\x07"}):
        with pytest.raises(ConfigError, match="must be a text"):
            configuration.load(environment={}, flags=flags)


def test_a_variable_without_a_value_says_nothing() -> None:
    assert configuration.load(environment={"ECHONET_SATELLITE_NAME": ""}).config.name is None


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("name = Kitchen", 'write name = "Kitchen", with quotation marks'),
        ("name: Kitchen", "write name = Kitchen, with an equals sign"),
        ('name = "Kitchen', 'write name = "Kitchen", with the closing quotation mark'),
        ("announce = False", "write announce = false"),
        ("latitude = 52,5", "write latitude = 52.5, with a decimal point"),
        ("port =", "port has no value"),
        ('path = "C:\\model"', "'single' quotation marks"),
    ],
)
def test_what_is_not_toml_is_said_with_its_line_and_what_to_write(
    tmp_path: Path, line: str, advice: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f"# mine\n\n{line}\n")
    assert f"{tmp_path / 'config.toml'}:3: " in str(caught.value)
    assert advice in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_key(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes('name = "Küche"\n'.encode(encoding))
    assert configuration.load(path, environment={}).config.name == "Küche"


def test_a_file_that_is_not_utf8_is_said_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes('port = 1\nname = "Küche"\n'.encode("latin-1"))
    with pytest.raises(ConfigError, match=r":2: not UTF-8 text: .*UTF-8"):
        configuration.load(path)


def test_the_configuration_that_is_shown_is_one(tmp_path: Path) -> None:
    """What `config` prints, kept as a file, is the same configuration."""
    shown = text(configuration.load(environment={}, flags={"name": 'a "b" \\ c', "bind": "::1,192.0.2.1"}))
    assert "--name" in shown
    assert "# default" in shown
    path = tmp_path / "config.toml"
    path.write_text(shown)
    again = configuration.load(path, environment={}).config
    assert (again.name, again.bind, again.port) == ('a "b" \\ c', ("::1", "192.0.2.1"), 8765)
