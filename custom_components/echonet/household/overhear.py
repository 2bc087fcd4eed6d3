"""Finds out what the companion app's integration only writes into the log: that a phone could not be reached.

`notify.mobile_app_...` raises nothing when the push service refuses a notification or the internet is down; it logs it.
A family that is told of nothing because of that must be known, so that others are told, and the phone once more.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
import logging
from typing import Final, override

_LOGGER_NAME: Final = "homeassistant.components.mobile_app.notify"
_listening: ContextVar[_Ear | None] = ContextVar("listening", default=None)


class _Ear(logging.Handler):
    """Keeps what is logged by what this task calls, and nothing of what other tasks do meanwhile."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if _listening.get() is self:
            self.heard.append(record.getMessage())


@contextmanager
def overhear_companion() -> Iterator[list[str]]:
    """Yield the list to which complaints of the companion app's integration about this task's calls are added."""
    ear = _Ear()
    logger = logging.getLogger(_LOGGER_NAME)
    token = _listening.set(ear)
    logger.addHandler(ear)
    try:
        yield ear.heard
    finally:
        logger.removeHandler(ear)
        _listening.reset(token)
