"""One clear tone: of an appliance or a clock while it beeps a few times, of an alarm while it goes on. No I/O.

Older smoke alarms, which have no rhythm to be known by, beep several times a second at 2.3 to 3.6 kHz, evenly, and next
to nothing of their sound lies elsewhere. Horns, flutes, crickets and phones are richer, or less steady; a kettle
whistles without a pause. What beeps in an oven that is done sounds no different, for two seconds.
"""

from dataclasses import dataclass
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
# What beeps in a house, and how much of what is loud must be the beep.
_BEEPS_HZ: Final = (1800.0, 4600.0)
FEWEST_FRAMES: Final = 8
_NEARLY_ALL: Final = 0.8


def frames_needed(parameters: FrontendParameters) -> int:
    """Return of how many frames `insists` tells."""
    return round(INSISTENT_S * parameters.sample_rate / parameters.hop_length)


def insists(levels_db: Floats, parameters: FrontendParameters) -> bool:
    """Return whether one clear tone beeps on and on through frames [frames, n_mels] in dB (`frontend.decibels`)."""
    tone = _tone(levels_db, _bands(parameters, _LOWEST_HZ, _HIGHEST_HZ), 90)
    heard, frames = tone.heard, len(levels_db)
    if len(heard) < _MOST_OF_THE_TIME * frames or not tone.clear:
        return False
    longest = max(np.diff(heard).max(), heard[0], frames - heard[-1])
    if longest * parameters.hop_length > _LONGEST_GAP_S * parameters.sample_rate:
        return False
    apart = np.diff(_beginnings(tone.levels_db))
    if len(apart) < _FEWEST_BEEPS - 1:
        return False
    # In a room the tone may swell once more in each of its echoes: then every other beginning is that of a beep.
    even = _even(apart) or (len(apart) >= 2 * _FEWEST_BEEPS and _even(apart[::2]) and _even(apart[1::2]))
    return even and tone.alone


def only_beeps(levels_db: Floats, parameters: FrontendParameters) -> bool:
    """Return whether all that is loud in frames [frames, n_mels] in dB is one clear tone of one pitch."""
    tone = _tone(levels_db, _bands(parameters, *_BEEPS_HZ), 100)
    loudest = levels_db.max(axis=1)
    loud = int((loudest >= loudest.max() - _ECHO_DB).sum())
    return len(tone.heard) >= max(FEWEST_FRAMES, _NEARLY_ALL * loud) and tone.clear and tone.alone


@dataclass(frozen=True, slots=True)
class _Tone:
    """The tone that stands out most of frames: `heard` are those it is heard in, `levels_db` how loud it is in each."""

    heard: NDArray[np.int64]
    levels_db: Floats
    contrast: Floats
    rest_db: Floats

    @property
    def clear(self) -> bool:
        """Whether it stands out, and stays in its band."""
        if not len(self.heard) or median(self.contrast[self.heard].max(axis=1)) < _CLEAR_DB:
            return False
        return bool(self.contrast[self.heard].argmax(axis=1).std() <= _STEADY_BANDS)

    @property
    def alone(self) -> bool:
        """Whether next to nothing else is heard with it."""
        return median(self.levels_db[self.heard] - self.rest_db) >= _ALONE_DB


def _tone(levels_db: Floats, bands: tuple[int, int], percent: float) -> _Tone:
    """Return the clearest tone in some bands; it is heard where it is about as loud as in its loudest frames."""
    first, last = bands
    # What lies too far from the bands that are looked at to be compared with them need not be looked at.
    widest = slice(max(0, first - BESIDE), last + BESIDE)
    contrast = tonal_contrast(levels_db[:, widest])[:, first - widest.start :][:, : last - first]
    band = int(contrast.sum(axis=0).argmax())
    tone = contrast[:, max(0, band - 1) : band + 2].max(axis=1)
    own = first + band
    tone_db = levels_db[:, max(0, own - 1) : own + 2].max(axis=1)
    (heard,) = ((tone >= _HEARD_DB) & (tone_db >= percentile(tone_db, percent) - _ECHO_DB)).nonzero()
    below = levels_db[heard, : max(0, own - _BESIDE)]
    above = levels_db[heard, own + _BESIDE + 2 : own + _HARMONICS + 1]
    rest_db = np.concatenate((below, above), axis=1).max(axis=1)
    return _Tone(heard, tone_db, contrast, rest_db)


@lru_cache(maxsize=8)
def _bands(parameters: FrontendParameters, lowest_hz: float, highest_hz: float) -> tuple[int, int]:
    """Return the first band that such a tone may lie in, and the first after them."""
    first, last = np.searchsorted(mel_centres(parameters), (lowest_hz, highest_hz)).tolist()
    return first, last


def _even(apart: NDArray[np.int64]) -> bool:
    return bool(apart.std() <= _EVEN * apart.mean())


def _beginnings(tone_db: Floats) -> NDArray[np.int64]:
    """Return the frames in which beeps begin."""
    (rising,) = (tone_db[_RISE_FRAMES:] - tone_db[:-_RISE_FRAMES] >= _RISE_DB).nonzero()
    first = np.diff(rising, prepend=-2 * _RISE_FRAMES) > _RISE_FRAMES
    return rising[first]
