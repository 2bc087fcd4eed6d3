"""Fetch and delete the clips of a satellite, over the certificate and with the token of its pairing. HA-free."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
import json
from typing import Any, Final

import aiohttp

from .codec import decode
from .errors import (
    REQUEST_TIMEOUT_S,
    CannotConnect,
    CertificateChanged,
    InvalidToken,
    reason_of,
    refused,
    satellite_url,
    shown,
)
from .protocol import PATH_CLIPS, Clip, ProtocolError

# A satellite keeps at most 2000 clips, of half a megabyte each.
MAX_CLIPS: Final = 2000
_MAX_BYTES: Final = 4 << 20


class Part(StrEnum):
    """What can be fetched of a clip; the value is the suffix of its address."""

    SOUND = "flac"
    PICTURE = "png"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipShelf:
    """Where the clips of one satellite lie, and what opens it."""

    session: aiohttp.ClientSession
    host: str
    port: int
    fingerprint: str
    token: str = field(repr=False)

    async def async_list(self) -> list[Clip]:
        """Return what is kept, the newest first; what only a newer version understands is left out.

        Raises:
            ClientError: the satellite does not answer, or refuses.
        """
        async with self._request("GET", PATH_CLIPS) as response:
            raw = await self._read(response)
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
        async with self._request("GET", f"{PATH_CLIPS}/{detection_id}.{part}") as response:
            return None if response.status == 404 else await self._read(response)

    async def async_delete(self, detection_id: str | None = None) -> None:
        """Delete a clip, or all of them; one that is gone already is no error.

        Raises:
            ClientError: the satellite does not answer, or refuses.
        """
        path = PATH_CLIPS if detection_id is None else f"{PATH_CLIPS}/{detection_id}"
        async with self._request("DELETE", path) as response:
            if response.status != 404:
                await self._read(response)

    @asynccontextmanager
    async def _request(self, method: str, path: str) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with self.session.request(
                method,
                satellite_url(self.host, self.port, path),
                ssl=aiohttp.Fingerprint(bytes.fromhex(self.fingerprint)),
                headers={"Authorization": f"Bearer {self.token}"},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S * 2),
            ) as response:
                if response.status == 401:
                    raise InvalidToken("the satellite does not know this controller any more: pair again")
                yield response
        except aiohttp.ServerFingerprintMismatch:
            raise CertificateChanged(
                "the satellite's certificate is not the one it was paired with"
            ) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as err:
            raise CannotConnect(f"no satellite answers at {shown(self.host)}: {reason_of(err)}") from err

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        if response.status != 200:
            raise refused(response.status, self.host)
        raw = bytearray()
        async for chunk in response.content.iter_any():
            raw += chunk
            if len(raw) > _MAX_BYTES:
                raise CannotConnect(f"what answers at {shown(self.host)} is not a satellite")
        return bytes(raw)


def _clip(frame: str) -> Clip | None:
    try:
        message: Any = decode(frame)
    except ProtocolError:
        return None
    return message if isinstance(message, Clip) and is_clip_id(message.detection_id) else None


def is_clip_id(text: str) -> bool:
    """Tell whether a text can name a clip, so that it may become a part of an address."""
    return 0 < len(text) <= 64 and text.isascii() and text.isalnum()
