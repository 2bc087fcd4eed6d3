"""Why no sound can be had, as far as the satellite must tell one reason from another."""

from enum import StrEnum


class ErrorKind(StrEnum):
    """What is wrong."""

    MISSING = "missing"
    BUSY = "busy"
    CHANNEL = "channel"
    FAILED = "failed"


class CaptureError(Exception):
    """Sound cannot be had, or no more; the text is one line for a person."""

    def __init__(self, kind: ErrorKind, text: str) -> None:
        """Say what is wrong."""
        super().__init__(text)
        self.kind = kind
