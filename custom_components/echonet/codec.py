"""The messages as text frames, and back: one file, used by both sides.

One JSON object a WebSocket text frame, its `type` first. Standard library only, and Python 3.11, because the satellite
uses it through a symbolic link.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum, StrEnum
import json
import math
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from .protocol import MAX_FRAME_BYTES, MAX_STRING_LENGTH, MESSAGES, Message, ProtocolError


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
