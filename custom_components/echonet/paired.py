"""Ask a satellite over the certificate and with the token of its pairing, and end that pairing. HA-free."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp

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
from .protocol import PATH_PAIR

_MAX_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedSatellite:
    """Where a paired satellite is, and what opens it."""

    session: aiohttp.ClientSession
    host: str
    port: int
    fingerprint: str
    token: str = field(repr=False)

    async def async_unpair(self) -> None:
        """Have the satellite forget us; from then on the token is worth nothing.

        Raises:
            InvalidToken: it had forgotten us before.
            ClientError: it does not answer, is too old to understand, or cannot write that down.
        """
        async with self.async_request("DELETE", PATH_PAIR) as response:
            await self.async_read(response)

    @asynccontextmanager
    async def async_request(self, method: str, path: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request; nothing is sent before the certificate has proved to be the pinned one."""
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

    async def async_read(self, response: aiohttp.ClientResponse) -> bytes:
        """Return what it answers, as far as a satellite has so much to say."""
        if response.status != 200:
            raise refused(response.status, self.host)
        raw = bytearray()
        async for chunk in response.content.iter_any():
            raw += chunk
            if len(raw) > _MAX_BYTES:
                raise CannotConnect(f"what answers at {shown(self.host)} is not a satellite")
        return bytes(raw)
