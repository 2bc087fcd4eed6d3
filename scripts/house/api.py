"""Home Assistant's own API, as a browser or a phone uses it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import itertools
from typing import Any, Self

import aiohttp

from .errors import HouseError


class Subscription:
    """Events of one subscription, in the order in which they came."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    def put(self, event: dict[str, Any] | None) -> None:
        """Add an event; None ends the stream."""
        self._queue.put_nowait(event)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> dict[str, Any]:
        event = await self._queue.get()
        if event is None:
            raise StopAsyncIteration
        return event


class Api:
    """One authenticated connection: REST and WebSocket."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, token: str, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        self.url = url
        self.token = token
        self._session = session
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._subscriptions: dict[int, Subscription] = {}

    @classmethod
    @asynccontextmanager
    async def connect(cls, session: aiohttp.ClientSession, url: str, token: str) -> AsyncIterator[Self]:
        """Connect to the Home Assistant at `url`."""
        async with session.ws_connect(f"{url}/api/websocket", max_msg_size=0) as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": token})
            answer = await socket.receive_json()
            if answer["type"] != "auth_ok":
                raise HouseError(f"Home Assistant refuses the token: {answer.get('message')}")
            api = cls(session, url, token, socket)
            reader = asyncio.create_task(api._read())
            try:
                yield api
            finally:
                reader.cancel()
                with suppress(asyncio.CancelledError):
                    await reader

    async def get(self, path: str) -> Any:
        """GET a path of the REST API."""
        return await self._request("GET", path, None)

    async def post(self, path: str, **data: Any) -> Any:
        """POST to a path of the REST API."""
        return await self._request("POST", path, data)

    async def command(self, kind: str, **fields: Any) -> Any:
        """Send a WebSocket command and return its result."""
        return await self._send(next(self._ids), kind, fields)

    async def subscribe(self, kind: str, **fields: Any) -> Subscription:
        """Send a WebSocket command that answers with a stream of events."""
        number = next(self._ids)
        subscription = self._subscriptions[number] = Subscription()
        await self._send(number, kind, fields)
        return subscription

    async def call(self, action: str, **data: Any) -> None:
        """Perform an action such as `switch.turn_on`."""
        domain, service = action.split(".")
        await self.post(f"/api/services/{domain}/{service}", **data)

    async def states(self) -> dict[str, dict[str, Any]]:
        """All states by entity id."""
        return {state["entity_id"]: state for state in await self.get("/api/states")}

    async def _request(self, method: str, path: str, data: dict[str, Any] | None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self._session.request(method, self.url + path, json=data, headers=headers) as response:
            if response.status >= 400:
                raise HouseError(f"{method} {path}: {response.status} {(await response.text())[:300]}")
            return await response.json()

    async def _send(self, number: int, kind: str, fields: dict[str, Any]) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        await self._socket.send_json({"id": number, "type": kind, **fields})
        async with asyncio.timeout(30):
            message = await answer
        if not message["success"]:
            raise HouseError(f"{kind}: {message['error'].get('message', message['error'])}")
        return message.get("result")

    async def _read(self) -> None:
        try:
            async for frame in self._socket:
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    continue
                content = frame.json()
                # Home Assistant may send several messages in one frame.
                for message in content if isinstance(content, list) else [content]:
                    self._deliver(message)
        finally:
            for subscription in self._subscriptions.values():
                subscription.put(None)
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(HouseError("Home Assistant closed the connection"))

    def _deliver(self, message: dict[str, Any]) -> None:
        number = message["id"]
        if message["type"] == "event":
            self._subscriptions[number].put(message["event"])
        elif number in self._answers:
            answer = self._answers.pop(number)
            if not answer.done():
                answer.set_result(message)
