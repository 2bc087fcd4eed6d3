"""Refuses what no controller sends: web pages (`Origin`), unknown names (`Host`), floods; shows no traceback."""

from collections.abc import Callable, Collection
import ipaddress
import json
import logging
import socket
import time
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict

from ..output import escaped

_LOGGER = logging.getLogger(__name__)

ERRORS: Final = {
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    421: "unknown_host",
    429: "too_many_requests",
    500: "internal",
    503: "busy",
}


def answer(status: int, content: dict[str, Any]) -> web.Response:
    """Return a JSON answer."""
    return web.Response(status=status, text=json.dumps(content), content_type="application/json")


def refusal(status: int, error: str | None = None) -> web.Response:
    """Return an error in the one form that all of them have."""
    return answer(status, {"error": error or ERRORS.get(status, "refused")})


def guard(allowed_hosts: Collection[str]) -> Middleware:
    """Return the middleware that every request passes first."""
    names = {name.lower().rstrip(".") for name in (*allowed_hosts, "localhost", socket.gethostname())}

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        # A browser names the page that asks in `Origin`, and another name than ours in `Host` when that page has
        # pointed its own name at our address. No controller is a browser.
        if "Origin" in request.headers:
            return refusal(403)
        if not _known_host(request.headers.get("Host", ""), names):
            return refusal(421)
        try:
            return await handler(request)
        except web.HTTPException as err:
            refused = refusal(err.status)
            if "Allow" in err.headers:
                refused.headers["Allow"] = err.headers["Allow"]
            return refused
        except Exception:
            _LOGGER.exception("Unexpected error while answering %s", escaped(request.path))
            return refusal(500)

    return middleware


async def hide_software(_request: web.Request, response: web.StreamResponse) -> None:
    """Say no versions to strangers."""
    say_no_version(response)


def say_no_version(response: web.StreamResponse) -> None:
    """Let an answer not say what software has made it."""
    headers: CIMultiDict[str] = response.headers
    headers["Server"] = "echonet"


class TokenBucket:
    """Lets `burst` requests through at once, and `per_second` more as time passes."""

    def __init__(self, burst: int, per_second: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin full."""
        self._burst = float(burst)
        self._per_second = per_second
        self._clock = clock
        self._left = self._burst
        self._at = clock()

    def take(self) -> bool:
        """Return whether one more request may pass."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


def _known_host(header: str, names: Collection[str]) -> bool:
    host = header.strip().lower()
    if host.startswith("["):
        host = host[1:].partition("]")[0].partition("%")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    host = host.rstrip(".")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host in names or (host.endswith(".local") and host != ".local")
    return True
