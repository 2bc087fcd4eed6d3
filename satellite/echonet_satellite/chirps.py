"""The chirp of a detector whose battery is low: one short, high, pure beep about every 30 to 60 s. No clock, no I/O."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from .frontend import Floats, FrontendParameters, mel_centres
from .tones import tonal_contrast

_HZ: Final = (2000.0, 4500.0)
_LOWEST_HZ: Final = 350.0
_LENGTH_S: Final = (0.02, 0.3)
_APART_S: Final = (20.0, 70.0)
# A beep appears longer than it is: by its echo, and by the length of a frame.
_BLUR_S: Final = 0.06
_BEEP_DB: Final = 15.0
_TONE_DB: Final = 10.0
# Nothing like it sounds so long before and after a chirp.
_ALONE_S: Final = 1.6
_PITCH_BANDS: Final = 2
# The contrast takes in the frames beside, and the bands around.
_BESIDE_FRAMES: Final = 1
# The share of the other frames in a window that may be tonal: a voice, a bird.
_OTHER_TONES: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Beep:
    """One beep: from frame `first` to before `last` of the stream, in a band."""

    first: int
    last: int
    band: int


class Chirps:
    """Looks for chirps in the frames of a stream, and says what only one of them explains."""

    def __init__(self, parameters: FrontendParameters, window_frames: int) -> None:
        """Begin; the network sees `window_frames` at once."""
        frame_s = parameters.hop_length / parameters.sample_rate
        centres = mel_centres(parameters)
        self._lowest = int(np.searchsorted(centres, _LOWEST_HZ))
        self._low, self._high = (int(np.searchsorted(centres, hz)) for hz in _HZ)
        self._longest = round((_LENGTH_S[1] + _BLUR_S) / frame_s)
        self._blur = round(_BLUR_S / frame_s)
        self._shortest = round(_LENGTH_S[0] / frame_s)
        self._alone = round(_ALONE_S / frame_s)
        self._apart = tuple(round(each / frame_s) for each in _APART_S)
        self._before = np.zeros((0, parameters.n_mels - self._lowest), np.float32)
        self._end = 0
        # Of each frame of the window, and of some before, so that no end of a longer tone is taken for a beep: the band
        # of a beep in it, or none (-1), and whether it holds any tone.
        self._before_window = self._longest + self._blur
        self._window = window_frames
        memory = window_frames + self._before_window
        self._bands: deque[int] = deque([-1] * memory, maxlen=memory)
        self._tones: deque[bool] = deque([False] * memory, maxlen=memory)
        # The first frame after the last one with a beep in it.
        self._after_beep = -memory
        self._run: Beep | None = None
        self._waiting: Beep | None = None
        self._chirp: Beep | None = None
        # Until when a beep that comes is not alone.
        self._disturbed = 0

    def push(self, frames: Floats) -> Beep | None:
        """Take the next frames [n, n_mels] in dB (`frontend.decibels`).

        Return a chirp that came when it was due, once it is known to be alone.
        """
        levels = np.concatenate((self._before, frames[:, self._lowest :]))
        self._before = levels[-2 * _BESIDE_FRAMES :]
        contrast = tonal_contrast(levels)
        if len(contrast) <= 2 * _BESIDE_FRAMES:
            return None
        contrast = contrast[_BESIDE_FRAMES:-_BESIDE_FRAMES]
        heights = contrast.max(axis=1).tolist()
        self._tones.extend([height >= _TONE_DB for height in heights])
        if max(heights) < _BEEP_DB and self._run is None and self._waiting is None:
            # As nearly always: nothing begins, goes on, ends or is waited for.
            self._bands.extend([-1] * len(heights))
            self._end += len(heights)
            return None
        found: Beep | None = None
        for loudest, height in zip(contrast.argmax(axis=1).tolist(), heights, strict=True):
            band = loudest + self._lowest
            if not (height >= _BEEP_DB and self._low <= band < self._high):
                band = -1
            self._bands.append(band)
            self._take(band)
            found = self._known() or found
            self._end += 1
            if band >= 0:
                self._after_beep = self._end
        return found

    def explains(self) -> bool:
        """Return whether all that is a tone in the network's window is one short beep: no alarm beeps once."""
        if self._after_beep <= self._end - self._window:
            return False
        places = [place for place, band in enumerate(self._bands) if band >= 0]
        first, last = places[0], places[-1] + 1
        bands = [self._bands[place] for place in places]
        if last - first > self._longest or max(bands) - min(bands) > 2 * _PITCH_BANDS:
            return False
        # The blur of the beep itself is a tone too.
        first, last = max(0, first - 3), min(len(self._tones), last + 6)
        outside = [tone for place, tone in enumerate(self._tones) if not first <= place < last]
        return sum(outside) <= _OTHER_TONES * len(self._tones)

    def _take(self, band: int) -> None:
        """Let the beep that sounds go on or end, or another begin."""
        run = self._run
        if run is not None and band >= 0 and abs(band - run.band) <= _PITCH_BANDS:
            self._run = Beep(first=run.first, last=self._end + 1, band=run.band)
        elif run is not None and self._end - run.last >= self._blur:
            self._run = None
            self._ended(run)
        elif run is None and band >= 0:
            self._run = Beep(first=self._end, last=self._end + 1, band=band)

    def _ended(self, beep: Beep) -> None:
        length = beep.last - beep.first
        if length < self._shortest:
            return
        waiting = self._waiting
        if length > self._longest or beep.first < self._disturbed or waiting is not None:
            # This tone is too long or has neighbours, so neither it nor the beep before it is a single beep.
            self._waiting = None
            if waiting is not None or length > self._longest:
                self._chirp = None
        else:
            self._waiting = beep
        self._disturbed = beep.last + self._alone

    def _known(self) -> Beep | None:
        """Return a chirp that has been alone for long enough and came when it was due after another."""
        beep = self._waiting
        if beep is None or self._run is not None or self._end < beep.last + self._alone:
            return None
        self._waiting = None
        before, self._chirp = self._chirp, beep
        if before is None or abs(before.band - beep.band) > _PITCH_BANDS:
            return None
        return beep if self._apart[0] <= beep.first - before.first <= self._apart[1] else None
