"""Intervals of figures: a bootstrap over recordings for shares, the exact Poisson interval for counts of alarms."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

BOOTSTRAPS = 1000
CONFIDENCE = 0.95

Floats = NDArray[np.float64]


def resamples(strata: Sequence[Hashable], *, times: int = BOOTSTRAPS, seed: int = 0) -> Floats:
    """Return how often each recording is drawn in each resample, [times, recordings].

    Recordings are drawn with replacement within their stratum (their label), so that each resample has as many
    recordings of each label as there are.
    """
    generator = np.random.default_rng(seed)
    members: dict[Hashable, list[int]] = defaultdict(list)
    for index, stratum in enumerate(strata):
        members[stratum].append(index)
    weights = np.zeros((times, len(strata)))
    for indices in members.values():
        count = len(indices)
        weights[:, indices] = generator.multinomial(count, np.full(count, 1 / count), size=times)
    return weights


def figure(value: float, resampled: Floats) -> dict[str, float]:
    """Return a figure with its 95 % interval; what could not be computed in a resample is left out."""
    known = resampled[np.isfinite(resampled)]
    if not np.isfinite(value) or not len(known):
        return {"value": float("nan"), "low": float("nan"), "high": float("nan")}
    low, high = np.percentile(known, [100 * (1 - CONFIDENCE) / 2, 100 * (1 + CONFIDENCE) / 2])
    return {"value": round(float(value), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def share(hits: Sequence[float], sizes: Sequence[float]) -> dict[str, float]:
    """Return a share over recordings, each with so many hits of so many tries, and its interval."""
    hit, size = np.asarray(hits, float), np.asarray(sizes, float)
    if not size.sum():
        return figure(float("nan"), np.empty(0))
    weights = resamples([0] * len(size))
    with np.errstate(invalid="ignore", divide="ignore"):
        return figure(hit.sum() / size.sum(), (weights @ hit) / (weights @ size))


def poisson(count: int) -> tuple[float, float]:
    """Return the exact 95 % interval of the expectation behind a count (Garwood, Biometrika 28, 1936)."""
    tail = (1 - CONFIDENCE) / 2
    low = float(chi2.ppf(tail, 2 * count) / 2) if count else 0.0
    return low, float(chi2.ppf(1 - tail, 2 * count + 2) / 2)


def rate(count: int, hours: float, *, per_hours: float = 1.0, name: str = "per_hour") -> dict[str, Any]:
    """Return a rate of alarms with its exact interval: so many per `per_hours` hours, under the key `name`."""
    found: dict[str, Any] = {"count": count, "hours": round(hours, 4)}
    if not hours:
        return {**found, name: 0.0, "low": 0.0, "high": float("inf")}
    low, high = poisson(count)
    scale = per_hours / hours
    return {
        **found,
        name: round(count * scale, 3),
        "low": round(low * scale, 3),
        "high": round(high * scale, 3),
    }
