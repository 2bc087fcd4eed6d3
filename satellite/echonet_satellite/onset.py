"""Where sounds begin and end in the level of the last seconds. No clock, no I/O.

A network that sees more than a second at once says *that* a sound is in its window. Where in it the sound began, the
level of its frames says: a bang where it rises most steeply, what goes on where it leaves the background for good.
"""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .frontend import Floats, FrontendParameters, mel_centres
from .protocol import SoundClass

# How loud all of a frame is, how loud its high bands are (glass, in a house that hums), and its power (a single tone).
MEASURES: Final = 3
_HIGH_HZ: Final = 2000.0
# Natural logarithms in dB.
_DB: Final = 10 / log(10)
# So many frames before and after a moment tell how much it rises there.
_BESIDE: Final = 4
# Less than this is the swing of any noise.
_LEAST_RISE_DB: Final = 3.0
# The onset is where the level has risen by this share of the whole rise, or by so many dB, whichever is less.
_ABOVE: Final = 0.4
_ABOVE_DB: Final = 6.0
# Barks and cries pause; they are one sound.
_PAUSE_FRAMES: Final = 30
# What rises by less than this while a microphone settles is no bang.
SETTLING_RISE_DB: Final = 6.0
# The click of a microphone that is switched on comes with its first sound, and is over after this.
_CLICK_BEGINS_WITHIN: Final = 3
_CLICK_ENDS_WITHIN: Final = 12
_CLICK_LASTS: Final = 24

_Flags = NDArray[np.bool_]


class Attack(Enum):
    """How sounds of a class begin."""

    BANG = 1
    """All at once."""
    LASTING = 2
    """At once or slowly, and then they go on."""
    SCENE = 3
    """Nobody can say when."""


ATTACKS: Final = dict.fromkeys(SoundClass, Attack.LASTING) | {
    SoundClass.GUNSHOT: Attack.BANG,
    SoundClass.GLASS_BREAK: Attack.BANG,
}


def frame_levels(frames: Floats, parameters: FrontendParameters) -> Floats:
    """Return how loud each of the frames [n, n_mels] is, in dB of each measure [n, MEASURES]."""
    logs = frames * np.float32(parameters.scale)
    levels = np.empty((len(frames), MEASURES), np.float32)
    # Products with weights, because NumPy's means take longer to prepare than these few bands take to add.
    means = _means(parameters)
    np.matmul(logs, means, out=levels[:, :2])
    np.exp(logs, out=logs)
    np.log(logs @ means[:, 0], out=levels[:, 2])
    levels *= _DB
    return levels


@lru_cache(maxsize=8)
def _means(parameters: FrontendParameters) -> Floats:
    """Return the weights of the mean of all bands and of that of the high bands, [n_mels, 2]."""
    bands = parameters.n_mels
    high = min(int(np.searchsorted(mel_centres(parameters), _HIGH_HZ)), bands - 1)
    weights = np.zeros((bands, 2), np.float32)
    weights[:, 0] = 1 / bands
    weights[high:, 1] = 1 / (bands - high)
    return weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """Where a sound begins, and above what level it goes on.

    Attributes:
        frame: the first of the sound.
        measure: in which the sound stands out.
        above_db: the sound lasts while that is above this.
    """

    frame: int
    measure: int
    above_db: float


class Levels:
    """Remembers the level of the last frames; frames are counted from the start of the stream."""

    def __init__(self, frames: int, settling: int = 0) -> None:
        """Remember so many frames; before the first it was as loud as in the first.

        In the first `settling` frames of a microphone, the switching on rises as a bang does: from nothing to the noise
        of the room, often with a click. A bang is what stands out of the room that is heard after it, and is no click.
        """
        self._settling = settling
        self._db = np.zeros((frames + 2 * _BESIDE, MEASURES), np.float32)
        self._begun = False
        self.end = 0

    def lead_in(self, levels: Floats) -> None:
        """Take the levels [n, MEASURES] of the frames before the first."""
        self._db[:] = levels[0]
        self._db[-len(levels) :] = levels[-len(self._db) :]
        self._begun = True

    def push(self, levels: Floats) -> None:
        """Take the levels [n, MEASURES] of the next frames."""
        if not self._begun:
            self.lead_in(levels[:1])
        self.end += len(levels)
        levels = levels[-len(self._db) :]
        kept = len(self._db) - len(levels)
        self._db[:kept] = self._db[len(levels) :]
        self._db[kept:] = levels

    def rise_db(self, first: int, last: int) -> float:
        """Return by how many dB the level rises at most, from some frames to the next, between two frames."""
        rises = self._rises(first, last)
        return float(rises.max()) if rises.size else 0.0

    def bang(self, first: int, last: int) -> Onset | None:
        """Return the steepest rise between two frames; none where nothing rises."""
        rises = self._rises(first, last)
        if not rises.size or rises.max() < _LEAST_RISE_DB:
            return None
        index, measure = np.unravel_index(int(rises.argmax()), rises.shape)
        frame = self._first(first) + int(index)
        background = float(self._slice(frame - _BESIDE, frame)[:, measure].mean())
        return _onset(frame, int(measure), background, float(rises.max()))

    def lasting(self, first: int, last: int) -> Onset | None:
        """Return from where on a sound has been louder than before, up to a last frame; none where nothing is."""
        levels = self._smooth(first, last)
        if len(levels) < 2:
            return None
        background = np.sort(levels, axis=0)[len(levels) // 10]
        rises = levels.max(axis=0) - background
        measure = int(rises.argmax())
        rise = float(rises[measure])
        if rise < _LEAST_RISE_DB:
            return None
        found = _onset(0, measure, float(background[measure]), rise)
        (loud,) = np.nonzero(levels[:, measure] >= found.above_db)
        breaks = np.flatnonzero(np.diff(loud) > _PAUSE_FRAMES)
        begins = int(loud[breaks[-1] + 1] if len(breaks) else loud[0])
        return Onset(frame=self._first(first) + begins, measure=measure, above_db=found.above_db)

    def last_above(self, onset: Onset, first: int) -> int | None:
        """Return the last frame from `first` on in which a sound goes on; none where it has faded."""
        (loud,) = np.nonzero(self._slice(first, self.end)[:, onset.measure] >= onset.above_db)
        return self._first(first) + int(loud[-1]) if len(loud) else None

    def _first(self, frame: int) -> int:
        return max(frame, self.end - len(self._db) + _BESIDE)

    def _slice(self, first: int, last: int) -> Floats:
        """Return the levels of frames from `first` to before `last`, as far as they are remembered."""
        oldest = self.end - len(self._db)
        return self._db[max(0, first - oldest) : max(0, last - oldest)]

    def _rises(self, first: int, last: int) -> Floats:
        """Return by how much the frames from each on are louder than those before it, [frames, MEASURES]."""
        first = self._first(first)
        last = min(last, self.end - 1)
        if last < first:
            return np.zeros((0, MEASURES), np.float32)
        # The newest frames stand for those that have not come yet.
        levels = np.pad(self._slice(first - _BESIDE, last + _BESIDE), ((0, _BESIDE), (0, 0)), "edge")
        sums = np.cumsum(
            np.concatenate((np.zeros((1, MEASURES), np.float32), levels)), axis=0, dtype=np.float64
        )
        means = (sums[_BESIDE:] - sums[:-_BESIDE]) / _BESIDE
        count = last - first + 1
        before, after = means[:count].copy(), means[_BESIDE : _BESIDE + count]
        for frame in range(first, min(last + 1, self._settling)):
            before[frame - first] = np.maximum(before[frame - first], self._heard_after(frame))
        return np.asarray(after - before, np.float32)

    def _heard_after(self, frame: int) -> NDArray[np.float64]:
        """Return the level that a bang in a frame of the settling must stand out of; infinite where none does yet."""
        levels = np.array(self._slice(frame, self.end), np.float64)
        if len(levels) < _CLICK_LASTS + 2 * _BESIDE:
            return np.full(MEASURES, np.inf)
        means = np.lib.stride_tricks.sliding_window_view(levels, _BESIDE, axis=0).mean(axis=-1)
        room = means[_BESIDE:].min(axis=0)
        least = room + SETTLING_RISE_DB
        too_low = means[0] < least
        since = frame - self._live_from()
        if since < _CLICK_BEGINS_WITHIN:
            too_low |= means[_BESIDE : _CLICK_LASTS + 1].min(axis=0) < least
        elif since < _CLICK_ENDS_WITHIN:
            # A click may end here, which is no onset: at an onset the level is above that of every frame before it.
            room = np.maximum(room, self._slice(frame - _BESIDE, frame).max(axis=0))
        return np.asarray(np.where(too_low, np.inf, room))

    def _live_from(self) -> int:
        """Return the first frame of sound: a driver may begin with zeros, which are all alike.

        The very first frames see something of the time before the stream as well, and say nothing of that.
        """
        levels = self._slice(_BESIDE, self._settling)
        (changes,) = np.nonzero((levels[1:] != levels[:-1]).any(axis=1))
        return _BESIDE + int(changes[0]) if len(changes) else self._settling

    def _smooth(self, first: int, last: int) -> Floats:
        """Return the levels of frames, each the mean with those beside it."""
        levels = self._slice(self._first(first), last + 1)
        if not len(levels):
            return levels
        levels = np.pad(levels, ((1, 1), (0, 0)), "edge")
        return np.asarray((levels[:-2] + levels[1:-1] + levels[2:]) / 3, np.float32)


def _onset(frame: int, measure: int, background_db: float, rise_db: float) -> Onset:
    above = min(max(_LEAST_RISE_DB / 2, _ABOVE * rise_db), _ABOVE_DB)
    return Onset(frame=frame, measure=measure, above_db=background_db + above)
