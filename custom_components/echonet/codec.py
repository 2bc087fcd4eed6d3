"""The messages as text frames, and back: one file, used by both sides.

One JSON object a WebSocket text frame, its `type` first. Standard library only, and Python 3.11, because the satellite
uses it through a symbolic link.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum, StrEnum
import json
import math
from types import NoneType, UnionType
from typing import Any, TypeGuard, get_args, get_origin, get_type_hints

from .protocol import (
    MAX_FRAME_BYTES,
    MAX_ITEMS,
    MAX_STRING_LENGTH,
    MESSAGES,
    Message,
    ProtocolError,
    UnknownMessage,
)

_HINTS: dict[type[Any], tuple[tuple[Field[Any], Any], ...]] = {}


def encode(message: Message) -> str:
    """Return the text frame of a message."""
    return json.dumps(plain(message), separators=(",", ":"), allow_nan=False)


def plain(message: Message) -> dict[str, Any]:
    """Return a message as the JSON object that its frame holds."""
    return {"type": message.type, **_plain_fields(message)}


def decode(text: str, skipped: Callable[[str], None] = lambda _: None) -> Message:
    """Return the message of a text frame.

    A newer peer may say more. Unknown fields are ignored. A class, pattern or problem that is not known here is left
    out where the message means something without it, and `skipped` is told; else the whole message is unknown. Of a
    list with more than `MAX_ITEMS` items, the rest is left out in the same way.

    Raises:
        UnknownMessage: what a newer peer may say, and we do not understand.
        ProtocolError: not JSON, no type, a missing field, a wrong type, or a value out of range.
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
    if not _is_string(name):
        raise ProtocolError("frame has no type")
    message_type = MESSAGES.get(name)
    if message_type is None:
        raise UnknownMessage(f"frame has the unknown type {name}")
    try:
        message = _Reader(skipped).build(message_type, data, message_type.type)
    except _Unknown as err:
        raise UnknownMessage(str(err), sequence=_sequence(data)) from None
    assert isinstance(message, Message)
    return message


class _Unknown(Exception):  # never leaves the module
    """A value that a newer peer may know."""


class ToldOnce:
    """Tells of each thing that was skipped once, and of the first few only: a peer may invent new ones for ever."""

    def __init__(self, tell: Callable[[str], None], *, limit: int = 16) -> None:
        """Tell through `tell`."""
        self._tell = tell
        self._limit = limit
        self._told: set[str] = set()

    def __call__(self, what: str) -> None:
        """Tell of something skipped, unless that was done."""
        if what not in self._told and len(self._told) < self._limit:
            self._told.add(what)
            self._tell(what)


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


class _Reader:
    """Builds dataclasses from JSON, and tells `skipped` what it leaves out."""

    def __init__(self, skipped: Callable[[str], None]) -> None:
        self._skipped = skipped

    def build(self, kind: type[Any], data: Any, where: str) -> Any:
        if not isinstance(data, dict):
            raise ProtocolError(f"{where} is not an object")
        values: dict[str, Any] = {}
        for item, hint in _hints(kind):
            optional = item.default is not MISSING or item.default_factory is not MISSING
            if item.name not in data:
                if not optional:
                    raise ProtocolError(f"{where}.{item.name} is missing")
                continue
            try:
                value = self._parse(hint, data[item.name], f"{where}.{item.name}")
            except _Unknown as err:
                if not optional:
                    raise
                self._skipped(str(err))
                continue
            if item.metadata.get("some") and data[item.name] and not value:
                raise _Unknown(f"{where}.{item.name} has only unknown values")
            low, high = item.metadata.get("ge"), item.metadata.get("le")
            if value is not None and (
                (low is not None and value < low) or (high is not None and value > high)
            ):
                raise ProtocolError(f"{where}.{item.name} is out of range")
            values[item.name] = value
        return kind(**values)

    def _parse(self, hint: Any, value: Any, where: str) -> Any:
        origin = get_origin(hint)
        if origin is UnionType:
            if value is None:
                return None
            (hint,) = (item for item in get_args(hint) if item is not NoneType)
            return self._parse(hint, value, where)
        if origin is tuple and isinstance(value, list):
            return self._parse_items(get_args(hint)[0], value, where)
        if origin is Mapping and isinstance(value, dict):
            return self._parse_mapping(get_args(hint), value, where)
        if isinstance(hint, type):
            return self._parse_scalar(hint, value, where)
        raise ProtocolError(f"{where} has the wrong type")

    def _parse_items(self, hint: Any, items: list[Any], where: str) -> tuple[Any, ...]:
        if len(items) > MAX_ITEMS:
            self._skipped(f"{where} has more than {MAX_ITEMS} items")
        known = []
        for item in items[:MAX_ITEMS]:
            try:
                known.append(self._parse(hint, item, where))
            except _Unknown as err:
                self._skipped(str(err))
        return tuple(known)

    def _parse_mapping(self, hints: tuple[Any, ...], items: dict[str, Any], where: str) -> dict[Any, Any]:
        if len(items) > MAX_ITEMS:
            self._skipped(f"{where} has more than {MAX_ITEMS} items")
        known = {}
        for key, item in list(items.items())[:MAX_ITEMS]:
            try:
                known[self._parse(hints[0], key, where)] = self._parse(hints[1], item, where)
            except _Unknown as err:
                self._skipped(str(err))
        return known

    def _parse_scalar(self, hint: type[Any], value: Any, where: str) -> Any:
        if is_dataclass(hint):
            return self.build(hint, value, where)
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


def _hints(kind: type[Any]) -> tuple[tuple[Field[Any], Any], ...]:
    # Reading the annotations anew for each message would take longer than all the rest.
    if kind not in _HINTS:
        hints = get_type_hints(kind)
        _HINTS[kind] = tuple((item, hints[item.name]) for item in fields(kind))
    return _HINTS[kind]


def _is_string(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= MAX_STRING_LENGTH and value.isprintable()


def _sequence(data: dict[str, Any]) -> int | None:
    value = data.get("sequence")
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53 else None


def _parse_string(hint: type[Any], value: str, where: str) -> Any:
    if hint is str and _is_string(value):
        return value
    if issubclass(hint, StrEnum):
        try:
            return hint(value)
        except ValueError:
            if _is_string(value):
                raise _Unknown(f"{where} has the unknown value {value}") from None
    if hint is datetime:
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise ProtocolError(f"{where} is not a time with its zone")
    raise ProtocolError(f"{where} has the wrong type")
