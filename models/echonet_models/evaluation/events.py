"""Event error rate and F1 on mixtures.

Rules are chosen on mixtures of the tune split, figures are those of mixtures of the validation split.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from scipy.ndimage import grey_closing, median_filter

from echonet_satellite.detector import STEP_S
from echonet_satellite.protocol import Sensitivity, SoundClass

from ..datasets import CLASSES
from ..listening import Probabilities, detections
from .collar import Changes, Floats, best_threshold, changes, match
from .intervals import figure, resamples
from .rare_events import EBR_DB, RARE_CLASSES, Mixture
from .systems import Decisions

SMOOTHING_STEPS = (1, 5)
GAP_STEPS = (1, 7, 25, 75)
# Where a rise counts as the beginning of what is an event further on.
ONSET_LEVELS = (0.005, 0.02, 0.1, 0.3, 0.7)
SHIFTS_S = tuple(round(-1.2 + 0.08 * number, 2) for number in range(18))
# Thresholds finer than this choose noise.
DECIMALS = 3
MEAN = "mean"
RATIOS = {f"{ebr_db:+.0f} dB" if ebr_db else "0 dB": ebr_db for ebr_db in EBR_DB}


@dataclass(frozen=True, slots=True)
class EventRule:
    """How scores of one class become events, the same kind of rule for all systems.

    The scores go through a median filter; what is over the threshold is an event; events that are nearer to each other
    than the gap are one. With an `onset_level` an event begins earlier: where the scores rose over that level, to pass
    the threshold further on. Every onset is moved by the shift (what hears in windows knows late). `one` is what the
    systems of the task did, who knew that a mixture holds at most one event: only the run of steps with the highest
    score counts.
    """

    threshold: float
    onset_level: float | None
    smoothing_steps: int
    gap_steps: int
    shift_s: float
    one: bool


def decode(scores: Floats, rule: EventRule) -> Floats:
    """Return scores such that their runs above any threshold are the events of the rule at that threshold."""
    smooth = np.round(scores, DECIMALS)
    if rule.smoothing_steps > 1:
        smooth = np.asarray(median_filter(smooth, rule.smoothing_steps, mode="nearest"), float)
    if rule.onset_level is not None:
        return _whole_runs(smooth, rule.onset_level, rule.gap_steps, one=rule.one)
    if rule.one:
        return _around_the_peak(smooth)
    # Closing (a maximum filter, then a minimum filter) joins runs over gaps at every threshold at once. At the borders
    # nothing is joined: beyond them there is silence.
    around = rule.gap_steps
    closed: Floats = np.asarray(grey_closing(np.pad(smooth, around), rule.gap_steps), float)[around:-around]
    return closed


def _around_the_peak(smooth: Floats) -> Floats:
    """Return scores that fall on both sides of their peak: they have one run above every threshold, with the peak."""
    peak = int(np.argmax(smooth))
    rising = np.minimum.accumulate(smooth[: peak + 1][::-1])[::-1]
    falling: Floats = np.concatenate([rising, np.minimum.accumulate(smooth[peak:])[1:]])
    return falling


def _whole_runs(smooth: Floats, level: float, gap_steps: int, *, one: bool) -> Floats:
    """Return the runs over a level, joined over gaps, every step of a run with its highest score; between them zero."""
    events: Floats = np.zeros(len(smooth))
    over = np.flatnonzero(smooth > level)
    if not len(over):
        return events
    runs = np.split(over, np.flatnonzero(np.diff(over) > gap_steps) + 1)
    if one:
        runs = [max(runs, key=lambda run: float(smooth[run].max()))]
    for run in runs:
        events[run[0] : run[-1] + 1] = smooth[run].max()
    return events


def choose_rule(
    mixtures: Sequence[Mixture],
    heard: Mapping[str, Probabilities],
    name: SoundClass,
    *,
    one: bool,
    threshold: float | None = None,
) -> EventRule:
    """Return the rule with the lowest error rate on these mixtures (of the tune split).

    A given threshold is kept; then only the level of onsets, the gap and the shift are chosen.
    """
    own = [mixture for mixture in mixtures if name in mixture.classes]
    onsets = {mixture.key: mixture.onset_s for mixture in own}
    column = CLASSES.index(name)
    tried: list[tuple[float, EventRule]] = []
    smoothings = SMOOTHING_STEPS if threshold is None else (1,)
    levels = [level for level in ONSET_LEVELS if threshold is None or level < threshold]
    for smoothing, gap in product(smoothings, GAP_STEPS):
        by_level: list[tuple[float, EventRule]] = []
        for level in (None, *levels):
            rule = EventRule(threshold or 0.5, level, smoothing, gap, 0.0, one)
            decoded = {key: decode(heard[key][:, column].astype(float), rule) for key in onsets}
            by_level.append(_best_shift(decoded, onsets, rule, threshold))
        tried += [by_level[0], _middle_of_the_best(by_level[1:])]
    # Of rules that are as good as each other the first is the simplest.
    return min(tried, key=lambda entry: entry[0])[1]


def _best_shift(
    decoded: Mapping[str, Floats],
    onsets: Mapping[str, float | None],
    rule: EventRule,
    threshold: float | None,
) -> tuple[float, EventRule]:
    """Return the lowest error rate of a rule, and the rule with the shift and, unless it is given, the threshold."""
    true = sum(onset is not None for onset in onsets.values())
    rates: list[tuple[float, EventRule]] = []
    for shift in SHIFTS_S:
        found = {key: changes(scores, STEP_S, shift, onsets[key]) for key, scores in decoded.items()}
        if threshold is None:
            rate, chosen = best_threshold(found, onsets)
        else:
            # Found is what lies above a threshold; the rule of the peer is "or more".
            chosen = threshold - 10**-DECIMALS / 2
            hits, false = np.sum([each.at(chosen) for each in found.values()], axis=0)
            rate = float(true - hits + false) / max(true, 1)
        rates.append((rate, replace(rule, threshold=chosen, shift_s=shift)))
    return _middle_of_the_best(rates)


def _middle_of_the_best(tried: Sequence[tuple[float, EventRule]]) -> tuple[float, EventRule]:
    """Return one of the rules with the lowest rate.

    Often several are as good as each other, neighbours in shift or level; the one in the middle errs least on other
    sounds.
    """
    lowest = min(rate for rate, _ in tried)
    equals = [entry for entry in tried if entry[0] <= lowest + 1e-9]
    return equals[len(equals) // 2]


def count(
    mixtures: Sequence[Mixture], heard: Mapping[str, Probabilities], name: SoundClass, rule: EventRule
) -> list[tuple[int, int]]:
    """Return hits and false alarms of the rule in each mixture."""
    column = CLASSES.index(name)
    found: list[tuple[int, int]] = []
    for mixture in mixtures:
        scores = decode(heard[mixture.key][:, column].astype(float), rule)
        each: Changes = changes(scores, STEP_S, rule.shift_s, mixture.onset_s)
        found.append(each.at(rule.threshold))
    return found


def count_shipped(
    mixtures: Sequence[Mixture], heard: Mapping[str, Probabilities], name: SoundClass, decisions: Decisions
) -> list[tuple[int, int]]:
    """Return hits and false alarms of the satellite's own detector at medium sensitivity, with its own onsets."""
    found: list[tuple[int, int]] = []
    for mixture in mixtures:
        started = detections(heard[mixture.key], decisions, Sensitivity.MEDIUM)
        onsets = [event.onset_s for event in started if event.sound_class is name]
        found.append(match(onsets, [] if mixture.onset_s is None else [mixture.onset_s]))
    return found


def error_figures(
    mixtures: Mapping[SoundClass, Sequence[Mixture]], counts: Mapping[SoundClass, Sequence[tuple[int, int]]]
) -> dict[str, Any]:
    """Return error rate and F1 per class and ratio, and their means over the classes."""
    figures: dict[str, Any] = {}
    resampled: dict[str, dict[str, Floats]] = {}
    for name, own in mixtures.items():
        figures[str(name)], resampled[str(name)] = _class_figures(own, counts[name])
    figures[MEAN] = {
        key: figure(
            float(np.mean([figures[name][key]["value"] for name in resampled])),
            np.mean([resampled[name][key] for name in resampled], axis=0),
        )
        for key in next(iter(resampled.values()), {})
    }
    return figures


def rule_figures(rule: EventRule) -> dict[str, Any]:
    """Return a rule as plain values."""
    return {**asdict(rule), "threshold": round(rule.threshold, 4)}


def own_mixtures(mixtures: Sequence[Mixture]) -> dict[SoundClass, list[Mixture]]:
    """Return the mixtures of each class that has one with an event."""
    found = {name: [mixture for mixture in mixtures if name in mixture.classes] for name in RARE_CLASSES}
    return {name: own for name, own in found.items() if any(mixture.onset_s is not None for mixture in own)}


def _class_figures(
    mixtures: Sequence[Mixture], counts: Sequence[tuple[int, int]]
) -> tuple[dict[str, Any], dict[str, Floats]]:
    places = {recording: number for number, recording in enumerate({m.recording: None for m in mixtures})}
    with_event = {mixture.recording: mixture.onset_s is not None for mixture in mixtures}
    weights = resamples([with_event[recording] for recording in places])
    figures: dict[str, Any] = {}
    resampled: dict[str, Floats] = {}
    for key, ratio in {"all": None, **RATIOS}.items():
        # Events, hits and false alarms of each recording.
        table = np.zeros((len(places), 3))
        for mixture, (hits, false) in zip(mixtures, counts, strict=True):
            if ratio is None or mixture.ebr_db == ratio:
                table[places[mixture.recording]] += (mixture.onset_s is not None, hits, false)
        value, spread = _rates(table.sum(axis=0)), _rates(weights @ table)
        figures[key] = figure(float(value["error_rate"]), spread["error_rate"])
        resampled[key] = spread["error_rate"]
        if ratio is None:
            figures["f1"] = figure(float(value["f1"]), spread["f1"])
            resampled["f1"] = spread["f1"]
            events, hits, false = table.sum(axis=0)
            figures["counts"] = {
                "mixtures": len(mixtures),
                "events": int(events),
                "recordings": sum(with_event.values()),
                "hits": int(hits),
                "deletions": int(events - hits),
                "insertions": int(false),
            }
    return figures, resampled


def _rates(table: Floats) -> dict[str, Floats]:
    events, hits, false = np.moveaxis(table, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "error_rate": (events - hits + false) / events,
            "f1": 2 * hits / (events + hits + false),
        }
