"""Keeps asking a satellite for the time, as long as it is connected and answers."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import chain, repeat
from typing import Final

from .client import ClientError
from .clocks import SatelliteClock
from .protocol import Message

# A few questions at once find a quick answer; then now and then, because clocks run apart.
FIRST_QUESTIONS: Final = 8
FIRST_PAUSE_S: Final = 0.25
PAUSE_S: Final = 30.0


async def async_ask(
    clock: SatelliteClock, send: Callable[[Message], Awaitable[None]], monotonic: Callable[[], float]
) -> None:
    """Ask until the connection has ended."""
    for pause_s in chain(repeat(FIRST_PAUSE_S, FIRST_QUESTIONS), repeat(PAUSE_S)):
        try:
            await send(clock.ask(monotonic()))
        except ClientError:
            return
        await asyncio.sleep(pause_s)
