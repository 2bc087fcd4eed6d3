"""Tells everybody who is connected, on the event loop, and knows what they have been told."""

import asyncio
from collections.abc import Callable
import logging

from .protocol import Detection, Health, LoudNoise, Message, Phase, Snapshot

_LOGGER = logging.getLogger(__name__)


class Audience:
    """Those who are told; `post` may be called from any thread, everything else belongs to the event loop."""

    def __init__(self, snapshot: Callable[[], Snapshot], *, told: int) -> None:
        """Begin with everything told up to the sequence number `told`; `snapshot` returns the whole state."""
        self._snapshot = snapshot
        self._listeners: list[Callable[[Message], None]] = []
        self.loop: asyncio.AbstractEventLoop | None = None
        # As the listeners were told.
        self.told = told
        self.active: dict[str, Detection] = {}
        self.health = Health()

    def begin(self, loop: asyncio.AbstractEventLoop, *, told: int, active: dict[str, Detection]) -> None:
        """Tell on this event loop from now on; what has a sequence number up to `told` counts as told."""
        self.told = told
        self.active = active
        self.loop = loop

    def end(self) -> None:
        """Tell nothing any longer."""
        self.loop = None

    def subscribe(self, listener: Callable[[Message], None]) -> Callable[[], None]:
        """Call `listener` with every message from now on; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def post(self, message: Message | None) -> None:
        """Hand a message to the event loop; None stands for the snapshot of that moment."""
        loop = self.loop
        if loop is None:
            return
        try:
            loop.call_soon_threadsafe(self.tell, message)
        except RuntimeError:
            _LOGGER.debug("The event loop has ended; the journal has what it was not told")

    def tell(self, message: Message | None) -> None:
        """Tell a message at once; None stands for the snapshot."""
        if isinstance(message, Detection):
            self.told = max(self.told, message.sequence)
            if message.phase is Phase.END:
                self.active.pop(message.id, None)
            else:
                self.active[message.id] = message
        elif isinstance(message, LoudNoise):
            self.told = max(self.told, message.sequence)
        elif isinstance(message, Health):
            if message == self.health:
                return
            self.health = message
        told = self._snapshot() if message is None else message
        for listener in tuple(self._listeners):
            try:
                listener(told)
            except Exception:
                # One that fails keeps nobody else from hearing of an alarm.
                _LOGGER.exception("One of those who are told of what is heard has failed")
