"""Clips over the paired connection: which there are, their sound, their picture, and their end."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from aiohttp import web

from ..clips.store import ClipStore
from ..codec import plain
from ..controllers import Controllers
from ..errors import ClipError
from ..protocol import PATH_CLIPS
from .bearer import paired_only
from .guard import answer, refusal

_Result = TypeVar("_Result")

# Whoever fetches a clip may show it; nothing between may keep it.
_PRIVATE: Final = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
_MAX_WAITING: Final = 8
_DISK_S: Final = 20.0


class ClipRoutes:
    """Answers everything below `PATH_CLIPS`."""

    def __init__(self, store: ClipStore, controllers: Controllers) -> None:
        """Serve what `store` holds to `controllers`."""
        self._store = store
        self._controllers = controllers
        # A disk that hangs holds up who wants a clip, and not the threads in which detections are acknowledged.
        self._threads = ThreadPoolExecutor(2, "clip requests")
        self._waiting = 0

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        for method, path, handler in (
            ("GET", PATH_CLIPS, self._list),
            ("DELETE", PATH_CLIPS, self._delete_all),
            ("GET", f"{PATH_CLIPS}/{{id}}.flac", self._sound),
            ("GET", f"{PATH_CLIPS}/{{id}}.png", self._picture),
            ("DELETE", f"{PATH_CLIPS}/{{id}}", self._delete),
        ):
            router.add_route(method, path, paired_only(self._controllers, handler))

    def close(self) -> None:
        """Begin nothing new."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _list(self, _request: web.Request) -> web.StreamResponse:
        clips = await self._ask(self._store.clips)
        return answer(200, {"clips": [plain(clip) for clip in clips]})

    async def _sound(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["id"]
        sound = await self._ask(lambda: self._store.sound(name))
        if sound is None:
            return refusal(404)
        return web.Response(body=sound, content_type="audio/flac", headers=_PRIVATE)

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["id"]
        picture = await self._ask(lambda: self._store.picture(name))
        if picture is None:
            return refusal(404)
        return web.Response(body=picture, content_type="image/png", headers=_PRIVATE)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["id"]
        deleted = await self._ask(lambda: self._store.delete(name))
        return answer(200, {"deleted": 1}) if deleted else refusal(404)

    async def _delete_all(self, _request: web.Request) -> web.StreamResponse:
        return answer(200, {"deleted": await self._ask(self._store.delete_all)})

    async def _ask(self, work: Callable[[], _Result]) -> _Result:
        """Do what may wait for the disk.

        Raises:
            HTTPServiceUnavailable: the disk refuses, hangs, or has too much to do.
        """
        if self._waiting >= _MAX_WAITING:
            raise web.HTTPServiceUnavailable
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        future.add_done_callback(self._done)
        try:
            async with asyncio.timeout(_DISK_S):
                return await asyncio.shield(future)
        except (ClipError, TimeoutError):
            raise web.HTTPServiceUnavailable from None

    def _done(self, future: "asyncio.Future[_Result]") -> None:
        self._waiting -= 1
        if not future.cancelled():
            future.exception()  # whoever asked may have gone
