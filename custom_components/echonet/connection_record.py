"""How the connection to a satellite has fared since the entry was set up: for diagnostics and system health. Pure."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

# The latest say what is wrong now; more only make a report longer.
KEPT_ERRORS: Final = 5


@dataclass(slots=True, kw_only=True)
class ConnectionRecord:
    """Counts how often it was made and lost, and keeps why it was lost last."""

    connected: int = 0
    lost: int = 0
    errors: deque[tuple[datetime, str]] = field(default_factory=lambda: deque(maxlen=KEPT_ERRORS))

    def note_connected(self) -> None:
        """Count a connection."""
        self.connected += 1

    def note_error(self, now: datetime, reason: str) -> None:
        """Keep why an attempt has failed, unless the last one failed for the same reason."""
        if not self.errors or self.errors[-1][1] != reason:
            self.errors.append((now, reason))

    def as_dict(self) -> dict[str, Any]:
        """Return it for a report."""
        return {
            "connected": self.connected,
            "lost": self.lost,
            "last_errors": [{"at": at.isoformat(), "error": error} for at, error in self.errors],
        }
