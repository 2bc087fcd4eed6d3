"""Talk to a satellite: pair with it, connect to it, listen and command. Knows nothing of Home Assistant."""

import asyncio
from collections.abc import AsyncIterator, Mapping
import contextlib
from dataclasses import dataclass
import json
import secrets
from typing import Any, Final, TypeVar

import aiohttp
from yarl import URL

from . import proof
from .protocol import (
    AUTHENTICATION_TIMEOUT_S,
    CLOSE_AUTHENTICATION_TIMEOUT,
    CLOSE_BAD_MESSAGE,
    CLOSE_BAD_TOKEN,
    CLOSE_PROTOCOL_VERSION,
    CLOSE_SLOW_CONTROLLER,
    CLOSE_TOO_MANY_CONTROLLERS,
    MAX_FRAME_BYTES,
    MAX_STRING_LENGTH,
    PATH_PAIR_FINISH,
    PATH_PAIR_START,
    PATH_SOCKET,
    PROTOCOL_VERSION,
    SILENCE_TIMEOUT_S,
    Auth,
    EchonetError,
    Hello,
    Message,
    ProtocolError,
    Snapshot,
    Welcome,
    decode,
    encode,
)

REQUEST_TIMEOUT_S: Final = 15.0
MAX_ANSWER_BYTES: Final = 8 * 1024

_Kind = TypeVar("_Kind", bound=Message)


class ClientError(EchonetError):
    """What can go wrong between a controller and a satellite."""


class CannotConnect(ClientError):
    """The satellite does not answer, or not as a satellite does."""


class PairingClosed(ClientError):
    """The satellite is not in its pairing window."""


class InvalidCode(ClientError):
    """The pairing code is not the one that the satellite shows."""


class ImpostorSuspected(ClientError):
    """Somebody stands between us and the satellite, and shows a certificate that is not the satellite's."""


class InvalidToken(ClientError):
    """The satellite does not know our token (any more)."""


class CertificateChanged(ClientError):
    """The certificate is not the one that we paired with."""


class WrongSatellite(ClientError):
    """Another satellite answers at this address."""


class UnsupportedProtocol(ClientError):
    """The satellite speaks another version of the protocol."""


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
    session: aiohttp.ClientSession, host: str, port: int, code: str, *, controller_name: str
) -> Pairing:
    """Pair with the satellite at an address, with the code that it shows.

    Raises:
        InvalidCode: the code is not the satellite's.
        ImpostorSuspected: the connection does not end at the satellite that knows the code.
        PairingClosed: the satellite has no open pairing window.
        UnsupportedProtocol: the satellite speaks another version.
        CannotConnect: no satellite answers.
    """
    plain_code = normalize_code(code)
    certificate = _SeenCertificate()
    controller_nonce = secrets.token_bytes(proof.NONCE_BYTES)
    started = await _post(
        session,
        _url(host, port, PATH_PAIR_START),
        certificate,
        {
            "protocol": PROTOCOL_VERSION,
            "nonce": proof.to_text(controller_nonce),
            "controller_name": _printable(controller_name),
        },
    )
    satellite_id = _string(started, "satellite_id")
    satellite_nonce = _bytes(started, "nonce")
    transcript = proof.Transcript(
        satellite_id=satellite_id,
        fingerprint=certificate.fingerprint,
        controller_nonce=controller_nonce,
        satellite_nonce=satellite_nonce,
    )
    key = proof.pairing_key(plain_code, satellite_id)
    if not proof.same(_bytes(started, "code_check"), proof.make_code_check(key, transcript)):
        raise InvalidCode("the pairing code is not the one that the satellite shows: type it again")
    expected = proof.make_proof(key, proof.Role.SATELLITE, transcript)
    if not proof.same(_bytes(started, "proof"), expected):
        raise ImpostorSuspected(
            "the connection is not the satellite's own: something on the network stands in between; nothing was sent"
        )
    finished = await _post(
        session,
        _url(host, port, PATH_PAIR_FINISH),
        certificate,
        {
            "attempt": _string(started, "attempt"),
            "proof": proof.to_text(proof.make_proof(key, proof.Role.CONTROLLER, transcript)),
        },
    )
    return Pairing(
        satellite_id=satellite_id,
        fingerprint=certificate.fingerprint.hex(),
        token=_string(finished, "token"),
        name=_string(finished, "name"),
    )


async def async_connect(
    session: aiohttp.ClientSession,
    host: str,
    port: int,
    *,
    satellite_id: str,
    fingerprint: str,
    token: str,
    silence_timeout_s: float = SILENCE_TIMEOUT_S,
) -> "Connection":
    """Connect to a paired satellite and authenticate.

    Raises:
        CertificateChanged: the certificate is not the pinned one.
        WrongSatellite: another satellite answers.
        InvalidToken: the satellite refuses the token.
        UnsupportedProtocol: the satellite speaks another version.
        CannotConnect: no satellite answers, or it ends the connection.
    """
    url = _url(host, port, PATH_SOCKET)
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            socket = await session.ws_connect(
                url,
                ssl=aiohttp.Fingerprint(bytes.fromhex(fingerprint)),
                autoping=False,  # The satellite's pings are what breaks a silence: we must see them.
                max_msg_size=MAX_FRAME_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=5.0),
            )
    except aiohttp.ServerFingerprintMismatch:
        raise CertificateChanged(
            "the satellite's certificate is not the one it was paired with: pair again only if you know why"
        ) from None
    except aiohttp.WSServerHandshakeError as err:
        raise _refused(err.status, host) from None
    except (aiohttp.ClientError, OSError, TimeoutError) as err:
        raise CannotConnect(f"the satellite at {_shown(host)} does not answer: {_reason(err)}") from err
    try:
        async with asyncio.timeout(AUTHENTICATION_TIMEOUT_S):
            return await _authenticate(_Frames(socket, silence_timeout_s), satellite_id, token)
    except TimeoutError:
        await _abandon(socket)
        raise CannotConnect("the satellite does not finish its greeting: restart it") from None
    except BaseException:
        await _abandon(socket)
        raise


class Connection:
    """One authenticated connection; iterate over it for what the satellite tells, until it ends.

    Iteration ends when either side closes in order (the satellite stops), and raises a `ClientError` when the
    connection breaks, falls silent or is refused.
    """

    def __init__(self, frames: "_Frames", welcome: Welcome, snapshot: Snapshot) -> None:
        """Wrap a WebSocket on which the satellite has said `welcome` and `snapshot`."""
        self.welcome = welcome
        self.snapshot = snapshot
        self._frames = frames

    async def __aiter__(self) -> AsyncIterator[Message]:
        """Yield each message of the satellite."""
        while (message := await self._frames.receive()) is not None:
            yield message

    async def send(self, message: Message) -> None:
        """Send a command.

        Raises:
            CannotConnect: the connection has ended.
        """
        await self._frames.send(message)

    async def close(self) -> None:
        """End the connection in order; harmless when it has ended already."""
        await _abandon(self._frames.socket)


class _SeenCertificate(aiohttp.Fingerprint):
    """Pins the certificate of the first connection, and holds every further one of this pairing to it.

    aiohttp asks `check` about each new connection before it sends anything there, and shares connections only
    between requests with the very same object: the requests of one pairing never leave over a connection that
    somebody else has opened.
    """

    def __init__(self) -> None:
        super().__init__(bytes(32))
        self._seen: bytes | None = None

    @property
    def fingerprint(self) -> bytes:
        if self._seen is None:
            raise CannotConnect("the satellite has shown no certificate")
        return self._seen

    def check(self, transport: asyncio.Transport) -> None:
        ssl_object = transport.get_extra_info("ssl_object")
        got = proof.certificate_fingerprint(ssl_object.getpeercert(binary_form=True))
        if self._seen is None:
            self._seen = got
        if not proof.same(self._seen, got):
            host, port, *_ = transport.get_extra_info("peername")
            raise aiohttp.ServerFingerprintMismatch(self._seen, got, host, port)


class _Frames:
    """The frames of one WebSocket as messages, and its silence as an error."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, silence_timeout_s: float) -> None:
        self.socket = socket
        self._silence_timeout_s = silence_timeout_s

    async def send(self, message: Message) -> None:
        try:
            await self.socket.send_str(encode(message))
        except (aiohttp.ClientError, OSError) as err:
            raise CannotConnect(f"the connection to the satellite has ended: {_reason(err)}") from err

    async def expect(self, kind: type[_Kind]) -> _Kind:
        message = await self.receive()
        if message is None:
            raise CannotConnect("the satellite ended the connection while greeting")
        if not isinstance(message, kind):
            raise CannotConnect(f"the satellite sent {message.type} where {kind.type} was due")
        return message

    async def receive(self) -> Message | None:
        """Return the next message, or None when the connection ended in order."""
        while True:
            frame = await self._next_frame()
            match frame.type:
                case aiohttp.WSMsgType.TEXT:
                    return await self._decode(frame.data)
                case aiohttp.WSMsgType.PING:
                    await self._pong(frame.data)
                case aiohttp.WSMsgType.PONG:
                    pass
                case aiohttp.WSMsgType.BINARY:
                    await _abandon(self.socket, CLOSE_BAD_MESSAGE)
                    raise CannotConnect("the satellite sent a frame that is not text")
                case _:
                    self._raise_unless_in_order(frame)
                    return None

    def _raise_unless_in_order(self, frame: aiohttp.WSMessage) -> None:
        if frame.type is aiohttp.WSMsgType.CLOSE:
            if (refusal := _closed(frame.data)) is not None:
                raise refusal
            return
        error = frame.data if frame.type is aiohttp.WSMsgType.ERROR else self.socket.exception()
        if error is not None or self.socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE:
            raise _broken(error)

    async def _next_frame(self) -> aiohttp.WSMessage:
        try:
            return await self.socket.receive(timeout=self._silence_timeout_s)
        except TimeoutError:
            await _abandon(self.socket)
            raise CannotConnect(
                f"the satellite has been silent for {self._silence_timeout_s:g} seconds"
            ) from None
        except (aiohttp.ClientError, OSError) as err:
            raise _broken(err) from err

    async def _decode(self, text: str) -> Message:
        try:
            return decode(text)
        except ProtocolError as err:
            await _abandon(self.socket, CLOSE_BAD_MESSAGE)
            raise CannotConnect(f"the satellite sent something unintelligible: {err}") from None

    async def _pong(self, data: bytes) -> None:
        try:
            await self.socket.pong(data)
        except (aiohttp.ClientError, OSError) as err:
            raise _broken(err) from err


async def _authenticate(frames: _Frames, satellite_id: str, token: str) -> Connection:
    hello = await frames.expect(Hello)
    if hello.protocol != PROTOCOL_VERSION:
        raise UnsupportedProtocol(
            f"the satellite speaks version {hello.protocol} of the protocol, we speak {PROTOCOL_VERSION}: "
            f"update the {'satellite' if hello.protocol < PROTOCOL_VERSION else 'integration'}"
        )
    if hello.satellite_id != satellite_id:
        raise WrongSatellite("another satellite answers at this address")
    await frames.send(Auth(token=token))
    welcome = await frames.expect(Welcome)
    if welcome.satellite_id != satellite_id:
        raise WrongSatellite("another satellite answers at this address")
    return Connection(frames, welcome, await frames.expect(Snapshot))


def _broken(error: object) -> CannotConnect:
    reason = _reason(error) if isinstance(error, BaseException) else "it ended without a word"
    return CannotConnect(f"the connection to the satellite broke: {reason}")


def _closed(code: int | None) -> ClientError | None:
    match code:
        case aiohttp.WSCloseCode.OK | aiohttp.WSCloseCode.GOING_AWAY:
            return None
        case _ if code == CLOSE_BAD_TOKEN:
            return InvalidToken("the satellite does not know this controller any more: pair again")
        case _ if code == CLOSE_PROTOCOL_VERSION:
            return UnsupportedProtocol("the satellite refuses our version of the protocol: update both")
    reasons = {
        CLOSE_BAD_MESSAGE: "it did not understand us",
        CLOSE_TOO_MANY_CONTROLLERS: "it has as many controllers as it can serve",
        CLOSE_AUTHENTICATION_TIMEOUT: "it did not get our token in time",
        CLOSE_SLOW_CONTROLLER: "we were too slow to take what it tells",
    }
    return CannotConnect(f"the satellite ended the connection: {reasons.get(code or 0, f'code {code}')}")


async def _abandon(socket: aiohttp.ClientWebSocketResponse, code: int = aiohttp.WSCloseCode.OK) -> None:
    # Where it is gone already, that is what was wanted.
    with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
        await socket.close(code=code)


async def _post(
    session: aiohttp.ClientSession, url: URL, certificate: _SeenCertificate, body: Mapping[str, Any]
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
        raise CannotConnect(f"no satellite answers at {_shown(url.host)}: {_reason(err)}") from err
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise CannotConnect(f"what answers at {_shown(url.host)} is not a satellite")
    if status == 200:
        return answer
    match answer.get("error"):
        case "pairing_closed":
            raise PairingClosed("the satellite is not pairing: run `echonet-satellite pair` on it")
        case "wrong_code":
            raise InvalidCode("the pairing code is not the one that the satellite shows: type it again")
        case "protocol_version":
            raise UnsupportedProtocol("the satellite refuses our version of the protocol: update both")
    raise _refused(status, url.host)


async def _read_limited(response: aiohttp.ClientResponse) -> bytes:
    raw = b""
    async for chunk in response.content.iter_any():
        raw += chunk
        if len(raw) > MAX_ANSWER_BYTES:
            raise CannotConnect(f"what answers at {_shown(response.url.host)} is not a satellite")
    return raw


def _refused(status: int, host: str | None) -> ClientError:
    if status == 421:
        return CannotConnect(
            f"the satellite does not answer to the name {_shown(host)}: use its IP address or its .local name"
        )
    if status == 429:
        return CannotConnect("the satellite has had too many attempts: wait a minute and try again")
    return CannotConnect(f"what answers at {_shown(host)} is not a satellite (HTTP status {status})")


def _url(host: str, port: int, path: str) -> URL:
    try:
        return URL.build(scheme="https", host=host, port=port, path=path)
    except ValueError:
        raise CannotConnect(f"{_shown(host)} is not an address") from None


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


def _reason(err: BaseException | None) -> str:
    return _printable(str(err)) or type(err).__name__


def _shown(host: str | None) -> str:
    return _printable(host or "this address")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)[:MAX_STRING_LENGTH]
