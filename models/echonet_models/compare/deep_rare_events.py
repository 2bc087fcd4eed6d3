"""The table of DCASE 2017 task 2 for an approach that says when: event error rate with an onset collar of 500 ms."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.protocol import SoundClass

from ..datasets import Split
from ..evaluation.collar import COLLAR_S, match
from ..evaluation.rare_events import EBR_DB, RARE_CLASSES, SECONDS, Mixture, RareEvents
from ..material import Material
from .approach import Progress
from .deep_sliding import RULES, Floats, onset_frame

Counts = NDArray[np.float64]
"""Hits, false alarms and events."""

Curves = Callable[[Floats, Sequence[SoundClass]], Mapping[SoundClass, Floats]]
"""A sound [samples] and classes: the curve of each, [frames] evenly spaced."""


def error_table(
    material: Material, curves: Curves, with_event: int, *, seed: int, progress: Progress
) -> dict[str, Any]:
    """Return error rate per class and event-to-background ratio, and F1, by the decisions of paper D.

    Mixtures are of the validation split: `with_event` per class and ratio, and as many without an event.
    """
    clips = [clip for clip in material.of(Split.VALIDATION) if not clip.unsure]
    maker = RareEvents(clips, material.recordings, material.taught, seed=seed)
    mixtures = maker.mixtures(with_event)
    counts = {(name, ebr_db): np.zeros(3) for name in RARE_CLASSES for ebr_db in EBR_DB}
    for place, mixture in enumerate(mixtures, 1):
        heard = curves(maker.render(mixture), mixture.classes)
        for name in mixture.classes:
            counts[name, mixture.ebr_db] += _count(mixture, name, heard[name])
        progress(place / len(mixtures))
    rows: list[list[str | float]] = []
    for name in RARE_CLASSES:
        own = [counts[name, ebr_db] for ebr_db in EBR_DB]
        rows.append(
            [str(name), *map(error_rate, own), error_rate(np.sum(own, axis=0)), _f1(np.sum(own, axis=0))]
        )
    rows.append(["mean", *(float(np.mean([float(row[column]) for row in rows])) for column in range(1, 6))])
    ratios = [f"error rate at {ebr_db:+.0f} dB" for ebr_db in EBR_DB]
    return {
        "title": "Rare events over a background",
        "note": (
            f"{len(mixtures)} mixtures of {SECONDS} s from the validation recordings, half with an event per class "
            f"and ratio; an onset counts within {COLLAR_S * 1000:.0f} ms. Lower error rates are better; 1 is what a "
            "system that never claims anything has."
        ),
        "columns": ["class", *ratios, "error rate", "F1"],
        "rows": rows,
    }


def error_rate(counts: Counts) -> float:
    """Return misses and false alarms per event, from [hits, false alarms, events]."""
    hits, false_alarms, events = counts
    return float((events - hits + false_alarms) / max(1.0, events))


def _f1(counts: Counts) -> float:
    hits, false_alarms, events = counts
    return float(2 * hits / max(1.0, hits + false_alarms + events))


def _count(mixture: Mixture, name: SoundClass, curve: Floats) -> Counts:
    """Return hits, false alarms and events of one mixture."""
    frame = onset_frame(curve, RULES[name].presence)
    found = [] if frame is None else [(frame + 0.5) * SECONDS / len(curve)]
    hits, false_alarms = match(found, [] if mixture.onset_s is None else [mixture.onset_s])
    return np.array([hits, false_alarms, mixture.onset_s is not None], float)
