"""The messages between a satellite and Home Assistant: one file, used by both sides.

One JSON object a WebSocket text frame, its `type` first. `docs/protocol.md` is the specification. The module
imports nothing from Home Assistant and runs on Python 3.11, because the satellite uses it through a symbolic link.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum, StrEnum
import json
import math
from types import NoneType, UnionType
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

PROTOCOL_VERSION = 1
SERVICE_TYPE = "_echonet._tcp.local."
DEFAULT_PORT = 8765

PATH_PAIR_START = "/pair/start"
PATH_PAIR_FINISH = "/pair/finish"
PATH_SOCKET = "/socket"

MAX_FRAME_BYTES = 64 * 1024
MAX_STRING_LENGTH = 256
AUTHENTICATION_TIMEOUT_S = 10.0
HEARTBEAT_S = 20.0
SILENCE_TIMEOUT_S = 60.0

CLOSE_BAD_MESSAGE = 4400
CLOSE_BAD_TOKEN = 4401
CLOSE_TOO_MANY_CONTROLLERS = 4403
CLOSE_AUTHENTICATION_TIMEOUT = 4408
CLOSE_SLOW_CONTROLLER = 4413
CLOSE_PROTOCOL_VERSION = 4426


class EchonetError(Exception):
    """Root of every error that EchoNet raises on purpose; its text is one line for a person."""


class ProtocolError(EchonetError):
    """A frame that is not a message of this protocol."""


class SoundClass(StrEnum):
    """What EchoNet recognises."""

    GUNSHOT = "gunshot"
    GLASS_BREAK = "glass_break"
    BABY_CRY = "baby_cry"
    ALARM = "alarm"
    FIRE = "fire"
    DOG = "dog"
    PRESENCE = "presence"
    SCREAM = "scream"


class Phase(StrEnum):
    """Where a detection stands."""

    START = "start"
    UPDATE = "update"
    END = "end"


class AlarmPattern(StrEnum):
    """The temporal pattern of an alarm: T3 is smoke (ISO 8201), T4 is carbon monoxide."""

    T3 = "t3"
    T4 = "t4"
    SIREN = "siren"
    CLOCK = "clock"
    UNKNOWN = "unknown"


class Sensitivity(StrEnum):
    """What the user turns, one per class; `off` means that the class is not reported."""

    OFF = "off"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Problem(StrEnum):
    """What can keep a satellite from hearing well."""

    MICROPHONE_MISSING = "microphone_missing"
    MICROPHONE_SILENT = "microphone_silent"
    MICROPHONE_CLIPPED = "microphone_clipped"
    BLOCKS_DROPPED = "blocks_dropped"
    TOO_SLOW = "too_slow"
    DISK_FULL = "disk_full"


class LocationSource(StrEnum):
    """Where a satellite's coordinates come from."""

    NONE = "none"
    CONFIGURED = "configured"
    GPS = "gps"


class Verdict(StrEnum):
    """What a person says of a detection."""

    CORRECT = "correct"
    FALSE_ALARM = "false_alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Coordinates in degrees (WGS 84); `accuracy_m` is a radius in metres."""

    latitude: float = field(metadata={"ge": -90.0, "le": 90.0})
    longitude: float = field(metadata={"ge": -180.0, "le": 180.0})
    accuracy_m: float = field(default=0.0, metadata={"ge": 0.0})


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Base of all messages; `type` is what a frame names it by."""

    type: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello(Message):
    """First frame, from the satellite: who speaks, and in which version."""

    type: ClassVar[str] = "hello"
    protocol: int = field(metadata={"ge": 1})
    satellite_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth(Message):
    """First frame of the controller: the token that pairing issued (base64url)."""

    type: ClassVar[str] = "auth"
    token: str = field(repr=False)
    protocol: int = field(default=PROTOCOL_VERSION, metadata={"ge": 1})


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome(Message):
    """What the satellite is; follows a good token."""

    type: ClassVar[str] = "welcome"
    satellite_id: str
    name: str
    version: str
    hardware: str
    model_name: str
    model_version: str
    classes: tuple[SoundClass, ...]
    location_source: LocationSource = LocationSource.NONE
    location: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the owner turns. `sensitivity` names every class of the model."""

    listening: bool
    sensitivity: Mapping[SoundClass, Sensitivity]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection(Message):
    """One sound heard by one satellite: it starts, may be updated, and ends; `id` stays the same.

    `sequence` grows by one with each message that is kept until acknowledged. `onset` is when the sound began (UTC),
    `peak_dbfs` its loudest level so far. `replayed` marks what happened while nobody was connected, `test` a detection
    that was asked for.
    """

    type: ClassVar[str] = "detection"
    id: str
    sequence: int = field(metadata={"ge": 1})
    sound_class: SoundClass
    phase: Phase
    onset: datetime
    confidence: float = field(metadata={"ge": 0.0, "le": 1.0})
    peak_dbfs: float
    duration_s: float = field(default=0.0, metadata={"ge": 0.0})
    pattern: AlarmPattern | None = None
    replayed: bool = False
    test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Health(Message):
    """How the satellite is; sent when it changes."""

    type: ClassVar[str] = "health"
    problems: tuple[Problem, ...] = ()
    dropped_blocks: int = field(default=0, metadata={"ge": 0})
    realtime_factor: float = field(default=0.0, metadata={"ge": 0.0})


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Message):
    """The whole state, after `welcome` and after every change of settings."""

    type: ClassVar[str] = "snapshot"
    active: tuple[Detection, ...]
    health: Health
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Level(Message):
    """Sound level of the last moment, in dB below full scale; only while somebody watches."""

    type: ClassVar[str] = "level"
    rms_dbfs: float
    peak_dbfs: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack(Message):
    """Everything up to `sequence` has arrived and may be forgotten."""

    type: ClassVar[str] = "ack"
    sequence: int = field(metadata={"ge": 0})


@dataclass(frozen=True, slots=True, kw_only=True)
class Configure(Message):
    """Change settings; what is left out stays as it is. Answered by a `snapshot`."""

    type: ClassVar[str] = "configure"
    listening: bool | None = None
    sensitivity: Mapping[SoundClass, Sensitivity] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute(Message):
    """Report nothing of `classes` (none named: of all) for `duration_s` seconds; 0 ends it."""

    type: ClassVar[str] = "mute"
    duration_s: float = field(metadata={"ge": 0.0, "le": 86400.0})
    classes: tuple[SoundClass, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Test(Message):
    """Send a detection of `sound_class` marked `test`, to try the way to the phone."""

    type: ClassVar[str] = "test"
    sound_class: SoundClass
    __test__: ClassVar[bool] = False  # the name would make pytest collect it


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(Message):
    """A person's verdict on a detection; kept in the journal, to learn from."""

    type: ClassVar[str] = "label"
    detection_id: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch(Message):
    """Start or stop `level` messages to this controller."""

    type: ClassVar[str] = "watch"
    enabled: bool


MESSAGES: Mapping[str, type[Message]] = {
    message.type: message
    for message in (
        Hello,
        Auth,
        Welcome,
        Snapshot,
        Detection,
        Health,
        Level,
        Ack,
        Configure,
        Mute,
        Test,
        Label,
        Watch,
    )
}


def encode(message: Message) -> str:
    """Return the text frame of a message."""
    return json.dumps(
        {"type": message.type, **_plain_fields(message)}, separators=(",", ":"), allow_nan=False
    )


def decode(text: str) -> Message:
    """Return the message of a text frame.

    Unknown fields are ignored, so that a newer peer may say more.

    Raises:
        ProtocolError: not JSON, an unknown type, a missing field, a wrong type, or a value out of range.
    """
    if len(text) > MAX_FRAME_BYTES or len(text.encode(errors="replace")) > MAX_FRAME_BYTES:
        raise ProtocolError(f"frame is larger than {MAX_FRAME_BYTES} bytes")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise ProtocolError("frame is not JSON") from None
    if not isinstance(data, dict):
        raise ProtocolError("frame is not a JSON object")
    name = data.get("type")
    message_type = MESSAGES.get(name) if isinstance(name, str) else None
    if message_type is None:
        raise ProtocolError("frame has an unknown type")
    message = _build(message_type, data, message_type.type)
    assert isinstance(message, Message)
    return message


def _plain_fields(value: Any) -> dict[str, Any]:
    return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    if is_dataclass(value):
        return _plain_fields(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _build(kind: type[Any], data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise ProtocolError(f"{where} is not an object")
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for item in fields(kind):
        if item.name not in data:
            if item.default is MISSING and item.default_factory is MISSING:
                raise ProtocolError(f"{where}.{item.name} is missing")
            continue
        value = _parse(hints[item.name], data[item.name], f"{where}.{item.name}")
        low, high = item.metadata.get("ge"), item.metadata.get("le")
        if (low is not None and value < low) or (high is not None and value > high):
            raise ProtocolError(f"{where}.{item.name} is out of range")
        values[item.name] = value
    return kind(**values)


def _parse(hint: Any, value: Any, where: str) -> Any:
    origin = get_origin(hint)
    if origin is UnionType:
        if value is None:
            return None
        (hint,) = (item for item in get_args(hint) if item is not NoneType)
        return _parse(hint, value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(_parse(get_args(hint)[0], item, where) for item in value)
    if origin is Mapping and isinstance(value, dict):
        key_hint, value_hint = get_args(hint)
        return {_parse(key_hint, key, where): _parse(value_hint, item, where) for key, item in value.items()}
    if isinstance(hint, type):
        return _parse_scalar(hint, value, where)
    raise ProtocolError(f"{where} has the wrong type")


def _parse_scalar(hint: type[Any], value: Any, where: str) -> Any:
    if is_dataclass(hint):
        return _build(hint, value, where)
    if hint is bool and isinstance(value, bool):
        return value
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        if abs(value) < 2**53:
            return value
    elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) < 2**53 and math.isfinite(value):
            return float(value)
    elif isinstance(value, str):
        return _parse_string(hint, value, where)
    raise ProtocolError(f"{where} has the wrong type")


def _parse_string(hint: type[Any], value: str, where: str) -> Any:
    if hint is str and len(value) <= MAX_STRING_LENGTH and value.isprintable():
        return value
    if issubclass(hint, StrEnum):
        try:
            return hint(value)
        except ValueError:
            raise ProtocolError(f"{where} has an unknown value") from None
    if hint is datetime:
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise ProtocolError(f"{where} is not a time with its zone")
    raise ProtocolError(f"{where} has the wrong type")
