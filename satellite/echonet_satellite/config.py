"""What the person who installs a satellite writes down: a TOML file, every key of which may be left out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
import difflib
import ipaddress
import os
from pathlib import Path
import tomllib
from typing import Any, Final

from .errors import ConfigError
from .hardware import MAX_NAME_LENGTH
from .journal import DEFAULT_KEEP_COUNT, DEFAULT_KEEP_DAYS
from .protocol import DEFAULT_PORT, Location

FILE_NAME: Final = "config.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The configuration of one satellite; a name of None stands for the host's, a model of None for our own."""

    name: str | None = None
    port: int = DEFAULT_PORT
    bind: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    state: Path | None = None
    source: str = "microphone"
    device: str | None = None
    model: Path | None = None
    location: Location | None = None
    keep_days: float = DEFAULT_KEEP_DAYS
    keep_detections: int = DEFAULT_KEEP_COUNT
    announce: bool = True


def load(path: Path | None = None) -> Config:
    """Read a configuration file, or else the first of the usual places that has one.

    Raises:
        ConfigError: the file cannot be read, or says something it cannot say.
    """
    if path is None:
        path = next((place for place in _usual_places() if place.is_file()), None)
        if path is None:
            return Config()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as err:
        raise ConfigError(f"{path}: {err.strerror}: check the path that --config names") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text: save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as err:
        raise ConfigError(f"{path}: not valid TOML: {err}") from None
    return Config(**_Table(path, data).values())


def _usual_places() -> list[Path]:
    config_home = os.environ.get("XDG_CONFIG_HOME")
    places = [
        (Path(config_home) if config_home else Path.home() / ".config") / "echonet-satellite" / FILE_NAME,
        Path("/etc/echonet-satellite") / FILE_NAME,
    ]
    if systemd := os.environ.get("CONFIGURATION_DIRECTORY"):
        places.insert(0, Path(systemd.split(":")[0]) / FILE_NAME)
    return places


class _Table:
    """One file being read; every error names the file and the key."""

    def __init__(self, path: Path, data: Mapping[str, Any]) -> None:
        self._path = path
        self._data = data

    def values(self) -> dict[str, Any]:
        """Return the fields of `Config` that the file sets."""
        parsers: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
            "name": ("name", self._name),
            "port": ("port", lambda key, value: self._number(key, value, 0, 65535, whole=True)),
            "bind": ("bind", self._addresses),
            "allowed_hosts": ("allowed_hosts", self._strings),
            "state": ("state", self._path_value),
            "audio.source": ("source", self._string),
            "audio.device": ("device", self._device),
            "model.path": ("model", self._path_value),
            "journal.keep_days": ("keep_days", lambda key, value: self._number(key, value, 1, 3650)),
            "journal.keep_detections": (
                "keep_detections",
                lambda key, value: self._number(key, value, 100, 10_000_000, whole=True),
            ),
            "discovery.announce": ("announce", self._boolean),
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
        return ConfigError(f"{self._path}: {key}: {text}")

    def _string(self, key: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise self._error(key, f"must be a text, not {value!r}")
        return value.strip()

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
        path = Path(self._string(key, value)).expanduser()
        return path if path.is_absolute() else (self._path.parent / path).absolute()

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
