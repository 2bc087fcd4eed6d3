"""Fetch and delete the clips of a satellite, over the certificate and with the token of its pairing. HA-free."""

from dataclasses import dataclass
from enum import StrEnum
import json
from typing import Any, Final

from .codec import decode
from .errors import CannotConnect, shown
from .paired import PairedSatellite
from .protocol import PATH_CLIPS, Clip, ProtocolError

# A satellite keeps at most 2000 clips, of half a megabyte each.
MAX_CLIPS: Final = 2000


class Part(StrEnum):
    """What can be fetched of a clip; the value is the suffix of its address."""

    SOUND = "flac"
    PICTURE = "png"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipShelf(PairedSatellite):
    """Where the clips of one satellite lie."""

    async def async_list(self) -> list[Clip]:
        """Return what is kept, the newest first; what only a newer version understands is left out.

        Raises:
            ClientError: the satellite does not answer, or refuses.
        """
        async with self.async_request("GET", PATH_CLIPS) as response:
            raw = await self.async_read(response)
        try:
            items = json.loads(raw)["clips"]
            frames = [json.dumps(item) for item in items[:MAX_CLIPS]]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise CannotConnect(f"what answers at {shown(self.host)} is not a satellite") from None
        return [clip for frame in frames if (clip := _clip(frame)) is not None]

    async def async_fetch(self, detection_id: str, part: Part) -> bytes | None:
        """Return sound or picture of a clip, None if there is no such clip (any more).

        Raises:
            ClientError: the satellite does not answer, or refuses.
        """
        async with self.async_request("GET", f"{PATH_CLIPS}/{detection_id}.{part}") as response:
            return None if response.status == 404 else await self.async_read(response)

    async def async_delete(self, detection_id: str | None = None) -> None:
        """Delete a clip, or all of them; one that is gone already is no error.

        Raises:
            ClientError: the satellite does not answer, or refuses.
        """
        path = PATH_CLIPS if detection_id is None else f"{PATH_CLIPS}/{detection_id}"
        async with self.async_request("DELETE", path) as response:
            if response.status != 404:
                await self.async_read(response)


def _clip(frame: str) -> Clip | None:
    try:
        message: Any = decode(frame)
    except ProtocolError:
        return None
    return message if isinstance(message, Clip) and is_clip_id(message.detection_id) else None


def is_clip_id(text: str) -> bool:
    """Tell whether a text can name a clip, so that it may become a part of an address."""
    return 0 < len(text) <= 64 and text.isascii() and text.isalnum()
