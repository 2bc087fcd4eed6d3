"""When something is loud, by the pulses of a sound sensor and by the level of the microphone, and whether both agree.

No clock, no I/O; times are seconds of one monotonic clock.
"""

from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import Final

from .protocol import Problem

# A comparator at its limit may flicker once; a noise makes it pulse with the sound.
MIN_PULSES: Final = 3
_PULSES_WITHIN_S: Final = 0.2
# A noise has ended when it has been quiet for so long.
QUIET_S: Final = 1.0
# Levels come twice a second, each of the half second before it.
_LEVEL_S: Final = 0.5
_STALE_S: Final = 2.0
_CALM_LEVELS: Final = 120
# A rise of the microphone's level by no more than this (dB) does not count as heard.
_MOVED_DB: Final = 6.0
# So many times in a row is no chance any more.
_DEAF_AFTER: Final = 3
_MUTE_AFTER: Final = 5
# Until the sensor has pulsed once, only a noise near full scale is sure to be loud enough for it.
_SURELY_LOUD_DBFS: Final = -3.0
_BEYOND_DB: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """A loud noise.

    Attributes:
        number: the same from its beginning to its end.
        began_s: when it began.
        last_s: when it was loud last.
        peak_dbfs: how loud the microphone heard it; None where it did not listen.
        pulses: of the sensor; None without one.
        over: whether it has ended.
    """

    number: int
    began_s: float
    last_s: float
    peak_dbfs: float | None
    pulses: int | None
    over: bool = False


class LoudNoises:
    """Makes noises of pulses and levels, and compares the two."""

    def __init__(self, *, has_sensor: bool, loud_dbfs: float) -> None:
        """A peak of `loud_dbfs` or more is loud."""
        self._has_sensor = has_sensor
        self._loud_dbfs = loud_dbfs
        self._recent: deque[float] = deque(maxlen=MIN_PULSES)
        self._calm: deque[float] = deque(maxlen=_CALM_LEVELS)
        self._last_level_s: float | None = None
        self._last_pulse_s: float | None = None
        self._number = 0
        self._began_s: float | None = None
        self._last_s = 0.0
        self._peak_dbfs: float | None = None
        self._pulses = 0
        self._calm_dbfs: float | None = None
        self._unheard = 0
        self._unfelt = 0
        self._felt_at_dbfs: float | None = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the comparison has found: a deaf microphone, or a sensor that never pulses."""
        deaf = (Problem.MICROPHONE_DEAF,) if self._unheard >= _DEAF_AFTER else ()
        mute = (Problem.SENSOR_SILENT,) if self._unfelt >= _MUTE_AFTER else ()
        return deaf + mute

    def pulse(self, at_s: float) -> Noise | None:
        """Note a pulse of the sensor; return the noise that begins with it."""
        self._recent.append(at_s)
        self._last_pulse_s = at_s
        if self._began_s is not None:
            self._pulses += 1
            self._last_s = at_s
            return None
        first = self._recent[0]
        if len(self._recent) < MIN_PULSES or at_s - first > _PULSES_WITHIN_S:
            return None
        return self._begin(first, at_s, pulses=MIN_PULSES)

    def level(self, at_s: float, peak_dbfs: float) -> Noise | None:
        """Note the loudest sample of the last half second; return the noise that begins in it."""
        self._last_level_s = at_s
        loud = peak_dbfs >= self._loud_dbfs
        if self._began_s is None and not loud:
            self._calm.append(peak_dbfs)
            return None
        begun = None
        if self._began_s is None:
            begun = self._begin(at_s - _LEVEL_S, at_s, pulses=0)
        elif loud:
            self._last_s = max(self._last_s, at_s)
        self._peak_dbfs = peak_dbfs if self._peak_dbfs is None else max(self._peak_dbfs, peak_dbfs)
        return None if begun is None else self._noise()

    def tick(self, at_s: float) -> Noise | None:
        """Return the noise that has ended by now."""
        if self._began_s is None or at_s - self._last_s < QUIET_S:
            return None
        ended = self._noise(over=True)
        self._compare(ended, at_s)
        self._began_s = None
        self._recent.clear()
        return ended

    def pulsed_since(self, at_s: float) -> bool:
        """Tell whether the sensor has pulsed since a moment."""
        last_s = self._last_pulse_s
        return last_s is not None and last_s >= at_s

    def _begin(self, began_s: float, at_s: float, *, pulses: int) -> Noise:
        self._number += 1
        self._began_s, self._last_s = began_s, at_s
        self._peak_dbfs = None
        self._pulses = pulses
        self._calm_dbfs = median(self._calm) if self._calm else None
        return self._noise()

    def _noise(self, *, over: bool = False) -> Noise:
        assert self._began_s is not None
        return Noise(
            number=self._number,
            began_s=self._began_s,
            last_s=self._last_s,
            peak_dbfs=self._peak_dbfs,
            pulses=self._pulses if self._has_sensor else None,
            over=over,
        )

    def _compare(self, noise: Noise, at_s: float) -> None:
        """Learn from a noise whether both have noticed it; without sensor or microphone there is nothing to compare."""
        listened = self._last_level_s is not None and at_s - self._last_level_s <= _STALE_S
        if not self._has_sensor or not listened or noise.peak_dbfs is None:
            return
        if noise.pulses:
            self._unfelt = 0
            if self._calm_dbfs is not None and noise.peak_dbfs < self._calm_dbfs + _MOVED_DB:
                self._unheard += 1
                return
            known = self._felt_at_dbfs
            self._felt_at_dbfs = noise.peak_dbfs if known is None else min(known, noise.peak_dbfs)
        elif noise.peak_dbfs >= self._enough_for_the_sensor():
            self._unfelt += 1
        # The microphone has heard this one.
        if noise.peak_dbfs >= self._loud_dbfs:
            self._unheard = 0

    def _enough_for_the_sensor(self) -> float:
        known = self._felt_at_dbfs
        return _SURELY_LOUD_DBFS if known is None else min(_SURELY_LOUD_DBFS, known + _BEYOND_DB)
