"""Every option of a satellite, once: its key in the file, its environment variable, and its flag."""

from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
import tomllib
from typing import Any, Final

ENVIRONMENT_PREFIX: Final = "ECHONET_SATELLITE_"


class Kind(Enum):
    """What the text of a variable or flag stands for."""

    TEXT = auto()
    NUMBER = auto()
    BOOLEAN = auto()
    LIST = auto()
    SECTIONS = auto()
    PATH = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option.

    Attributes:
        key: in the file, with its section.
        flag: of the command line; the environment variable is called alike.
        shown_as: where `Config` has its value.
        help: what it is, for `--help`.
        kind: of its value.
        metavar: what `--help` calls the value.
    """

    key: str
    flag: str
    shown_as: str
    help: str
    kind: Kind = Kind.TEXT
    metavar: str = "TEXT"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return ENVIRONMENT_PREFIX + self.flag.lstrip("-").replace("-", "_").upper()

    @property
    def destination(self) -> str:
        """The attribute of the parsed command line."""
        return self.flag.lstrip("-").replace("-", "_")

    def from_text(self, text: str) -> Any:
        """Return the value that TOML would have for this text; what it cannot be, is left as a text to complain of."""
        match self.kind:
            case Kind.NUMBER:
                for number in (int, float):
                    try:
                        return number(text)
                    except ValueError:
                        continue
            case Kind.BOOLEAN:
                return _BOOLEANS.get(text.strip().lower(), text)
            case Kind.LIST:
                return [item.strip() for item in text.split(",") if item.strip()]
            case Kind.SECTIONS:
                try:
                    return tomllib.loads(f"sections = {text}")["sections"]
                except tomllib.TOMLDecodeError:
                    return text
            case Kind.PATH:
                # A relative path of a variable or flag starts where the command does, not where the file lies.
                return str(Path(text).expanduser().absolute()) if text.strip() else text
        return text


_BOOLEANS: Final = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(
    ("false", "no", "off", "0"), False
)

OPTIONS: Final = (
    Option(
        key="name",
        flag="--name",
        shown_as="name",
        help="what Home Assistant calls the satellite (default: the machine's name and four digits)",
    ),
    Option(
        key="port",
        flag="--port",
        shown_as="port",
        kind=Kind.NUMBER,
        metavar="PORT",
        help="port to listen on (default: 8765; 0: any free one)",
    ),
    Option(
        key="bind",
        flag="--bind",
        shown_as="bind",
        kind=Kind.LIST,
        metavar="ADDRESS,...",
        help="addresses to serve (default: all of this machine)",
    ),
    Option(
        key="allowed_hosts",
        flag="--allowed-hosts",
        shown_as="allowed_hosts",
        kind=Kind.LIST,
        metavar="NAME,...",
        help="further names by which Home Assistant may call the satellite",
    ),
    Option(
        key="state",
        flag="--state",
        shown_as="state",
        kind=Kind.PATH,
        metavar="DIR",
        help="where keys, settings and what was heard lie (default: $STATE_DIRECTORY, else "
        "~/.local/share/echonet-satellite)",
    ),
    Option(
        key="audio.source",
        flag="--source",
        shown_as="source",
        metavar="microphone|demo|FILE|URL|-",
        help="where sound comes from: the microphone (default), the built-in sounds, a sound file, a camera or stream "
        "(rtsp://, http://), or - for standard input",
    ),
    Option(
        key="audio.device",
        flag="--device",
        shown_as="device",
        metavar="NAME_OR_INDEX",
        help="which microphone; `echonet-satellite devices` lists them",
    ),
    Option(
        key="audio.channel",
        flag="--channel",
        shown_as="channel",
        metavar="mix|loudest|N",
        help="which of several channels to hear (default: the loudest of each moment)",
    ),
    Option(
        key="sources",
        flag="--sources",
        shown_as="sources",
        kind=Kind.SECTIONS,
        metavar='[{room="Hall"}, {room="Garden", source="rtsp://..."}]',
        help="several rooms, each with its room, source, device and channel as above, written as in TOML; in place of "
        "--source, --device and --channel",
    ),
    Option(
        key="model.path",
        flag="--model",
        shown_as="model",
        kind=Kind.PATH,
        metavar="DIR",
        help="folder of the model (default: the built-in one)",
    ),
    Option(
        key="journal.keep_days",
        flag="--keep-days",
        shown_as="keep_days",
        kind=Kind.NUMBER,
        metavar="DAYS",
        help="how long to remember what was heard (default: 30)",
    ),
    Option(
        key="journal.keep_detections",
        flag="--keep-detections",
        shown_as="keep_detections",
        kind=Kind.NUMBER,
        metavar="NUMBER",
        help="how many sounds to remember (default: 20000)",
    ),
    Option(
        key="discovery.announce",
        flag="--announce",
        shown_as="announce",
        kind=Kind.BOOLEAN,
        help="announce the satellite, so that Home Assistant finds it by itself (default: yes)",
    ),
    Option(
        key="location.latitude",
        flag="--latitude",
        shown_as="location.latitude",
        kind=Kind.NUMBER,
        metavar="DEGREES",
        help="where the satellite is, for the map in an alert",
    ),
    Option(
        key="location.longitude",
        flag="--longitude",
        shown_as="location.longitude",
        kind=Kind.NUMBER,
        metavar="DEGREES",
        help="likewise",
    ),
    Option(
        key="location.accuracy_m",
        flag="--accuracy-m",
        shown_as="location.accuracy_m",
        kind=Kind.NUMBER,
        metavar="METRES",
        help="how exact that is",
    ),
    Option(
        key="location.gpsd",
        flag="--gpsd",
        shown_as="gpsd",
        metavar="HOST[:PORT]",
        help="ask gpsd where the satellite is, such as localhost (default: do not)",
    ),
    Option(
        key="sensor.pin",
        flag="--sensor-pin",
        shown_as="sensor.pin",
        kind=Kind.NUMBER,
        metavar="GPIO",
        help="on which GPIO pin (BCM number) an LM393 sound sensor is (default: there is none)",
    ),
    Option(
        key="sensor.active",
        flag="--sensor-active",
        shown_as="sensor.active",
        metavar="low|high",
        help="what the sensor's output is while it is loud (default: low)",
    ),
    Option(
        key="sensor.loud_dbfs",
        flag="--loud-dbfs",
        shown_as="loud_dbfs",
        kind=Kind.NUMBER,
        metavar="DBFS",
        help="from which peak on the microphone calls it loud (default: -15; `calibrate` proposes one)",
    ),
    Option(
        key="log.format",
        flag="--log-format",
        shown_as="log_format",
        metavar="text|json",
        help="how messages are written to standard error (default: text)",
    ),
    Option(
        key="log.verbose",
        flag="--verbose",
        shown_as="verbose",
        kind=Kind.BOOLEAN,
        help="say more on standard error",
    ),
    Option(
        key="log.events_json",
        flag="--events-json",
        shown_as="events_json",
        kind=Kind.BOOLEAN,
        help="write one JSON object per event to standard output",
    ),
)
