"""How a journal starts: from its file, as far as it can be read, and from what an earlier process left in the spool."""

from collections.abc import Callable
from dataclasses import dataclass
import secrets

from .errors import JournalError
from .journal_file import JournalFile
from .journal_memory import MOST_IN_MEMORY, MOST_UNACKNOWLEDGED, RESERVE, JournalMemory
from .journal_tables import Batch, Kept
from .protocol import Label


@dataclass(slots=True, kw_only=True)
class _Found:
    """What the file says."""

    highest: int | None = None
    reserved: int | None = None
    unacknowledged: list[Kept] | None = None  # None where it could not be read


def start(
    memory: JournalMemory,
    file: JournalFile | None,
    spooled: list[Kept | Label],
    *,
    clock: Callable[[], float],
    fail: Callable[[JournalError], None],
) -> int:
    """Fill `memory`, and return the sequence number up to which the file could be read.

    Args:
        memory: Without anything so far.
        file: None where it could not be opened.
        spooled: What an earlier process has left in the spool.
        clock: The seconds since 1970.
        fail: Called with what keeps us from the file.
    """
    found = _read(memory, file, fail)
    readable_up_to = max(found.highest or 0, found.reserved or 0)
    last = max([readable_up_to, *(item.sequence for item in spooled if isinstance(item, Kept))])
    writable = file is not None and file.writable
    ended_well = writable and found.reserved is not None and found.reserved <= (found.highest or 0)
    if not ended_well:
        # Numbers begin at the seconds since 1970, and over the years there are fewer detections than seconds: so none
        # is given again that a file had which was lost or could not be opened.
        last = max(last, int(clock()))
    if not _reserve(memory, file, last, fail):
        # What is given now cannot be remembered, so that the next start had better not count from the same number.
        last += secrets.randbelow(10 * RESERVE)
    memory.start(last, complete=found.unacknowledged is not None, unacknowledged=found.unacknowledged or ())
    _take_spooled(memory, file, spooled, fail)
    return readable_up_to


def take_in(memory: JournalMemory, file: JournalFile, *, after: int, up_to: int) -> None:
    """Give the messages of a file that could not be used at the start numbers that nobody has.

    Args:
        memory: What to add them to.
        file: The file, which works now.
        after: The sequence number up to which the file could be read at the start.
        up_to: The last sequence number before this process gave its own.
    """
    acknowledged = file.acknowledged()
    known = max(after, min(acknowledged.values(), default=up_to))
    for item in file.messages(after=known, up_to=up_to, limit=MOST_IN_MEMORY):
        if (held := memory.unsaved.get(item.sequence)) is None or held.id != item.id:
            memory.add(item)
    for name, sequence in acknowledged.items():
        memory.acknowledged.setdefault(name, sequence)


def _read(memory: JournalMemory, file: JournalFile | None, fail: Callable[[JournalError], None]) -> _Found:
    found = _Found()
    if file is not None:
        try:
            found.highest, found.reserved = file.highest_sequence(), file.reserved()
            memory.acknowledged = file.acknowledged()
            found.unacknowledged = file.newest(after=memory.delivered, limit=MOST_UNACKNOWLEDGED)
        except JournalError as err:
            fail(err)
    return found


def _reserve(
    memory: JournalMemory, file: JournalFile | None, last: int, fail: Callable[[JournalError], None]
) -> bool:
    """Note on disk which numbers come next."""
    memory.reserved = last
    if file is None or not file.writable:
        return False
    try:
        file.write(Batch(reserved=last + RESERVE))
    except JournalError as err:
        fail(err)
        return False
    memory.reserved = last + RESERVE
    return True


def _take_spooled(
    memory: JournalMemory,
    file: JournalFile | None,
    spooled: list[Kept | Label],
    fail: Callable[[JournalError], None],
) -> None:
    """Take in what a kill, or an end while the disk failed, has kept from the disk."""
    messages = {item.sequence: item for item in spooled if isinstance(item, Kept)}
    on_disk: dict[int, Kept] = {}
    if messages and file is not None:
        try:
            stored = file.messages(after=min(messages) - 1, up_to=max(messages), limit=2 * MOST_IN_MEMORY)
            on_disk = {item.sequence: item for item in stored}
        except JournalError as err:
            fail(err)
    for sequence, item in messages.items():
        if sequence not in on_disk:
            memory.unsaved[sequence] = item
        elif on_disk[sequence].id != item.id or on_disk[sequence].phase is not item.phase:
            memory.add(item)
    for label in spooled:
        if isinstance(label, Label):
            memory.label(label.detection_id, label.verdict)
