"""Where sound comes from: 16 kHz mono blocks with the time of their capture."""

from .source import (
    SAMPLE_RATE,
    STILL,
    AudioError,
    Block,
    DeviceBusyError,
    DeviceMissingError,
    Source,
    SourceEnded,
    SourceKind,
    WrongChannelError,
)

__all__ = [
    "SAMPLE_RATE",
    "STILL",
    "AudioError",
    "Block",
    "DeviceBusyError",
    "DeviceMissingError",
    "Source",
    "SourceEnded",
    "SourceKind",
    "WrongChannelError",
]
