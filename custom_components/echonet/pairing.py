"""Pair with a satellite: prove to each other that both know its code, and take a token home."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
import json
import secrets
from typing import Any, Final

import aiohttp
from yarl import URL

from . import proof
from .errors import (
    REQUEST_TIMEOUT_S,
    CannotConnect,
    ImpostorSuspected,
    InvalidCode,
    NotASatellite,
    PairingClosed,
    UnsupportedProtocol,
    WrongSatellite,
    printable,
    reason_of,
    refused,
    satellite_url,
    shown,
)
from .plain import plain_name
from .protocol import MAX_STRING_LENGTH, PATH_PAIR_FINISH, PATH_PAIR_START, PROTOCOL_VERSION

MAX_ANSWER_BYTES: Final = 8 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """What to keep of a pairing; `fingerprint` is the SHA-256 of the satellite's certificate, in hex."""

    satellite_id: str
    fingerprint: str
    token: str
    name: str

    def __repr__(self) -> str:
        """Leave out the token, which must not reach a log."""
        return f"Pairing(satellite_id={self.satellite_id!r}, name={self.name!r})"


def normalize_code(code: str) -> str:
    """Return the pairing code of what a person typed: any case, spaces, dashes, O for 0, I or L for 1.

    Raises:
        InvalidCode: it cannot be a code.
    """
    try:
        return proof.normalize_code(code)
    except proof.CodeError as err:
        raise InvalidCode(str(err)) from None


async def async_pair(
    session: aiohttp.ClientSession,
    host: str,
    port: int,
    code: str,
    *,
    controller_name: str,
    satellite_id: str | None = None,
) -> Pairing:
    """Pair with the satellite at an address, with the code that it shows; only with this one where an id is given.

    Raises:
        WrongSatellite: another satellite answers than the one that is meant.
        InvalidCode: the code is not the satellite's.
        ImpostorSuspected: the connection does not end at the satellite that knows the code.
        PairingClosed: the satellite has no open pairing window.
        UnsupportedProtocol: the satellite speaks another version.
        CannotConnect: no satellite answers.
    """
    plain_code = normalize_code(code)
    certificate = SeenCertificate()
    controller_nonce = secrets.token_bytes(proof.NONCE_BYTES)
    started = await _post(
        session,
        satellite_url(host, port, PATH_PAIR_START),
        certificate,
        {
            "protocol": PROTOCOL_VERSION,
            "nonce": proof.to_text(controller_nonce),
            "controller_name": printable(controller_name),
        },
    )
    found = _string(started, "satellite_id")
    if satellite_id is not None and found != satellite_id:
        raise WrongSatellite(f"another satellite answers at {shown(host)}: look for the one that is meant")
    satellite_nonce = _bytes(started, "nonce")
    transcript = proof.Transcript(
        satellite_id=found,
        fingerprint=certificate.fingerprint,
        controller_nonce=controller_nonce,
        satellite_nonce=satellite_nonce,
    )
    key = proof.pairing_key(plain_code, found)
    if not proof.same(_bytes(started, "code_check"), proof.make_code_check(key, transcript)):
        raise InvalidCode("the pairing code is not the one that the satellite shows: type it again")
    expected = proof.make_proof(key, proof.Role.SATELLITE, transcript)
    if not proof.same(_bytes(started, "proof"), expected):
        raise ImpostorSuspected(
            "the connection is not the satellite's own: something on the network stands in between; nothing was sent"
        )
    finished = await _post(
        session,
        satellite_url(host, port, PATH_PAIR_FINISH),
        certificate,
        {
            "attempt": _string(started, "attempt"),
            "proof": proof.to_text(proof.make_proof(key, proof.Role.CONTROLLER, transcript)),
        },
    )
    return Pairing(
        satellite_id=found,
        fingerprint=certificate.fingerprint.hex(),
        token=_string(finished, "token"),
        name=plain_name(_string(finished, "name")),
    )


class SeenCertificate(aiohttp.Fingerprint):
    """Pins the certificate of the first connection, and holds every further one of this pairing to it.

    aiohttp asks `check` about each new connection before it sends anything there, and shares connections only
    between requests with the very same object: the requests of one pairing never leave over a connection that
    somebody else has opened.
    """

    def __init__(self) -> None:
        """Begin without a certificate."""
        super().__init__(bytes(32))
        self._seen: bytes | None = None

    @property
    def fingerprint(self) -> bytes:
        """The SHA-256 of the certificate that was shown.

        Raises:
            CannotConnect: none was shown.
        """
        if self._seen is None:
            raise CannotConnect("the satellite has shown no certificate")
        return self._seen

    def check(self, transport: asyncio.Transport) -> None:
        """Take the first certificate, and no other after it."""
        ssl_object = transport.get_extra_info("ssl_object")
        got = proof.certificate_fingerprint(ssl_object.getpeercert(binary_form=True))
        if self._seen is None:
            self._seen = got
        if not proof.same(self._seen, got):
            host, port, *_ = transport.get_extra_info("peername")
            raise aiohttp.ServerFingerprintMismatch(self._seen, got, host, port)


async def _post(
    session: aiohttp.ClientSession, url: URL, certificate: SeenCertificate, body: Mapping[str, Any]
) -> Mapping[str, Any]:
    try:
        async with session.post(
            url,
            json=body,
            ssl=certificate,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S),
        ) as response:
            raw = await _read_limited(response)
            status = response.status
    except aiohttp.ServerFingerprintMismatch:
        raise ImpostorSuspected(
            "the certificate changed while pairing: something on the network stands in between"
        ) from None
    except (aiohttp.ClientError, OSError, TimeoutError) as err:
        raise CannotConnect(f"no satellite answers at {shown(url.host)}: {reason_of(err)}") from err
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise NotASatellite(f"what answers at {shown(url.host)} is not a satellite")
    if status == 200:
        return answer
    match answer.get("error"):
        case "pairing_closed":
            raise PairingClosed("the satellite is not pairing: run `echonet-satellite pair` on it")
        case "wrong_code":
            raise InvalidCode("the pairing code is not the one that the satellite shows: type it again")
        case "protocol_version":
            raise UnsupportedProtocol("the satellite refuses our version of the protocol: update both")
    raise refused(status, url.host)


async def _read_limited(response: aiohttp.ClientResponse) -> bytes:
    raw = b""
    async for chunk in response.content.iter_any():
        raw += chunk
        if len(raw) > MAX_ANSWER_BYTES:
            raise NotASatellite(f"what answers at {shown(response.url.host)} is not a satellite")
    return raw


def _string(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if isinstance(value, str) and 0 < len(value) <= MAX_STRING_LENGTH and value.isprintable():
        return value
    raise CannotConnect(f"the satellite's answer has no proper {name}")


def _bytes(answer: Mapping[str, Any], name: str) -> bytes:
    value = proof.from_text(answer.get(name), proof.NONCE_BYTES)
    if value is None:
        raise CannotConnect(f"the satellite's answer has no proper {name}")
    return value
