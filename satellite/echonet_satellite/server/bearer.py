"""Who may use what is not the WebSocket: paired controllers, by the token in the header `Authorization`."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from ..controllers import Controller, Controllers
from .door import trust
from .guard import refusal

_SCHEME = "Bearer "


def paired_only(
    controllers: Controllers, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> Handler:
    """Return a handler that is asked only for paired controllers."""

    async def checked(request: web.Request) -> web.StreamResponse:
        if controller_of(request, controllers) is None:
            answer = refusal(401, "unauthorized")
            answer.headers["WWW-Authenticate"] = _SCHEME.strip()
            return answer
        trust(request)
        return await handler(request)

    return checked


def controller_of(request: web.Request, controllers: Controllers) -> Controller | None:
    """Return whose token a request has."""
    header = request.headers.get("Authorization", "")
    if not header.startswith(_SCHEME):
        return None
    return controllers.authenticate(header.removeprefix(_SCHEME))
