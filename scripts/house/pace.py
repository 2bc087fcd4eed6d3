"""How long is left of something that is done in the same steps each time: known from the last time, on this machine."""

import json
from pathlib import Path
from typing import Self


class Pace:
    """Notes when each step begins, and says what is left of the way to the last one."""

    def __init__(self, last: dict[str, float]) -> None:
        """Go by when each step began the last time, in seconds from the first."""
        self._last = last
        self.began: dict[str, float] = {}

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what was noted the last time; where nothing was, nothing will be said."""
        try:
            noted = json.loads(path.read_text())
            return cls({str(step): float(moment) for step, moment in noted.items()})
        except OSError, ValueError, TypeError, AttributeError:
            return cls({})

    def left_s(self, step: str, moment: float) -> float | None:
        """Note that a step begins, and return for how long it will go on, None where nobody can say."""
        self.began[step] = moment
        then = self._last.get(step)
        if then is None:
            return None
        rest = max(self._last.values()) - then
        # A machine that has more to do than the last time has it until the end; one quick step promises nothing.
        return rest * (max(1.0, moment / then) if then > 1.0 else 1.0)

    def save(self, path: Path) -> None:
        """Keep what was noted for the next time; a disk that does not take it is no reason to stop."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(self.began))
        except OSError:
            return
