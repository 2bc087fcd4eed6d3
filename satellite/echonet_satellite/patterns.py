"""What kind of alarm it is, from the rhythm and pitch of its sound: T3 (smoke), T4 (carbon monoxide), siren, clock."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .frontend import Floats, FrontendParameters, mel_centres
from .insistence import frames_needed, insists, only_beeps
from .protocol import AlarmPattern
from .quantiles import median, percentile
from .tones import TONAL_DB, Tones

# Two cycles of T4, each 4 x (100 ms on, 100 ms off) and 5 s of pause, all 10 % longer, and a little more.
WINDOW_S: Final = 14.0
_LOWEST_HZ: Final = 350.0
_CANDIDATES: Final = 3
_MIN_SWING_DB: Final = 8.0
# How far below its peak a beep ends. Rooms differ: an echo fills the gaps from below, noise cuts the tops off.
_DEPTHS_DB: Final = (6.0, 10.0, 15.0)
# The shortest gap and the shortest beep that are meant, where beeps are long (T3) and where they are short.
_LONG_S: Final = (0.2, 0.15)
_SHORT_S: Final = (0.03, 0.045)
_LOUDEST_FRAMES: Final = 20
_SIREN_S: Final = 4.0
_CLOCK_CYCLES: Final = 5
_CLOCK_BEEP_S: Final = 0.35
# Beeps of a clock that are nearer than this are one group.
_GROUP_S: Final = (0.2, 0.045)
# As exact as frames of 10 ms in noise tell.
_EXACT_S: Final = 0.05
# By how much an echo may shorten a pause, or lengthen or shorten a beep (seconds).
_ECHO_S: Final = 0.1
_AS_LOUD_DB: Final = 6.0
# A siren sweeps over little more than two octaves.
_REACH_OCTAVES: Final = 1.25

Flags = NDArray[np.bool_]


class AlarmPatterns:
    """Remembers the last seconds of frames, in dB, and looks for a pattern in them when asked."""

    def __init__(self, parameters: FrontendParameters) -> None:
        """Start with no sound."""
        self._parameters = parameters
        self._frame_s = parameters.hop_length / parameters.sample_rate
        self._frames: deque[Floats] = deque()
        self._count = 0
        self._tones = Tones.none(parameters.n_mels)
        self._unseen = 0
        self._capacity = round(WINDOW_S / self._frame_s)
        centres = mel_centres(parameters)
        self._lowest = int(np.searchsorted(centres, _LOWEST_HZ))
        # For each band, the bands within a siren's reach of it: a tone further away is another source.
        octaves = np.log2(centres[self._lowest :])
        self._near = [
            slice(*np.searchsorted(octaves, (own - _REACH_OCTAVES, own + _REACH_OCTAVES)).tolist())
            for own in octaves
        ]

    def push(self, frames: Floats) -> None:
        """Take the next frames [n, n_mels], in dB (`frontend.decibels`)."""
        self._frames.append(frames)
        self._count += len(frames)
        self._unseen += len(frames)
        while self._count - len(self._frames[0]) >= self._capacity:
            self._count -= len(self._frames.popleft())

    def forget(self) -> None:
        """Forget what was heard."""
        self._frames.clear()
        self._count = self._unseen = 0

    def recognise(self) -> AlarmPattern:
        """Return the pattern of the alarm that sounds now, or `unknown`."""
        if self._count * self._frame_s < 1.0:
            return AlarmPattern.UNKNOWN
        tones = self._tones_of_now()
        envelopes = [
            envelope
            for band in _loudest_bands(tones.contrast)
            for envelope in _envelopes(_Band(tones, band, self._near[band]))
        ]
        # The rhythms of smoke and CO alarms come first: talk and music beside one may glide as a siren does.
        if any(_is_t3(_rhythm(envelope, _LONG_S, self._frame_s)) for envelope in envelopes):
            return AlarmPattern.T3
        rhythms = [_rhythm(envelope, _SHORT_S, self._frame_s) for envelope in envelopes]
        if any(_is_t4(rhythm) for rhythm in rhythms):
            return AlarmPattern.T4
        if _is_siren(tones.levels_db[-round(_SIREN_S / self._frame_s) :]):
            return AlarmPattern.SIREN
        groups = [_rhythm(envelope, _GROUP_S, self._frame_s) for envelope in envelopes]
        if any(_is_clock(*pair) for pair in zip(rhythms, groups, strict=True)):
            return AlarmPattern.CLOCK
        return AlarmPattern.UNKNOWN

    def insists(self) -> bool:
        """Return whether one tone has beeped on and on until now."""
        needed = frames_needed(self._parameters)
        return self._count >= needed and insists(self._last(needed), self._parameters)

    def only_beeps(self, frames: int) -> bool:
        """Return whether one clear tone is all that was loud in the last frames."""
        return self._count >= frames and only_beeps(self._last(frames), self._parameters)

    def _last(self, wanted: int) -> Floats:
        """Return the last frames."""
        late: list[Floats] = []
        for frames in reversed(self._frames):
            late.insert(0, frames[-wanted:])
            wanted -= len(late[0])
            if wanted <= 0:
                break
        return np.concatenate(late)

    def _tones_of_now(self) -> "Tones":
        """Return the tones of what is remembered; most frames were there when it was asked before."""
        # A peak needs a neighbour on both sides. The last call's newest frame has both only now: it is checked again.
        kept = max(0, self._count - self._unseen - 1)
        late = self._last(self._count - max(0, kept - 1))[:, self._lowest :]
        new = Tones.of(late).last(self._count - kept)
        self._tones = self._tones.before_last(1).last(kept).followed_by(new) if kept else new
        self._unseen = 0
        return self._tones


@dataclass(frozen=True, slots=True)
class _Rhythm:
    """When a band is loud: the beginnings and ends of its beeps in seconds, and the envelope that they are of."""

    starts: list[float]
    ends: list[float]
    envelope: "_Envelope"
    frame_s: float

    def quiet(self, start: float, end: float) -> bool:
        """Return whether next to nothing sounds in a span that has passed; a siren only moves to another band."""
        busy = self.envelope.busy
        first, last = round(start / self.frame_s), round(end / self.frame_s)
        span = busy[max(0, first) : max(0, last)]
        return last <= len(busy) and (not len(span) or float(span.mean()) <= 0.1)

    def begins_between(self, start: float, end: float) -> bool:
        """Return whether a beep begins in a span."""
        return any(start <= each <= end for each in self.starts)


def _loudest_bands(contrast: Floats) -> list[int]:
    """Return the bands with the most tone in them, none beside another."""
    weight = np.maximum(contrast - TONAL_DB, 0).sum(axis=0)
    bands: list[int] = []
    for _ in range(_CANDIDATES):
        band = int(weight.argmax())
        if weight[band] <= 0:
            break
        bands.append(band)
        weight[max(0, band - 3) : band + 4] = 0
    return bands


@dataclass(frozen=True)
class _Band:
    """A band that tones stand out in, of all tones, and which bands are near it."""

    tones: Tones
    band: int
    near: slice

    @cached_property
    def tone_db(self) -> Floats:
        """How loud the tone in it or beside it is."""
        own_db = self.tones.levels_db[:, max(0, self.band - 1) : self.band + 2]
        return np.asarray(own_db.max(axis=1))

    @cached_property
    def loudest_db(self) -> Floats:
        """How loud the loudest tone near it is."""
        return np.asarray(self.tones.levels_db[:, self.near].max(axis=1))


@dataclass(frozen=True)
class _Envelope:
    """When a band is loud."""

    band: _Band
    loud: Flags

    @cached_property
    def runs(self) -> list[tuple[int, int]]:
        """The first frame of each run of loud ones, and the first after it."""
        edges = np.empty(len(self.loud) + 1, np.bool_)
        edges[0], edges[-1] = self.loud[0], self.loud[-1]
        np.not_equal(self.loud[1:], self.loud[:-1], out=edges[1:-1])
        changes = edges.nonzero()[0].tolist()
        return list(zip(changes[0::2], changes[1::2], strict=True))

    @cached_property
    def busy(self) -> Flags:
        """When any band near it sounds as loud; few rhythms come so far that this is asked."""
        as_loud = median(self.band.tone_db[self.loud]) - _AS_LOUD_DB
        busy: Flags = self.loud | (self.band.loudest_db >= as_loud)
        return busy


def _envelopes(band: _Band) -> Iterator[_Envelope]:
    """Give the envelope of a band for each depth; none where it never stands out."""
    contrast = np.ascontiguousarray(band.tones.contrast[:, band.band])
    ordered = np.sort(contrast)
    high, low = float(ordered[-_LOUDEST_FRAMES:].mean()), float(ordered[len(ordered) // 4])
    if high - low < _MIN_SWING_DB:
        return
    # Where the swing is small, depths are the same.
    for least in sorted({max(high - depth_db, (high + low) / 2) for depth_db in _DEPTHS_DB}, reverse=True):
        yield _Envelope(band, contrast >= least)


def _rhythm(envelope: _Envelope, shortest_s: tuple[float, float], frame_s: float) -> _Rhythm:
    """Return the beeps of an envelope, without gaps and then beeps that are too short to be meant.

    The first and the last may go on beyond what is remembered: they are never too short.
    """
    gap, beep = (shortest / frame_s for shortest in shortest_s)
    beeps: list[tuple[int, int]] = []
    for start, end in envelope.runs:
        if beeps and start - beeps[-1][1] < gap:
            beeps[-1] = (beeps[-1][0], end)
        else:
            beeps.append((start, end))
    length = len(envelope.loud)
    meant = [
        (start * frame_s, end * frame_s)
        for start, end in beeps
        if end - start >= beep or start == 0 or end == length
    ]
    return _Rhythm([start for start, _ in meant], [end for _, end in meant], envelope, frame_s)


def _is_t3(rhythm: _Rhythm) -> bool:
    """Three beeps of 0.5 s, a second apart, with 1.5 s of pause after them and the next beep when it is due."""
    for first in range(len(rhythm.starts) - 2):
        starts, ends = rhythm.starts[first : first + 3], rhythm.ends[first : first + 3]
        if not _all_between(_steps(starts), 0.86, 1.14) or not _all_between(_spans(starts, ends), 0.33, 0.82):
            continue
        before, last = starts[0], starts[2]
        if not rhythm.quiet(before - 0.9, before - 0.15):
            continue
        pause_after = rhythm.quiet(last + 0.9, last + 1.6)
        pause_before = rhythm.begins_between(before - 2.35, before - 1.7)
        if pause_after and (rhythm.begins_between(last + 1.7, last + 2.35) or pause_before):
            return True
    return False


def _is_t4(rhythm: _Rhythm) -> bool:
    """Four beeps of 100 ms, 200 ms apart, with 5 s of pause after them and the next beep when it is due."""
    for first in range(len(rhythm.starts) - 3):
        starts, ends = rhythm.starts[first : first + 4], rhythm.ends[first : first + 4]
        lengths = _spans(starts, ends)
        if not _all_between(_steps(starts), 0.15, 0.25) or not _all_between(lengths[:3], 0.04, 0.2):
            continue
        before, last = starts[0], starts[3]
        if (
            rhythm.quiet(before - 0.5, before - 0.06)
            and lengths[3] <= 0.45  # the echo of the last one fades undisturbed
            and not rhythm.begins_between(last + 0.12, last + 0.5)
            and rhythm.quiet(last + 0.6, last + 4.4)
            and rhythm.begins_between(last + 4.5, last + 5.75)
        ):
            return True
    return False


def _is_clock(rhythm: _Rhythm, groups: _Rhythm) -> bool:
    """Several exact cycles of short beeps (one by one, or in groups) with quiet pauses.

    An alarm that beeps fast without a pause, whose beeps drift, or beside which another sounds, is no clock: who hears
    one sleeps on.
    """
    starts, ends = groups.starts[-1 - _CLOCK_CYCLES :], groups.ends[-1 - _CLOCK_CYCLES :]
    if len(starts) <= _CLOCK_CYCLES:
        return False
    cycles, lengths = _steps(starts), _spans(starts, ends)[:-1]
    if not _all_between(cycles, 0.35, 2.0) or max(cycles) - min(cycles) > _EXACT_S:
        return False
    if max(lengths) - min(lengths) > _ECHO_S:
        return False
    # A long beep is that of a smoke alarm; a long group is made of short ones, as far as the echo lets them be told.
    parts = [
        sum(start <= each < end for each in rhythm.starts)
        for start, end in zip(starts[:-1], ends[:-1], strict=True)
    ]
    if max(lengths) > _CLOCK_BEEP_S and median(np.array(parts)) < 2:
        return False
    return all(
        groups.quiet(end + _ECHO_S, start - 0.03) for end, start in zip(ends[:-1], starts[1:], strict=True)
    )


def _is_siren(tones_db: Floats) -> bool:
    """A tone that goes on, and whose pitch glides up and down or changes between two."""
    tonal = tones_db.max(axis=1) > -np.inf
    if not len(tonal) or tonal.mean() < 0.7:
        return False
    pitch = tones_db[tonal].argmax(axis=1)
    low, high = percentile(pitch, 10), percentile(pitch, 90)
    steady = np.abs(np.diff(pitch)) <= 2
    return bool(high - low >= 3 and steady.mean() >= 0.85)


def _steps(moments: Sequence[float]) -> list[float]:
    return [after - before for before, after in pairwise(moments)]


def _spans(starts: Sequence[float], ends: Sequence[float]) -> list[float]:
    return [end - start for start, end in zip(starts, ends, strict=True)]


def _all_between(values: Sequence[float], low: float, high: float) -> bool:
    return all(low <= value <= high for value in values)
