"""What can go wrong between a controller and a satellite, in words for a person."""

from typing import Final

from yarl import URL

from .protocol import MAX_STRING_LENGTH, PROTOCOL_VERSION, EchonetError

REQUEST_TIMEOUT_S: Final = 15.0


class ClientError(EchonetError):
    """What can go wrong between a controller and a satellite."""


class CannotConnect(ClientError):
    """The satellite does not answer, or not as a satellite does."""


class NotASatellite(CannotConnect):
    """Something answers, and it is no satellite."""


class UnknownName(CannotConnect):
    """The satellite does not answer to the name by which it was called."""


class TooManyAttempts(CannotConnect):
    """The satellite answers nobody for a moment, because it was asked too often."""


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


class Chatterbox(ClientError):
    """The satellite sends more than a satellite can have to tell."""


class UnsupportedProtocol(ClientError):
    """The satellite speaks another version of the protocol."""


class SatelliteOutdated(UnsupportedProtocol):
    """The satellite speaks an older version than we do."""


class IntegrationOutdated(UnsupportedProtocol):
    """The satellite speaks a newer version than we do."""


def unsupported(version: int) -> UnsupportedProtocol:
    """Return what it means that a satellite speaks this version, which is not ours."""
    spoken = f"the satellite speaks version {version} of the protocol, we speak {PROTOCOL_VERSION}"
    if version < PROTOCOL_VERSION:
        return SatelliteOutdated(f"{spoken}: update the satellite")
    return IntegrationOutdated(f"{spoken}: update the integration")


def refused(status: int, host: str | None) -> ClientError:
    """Return what an HTTP status other than 200 means."""
    if status == 421:
        return UnknownName(
            f"the satellite does not answer to the name {shown(host)}: use its IP address or its .local name"
        )
    if status == 429:
        return TooManyAttempts("the satellite has had too many attempts: wait a minute and try again")
    return NotASatellite(f"what answers at {shown(host)} is not a satellite (HTTP status {status})")


def satellite_url(host: str, port: int, path: str) -> URL:
    """Return an address of a satellite.

    Raises:
        CannotConnect: the host is none.
    """
    try:
        return URL.build(scheme="https", host=host, port=port, path=path)
    except ValueError:
        raise CannotConnect(f"{shown(host)} is not an address") from None


def reason_of(err: BaseException | None) -> str:
    """Return what an error says, fit for a log."""
    return printable(str(err)) or type(err).__name__


def shown(host: str | None) -> str:
    """Return a host as it may be shown."""
    return printable(host or "this address")


def printable(text: str) -> str:
    """Return a text without control characters, and not too long."""
    return "".join(char if char.isprintable() else " " for char in text)[:MAX_STRING_LENGTH]
