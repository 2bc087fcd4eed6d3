"""A house whose satellite hears what is played: sound card, microphone, satellite, Home Assistant, phone, timeline."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from . import household
from .errors import HouseError
from .house import House, house
from .network import closed_network, why_not_closed
from .sound_card import DEVICE, SoundCard, sound_card, why_no_sound_card
from .timeline import Timeline

# PortAudio delivers its first buffer up to two seconds after it has opened a device.
_WARM_UP_S = 2.5
_OPEN_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningRoom:
    """A house that hears the sound card."""

    house: House
    card: SoundCard
    timeline: Timeline


def why_no_listening_room() -> str | None:
    """Why this machine cannot have one, or None where it can."""
    return why_not_closed() or why_no_sound_card()


@asynccontextmanager
async def listening_room(
    folder: Path, *options: str | Path, progress: Callable[[str], None] = lambda _: None
) -> AsyncIterator[ListeningRoom]:
    """Build it in `folder`; `options` are further ones of `echonet-satellite run`."""
    async with (
        closed_network(folder) as network,
        sound_card(folder) as card,
        house(
            folder,
            network,
            *("--source", "microphone", "--device", DEVICE, *options),
            environment=card.environment,
            progress=progress,
        ) as built,
    ):
        timeline = Timeline()
        follower = asyncio.create_task(
            timeline.follow(built.home.api, built.satellite, built.satellite_id, built.phone)
        )
        try:
            await timeline.ready.wait()
            await household.tell_everything(built.home.api)
            await built.listen()
            progress("The satellite opens the microphone")
            await _open(card)
            yield ListeningRoom(house=built, card=card, timeline=timeline)
        finally:
            follower.cancel()
            with suppress(asyncio.CancelledError):
                await follower


async def _open(card: SoundCard) -> None:
    try:
        async with asyncio.timeout(_OPEN_TIMEOUT_S):
            while await card.listeners() == 0:
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise HouseError("the satellite did not open the microphone; see its log") from None
    await asyncio.sleep(_WARM_UP_S)
