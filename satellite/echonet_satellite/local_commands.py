"""What `pair`, `unpair`, `selftest` and `teach`, which are processes of their own, make the running satellite do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from .command_socket import Handler
from .errors import EchonetError
from .pairing_window import Outcome, PairingWindow
from .protocol import SelfTestResult
from .report import Report
from .unpairing import Unpairing


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCommands:
    """Answers each command with a stream of JSON objects."""

    window: PairingWindow
    unpairing: Unpairing
    report: Report
    name: str
    port: int
    self_test: Callable[..., Awaitable[SelfTestResult | None]]
    learn_again: Callable[[], Awaitable[None]]

    def handlers(self) -> dict[str, Handler]:
        """Return what answers, by the name of the command."""
        return {
            "pair": self._pair,
            "unpair": self._unpair,
            "learn_again": self._learn_again,
            "selftest": self._self_test,
            "selftest aloud": self._self_test_aloud,
        }

    async def _self_test(self) -> AsyncIterator[dict[str, Any]]:
        """Follow a known sound, and say what came of it."""
        if (result := await self.self_test(aloud=False)) is not None:
            yield asdict(result)

    async def _self_test_aloud(self) -> AsyncIterator[dict[str, Any]]:
        """Follow a known sound from the loudspeaker on."""
        try:
            result = await self.self_test(aloud=True)
        except EchonetError as err:
            yield {"error": str(err)}
            return
        if result is not None:
            yield asdict(result)

    async def _pair(self) -> AsyncIterator[dict[str, Any]]:
        """Open a window, and follow it to its end."""
        outcomes: asyncio.Queue[Outcome] = asyncio.Queue()
        code = self.window.open()
        self.report.pairing(code, self.window.remaining_s)
        unsubscribe = self.window.subscribe(outcomes.put_nowait)
        try:
            yield {
                "code": code,
                "expires_in_s": self.window.remaining_s,
                "name": self.name,
                "port": self.port,
            }
            while True:
                try:
                    async with asyncio.timeout(1.0):
                        outcome = await outcomes.get()
                except TimeoutError:
                    # Asking for the code closes a window whose time is over, and tells so.
                    if self.window.code is None and outcomes.empty():
                        return
                    continue
                yield {"outcome": Outcome.CLOSED if outcome is Outcome.OPENED else outcome}
                return
        finally:
            unsubscribe()

    async def _unpair(self) -> AsyncIterator[dict[str, Any]]:
        """Forget all controllers, and end their connections."""
        controllers = self.unpairing.controllers.all
        await self.unpairing.forget(*controllers)
        yield {"forgotten": [controller.name for controller in controllers]}

    async def _learn_again(self) -> AsyncIterator[dict[str, Any]]:
        """Take the sounds that the command `teach` has taught."""
        await self.learn_again()
        yield {"learned": True}
