"""`echonet-satellite calibrate`: shows the pulses of the sound sensor and the level of the microphone, live."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
import math
from statistics import median
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

import numpy as np

from .errors import EchonetError, StateError
from .hearing import dbfs
from .options import configuration
from .sensor import SensorConfig, SoundSensor

if TYPE_CHECKING:
    from .audio import Source
    from .config import Config

# A sound server that hangs is not waited for.
_OPEN_S: Final = 15.0
_STEP_S: Final = 0.5
_BAR_DB: Final = 60
# So far above the quiet a noise is loud, within what a microphone can tell.
_LOUD_ABOVE_DB: Final = 25.0
_LOUDEST_DBFS: Final = -6.0
_QUIETEST_DBFS: Final = -45.0


@dataclass(slots=True)
class Counter:
    """Counts pulses, from any thread."""

    total: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> None:
        """Count one."""
        with self._lock:
            self.total += 1

    def take(self) -> int:
        """Return what has been counted since the last time."""
        with self._lock:
            count, self.total = self.total, 0
            return count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `calibrate`."""
    parser.add_argument("--seconds", type=float, default=20.0, help="for how long (default: 20)")


def run(args: argparse.Namespace) -> int:
    """Show live pulses and levels, then the noise floor, and return the exit status."""
    config = configuration(args)
    if not math.isfinite(args.seconds) or args.seconds <= 0:
        raise StateError(f"--seconds must be above 0, not {args.seconds}")
    with _microphone(config) as source, _sensor(config.sensor) as counter:
        if source is None and counter is None:
            raise StateError(
                "there is neither a microphone nor a sensor to calibrate: see `echonet-satellite doctor`"
            )
        if counter is not None:
            print("Turn the potentiometer until it pulses when you clap, and does not when it is quiet.")
        print("Be quiet for the first half of the time: that measures the noise floor.\n", flush=True)
        peaks, pulses = _watch(source, counter, args.seconds)
    print(_summary(peaks, pulses if counter is not None else None))
    return 0


@contextmanager
def _microphone(config: "Config") -> "Iterator[Source | None]":
    from .audio.choice import choose_source  # noqa: PLC0415 - it loads the sound library

    try:
        source = choose_source(config.all_sources[0])
        source.open()
        _wait_for_sound(source)
    except EchonetError as err:
        print(f"No level: {err}", file=sys.stderr)
        yield None
        return
    try:
        yield source
    finally:
        source.close()


def _wait_for_sound(source: "Source") -> None:
    """Wait until a microphone is open: only then it is known whether it can be.

    Raises:
        EchonetError: it cannot be, or gives no sound.
    """
    deadline = time.monotonic() + _OPEN_S
    while source.read(_STEP_S) is None:
        if time.monotonic() > deadline:
            raise StateError(f"{source.name} gives no sound")


@contextmanager
def _sensor(config: SensorConfig | None) -> Iterator[Counter | None]:
    if config is None:
        yield None
        return
    counter = Counter()
    sensor = SoundSensor(config, counter)
    sensor.open()
    try:
        yield counter
    finally:
        sensor.close()


def _watch(source: "Source | None", counter: Counter | None, seconds: float) -> tuple[list[float], list[int]]:
    peaks: list[float] = []
    pulses: list[int] = []
    ends = time.monotonic() + seconds
    while (now := time.monotonic()) < ends:
        peak = _peak(source, min(now + _STEP_S, ends))
        if peak is not None:
            peaks.append(peak)
        count = counter.take() if counter is not None else None
        if count is not None:
            pulses.append(count)
        # In a file or a pipe a line a second is enough.
        if sys.stdout.isatty():
            print(f"\r{_line(peak, count):<78}", end="", flush=True)
        elif max(len(peaks), len(pulses)) % 2:
            print(_line(peak, count), flush=True)
    if sys.stdout.isatty():
        print()
    return peaks, pulses


def _peak(source: "Source | None", until: float) -> float | None:
    """Return the loudest sample until a moment, in dB below full scale; None where nothing came."""
    loudest: float | None = None
    while (left := until - time.monotonic()) > 0:
        if source is None:
            time.sleep(left)
            continue
        block = source.read(left)
        if block is not None and len(block.samples):
            loudest = max(loudest or 0.0, float(np.abs(block.samples).max()))
    return None if loudest is None else dbfs(loudest)


def _line(peak: float | None, pulses: int | None) -> str:
    parts = []
    if pulses is not None:
        parts.append(f"pulses {pulses:>5}")
    if peak is not None:
        length = max(0, min(_BAR_DB, round(peak) + _BAR_DB)) // 2
        parts.append(f"level {peak:>6.1f} dBFS  {'#' * length}")
    return "   ".join(parts) or "nothing yet"


def _summary(peaks: list[float], pulses: list[int] | None) -> str:
    lines = [""]
    if peaks:
        floor = median(peaks[: max(1, len(peaks) // 2)])
        loud = min(_LOUDEST_DBFS, max(_QUIETEST_DBFS, round(floor + _LOUD_ABOVE_DB)))
        lines += [
            f"Noise floor {floor:.1f} dBFS, loudest {max(peaks):.1f} dBFS.",
            f"Proposed for the configuration:\n\n[sensor]\nloud_dbfs = {loud:g}",
        ]
    if pulses is not None:
        quiet = sum(pulses[: max(1, len(pulses) // 2)])
        if not any(pulses):
            lines.append(
                "\nThe sensor has not pulsed: turn the potentiometer the other way, and check pin and cable."
            )
        elif quiet:
            lines.append(f"\nThe sensor pulsed {quiet} times in the quiet half: turn it less sensitive.")
        else:
            lines.append(
                f"\nThe sensor was still in the quiet half, and pulsed {sum(pulses)} times after it: good."
            )
    return "\n".join(lines)
