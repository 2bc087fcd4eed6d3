"""The table of DCASE 2017 task 2 for an approach that says when: event error rate with an onset collar of 500 ms."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from echonet_satellite.protocol import SoundClass

from ..mixtures import Mixer
from ..windows import Floats
from .sliding import RULES, onset_frame

RARE_CLASSES = tuple(RULES)
EBR_DB = (-6.0, 0.0, 6.0)
SECONDS, COLLAR_S = 30, 0.5
Curves = Callable[[Floats, Sequence[SoundClass]], Mapping[SoundClass, Floats]]
"""Sounds [N, samples] and classes: the curves of each, [N, frames] evenly spaced."""
Counts = list[list[list[int]]]
"""Hits, false alarms and events of each class and ratio."""


def count(mixer: Mixer, curves: Curves, with_event: int) -> Counts:
    """Return what is found in `with_event` mixtures per class and ratio, and as many without an event per ratio."""
    counts = np.zeros((len(RARE_CLASSES), len(EBR_DB), 3), int)
    wanted = [name for name in RARE_CLASSES if name in mixer.classes]
    for column, ebr_db in enumerate(EBR_DB):
        for _ in range(with_event):
            for name in (*wanted, None):
                mixture = mixer.mix(SECONDS, name, ebr_db)
                asked = RARE_CLASSES if name is None else (name,)
                for own, curve in curves(mixture.samples[None], asked).items():
                    counts[RARE_CLASSES.index(own), column] += _match(own, curve[0], mixture.onset_s)
    found: Counts = counts.tolist()
    return found


def report(outcomes: Sequence[Counts], with_event: int) -> dict[str, Any]:
    """Return the table of error rates per class and event-to-background ratio, and F1, of all folds."""
    counts = np.sum(outcomes, axis=0)
    rows: list[list[str | float]] = []
    for name, own in zip(RARE_CLASSES, counts, strict=True):
        whole = own.sum(axis=0)
        f1 = 2 * whole[0] / max(1, whole[0] + whole[1] + whole[2])
        rows.append([str(name), *map(error_rate, own), error_rate(whole), float(f1)])
    rows.append(["mean", *(float(np.mean([float(row[column]) for row in rows])) for column in range(1, 6))])
    ratios = [f"error rate at {ebr_db:+.0f} dB" for ebr_db in EBR_DB]
    return {
        "title": "Rare events over a background",
        "note": f"Mixtures of {SECONDS} s from sources left out, {len(outcomes) * with_event} with an event per class "
        f"and ratio and as many without one; an onset counts within {COLLAR_S * 1000:.0f} ms. Lower error rates are "
        "better; 1 is what a system that never claims anything has.",
        "columns": ["class", *ratios, "error rate", "F1"],
        "rows": rows,
    }


def error_rate(counts: ArrayLike) -> float:
    """Return misses and false alarms per event, from hits, false alarms and events."""
    hits, false_alarms, events = np.asarray(counts)
    return float((events - hits + false_alarms) / max(1, events))


def _match(name: SoundClass, curve: Floats, onset_s: float | None) -> tuple[int, int, int]:
    """Return hits, false alarms and events of one mixture."""
    frame = onset_frame(curve, RULES[name].presence)
    found_s = None if frame is None else (frame + 0.5) * SECONDS / len(curve)
    hit = found_s is not None and onset_s is not None and abs(found_s - onset_s) <= COLLAR_S
    return int(hit), int(found_s is not None and not hit), int(onset_s is not None)
