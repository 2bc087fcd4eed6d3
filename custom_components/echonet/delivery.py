"""Sees to it that everybody hears of every detection, in order and once, whoever fails on the way. Pure."""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
import logging
from typing import Final

from .protocol import Detection, EchonetError, Phase
from .reports import DetectionReport

_LOGGER = logging.getLogger(__name__)

REMEMBERED_DETECTIONS: Final = 1024
WAITING_LIMIT: Final = 256
# Whoever could not take a detection for this long never will: the others and the satellite wait no longer.
PATIENCE_S: Final = 300.0

type Done = Callable[[], None]
# Who has to store what it is told returns what calls a `Done` when that has happened.
type Listener = Callable[[DetectionReport], Callable[[Done], None] | None]


class NotReady(EchonetError):
    """Whoever should hear of a detection cannot now, but will soon."""


@dataclass(slots=True)
class _Waiting:
    report: DetectionReport
    since: float


@dataclass(slots=True, eq=False)
class _Outlet:
    """One listener, and what it has not been able to take yet, oldest first."""

    listener: Listener
    waiting: deque[_Waiting] = field(default_factory=deque)
    failing: bool = False


class Delivery:
    """Hands detections to listeners. One that raises is asked again later, and holds up nobody else.

    A detection is remembered as seen when it is taken in, and `settled` when every listener has it and has stored it:
    only then may the satellite forget it.
    """

    def __init__(self, name: str, clock: Callable[[], float], on_stored: Done = lambda: None) -> None:
        """Deliver for the satellite called `name`; `on_stored` is called when `settled` may have grown meanwhile."""
        self._name = name
        self._on_stored = on_stored
        self._clock = clock
        self._seen: OrderedDict[Hashable, None] = OrderedDict()
        self._outlets: list[_Outlet] = []
        self._held: Counter[int] = Counter()
        self._highest = 0

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each message of a detection, once; return what ends it."""
        outlet = _Outlet(listener)
        self._outlets.append(outlet)
        return lambda: self._outlets.remove(outlet)

    @property
    def settled(self) -> int:
        """The sequence number up to which everybody has everything."""
        waiting = [item.report.detection.sequence for outlet in self._outlets for item in outlet.waiting]
        return min([self._highest, *(sequence - 1 for sequence in (*waiting, *self._held))])

    @property
    def waiting(self) -> bool:
        """Whether somebody has to be asked again."""
        return any(outlet.waiting for outlet in self._outlets)

    def is_new(self, detection: Detection) -> bool:
        """Tell whether a message arrives for the first time: live and replayed it has the same phase or sequence."""
        return self._key(detection) not in self._seen

    def take(self, report: DetectionReport) -> None:
        """Hand a message to everybody, unless it was taken before."""
        if not self.is_new(report.detection):
            return
        self._seen[self._key(report.detection)] = None
        if len(self._seen) > REMEMBERED_DETECTIONS:
            self._seen.popitem(last=False)
        self.note(report.detection.sequence)
        for outlet in tuple(self._outlets):
            outlet.waiting.append(_Waiting(report, self._clock()))
            self._flush(outlet)

    def note(self, sequence: int) -> None:
        """Count as arrived what nobody has to hear of."""
        self._highest = max(self._highest, sequence)

    def begin(self) -> None:
        """Count anew, because a satellite that was set up anew does."""
        self._highest = 0

    def retry(self) -> None:
        """Ask again those who failed."""
        for outlet in tuple(self._outlets):
            self._flush(outlet)

    def _flush(self, outlet: _Outlet) -> None:
        # In order: an end before its start would leave a sound that never ends.
        while outlet.waiting:
            item = outlet.waiting[0]
            try:
                store = outlet.listener(item.report)
            except Exception as err:  # noqa: BLE001  # whatever it is, the others must hear
                if not outlet.failing:
                    outlet.failing = True
                    self._log(item, err)
                if self._clock() - item.since < PATIENCE_S and len(outlet.waiting) <= WAITING_LIMIT:
                    return
                _LOGGER.error(
                    "%s of %s is given up: not everybody could be told in time",
                    item.report.detection.sound_class,
                    self._name,
                )
            else:
                outlet.failing = False
                if store is not None:
                    store(self._hold(item.report.detection.sequence))
            outlet.waiting.popleft()

    def _hold(self, sequence: int) -> Done:
        """Let the satellite keep a message until what is returned is called."""
        self._held[sequence] += 1

        def release() -> None:
            self._held[sequence] -= 1
            if not self._held[sequence]:
                del self._held[sequence]
            self._on_stored()

        return release

    def _log(self, item: _Waiting, err: Exception) -> None:
        if isinstance(err, NotReady):
            _LOGGER.info("%s; what %s hears is kept until then", err, self._name)
            return
        _LOGGER.error(
            "Not everybody could be told of %s from %s; it is tried again",
            item.report.detection.sound_class,
            self._name,
            exc_info=err,
        )

    @staticmethod
    def _key(detection: Detection) -> Hashable:
        part = detection.sequence if detection.phase is Phase.UPDATE else 0
        return (detection.id, detection.phase, part)
