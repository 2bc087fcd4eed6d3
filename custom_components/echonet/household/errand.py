"""What is still owed to one recipient of one incident."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .alerts import Alert
from .channels import Channel
from .recipients import Recipient
from .sender import Failure, Tellable

type ToldListener = Callable[[Recipient, Tellable], None]
# What one way to a recipient is known by, when others of the same recipient are still owed an alert.
type PartListener = Callable[[Recipient, str], None]


@dataclass(slots=True, kw_only=True, eq=False)
class Errand:
    """What is still owed to one recipient of one incident, through which channels, and who is told when it is done."""

    recipient: Recipient
    alert: Tellable
    parts: list[tuple[Channel, Tellable]]
    instead_of: Sequence[str]
    on_told: ToldListener | None
    on_part: PartListener | None
    sends: list[asyncio.Task[Failure | None]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    off: bool = False
    replaced: bool = False

    def call_off(self) -> None:
        """Send it no more, and give up what is being sent."""
        self.off = True
        for task in (*self.sends, self.task):
            if task is not None:
                task.cancel()


def take_over(errand: Errand, owed: Errand) -> None:
    """Bring what is still owed together with what comes in its place, as loudly, to those who are owed it."""
    still_owed = {part_of(owed.recipient, channel): alert for channel, alert in owed.parts}
    errand.parts = [
        (channel, _as_loud_as(alert, still_owed.get(part_of(errand.recipient, channel))))
        for channel, alert in errand.parts
    ]
    if still_owed:
        errand.alert = _as_loud_as(errand.alert, owed.alert)


def _as_loud_as(alert: Tellable, earlier: Tellable | None) -> Tellable:
    if isinstance(alert, Alert) and isinstance(earlier, Alert):
        return alert.as_loud_as(earlier)
    return alert


def part_of(recipient: Recipient, channel: Channel) -> str:
    """Return what one of the ways to a recipient is known by."""
    return f"{recipient.subentry_id} {channel.kind} {channel.target}"
