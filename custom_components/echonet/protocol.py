"""The messages between a satellite and Home Assistant: one file, used by both sides.

`docs/protocol.md` is the specification; `codec.py` makes text frames of the messages. The module imports nothing from
Home Assistant and runs on Python 3.11, because the satellite uses it through a symbolic link.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

PROTOCOL_VERSION = 1
SERVICE_TYPE = "_echonet._tcp.local."
DEFAULT_PORT = 8765

PATH_PAIR = "/pair"
PATH_PAIR_START = "/pair/start"
PATH_PAIR_FINISH = "/pair/finish"
PATH_SOCKET = "/socket"
PATH_CLIPS = "/v1/clips"
PATH_CLASSIFY = "/v1/classify"
PATH_OPENAPI = "/v1/openapi.json"

MAX_FRAME_BYTES = 64 * 1024
MAX_STRING_LENGTH = 256
MAX_ITEMS = 64
AUTHENTICATION_TIMEOUT_S = 10.0
HEARTBEAT_S = 20.0
SILENCE_TIMEOUT_S = 60.0
LATEST_TIME_S = 2.0**33  # the year 2242: what is later is no clock

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


class UnknownMessage(ProtocolError):
    """A frame that a newer peer may send; `sequence` is that of a detection, which can be acknowledged all the same."""

    def __init__(self, text: str, *, sequence: int | None = None) -> None:
        """Say what is unknown."""
        super().__init__(text)
        self.sequence = sequence


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
    """The temporal pattern of an alarm: T3 is smoke (ISO 8201), T4 carbon monoxide, a chirp an empty battery.

    A clock is told only after several exact cycles.
    """

    T3 = "t3"
    T4 = "t4"
    SIREN = "siren"
    CLOCK = "clock"
    CHIRP = "chirp"
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
    MICROPHONE_FROZEN = "microphone_frozen"
    MICROPHONE_WRONG_CHANNEL = "microphone_wrong_channel"
    HEARING_STUCK = "hearing_stuck"
    BLOCKS_DROPPED = "blocks_dropped"
    TOO_SLOW = "too_slow"
    DISK_FULL = "disk_full"
    DISK_READ_ONLY = "disk_read_only"
    JOURNAL_FAILING = "journal_failing"
    CLOCK_WRONG = "clock_wrong"
    SETTINGS_LOST = "settings_lost"
    MICROPHONE_DEAF = "microphone_deaf"
    SENSOR_MISSING = "sensor_missing"
    SENSOR_SILENT = "sensor_silent"


# With one of these a satellite is deaf.
MICROPHONE_PROBLEMS = frozenset(
    {
        Problem.MICROPHONE_MISSING,
        Problem.MICROPHONE_SILENT,
        Problem.MICROPHONE_CLIPPED,
        Problem.MICROPHONE_DEAF,
        Problem.MICROPHONE_FROZEN,
        Problem.MICROPHONE_WRONG_CHANNEL,
        Problem.HEARING_STUCK,
    }
)


class LocationSource(StrEnum):
    """Where a satellite's coordinates come from."""

    NONE = "none"
    CONFIGURED = "configured"
    GPS = "gps"


class Installation(StrEnum):
    """How a satellite was installed, which decides what its owner types to pair it."""

    SERVICE = "service"
    CONTAINER = "container"
    APP = "app"
    USER = "user"
    COMMAND = "command"


class Verdict(StrEnum):
    """What a person says of a detection."""

    CORRECT = "correct"
    FALSE_ALARM = "false_alarm"


class Talk(StrEnum):
    """What becomes of a clip in which somebody talks."""

    MUTED = "muted"
    DROPPED = "dropped"


class LessonOutcome(StrEnum):
    """What a satellite makes of a verdict.

    `refused_smoke`: the rhythm of a smoke or CO alarm is never unlearned. `refused_similar`: it is too much like sounds
    that must be heard. `not_kept`: nobody knows any more what it sounded like.
    """

    LEARNED = "learned"
    FORGOTTEN = "forgotten"
    NOTED = "noted"
    REFUSED_SMOKE = "refused_smoke"
    REFUSED_SIMILAR = "refused_similar"
    NOT_KEPT = "not_kept"


class TeachOutcome(StrEnum):
    """What a satellite makes of a wish to be taught a sound.

    `listening` comes first, and one of the others when it has listened. `full`: it knows as many sounds, or as many
    recordings of this one, as it can keep.
    """

    LISTENING = "listening"
    LEARNED = "learned"
    NOTHING_HEARD = "nothing_heard"
    NOT_LISTENING = "not_listening"
    BUSY = "busy"
    FULL = "full"
    FAILED = "failed"


class TeachHint(StrEnum):
    """What is worth knowing of a recording that was learned.

    `unlike`: it is unlike the recordings before it; `short`: it is so short that other sounds may be like it;
    `known`: the satellite tells of it as a sound of its model already.
    """

    UNLIKE = "unlike"
    SHORT = "short"
    KNOWN = "known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Coordinates in degrees (WGS 84); `accuracy_m` is a radius in metres, `age_s` how long ago they were found."""

    latitude: float = field(metadata={"ge": -90.0, "le": 90.0})
    longitude: float = field(metadata={"ge": -180.0, "le": 180.0})
    accuracy_m: float = field(default=0.0, metadata={"ge": 0.0})
    age_s: float = field(default=0.0, metadata={"ge": 0.0, "le": LATEST_TIME_S})


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Base of all messages; `type` is what a frame names it by."""

    type: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello(Message):
    """First frame, from the satellite: who speaks, and in which version; it proves nothing.

    `pairing_left_s` is how long the code that it shows is still valid, 0 if it shows none.
    """

    type: ClassVar[str] = "hello"
    protocol: int = field(metadata={"ge": 1})
    satellite_id: str
    name: str = ""
    installation: Installation | None = None
    pairing_left_s: float = field(default=0.0, metadata={"ge": 0.0, "le": 86400.0})


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth(Message):
    """First frame of the controller: the token that pairing issued (base64url)."""

    type: ClassVar[str] = "auth"
    token: str = field(repr=False)
    protocol: int = field(default=PROTOCOL_VERSION, metadata={"ge": 1})


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome(Message):
    """What the satellite is; follows a good token.

    `tells_time`: it answers `time_request`. `rooms`: it hears several, by these names; else only where it is.
    `learns`: it learns from verdicts, and takes `teach` and `forget`.
    """

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
    tells_time: bool = False
    rooms: tuple[str, ...] = ()
    learns: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaughtSound:
    """A sound that the home has taught; it is recognised (`ready`) once there are enough recordings of it."""

    id: str
    name: str
    examples: int = field(metadata={"ge": 0})
    ready: bool = False
    active: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """What the satellite was taught at home: how many false alarms of each class, and sounds of its own."""

    false_alarms: Mapping[SoundClass, int]
    sounds: tuple[TaughtSound, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSettings:
    """Whether sound is kept, of which classes, and for how long. `classes` names every class of the model."""

    enabled: bool
    classes: Mapping[SoundClass, bool]
    talk: Talk = Talk.MUTED
    keep_days: int = field(default=7, metadata={"ge": 1, "le": 365})
    keep_mb: int = field(default=200, metadata={"ge": 10, "le": 10_000})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipChange:
    """What is to change of `ClipSettings`; what is left out stays as it is."""

    enabled: bool | None = None
    classes: Mapping[SoundClass, bool] = field(default_factory=dict)
    talk: Talk | None = None
    keep_days: int | None = field(default=None, metadata={"ge": 1, "le": 365})
    keep_mb: int | None = field(default=None, metadata={"ge": 10, "le": 10_000})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the owner turns. `sensitivity` names every class of the model; `clips` is none where none can be kept."""

    listening: bool
    sensitivity: Mapping[SoundClass, Sensitivity]
    clips: ClipSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection(Message):
    """One sound heard by one satellite: it starts, may be updated, and ends; `id` stays the same.

    `sequence` grows by one with each message that is kept until acknowledged. `onset` is when the sound began (UTC),
    `peak_dbfs` its loudest level so far. `replayed` marks what happened while nobody was connected, `test` a detection
    that was asked for. `room` names where it was heard, on a satellite that hears several.
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
    room: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """What is wrong with what hears one room."""

    room: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Health(Message):
    """How the satellite is; sent when it changes. `sources`: how each room is heard, where there are several."""

    type: ClassVar[str] = "health"
    problems: tuple[Problem, ...] = ()
    dropped_blocks: int = field(default=0, metadata={"ge": 0})
    realtime_factor: float = field(default=0.0, metadata={"ge": 0.0})
    sources: tuple[SourceHealth, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Message):
    """The whole state, after `welcome` and after every change of settings or of what was learned."""

    type: ClassVar[str] = "snapshot"
    active: tuple[Detection, ...]
    health: Health
    settings: Settings
    learning: Learning = Learning(false_alarms={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Level(Message):
    """What the last moment sounded like, in dB below full scale; only while somebody watches.

    `probabilities` are those that the satellite decides by, `thresholds` what each must reach at the sensitivity that
    is set (a class that is off has none), `bands_dbfs` how loud each band of pitch was, from the deepest up. All of it
    is of the loudest room where there are several; `rooms` is how loud (RMS) it was in each.
    """

    type: ClassVar[str] = "level"
    rms_dbfs: float
    peak_dbfs: float
    probabilities: Mapping[SoundClass, float] = field(default_factory=dict)
    thresholds: Mapping[SoundClass, float] = field(default_factory=dict)
    bands_dbfs: tuple[int, ...] = ()
    rooms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip(Message):
    """The sound of a detection is kept, and can be fetched from now on; `muted_s` of it was talk, and is silent."""

    type: ClassVar[str] = "clip"
    detection_id: str
    sound_class: SoundClass
    onset: datetime
    duration_s: float = field(metadata={"ge": 0.0})
    muted_s: float = field(default=0.0, metadata={"ge": 0.0})
    size_bytes: int = field(default=0, metadata={"ge": 0})


@dataclass(frozen=True, slots=True, kw_only=True)
class Position(Message):
    """Where the satellite is now, because it has moved or knows it better than what `welcome` said."""

    type: ClassVar[str] = "position"
    location_source: LocationSource
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class LoudNoise(Message):
    """A loud noise begins (`start`) or is over (`end`), whatever it is; kept until acknowledged, as a detection is.

    `peak_dbfs` is how loud the microphone heard it, `pulses` how often the sound sensor pulsed; null without one.
    `sequence` counts on with those of the detections; 0 is one that is not kept. `room` names where it was heard, on a
    satellite that hears several.
    """

    type: ClassVar[str] = "loud_noise"
    id: str
    phase: Phase
    onset: datetime
    duration_s: float = field(default=0.0, metadata={"ge": 0.0})
    peak_dbfs: float | None = None
    pulses: int | None = None
    sequence: int = field(default=0, metadata={"ge": 0})
    replayed: bool = False
    room: str = ""


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
    clips: ClipChange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute(Message):
    """Report nothing of `classes` (none named: of all) for `duration_s` seconds, but smoke and CO alarms; 0 ends it.

    With `rooms`, only of what is heard there; those that the satellite does not know are left out.
    """

    type: ClassVar[str] = "mute"
    duration_s: float = field(metadata={"ge": 0.0, "le": 86400.0})
    # None named means all: where none of those named is known, nothing may be muted.
    classes: tuple[SoundClass, ...] = field(default=(), metadata={"some": True})
    rooms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Test(Message):
    """Send a detection of `sound_class` marked `test`, to try the way to the phone, as if it were heard in `room`."""

    type: ClassVar[str] = "test"
    sound_class: SoundClass
    room: str = ""
    __test__: ClassVar[bool] = False  # the name would make pytest collect it


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(Message):
    """A person's verdict on a detection; kept in the journal, and learned from: answered by a `lesson`."""

    type: ClassVar[str] = "label"
    detection_id: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson(Message):
    """What the satellite makes of a verdict; sent to everybody, before the `snapshot` that shows it."""

    type: ClassVar[str] = "lesson"
    detection_id: str
    outcome: LessonOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget(Message):
    """Hear again what was learned to be no alarm, and forget taught sounds. Answered by a `snapshot`."""

    type: ClassVar[str] = "forget"
    false_alarms: bool = False
    sounds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Teach(Message):
    """Listen now, for some seconds, to a sound of this name. Answered by `taught`, first that it listens."""

    type: ClassVar[str] = "teach"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught(Message):
    """What became of `teach`; `examples` of `needed` recordings are there. Sent to everybody.

    `sound_class` is what a sound that is `known` is told as.
    """

    type: ClassVar[str] = "taught"
    name: str
    outcome: TeachOutcome
    examples: int = field(default=0, metadata={"ge": 0})
    needed: int = field(default=0, metadata={"ge": 0})
    listens_s: float = field(default=0.0, metadata={"ge": 0.0})
    hint: TeachHint | None = None
    sound_class: SoundClass | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundHeard(Message):
    """A taught sound begins or ends. It is told to whoever is connected, and not kept."""

    type: ClassVar[str] = "sound_heard"
    sound_id: str
    phase: Phase
    onset: datetime
    confidence: float = field(metadata={"ge": 0.0, "le": 1.0})


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch(Message):
    """Start or stop `level` messages to this controller."""

    type: ClassVar[str] = "watch"
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRequest(Message):
    """Ask what time it is at the satellite; `number` comes back with the answer."""

    type: ClassVar[str] = "time_request"
    number: int = field(metadata={"ge": 0})


class SelfTestOutcome(StrEnum):
    """How far a known sound got on its way from the microphone to Home Assistant.

    `source_ended`: what is heard there was a recording, which is over.
    """

    PASSED = "passed"
    NOT_LISTENING = "not_listening"
    SOURCE_ENDED = "source_ended"
    MICROPHONE = "microphone"
    ALL_OFF = "all_off"
    NOT_HEARD = "not_heard"
    NOT_KEPT = "not_kept"
    NOBODY_CONNECTED = "nobody_connected"
    NOT_ACKNOWLEDGED = "not_acknowledged"


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest(Message):
    """Put a known sound behind the microphone of each room and follow it; answered by a `self_test_result`."""

    type: ClassVar[str] = "self_test"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomResult:
    """How far the known sound got from one room."""

    room: str
    outcome: SelfTestOutcome
    confidence: float = field(default=0.0, metadata={"ge": 0.0, "le": 1.0})
    took_s: float = field(default=0.0, metadata={"ge": 0.0})


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestResult(Message):
    """What came of a self-test, told to all controllers.

    `rooms`: what came of it in each, where there are several; `outcome` is then that of the first where it failed.
    """

    type: ClassVar[str] = "self_test_result"
    outcome: SelfTestOutcome
    sound_class: SoundClass | None = None
    confidence: float = field(default=0.0, metadata={"ge": 0.0, "le": 1.0})
    took_s: float = field(default=0.0, metadata={"ge": 0.0})
    rooms: tuple[RoomResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReport(Message):
    """How far the satellite's clock is ahead of the controller's, as the controller has measured it."""

    type: ClassVar[str] = "clock_report"
    ahead_s: float
    uncertainty_s: float = field(metadata={"ge": 0.0})


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeReply(Message):
    """The clock that onsets are told by, as it was when the request arrived: seconds since 1970 (UTC)."""

    type: ClassVar[str] = "time_reply"
    number: int = field(metadata={"ge": 0})
    time_s: float = field(metadata={"ge": 0.0, "le": LATEST_TIME_S})


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
        Position,
        LoudNoise,
        Clip,
        Ack,
        Configure,
        Mute,
        Test,
        Label,
        Lesson,
        Forget,
        Teach,
        Taught,
        SoundHeard,
        Watch,
        TimeRequest,
        TimeReply,
        ClockReport,
        SelfTest,
        SelfTestResult,
    )
}
