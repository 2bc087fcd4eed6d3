"""Forgets controllers: their tokens, what the journal keeps for them, and with the last one every recorded sound."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .controllers import Controller, Controllers
from .journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpairing:
    """What a running satellite does when somebody is no longer paired with it."""

    controllers: Controllers
    journal: Journal
    disconnect: Callable[[str], Awaitable[None]]
    announce_paired: Callable[[bool], Awaitable[None]]
    delete_clips: Callable[[], Awaitable[None]]

    async def forget(self, *controllers: Controller) -> None:
        """Make their tokens worthless and end their connections.

        Raises:
            StateError: the disk does not take it; who is not forgotten yet stays paired.
        """
        for controller in controllers:
            self.controllers.forget(controller.id)
            self.journal.forget_controller(controller.id)
            await self.disconnect(controller.id)
        if not self.controllers.all:
            await self.announce_paired(False)
            # Whoever pairs next may be somebody else.
            await self.delete_clips()
