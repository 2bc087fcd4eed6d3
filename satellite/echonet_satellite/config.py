"""What the person who installs a satellite decides: in a TOML file, in the environment, or on the command line."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
import difflib
from enum import StrEnum
import ipaddress
import os
from pathlib import Path
import re
from typing import Any, Final

from . import config_file
from .channel import Blend, Channel, parse_channel
from .errors import ConfigError
from .gpsd import DEFAULT_PORT as GPSD_PORT
from .hardware import MAX_NAME_LENGTH
from .journal import DEFAULT_KEEP_COUNT, DEFAULT_KEEP_DAYS
from .option_table import ENVIRONMENT_PREFIX, OPTIONS, Option
from .protocol import DEFAULT_PORT, Location
from .sensor import SensorConfig
from .source_config import SourceConfig, SourceError, parse_sources

FILE_NAME: Final = "config.toml"
# A clap beside the microphone is louder, talk in the room is not.
DEFAULT_LOUD_DBFS: Final = -15.0
# How Python writes the bytes of a file's name that are not UTF-8.
_UNDECODED: Final = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class GpsdAddress:
    """Where gpsd answers."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return it as a file says it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class LogFormat(StrEnum):
    """How messages are written."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The configuration of one satellite; a name of None stands for the machine's, a model of None for our own."""

    name: str | None = None
    port: int = DEFAULT_PORT
    bind: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    state: Path | None = None
    source: str = "microphone"
    device: str | None = None
    channel: Channel = Blend.LOUDEST
    sources: tuple[SourceConfig, ...] = ()
    model: Path | None = None
    location: Location | None = None
    gpsd: GpsdAddress | None = None
    keep_days: float = DEFAULT_KEEP_DAYS
    keep_detections: int = DEFAULT_KEEP_COUNT
    announce: bool = True
    sensor: SensorConfig | None = None
    loud_dbfs: float = DEFAULT_LOUD_DBFS
    log_format: LogFormat = LogFormat.TEXT
    verbose: bool = False
    events_json: bool = False

    @property
    def all_sources(self) -> tuple[SourceConfig, ...]:
        """Every source of sound: one for each room, else the only one."""
        only = SourceConfig(source=self.source, device=self.device, channel=self.channel)
        return self.sources or (only,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """A configuration, and for each key that somebody has set, where."""

    config: Config
    origins: Mapping[str, str]


def load(
    path: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, str] | None = None,
) -> Effective:
    """Read a configuration file, or else the first of the usual places that has one; variables and flags go before it.

    Args:
        path: of the file.
        environment: the environment, that of this process where it is left out.
        flags: what the command line says, by key.

    Raises:
        ConfigError: the file cannot be read, or somebody says something that cannot be.
    """
    environment = os.environ if environment is None else environment
    if path is None:
        path = next((place for place in _usual_places(environment) if place.is_file()), None)
    data, lines = config_file.read(path) if path is not None else ({}, {})
    origins = {key: f"{path}:{number}" for key, number in lines.items()}
    for text, option, origin in [*_variables(environment), *_flags(flags or {})]:
        section, _, name = option.key.rpartition(".")
        table = data.setdefault(section, {}) if section else data
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: {section}: must be a section: write [{section}] and its keys below")
        table[name] = option.from_text(text)
        origins[option.key] = origin
    config = Config(**_Table(str(path or ""), data, origins).values())
    return Effective(config=config, origins=origins)


def _variables(environment: Mapping[str, str]) -> Iterator[tuple[str, Option, str]]:
    known = {option.variable: option for option in OPTIONS}
    for name, text in environment.items():
        # An empty variable is how a container is told nothing.
        if not name.startswith(ENVIRONMENT_PREFIX) or not text.strip():
            continue
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = (
                f"did you mean {close[0]}?" if close else "`echonet-satellite run --help` lists what there is"
            )
            raise ConfigError(f"the environment variable {name} is unknown: {hint}")
        yield text, known[name], f"${name}"


def _flags(flags: Mapping[str, str]) -> Iterator[tuple[str, Option, str]]:
    for option in OPTIONS:
        if option.key in flags:
            yield flags[option.key], option, option.flag


def _usual_places(environment: Mapping[str, str]) -> list[Path]:
    config_home = environment.get("XDG_CONFIG_HOME")
    places = [
        (Path(config_home) if config_home else Path.home() / ".config") / "echonet-satellite" / FILE_NAME,
        Path("/etc/echonet-satellite") / FILE_NAME,
    ]
    if systemd := environment.get("CONFIGURATION_DIRECTORY"):
        places.insert(0, Path(systemd.split(":")[0]) / FILE_NAME)
    return places


class _Table:
    """What somebody has said being read; every error names where, and the key."""

    def __init__(self, file: str, data: Mapping[str, Any], origins: Mapping[str, str]) -> None:
        self._file = file
        self._data = data
        self._origins = origins

    def values(self) -> dict[str, Any]:
        """Return the fields of `Config` that the file sets."""
        parsers: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
            "name": ("name", self._name),
            "port": ("port", lambda key, value: self._number(key, value, 0, 65535, whole=True)),
            "bind": ("bind", self._addresses),
            "allowed_hosts": ("allowed_hosts", self._strings),
            "state": ("state", self._path_value),
            "audio.source": ("source", self._file_name),
            "audio.device": ("device", self._device),
            "audio.channel": ("channel", self._channel),
            "sources": ("sources", self._sources),
            "model.path": ("model", self._path_value),
            "journal.keep_days": ("keep_days", lambda key, value: self._number(key, value, 1, 3650)),
            "journal.keep_detections": (
                "keep_detections",
                lambda key, value: self._number(key, value, 100, 10_000_000, whole=True),
            ),
            "discovery.announce": ("announce", self._boolean),
            "sensor.pin": ("sensor", lambda *_: self._sensor()),
            "sensor.active": ("sensor", lambda *_: self._sensor()),
            "sensor.loud_dbfs": ("loud_dbfs", lambda key, value: self._number(key, value, -90, 0)),
            "log.format": ("log_format", self._log_format),
            "log.verbose": ("verbose", self._boolean),
            "log.events_json": ("events_json", self._boolean),
            "location.gpsd": ("gpsd", self._gpsd),
            "location.latitude": ("location", lambda *_: self._location()),
            "location.longitude": ("location", lambda *_: self._location()),
            "location.accuracy_m": ("location", lambda *_: self._location()),
        }
        found: dict[str, Any] = {}
        for key, value in self._flat(parsers).items():
            name, parse = parsers[key]
            found[name] = parse(key, value)
        assert set(found) <= {field.name for field in fields(Config)}
        return found

    def _flat(self, allowed: Mapping[str, Any]) -> dict[str, Any]:
        sections = {key.partition(".")[0] for key in allowed if "." in key}
        flat: dict[str, Any] = {}
        for key, value in self._data.items():
            if key in sections:
                if not isinstance(value, dict):
                    raise self._error(key, f"must be a section: write [{key}] and its keys below")
                flat.update({f"{key}.{inner}": item for inner, item in value.items()})
            else:
                flat[key] = value
        for key in flat:
            if key not in allowed:
                raise self._unknown(key, [*allowed, *sections])
        return flat

    def _unknown(self, key: str, allowed: list[str]) -> ConfigError:
        # A key in the wrong section is as likely as a misspelt one.
        short = {name.rpartition(".")[2]: name for name in allowed}
        close = difflib.get_close_matches(key, allowed, n=1) or [
            short[name] for name in difflib.get_close_matches(key.rpartition(".")[2], short, n=1)
        ]
        hint = f"did you mean {close[0]}?" if close else f"allowed are {', '.join(sorted(allowed))}"
        return self._error(key, f"unknown key: {hint}")

    def _error(self, key: str, text: str) -> ConfigError:
        origins = self._origins
        origin = origins.get(key) or origins.get(key.rpartition(".")[0]) or self._file
        if not origin:
            return ConfigError(f"{key} {text}")
        # A flag or variable is the name of the value itself, but for what stands inside of it.
        is_value = origin.startswith(("-", "$")) and origins.get(key) == origin
        return ConfigError(f"{origin} {text}" if is_value else f"{origin}: {key}: {text}")

    def _string(self, key: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise self._error(key, f"must be a text, not {value!r}")
        return value.strip()

    def _file_name(self, key: str, value: Any) -> str:
        """Return a text that may name a file: a name may hold bytes that are no UTF-8."""
        if isinstance(value, str):
            self._string(key, _UNDECODED.sub("?", value))
            return value.strip()
        return self._string(key, value)

    def _strings(self, key: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise self._error(key, f'must be a list of texts, such as ["one", "two"], not {value!r}')
        return tuple(self._string(key, item) for item in value)

    def _name(self, key: str, value: Any) -> str:
        text = self._string(key, value)
        if len(text) > MAX_NAME_LENGTH:
            raise self._error(key, f"must not be longer than {MAX_NAME_LENGTH} characters")
        return text

    def _addresses(self, key: str, value: Any) -> tuple[str, ...]:
        addresses = self._strings(key, value)
        for address in addresses:
            try:
                ipaddress.ip_address(address)
            except ValueError:
                raise self._error(key, f"must be IP addresses, not {address!r}") from None
        return addresses

    def _device(self, key: str, value: Any) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self._string(key, value)

    def _channel(self, key: str, value: Any) -> Channel:
        try:
            return parse_channel(value)
        except ConfigError as err:
            raise self._error(key, str(err)) from None

    def _sources(self, key: str, value: Any) -> tuple[SourceConfig, ...]:
        if "audio" in self._data:
            raise self._error(
                key, "must not stand beside [audio]: that is for one source, [[sources]] for several"
            )
        parsers = {
            "room": self._name,
            "source": self._file_name,
            "device": self._device,
            "channel": self._channel,
        }
        try:
            return parse_sources(value, parsers)
        except SourceError as err:
            raise self._error(err.key, str(err)) from None

    def _boolean(self, key: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self._error(key, f"must be true or false, not {value!r}")
        return value

    def _number(self, key: str, value: Any, low: float, high: float, *, whole: bool = False) -> float:
        kinds = int if whole else (int, float)
        if not isinstance(value, kinds) or isinstance(value, bool) or not low <= value <= high:
            kind = "a whole number" if whole else "a number"
            raise self._error(key, f"must be {kind} from {low:g} to {high:g}, not {value!r}")
        return value

    def _path_value(self, key: str, value: Any) -> Path:
        path = Path(self._file_name(key, value)).expanduser()
        return path if path.is_absolute() else (Path(self._file).parent / path).absolute()

    def _log_format(self, key: str, value: Any) -> LogFormat:
        try:
            return LogFormat(value)
        except ValueError:
            raise self._error(key, f"must be text or json, not {value!r}") from None

    def _gpsd(self, key: str, value: Any) -> GpsdAddress:
        text = self._string(key, value)
        # An IPv6 address has colons of its own, and brackets where a port follows.
        bracketed = re.fullmatch(r"\[([0-9a-fA-F:]+)\](?::(\d+))?", text)
        plain = re.fullmatch(r"([^:\s]+)(?::(\d+))?", text)
        found = bracketed or plain
        if found is None or not 0 < int(found[2] or GPSD_PORT) <= 65535:
            raise self._error(
                key, f'must be an address such as "localhost" or "localhost:{GPSD_PORT}", not {value!r}'
            )
        return GpsdAddress(host=found[1], port=int(found[2] or GPSD_PORT))

    def _sensor(self) -> SensorConfig:
        section = self._data["sensor"]
        if "pin" not in section:
            raise self._error("sensor.pin", "is missing: say on which GPIO pin the sensor is")
        active = section.get("active", "low")
        if active not in {"low", "high"}:
            raise self._error("sensor.active", f"must be low or high, not {active!r}")
        pin = int(self._number("sensor.pin", section["pin"], 0, 27, whole=True))
        return SensorConfig(pin=pin, active_low=active == "low")

    def _location(self) -> Location:
        section = self._data["location"]
        for key in ("latitude", "longitude"):
            if key not in section:
                raise self._error(f"location.{key}", "is missing: a place needs latitude and longitude")
        return Location(
            latitude=self._number("location.latitude", section["latitude"], -90, 90),
            longitude=self._number("location.longitude", section["longitude"], -180, 180),
            accuracy_m=self._number("location.accuracy_m", section.get("accuracy_m", 0.0), 0, 1_000_000),
        )
