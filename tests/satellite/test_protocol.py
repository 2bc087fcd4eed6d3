"""Every message survives its way over the wire, and nothing else is taken for one."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
import json
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import given, strategies as st
import pytest

from echonet_satellite.codec import ToldOnce, decode, encode
from echonet_satellite.errors import ProtocolError
from echonet_satellite.protocol import (
    MAX_FRAME_BYTES,
    MAX_ITEMS,
    MESSAGES,
    AlarmPattern,
    Auth,
    Configure,
    Detection,
    Health,
    Label,
    LocationSource,
    Message,
    Mute,
    Phase,
    Problem,
    Snapshot,
    SoundClass,
    UnknownMessage,
    Welcome,
)
from tests.support import wire

PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), max_size=64).filter(
    str.isprintable
)
# The wire carries milliseconds.
MOMENTS = st.integers(0, 4_000_000_000_000).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)


def strategy(hint: Any, low: float | None = None, high: float | None = None) -> st.SearchStrategy[Any]:
    """Return what may stand in a field of this type."""
    origin = get_origin(hint)
    if origin is UnionType:
        (kind,) = (item for item in get_args(hint) if item is not NoneType)
        return st.none() | strategy(kind, low, high)
    if origin is tuple:
        return st.lists(strategy(get_args(hint)[0]), max_size=4).map(tuple)
    if origin is Mapping:
        return st.dictionaries(*(strategy(item) for item in get_args(hint)), max_size=4)
    if hint is str:
        return PRINTABLE
    if hint is bool:
        return st.booleans()
    if hint is int:
        return st.integers(int(low or 0), 2**53 - 1 if high is None else int(high))
    if hint is float:
        return st.floats(-1e9 if low is None else low, 1e9 if high is None else high)
    if hint is datetime:
        return MOMENTS
    if issubclass(hint, StrEnum):
        return st.sampled_from(list(hint))
    assert isinstance(hint, type)
    assert is_dataclass(hint)
    hints = get_type_hints(hint)
    return st.builds(
        hint,
        **{
            item.name: strategy(hints[item.name], item.metadata.get("ge"), item.metadata.get("le"))
            for item in fields(hint)
        },
    )


@pytest.mark.parametrize("kind", MESSAGES.values(), ids=MESSAGES)
@given(data=st.data())
def test_every_message_survives_the_wire(kind: type[Message], data: st.DataObject) -> None:
    message = data.draw(strategy(kind))
    frame = encode(message)
    assert decode(frame) == message
    assert next(iter(json.loads(frame))) == "type"
    # The other side has a copy of its own, and says the same in the same words.
    assert wire.codec.encode(wire.codec.decode(frame)) == frame


def example(kind: type[Message]) -> dict[str, Any]:
    """Return the JSON of one message with every field set."""
    snapshot: dict[str, Any] = {
        "active": [],
        "health": {
            "problems": ["disk_full"],
            "dropped_blocks": 1,
            "realtime_factor": 0.1,
            "sources": [{"room": "Hall", "problems": []}],
        },
        "settings": {"listening": True, "sensitivity": {"dog": "high"}},
        "learning": {
            "false_alarms": {"dog": 2},
            "sounds": [{"id": "1", "name": "Doorbell", "examples": 3, "ready": True, "active": False}],
        },
    }
    examples: dict[str, dict[str, Any]] = {
        "hello": {
            "protocol": 1,
            "satellite_id": "a" * 32,
            "name": "Hall",
            "installation": "service",
            "pairing_left_s": 60.0,
        },
        "auth": {"token": "t", "protocol": 1},
        "welcome": {
            "satellite_id": "a",
            "name": "Hall",
            "version": "1",
            "hardware": "Pi",
            "model_name": "echonet",
            "model_version": "1",
            "classes": ["dog"],
            "location_source": "configured",
            "location": {"latitude": 1.0, "longitude": 2.0, "accuracy_m": 3.0, "age_s": 4.0},
            "tells_time": True,
            "rooms": ["Hall"],
            "learns": True,
        },
        "snapshot": snapshot,
        "detection": {
            "id": "1",
            "sequence": 1,
            "sound_class": "alarm",
            "phase": "start",
            "onset": "2026-01-01T00:00:00.000+00:00",
            "confidence": 0.5,
            "peak_dbfs": -3.0,
            "duration_s": 1.0,
            "pattern": "t3",
            "replayed": False,
            "test": False,
            "room": "Hall",
        },
        "health": snapshot["health"],
        "level": {
            "rms_dbfs": -20.0,
            "peak_dbfs": -10.0,
            "probabilities": {"dog": 0.5},
            "thresholds": {"dog": 0.9},
            "bands_dbfs": [-80, -20],
            "rooms": {"Hall": -20.0},
        },
        "position": {
            "location_source": "gps",
            "location": {"latitude": 1.0, "longitude": 2.0, "accuracy_m": 3.0, "age_s": 4.0},
        },
        "loud_noise": {
            "id": "1",
            "phase": "end",
            "onset": "2026-01-01T00:00:00.000+00:00",
            "duration_s": 1.5,
            "peak_dbfs": -3.0,
            "pulses": 12,
            "sequence": 2,
            "replayed": True,
            "room": "Hall",
        },
        "ack": {"sequence": 0},
        "clip": {
            "detection_id": "1",
            "sound_class": "dog",
            "onset": "2026-01-01T00:00:00.000+00:00",
            "duration_s": 10.0,
            "muted_s": 1.0,
            "size_bytes": 100_000,
        },
        "configure": {"listening": False, "sensitivity": {"dog": "off"}, "clips": {"enabled": True}},
        "mute": {"duration_s": 60.0, "classes": ["dog"], "rooms": ["Hall"]},
        "test": {"sound_class": "fire", "room": "Hall"},
        "label": {"detection_id": "1", "verdict": "false_alarm"},
        "lesson": {"detection_id": "1", "outcome": "learned"},
        "forget": {"false_alarms": True, "sounds": ["1"]},
        "teach": {"name": "Doorbell"},
        "taught": {
            "name": "Doorbell",
            "outcome": "learned",
            "examples": 1,
            "needed": 3,
            "listens_s": 0.0,
            "hint": "known",
            "sound_class": "dog",
        },
        "sound_heard": {
            "sound_id": "1",
            "phase": "start",
            "onset": "2026-01-01T00:00:00.000+00:00",
            "confidence": 0.5,
        },
        "watch": {"enabled": True},
        "time_request": {"number": 1},
        "clock_report": {"ahead_s": 1.0, "uncertainty_s": 0.1},
        "time_reply": {"number": 1, "time_s": 1.8e9},
        "self_test": {},
        "self_test_result": {
            "outcome": "passed",
            "sound_class": "glass_break",
            "confidence": 0.9,
            "took_s": 1.5,
            "rooms": [{"room": "Hall", "outcome": "passed", "confidence": 0.9, "took_s": 1.5}],
        },
    }
    return {"type": kind.type, **examples[kind.type]}


@pytest.mark.parametrize("kind", MESSAGES.values(), ids=MESSAGES)
def test_every_field_of_every_message_is_checked(kind: type[Message]) -> None:
    whole = example(kind)
    assert isinstance(decode(json.dumps(whole)), kind)
    assert set(whole) == {"type", *(item.name for item in fields(kind))}
    for name in whole:
        wrongs: list[Any] = [
            {"problems": [1], "enabled": [1]},
            [[[]]],
            float("nan"),
            "no such value\n",
            2**60,
        ]
        for wrong in wrongs:
            with pytest.raises(ProtocolError):
                decode(json.dumps({**whole, name: wrong}))


@pytest.mark.parametrize("kind", MESSAGES.values(), ids=MESSAGES)
def test_what_is_required_may_not_be_missing(kind: type[Message]) -> None:
    whole = example(kind)
    defaults: dict[str, set[str]] = {
        "hello": {"name", "installation", "pairing_left_s"},
        "auth": {"protocol"},
        "welcome": {"location_source", "location", "tells_time", "rooms", "learns"},
        "snapshot": {"learning"},
        "detection": {"duration_s", "pattern", "replayed", "test", "room"},
        "health": {"problems", "dropped_blocks", "realtime_factor", "sources"},
        "loud_noise": {"duration_s", "peak_dbfs", "pulses", "sequence", "replayed", "room"},
        "level": {"probabilities", "thresholds", "bands_dbfs", "rooms"},
        "test": {"room"},
        "clip": {"muted_s", "size_bytes"},
        "configure": {"listening", "sensitivity", "clips"},
        "self_test_result": {"sound_class", "confidence", "took_s", "rooms"},
        "mute": {"classes", "rooms"},
        "forget": {"false_alarms", "sounds"},
        "taught": {"examples", "needed", "listens_s", "hint", "sound_class"},
    }
    for name in set(whole) - {"type"}:
        frame = json.dumps({key: value for key, value in whole.items() if key != name})
        if name in defaults.get(kind.type, set()):
            assert isinstance(decode(frame), kind)
        else:
            with pytest.raises(ProtocolError, match=f"{kind.type}.{name} is missing"):
                decode(frame)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sequence", 0),
        ("sequence", True),
        ("sequence", 1.5),
        ("confidence", 1.01),
        ("confidence", -0.01),
        ("duration_s", -1),
        ("onset", "2026-01-01T00:00:00"),
        ("onset", "0001-01-01T00:00:00+23:00"),
        ("id", "x" * 257),
        ("id", "tab\t"),
        ("replayed", 1),
        ("pattern", "waltz\n"),
        ("pattern", "x" * 257),
    ],
)
def test_values_out_of_range_are_refused(name: str, value: object) -> None:
    with pytest.raises(ProtocolError, match=f"detection.{name}"):
        decode(json.dumps({**example(Detection), name: value}))


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"type": null}',
        '{"type": ["hello"]}',
        '{"type": "goodbye"}',
        '{"type": "level", "rms_dbfs": NaN, "peak_dbfs": 0}',
        '{"type": "ack", "sequence": ' + "9" * 5000 + "}",
        "[" * 60_000,
        '{"type": "auth", "token": "' + "x" * MAX_FRAME_BYTES + '"}',
        '{"type": "auth", "token": "\\ud800"}',
    ],
)
def test_what_is_no_message_is_refused(frame: str) -> None:
    with pytest.raises(ProtocolError):
        decode(frame)


@given(
    st.text(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "id", "sequence", "active", "health"]), inner, max_size=3
            )
        ),
    ).map(json.dumps)
)
def test_nothing_else_than_a_protocol_error_is_raised(frame: str) -> None:
    try:
        decode(frame)
    except ProtocolError as err:
        assert "\n" not in str(err)  # noqa: PT017 - most examples raise, and some may not


def test_a_newer_peer_may_say_more() -> None:
    message = decode(json.dumps({**example(Health), "humidity": {"unknown": [1]}}))
    assert isinstance(message, Health)


@pytest.mark.parametrize(
    "newer",
    [
        {"type": "goodbye"},
        {**example(Detection), "sound_class": "cat"},
        {**example(Detection), "phase": "pause"},
        {**example(Label), "verdict": "perhaps"},
        # None named would mean all: an unknown class must not mute the house.
        {**example(Mute), "classes": ["cat"]},
    ],
)
def test_what_only_a_newer_peer_understands_is_told_from_what_is_wrong(newer: dict[str, Any]) -> None:
    with pytest.raises(UnknownMessage) as caught:
        decode(json.dumps(newer))
    assert caught.value.sequence == newer.get("sequence")


@pytest.mark.parametrize(
    ("newer", "expected"),
    [
        ({**example(Detection), "pattern": "waltz"}, {"pattern": None}),
        ({**example(Health), "problems": ["sleepy", "disk_full"]}, {"problems": (Problem.DISK_FULL,)}),
        ({**example(Health), "problems": ["sleepy"]}, {"problems": ()}),
        ({**example(Welcome), "classes": ["cat", "dog"]}, {"classes": (SoundClass.DOG,)}),
        ({**example(Welcome), "location_source": "stars"}, {"location_source": LocationSource.NONE}),
        ({**example(Mute), "classes": ["cat", "dog"]}, {"classes": (SoundClass.DOG,)}),
        ({**example(Configure), "sensitivity": {"cat": "high", "dog": "utmost"}}, {"sensitivity": {}}),
        ({**example(Snapshot), "active": [{**example(Detection), "sound_class": "cat"}]}, {"active": ()}),
    ],
)
def test_of_what_a_newer_peer_says_the_known_part_is_taken(
    newer: dict[str, Any], expected: dict[str, Any]
) -> None:
    skipped: list[str] = []
    message = decode(json.dumps(newer), skipped.append)
    assert {name: getattr(message, name) for name in expected} == expected
    assert skipped


def test_a_list_without_end_is_cut() -> None:
    skipped: list[str] = []
    message = decode(json.dumps({**example(Health), "problems": ["disk_full"] * 4000}), skipped.append)
    assert isinstance(message, Health)
    assert len(message.problems) == MAX_ITEMS
    assert skipped == [f"health.problems has more than {MAX_ITEMS} items"]


def test_what_is_skipped_is_told_once_and_not_for_ever() -> None:
    told: list[str] = []
    once = ToldOnce(told.append, limit=3)
    for number in (1, 1, 2, 1, 3, 4, 5):
        once(f"unknown {number}")
    assert told == ["unknown 1", "unknown 2", "unknown 3"]


def test_a_time_of_another_zone_becomes_utc() -> None:
    message = decode(json.dumps({**example(Detection), "onset": "2026-01-01T02:00:00+02:00"}))
    assert isinstance(message, Detection)
    assert message.onset == datetime(2026, 1, 1, tzinfo=UTC)
    assert message.onset.tzinfo is UTC


def test_the_token_is_not_in_the_repr() -> None:
    assert "secret" not in repr(Auth(token="secret"))


def test_a_full_snapshot_fits_into_a_frame() -> None:
    detection = Detection(
        id="f" * 32,
        sequence=2**53 - 1,
        sound_class=SoundClass.GLASS_BREAK,
        phase=Phase.UPDATE,
        onset=datetime.now(UTC),
        confidence=0.123456789012,
        peak_dbfs=-12.345678901234,
        duration_s=12345.678901234,
        pattern=AlarmPattern.UNKNOWN,
    )
    base = decode(json.dumps(example(Snapshot)))
    assert isinstance(base, Snapshot)
    snapshot = Snapshot(active=(detection,) * 100, health=base.health, settings=base.settings)
    assert len(encode(snapshot).encode()) < MAX_FRAME_BYTES
