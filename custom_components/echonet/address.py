"""Reads an address as people paste it: a name, an IP address, with or without a port, or a whole URL. Pure."""

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
import re
from typing import Final

from yarl import URL

from .protocol import DEFAULT_PORT, EchonetError

# What stands between dots: a label of DNS, also with the underscores that home networks have.
_HOST: Final = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$", re.IGNORECASE
)


class InvalidAddress(EchonetError):
    """A text that is no address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a satellite listens."""

    host: str
    port: int = DEFAULT_PORT

    def __str__(self) -> str:
        """Return the address as a person would type it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORT else f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """Return the address that somebody has typed or pasted.

    Raises:
        InvalidAddress: it is none.
    """
    text = text.strip()
    if (bare := _ipv6(text)) is not None:
        return Address(host=bare)
    try:
        # `wss://` and the like are as good: what answers is found out by asking it.
        url = URL(text if "://" in text else f"https://{text}")
        host, port = url.host, url.explicit_port
    except ValueError:
        raise InvalidAddress(f"{text!r} is no address") from None
    if not host or port == 0 or not (_ipv6(host) or _HOST.match(host)):
        raise InvalidAddress(f"{text!r} is no address")
    return Address(host=host.lower(), port=port or DEFAULT_PORT)


def _ipv6(text: str) -> str | None:
    try:
        return str(IPv6Address(text))
    except AddressValueError:
        return None
