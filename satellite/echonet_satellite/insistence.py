"""Beeps that go on and on, alone: an alarm that has no rhythm to be known by. No clock, no I/O.

Older smoke alarms beep several times a second at 2.3 to 3.6 kHz, evenly, and next to nothing of their sound lies
elsewhere. Horns, flutes, crickets and phones are richer, or less steady; a kettle whistles without a pause.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .frontend import Floats, FrontendParameters, mel_centres
from .quantiles import median, percentile
from .tones import BESIDE, tonal_contrast

# So long it has to sound.
INSISTENT_S: Final = 3.0
_LOWEST_HZ: Final = 2200.0
_HIGHEST_HZ: Final = 4000.0
# The tone counts as present where it stands out by so many dB; mostly it stands out by more.
_HEARD_DB: Final = 12.0
_CLEAR_DB: Final = 16.0
# What is so much fainter than the tone is its echo.
_ECHO_DB: Final = 10.0
_MOST_OF_THE_TIME: Final = 0.6
_LONGEST_GAP_S: Final = 0.25
# A beep begins where the tone rises by so much in so many frames: an echo fills most of the gap before it.
_RISE_DB: Final = 4.0
_RISE_FRAMES: Final = 4
_FEWEST_BEEPS: Final = 5
# As evenly spaced as frames tell.
_EVEN: Final = 0.15
# Its pitch stays in its band.
_STEADY_BANDS: Final = 1.5
# Every other sound must be so many dB fainter; neighbouring bands and harmonics of the tone are left out.
_ALONE_DB: Final = 15.0
_BESIDE: Final = 3
_HARMONICS: Final = 21


def frames_needed(parameters: FrontendParameters) -> int:
    """Return of how many frames `insists` tells."""
    return round(INSISTENT_S * parameters.sample_rate / parameters.hop_length)


def insists(levels_db: Floats, parameters: FrontendParameters) -> bool:
    """Return whether one clear tone beeps on and on through frames [frames, n_mels] in dB (`frontend.decibels`)."""
    first, last = _bands(parameters)
    # What lies too far from the bands that are looked at to be compared with them need not be looked at.
    widest = slice(max(0, first - BESIDE), last + BESIDE)
    contrast = tonal_contrast(levels_db[:, widest])[:, first - widest.start :][:, : last - first]
    band = int(contrast.sum(axis=0).argmax())
    tone = contrast[:, max(0, band - 1) : band + 2].max(axis=1)
    own = first + band
    tone_db = levels_db[:, max(0, own - 1) : own + 2].max(axis=1)
    (heard,) = ((tone >= _HEARD_DB) & (tone_db >= percentile(tone_db, 90) - _ECHO_DB)).nonzero()
    if len(heard) < _MOST_OF_THE_TIME * len(tone) or median(tone[heard]) < _CLEAR_DB:
        return False
    longest = max(np.diff(heard).max(), heard[0], len(tone) - heard[-1])
    if longest * parameters.hop_length > _LONGEST_GAP_S * parameters.sample_rate:
        return False
    if contrast[heard].argmax(axis=1).std() > _STEADY_BANDS:
        return False
    apart = np.diff(_beginnings(tone_db))
    if len(apart) < _FEWEST_BEEPS - 1 or apart.std() > _EVEN * apart.mean():
        return False
    below = levels_db[heard, : max(0, own - _BESIDE)]
    above = levels_db[heard, own + _BESIDE + 2 : own + _HARMONICS + 1]
    rest_db = np.concatenate((below, above), axis=1).max(axis=1)
    return median(tone_db[heard] - rest_db) >= _ALONE_DB


@lru_cache(maxsize=8)
def _bands(parameters: FrontendParameters) -> tuple[int, int]:
    """Return the first band that such a tone may lie in, and the first after them."""
    first, last = np.searchsorted(mel_centres(parameters), (_LOWEST_HZ, _HIGHEST_HZ)).tolist()
    return first, last


def _beginnings(tone_db: Floats) -> NDArray[np.int64]:
    """Return the frames in which beeps begin."""
    (rising,) = (tone_db[_RISE_FRAMES:] - tone_db[:-_RISE_FRAMES] >= _RISE_DB).nonzero()
    first = np.diff(rising, prepend=-2 * _RISE_FRAMES) > _RISE_FRAMES
    return rising[first]
