"""Opens the journal's file, or begins a new one with what can be saved of a damaged one."""

from collections.abc import Callable
import logging
from pathlib import Path

from .errors import JournalError
from .journal_file import JournalFile
from .journal_memory import RESERVE
from .journal_salvage import salvage
from .journal_tables import Batch, Contents, DamagedError
from .state import set_aside

_LOGGER = logging.getLogger(__name__)


class JournalOpener:
    """Opens one journal, as often as needed; what was saved of a damaged file is kept until a new one has it."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        """Open the file at `path`."""
        self._path = path
        self._clock = clock
        self._salvaged: Contents | None = None

    def open(self) -> JournalFile:
        """Open the file, or begin anew where it is damaged.

        Raises:
            JournalError: the disk or another process keeps us from it; ask again later.
        """
        if self._salvaged is None:
            try:
                return JournalFile(self._path, self._clock)
            except DamagedError as err:
                _LOGGER.error("%s", err)
        return self.begin_anew()

    def open_to_read(self) -> JournalFile | None:
        """Open the file without writing to it; None where not even that is possible."""
        try:
            return JournalFile(self._path, self._clock, read_only=True)
        except JournalError as err:
            _LOGGER.debug("Nor can it be read: %s", err)
            return None

    def begin_anew(self) -> JournalFile:
        """Set a damaged file aside, and begin a new one with what can still be read of it.

        Raises:
            JournalError: the disk takes no new file; ask again later.
        """
        if self._salvaged is None:
            self._salvaged = salvage(self._path)
        saved = self._salvaged
        self._set_aside(len(saved.rows))
        file = JournalFile(self._path, self._clock)
        try:
            highest = max(saved.reserved, 0, *(row[0] for row in saved.rows), *saved.acknowledged.values())
            if highest:
                file.restore(saved)
                # Above the sequence numbers that were lost with the damaged file.
                file.write(Batch(reserved=max(highest + RESERVE, int(self._clock()))))
        except JournalError:
            file.close()
            raise
        self._salvaged = None
        return file

    def _set_aside(self, saved: int) -> None:
        try:
            for suffix in ("-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        except OSError as err:
            raise JournalError(f"cannot replace the damaged {self._path}: {err.strerror}") from None
        if not self._path.exists():
            return
        aside = set_aside(self._path)
        if aside == self._path:
            raise JournalError(f"cannot replace the damaged {self._path}")
        _LOGGER.warning(
            "The journal could not be used; %d messages of it were saved, and the old file is now %s",
            saved,
            aside,
        )
