"""The two requests of pairing, over HTTP; what they decide is in `echonet_satellite.pairing_window`."""

from collections.abc import Awaitable, Callable
import json
import logging
from typing import Any, Final

from aiohttp import web

from ..controllers import Controllers
from ..errors import PairingClosedError, PairingError, StateError, WrongProofError
from ..pairing_window import PairingWindow
from ..proof import NONCE_BYTES, from_text, to_text
from ..protocol import MAX_STRING_LENGTH, PATH_PAIR_FINISH, PATH_PAIR_START, PROTOCOL_VERSION
from .guard import TokenBucket, answer, refusal

_LOGGER = logging.getLogger(__name__)

MAX_BODY_BYTES: Final = 4096


class PairingRoutes:
    """Answers `POST /pair/start` and `POST /pair/finish`."""

    def __init__(
        self,
        window: PairingWindow,
        controllers: Controllers,
        *,
        satellite_id: str,
        name: str,
        on_paired: Callable[[str], Awaitable[None]],
        bucket: TokenBucket,
    ) -> None:
        """Issue tokens from `controllers` to who passes `window`; `on_paired` learns the controller's id first."""
        self._window = window
        self._controllers = controllers
        self._satellite_id = satellite_id
        self._name = name
        self._on_paired = on_paired
        self._bucket = bucket

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_post(PATH_PAIR_START, self._start)
        router.add_post(PATH_PAIR_FINISH, self._finish)

    async def _start(self, request: web.Request) -> web.Response:
        if not self._bucket.take():
            return refusal(429)
        body = await _body(request)
        nonce = from_text(body.get("nonce"), NONCE_BYTES)
        name = body.get("controller_name")
        if nonce is None or not isinstance(name, str) or not _is_name(name):
            return refusal(400, "bad_request")
        if body.get("protocol") != PROTOCOL_VERSION:
            return refusal(426, "protocol_version")
        try:
            started = self._window.start(nonce, name)
        except PairingClosedError:
            return refusal(403, "pairing_closed")
        except PairingError:
            return refusal(400, "bad_request")
        return answer(
            200,
            {
                "satellite_id": self._satellite_id,
                "name": self._name,
                "attempt": started.attempt,
                "nonce": to_text(started.nonce),
                "code_check": to_text(started.code_check),
                "proof": to_text(started.proof),
            },
        )

    async def _finish(self, request: web.Request) -> web.Response:
        if not self._bucket.take():
            return refusal(429)
        body = await _body(request)
        proof = from_text(body.get("proof"), NONCE_BYTES)
        attempt = body.get("attempt")
        if proof is None or not isinstance(attempt, str):
            return refusal(400, "bad_request")
        try:
            name = self._window.finish(attempt, proof)
        except PairingClosedError:
            return refusal(403, "pairing_closed")
        except WrongProofError:
            _LOGGER.warning("A controller tried to pair with a wrong code")
            return refusal(403, "wrong_code")
        try:
            controller, token = self._controllers.issue(name)
            await self._on_paired(controller.id)
        except StateError as err:
            _LOGGER.error("Pairing failed, open a new window: %s", err)
            return refusal(500)
        _LOGGER.info("Paired with %s", controller.name)
        return answer(200, {"satellite_id": self._satellite_id, "name": self._name, "token": token})


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest
    return body


def _is_name(name: str) -> bool:
    return 0 < len(name) <= MAX_STRING_LENGTH and name.isprintable()
