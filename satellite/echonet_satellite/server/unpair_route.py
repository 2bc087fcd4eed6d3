"""The end of a pairing, at the wish of the controller: its owner has removed the satellite there."""

from collections.abc import Awaitable, Callable
import logging

from aiohttp import web

from ..controllers import Controller, Controllers
from ..errors import StateError
from ..protocol import PATH_PAIR
from .bearer import controller_of, paired_only
from .guard import answer, refusal

_LOGGER = logging.getLogger(__name__)


class UnpairRoute:
    """Answers `DELETE /pair`, which is for paired controllers."""

    def __init__(self, controllers: Controllers, forget: Callable[[Controller], Awaitable[None]]) -> None:
        """Let each of `controllers` have itself forgotten, and nobody else."""
        self._controllers = controllers
        self._forget = forget

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the route."""
        router.add_delete(PATH_PAIR, paired_only(self._controllers, self._unpair))

    def close(self) -> None:
        """End nothing: an answer takes no longer than its own write to the disk."""

    async def _unpair(self, request: web.Request) -> web.StreamResponse:
        if (controller := controller_of(request, self._controllers)) is None:
            return refusal(401, "unauthorized")
        try:
            await self._forget(controller)
        except StateError as err:
            _LOGGER.error("%s cannot be forgotten: %s", controller.name, err)
            return refusal(503)
        _LOGGER.info("%s is no longer paired: the satellite was removed there", controller.name)
        return answer(200, {"forgotten": 1})
