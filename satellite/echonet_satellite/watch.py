"""Watches the hearing threads from outside of them: a thread that hangs cannot say so itself."""

import asyncio
from collections.abc import Callable, Mapping
import logging
from typing import TYPE_CHECKING, Final

from .protocol import Problem

if TYPE_CHECKING:
    from .pipeline import Pipeline

_LOGGER = logging.getLogger(__name__)

_LOOK_S: Final = 1.0
# A thread that is well comes round several times a second, and takes two to end a process that hangs.
STUCK_AFTER_S: Final = 6.0
# Nothing that a satellite does takes so long: what hangs like this does not go on by itself.
HOPELESS_AFTER_S: Final = 60.0


async def watch(pipelines: "Mapping[str, Pipeline]", report: Callable[..., None]) -> None:
    """Report whenever a pipeline, by its room, gets stuck or goes on again; until cancelled."""
    stuck: set[str] = set()
    while True:
        await asyncio.sleep(_LOOK_S)
        now = {room for room, pipeline in pipelines.items() if pipeline.busy_s > STUCK_AFTER_S}
        for room in sorted(now ^ stuck):
            if room in now:
                _LOGGER.error("The hearing%s hangs: nothing is heard until it goes on", _of(room))
            else:
                _LOGGER.warning("The hearing%s goes on", _of(room))
            report("hearing", *((Problem.HEARING_STUCK,) if room in now else ()), room=room)
        stuck = now


def hopeless(pipelines: "Mapping[str, Pipeline]") -> str | None:
    """Return what only a new start of the process can mend: a hearing that has hung for long."""
    for room, pipeline in pipelines.items():
        if pipeline.busy_s > HOPELESS_AFTER_S:
            return f"the hearing{_of(room)} has hung for more than {HOPELESS_AFTER_S:g} s"
    return None


def _of(room: str) -> str:
    return f" of {room}" if room else ""
