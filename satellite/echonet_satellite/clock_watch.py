"""Whether the satellite's clock is right: as Home Assistant has measured it, else as the kernel says."""

from collections.abc import Callable
import ctypes
from pathlib import Path
import time
from typing import Final

# Onsets that are further off than this tell the wrong story.
WRONG_S: Final = 30.0
# Home Assistant measures twice a minute; what it said longer ago says nothing of now.
_FRESH_S: Final = 600.0
_TIME_ERROR: Final = 5
_TIMESYNCD: Final = Path("/run/systemd/timesync")


class ClockWatch:
    """Weighs what is known of the clock."""

    def __init__(
        self,
        *,
        synchronised: Callable[[], bool | None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask `synchronised` where nobody has measured; None from it means that it cannot be known."""
        self._synchronised = synchronised or kernel_clock_is_synchronised
        self._monotonic = monotonic
        self._measured: tuple[float, bool] | None = None

    def measured(self, ahead_s: float, uncertainty_s: float) -> None:
        """Take in what a controller has measured: the clock is ahead by `ahead_s`, give or take `uncertainty_s`."""
        self._measured = (self._monotonic(), abs(ahead_s) - uncertainty_s > WRONG_S)

    @property
    def wrong(self) -> bool:
        """Whether onsets should not be believed."""
        if self._measured is not None and self._monotonic() - self._measured[0] < _FRESH_S:
            return self._measured[1]
        return self._synchronised() is False


def kernel_clock_is_synchronised() -> bool | None:
    """Return whether something keeps the clock right (NTP); None where neither kernel nor systemd tells."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        # Room for any `struct timex`; zeros ask and change nothing.
        state = library.adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        state = -1
    if state >= 0:
        return bool(state != _TIME_ERROR)
    # A hardened service may not even ask.
    if _TIMESYNCD.is_dir():
        return (_TIMESYNCD / "synchronized").exists()
    return None
