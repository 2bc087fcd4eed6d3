"""What the journal holds in memory: what is not on disk yet, and what not every controller has. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from .journal_tables import Batch, Kept
from .protocol import Label, LoudNoise, Verdict

MOST_IN_MEMORY: Final = 10_000
# Sequence numbers are reserved on disk ahead of their use: several times as many as can wait for a disk that fails,
# so that a kill or a power cut meanwhile has none given again.
RESERVE: Final = 100_000
_MOST_AT_ONCE: Final = 500
# Of the unacknowledged messages on disk, so many are in memory too: they outlive damage to the file, and are sent
# without reading it.
MOST_UNACKNOWLEDGED: Final = 1000

_KeptT = TypeVar("_KeptT", bound=Kept)
_Value = TypeVar("_Value")


class JournalMemory:
    """The messages, acknowledgements and verdicts in memory; not safe to use from several threads."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.last = 0
        self.reserved = 0
        self.unsaved: dict[int, Kept] = {}
        self.acknowledged: dict[str, int] = {}
        self._unacknowledged: dict[int, Kept] = {}
        # Every unacknowledged message above this sequence number is in memory.
        self._complete_above = 0
        self._new_acknowledged: dict[str, int | None] = {}
        self._new_labels: dict[str, Verdict] = {}

    @property
    def waits(self) -> bool:
        """Whether anything is not on disk yet."""
        return bool(self.unsaved or self._new_acknowledged or self._new_labels)

    @property
    def precious(self) -> list[Kept | Label]:
        """What is not on disk yet and would be missed; without an acknowledgement a message is only sent again."""
        labels = (Label(detection_id=name, verdict=verdict) for name, verdict in self._new_labels.items())
        return [*self.unsaved.values(), *labels]

    @property
    def delivered(self) -> int:
        """The sequence number up to which every controller has everything."""
        return min(self.acknowledged.values(), default=0)

    @property
    def labels(self) -> dict[str, Verdict]:
        """The verdicts that are not on disk yet, by detection id."""
        return dict(self._new_labels)

    def start(self, last: int, *, complete: bool, unacknowledged: Iterable[Kept] = ()) -> None:
        """Count on from `last`.

        Args:
            last: The highest sequence number given so far.
            complete: Whether the file could be read.
            unacknowledged: The newest messages on disk that not every controller has, in order.
        """
        self.last = last
        self._unacknowledged = {item.sequence: item for item in unacknowledged}
        self._complete_above = self.delivered if complete else last
        if len(self._unacknowledged) >= MOST_UNACKNOWLEDGED:
            self._complete_above = min(self._unacknowledged) - 1

    def add(self, message: _KeptT) -> _KeptT:
        """Give a message the next sequence number and hold it until it is on disk."""
        self.last += 1
        numbered = replace(message, sequence=self.last)
        self.unsaved[numbered.sequence] = numbered
        return numbered

    def make_room(self) -> Kept | None:
        """Forget a message where too many wait for the disk, the oldest loud noise first, and return it."""
        if len(self.unsaved) <= MOST_IN_MEMORY:
            return None
        noises = (number for number, item in self.unsaved.items() if isinstance(item, LoudNoise))
        return self.unsaved.pop(next(noises, next(iter(self.unsaved))))

    def held(self, *, after: int, up_to: int) -> tuple[dict[int, Kept], bool]:
        """Return messages by sequence number, and whether these are all that a controller has not acknowledged."""
        held = {**self._unacknowledged, **self.unsaved}
        found = {number: item for number, item in held.items() if after < number <= up_to}
        return found, after >= self._complete_above

    def knows(self, detection_id: str) -> bool:
        """Tell whether a message of a detection is in memory."""
        held = (*self._unacknowledged.values(), *self.unsaved.values())
        return any(item.id == detection_id for item in held)

    def acknowledge(self, controller_id: str, sequence: int) -> bool:
        """Remember that a controller has everything up to `sequence`; False where that is nothing new."""
        known = self.acknowledged.get(controller_id)
        reached = min(sequence, self.last)
        if known is not None and reached <= known:
            return False
        self.acknowledged[controller_id] = self._new_acknowledged[controller_id] = reached
        self._forget_delivered()
        return True

    def forget_controller(self, controller_id: str) -> bool:
        """Forget the acknowledgements of a controller; False where there are none."""
        if self.acknowledged.pop(controller_id, None) is None:
            return False
        self._new_acknowledged[controller_id] = None
        return True

    def label(self, detection_id: str, verdict: Verdict) -> None:
        """Hold a verdict until it is on disk."""
        self._new_labels[detection_id] = verdict

    def batch(self) -> Batch:
        """Return what is to be written next."""
        reserved = self.reserved
        if self.last + RESERVE // 2 > reserved:
            reserved = max(reserved, self.last + RESERVE)
        return Batch(
            messages=list(self.unsaved.values())[:_MOST_AT_ONCE],
            acknowledged=dict(self._new_acknowledged),
            labels=dict(self._new_labels),
            reserved=reserved,
        )

    def wrote(self, batch: Batch) -> None:
        """Take a batch for written."""
        self.reserved = batch.reserved
        for item in batch.messages:
            self.unsaved.pop(item.sequence, None)
            self._unacknowledged[item.sequence] = item
        _forget_same(self._new_acknowledged, batch.acknowledged)
        _forget_same(self._new_labels, batch.labels)
        self._forget_delivered()

    def write_again(self) -> None:
        """Hold everything for a new file."""
        self.unsaved = dict(sorted({**self._unacknowledged, **self.unsaved}.items()))
        self._unacknowledged.clear()
        self._new_acknowledged = {**self.acknowledged, **self._new_acknowledged}
        self.reserved = 0

    def _forget_delivered(self) -> None:
        delivered = self.delivered
        for sequence in [number for number in self._unacknowledged if number <= delivered]:
            del self._unacknowledged[sequence]
        self._complete_above = max(self._complete_above, delivered)
        while len(self._unacknowledged) > MOST_UNACKNOWLEDGED:
            sequence = min(self._unacknowledged)
            del self._unacknowledged[sequence]
            self._complete_above = max(self._complete_above, sequence)


def _forget_same(new: dict[str, _Value], written: Mapping[str, _Value]) -> None:
    """Forget what has been written and has not changed since."""
    for key, value in written.items():
        if key in new and new[key] == value:
            del new[key]
