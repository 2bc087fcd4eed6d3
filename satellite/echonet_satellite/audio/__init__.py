"""Where sound comes from: 16 kHz mono blocks with the time of their capture."""

from .source import (
    SAMPLE_RATE,
    AudioError,
    Block,
    DeviceBusyError,
    DeviceMissingError,
    Source,
    SourceEnded,
    SourceKind,
)

__all__ = [
    "SAMPLE_RATE",
    "AudioError",
    "Block",
    "DeviceBusyError",
    "DeviceMissingError",
    "Source",
    "SourceEnded",
    "SourceKind",
]
