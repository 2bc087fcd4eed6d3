"""In which room it was: from how loud and how early the satellites of a house heard a sound. Pure: no I/O, no clock.

Nobody tells EchoNet where walls are. What is known is how sound fades and how late it comes within a room, and from
one room to another: `acoustics.json` holds both, counted in simulated houses (`benchmarks/where.py --calibrate`).
For each room the chance of all that was told is summed over how loud and when the sound may have been (Bayes' rule).
A satellite that listens and hears nothing tells something, too. Microphones that are full tell only that it was at
least so loud.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
import json
from math import exp, inf, log
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from ..protocol import SoundClass

# With two satellites, the louder one says as much.
FEWEST_SATELLITES: Final = 3
# Below this, "unknown" is the honest answer.
SURE: Final = 0.5
# Sounds in rooms without a satellite, and outdoors, happen as well: one in three, before anything is heard.
ELSEWHERE: Final = 1 / 3
# A satellite can miss a sound for no reason that could be simulated.
MISSED: Final = 0.05
FULL_DBFS: Final = -0.1
# Of the hundreds in a large building, the farthest say nothing that the others do not.
MAX_LISTENERS: Final = 24
# How little is impossible: no satellite can rule a room out all by itself.
_LEAST: Final = 1e-5
_REFERENCE: Final[Mapping[str, Any]] = json.loads(
    Path(__file__).with_name("acoustics.json").read_text(encoding="utf-8")
)

type _Table = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """What a satellite tells of a sound; the onset by a clock that all share, None where its own cannot be
    trusted.
    """

    level_dbfs: float
    onset_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A satellite that listens, its room, and what it heard (None: nothing)."""

    room: str
    heard: Hearing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomChance:
    """A room, and how likely it was there (0 to 1)."""

    room: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """The rooms that have a satellite, the likeliest first, and the chance that it was in none of them."""

    rooms: tuple[RoomChance, ...]
    elsewhere: float

    @property
    def room(self) -> str | None:
        """The room where it most probably was; None where nobody can say."""
        best = self.rooms[0]
        return best.room if best.probability >= SURE else None


class Acoustics:
    """How a kind of sound fades and how late it comes, within a room and to another one."""

    def __init__(self, counted: Mapping[str, Any]) -> None:
        """Read the tables: rows are losses from 1 m beside the source, columns are delays."""
        self.loss_from: float = counted["loss_from_db"]
        self.loss_step: float = counted["loss_step_db"]
        self.delay_from: float = counted["delay_from_s"]
        self.delay_step: float = counted["delay_step_s"]
        self.tables: tuple[_Table, _Table] = (counted["elsewhere"], counted["same_room"])
        self.loudness: float = counted["loudness_dbfs"]
        self.loudness_spread: float = counted["loudness_spread_db"]
        self.audible: float = counted["audible_dbfs"]
        self.audible_spread: float = counted["audible_spread_db"]
        self.nothing = [log(_LEAST)] * (len(self.columns) + 1)
        self._logarithms: dict[tuple[bool, bool, bool], _Table] = {}

    @property
    def columns(self) -> range:
        """The columns of the tables."""
        return range(len(self.tables[0][0]))

    def logarithms(self, *, same_room: bool, timed: bool, full: bool) -> _Table:
        """Return the logarithms of a table, with one more column for what is beyond it.

        Without times, all delays are one column; of a microphone that is full, a row holds every loss up to its own,
        because it was at least so loud.
        """
        key = (same_room, timed, full)
        if key not in self._logarithms:
            cells = [tuple(row) if timed else (sum(row),) for row in self.tables[same_room]]
            if full:
                cells = list(accumulate(cells, _add))
            self._logarithms[key] = [[*(log(cell + _LEAST) for cell in row), log(_LEAST)] for row in cells]
        return self._logarithms[key]


def locate(sound_class: SoundClass, listeners: Sequence[Listener]) -> Whereabouts | None:
    """Return where a sound was, None where too few satellites listen or none of them heard it.

    Args:
        sound_class: what it is. When it began counts for gunshots and breaking glass only: others rise slowly.
        listeners: every satellite that listened, one that heard nothing included.
    """
    listeners = sorted(listeners, key=_faintness)[:MAX_LISTENERS]
    rooms = sorted({item.room for item in listeners})
    if len(listeners) < FEWEST_SATELLITES or len(rooms) < 2 or not any(item.heard for item in listeners):
        return None
    acoustics = _acoustics_of(sound_class)
    sources = _Sources(acoustics, listeners)
    far = [sources.chances(item, same_room=False) for item in listeners]
    nowhere = [sum(chances) for chances in zip(sources.prior, *far, strict=True)]
    scores: dict[str | None, float] = {None: log(ELSEWHERE) + _log_sum(nowhere)}
    known: dict[tuple[Listener, ...], float] = {}
    for room in rooms:
        here = tuple(item for item in listeners if item.room == room)
        # Of many rooms where nothing was heard, one is as likely as the other.
        alike = tuple(replace(item, room="") for item in here)
        if alike not in known:
            known[alike] = _log_sum(sources.moved(nowhere, here))
        scores[room] = log((1 - ELSEWHERE) / len(rooms)) + known[alike]
    whole = _log_sum(list(scores.values()))
    chances = [RoomChance(room=room, probability=exp(scores[room] - whole)) for room in rooms]
    chances.sort(key=lambda item: -item.probability)
    return Whereabouts(rooms=tuple(chances), elsewhere=exp(scores[None] - whole))


class _Sources:
    """How loud and when the sound may have been: a grid, in steps of the tables, as one long row."""

    def __init__(self, acoustics: Acoustics, listeners: Sequence[Listener]) -> None:
        self._acoustics = acoustics
        onsets = [item.heard.onset_s for item in listeners if item.heard and item.heard.onset_s is not None]
        step = acoustics.delay_step
        self.times: tuple[float | None, ...] = (None,)
        # Where only one tells when it began, its onset says nothing.
        if len(onsets) > 1 and len(acoustics.columns) > 1:
            first = min(onsets)
            latest = first - acoustics.delay_from
            steps = len(acoustics.columns) + round(-acoustics.delay_from / step)
            self.times = tuple(latest - number * step for number in range(steps))
        spread = 4 * acoustics.loudness_spread
        count = round(2 * spread / acoustics.loss_step)
        self.loudness = tuple(
            acoustics.loudness - spread + number * acoustics.loss_step for number in range(count + 1)
        )
        self._silences: dict[bool, list[float]] = {}
        self.prior = [
            -(((loudness - acoustics.loudness) / acoustics.loudness_spread) ** 2) / 2
            for loudness in self.loudness
            for _ in self.times
        ]

    def moved(self, nowhere: list[float], here: Sequence[Listener]) -> list[float]:
        """Return the chances of what all tell, where these are in the room of the sound."""
        for item in here:
            same, other = self.chances(item, same_room=True), self.chances(item, same_room=False)
            nowhere = [whole + a - b for whole, a, b in zip(nowhere, same, other, strict=True)]
        return nowhere

    def chances(self, listener: Listener, *, same_room: bool) -> list[float]:
        """Return the logarithm of the chance of what a satellite tells, for each loudness and time."""
        if (heard := listener.heard) is None:
            return self._silent(same_room=same_room)
        # One whose clock cannot be trusted tells of its loudness alone.
        timed = heard.onset_s is not None and self.times[0] is not None
        full = heard.level_dbfs >= FULL_DBFS
        rows = self._acoustics.logarithms(same_room=same_room, timed=timed, full=full)
        pick = _picker([self._column(heard.onset_s, time) if timed else 0 for time in self.times])
        nothing = pick(self._acoustics.nothing)
        result: list[float] = []
        for loudness in self.loudness:
            number = int(
                (loudness - heard.level_dbfs - self._acoustics.loss_from) // self._acoustics.loss_step
            )
            if full:
                number = min(number, len(rows) - 1)
            result += pick(rows[number]) if 0 <= number < len(rows) else nothing
        return result

    def _column(self, onset: float | None, time: float | None) -> int:
        assert onset is not None
        assert time is not None
        column = int((onset - time - self._acoustics.delay_from) // self._acoustics.delay_step)
        # The last one stands for all that are beyond the table.
        return column if 0 <= column < len(self._acoustics.columns) else -1

    def _silent(self, *, same_room: bool) -> list[float]:
        # The same for all who heard nothing.
        if same_room not in self._silences:
            losses = [sum(row) for row in self._acoustics.tables[same_room]]
            silence = [log(max(self._silence(loudness, losses), _LEAST)) for loudness in self.loudness]
            self._silences[same_room] = [chance for chance in silence for _ in self.times]
        return self._silences[same_room]

    def _silence(self, loudness: float, rows: Sequence[float]) -> float:
        acoustics = self._acoustics
        silence = 0.0
        for number, share in enumerate(rows):
            level = loudness - acoustics.loss_from - (number + 0.5) * acoustics.loss_step
            over = min(max((level - acoustics.audible) / acoustics.audible_spread, -50.0), 50.0)
            silence += share * (1 - (1 - MISSED) / (1 + exp(-over)))
        return silence


@cache
def _acoustics_of(sound_class: SoundClass) -> Acoustics:
    # What is neither bang is taken for the third that was simulated, which is told by its level alone.
    name = sound_class.value if sound_class.value in _REFERENCE else SoundClass.ALARM.value
    return Acoustics(_REFERENCE[name])


def _picker(columns: Sequence[int]) -> Callable[[Sequence[float]], Sequence[float]]:
    """Return what picks these columns of a row."""
    if len(columns) == 1:
        return lambda row: (row[columns[0]],)
    return itemgetter(*columns)


def _faintness(listener: Listener) -> float:
    return -listener.heard.level_dbfs if listener.heard is not None else inf


def _add(one: tuple[float, ...], two: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(a + b for a, b in zip(one, two, strict=True))


def _log_sum(logarithms: Sequence[float]) -> float:
    most = max(logarithms)
    return most + log(sum(exp(item - most) for item in logarithms))
