"""Intervals of figures: a bootstrap over recordings for shares, the exact Poisson interval for counts of alarms."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

BOOTSTRAPS = 1000

Floats = NDArray[np.float64]


def resamples(strata: Sequence[Any] | NDArray[Any], *, times: int = BOOTSTRAPS) -> Floats:
    """Return how often each recording is drawn in each resample, [times, recordings].

    Recordings are drawn with replacement within their stratum (their label), so that each resample has as many
    recordings of each label as there are.
    """
    generator = np.random.default_rng(0)
    weights = np.zeros((times, len(strata)))
    for stratum in np.unique(strata):
        own = np.flatnonzero(np.equal(strata, stratum))
        weights[:, own] = generator.multinomial(len(own), np.full(len(own), 1 / len(own)), size=times)
    return weights


def average_precision(scores: NDArray[Any], truth: NDArray[np.bool_], weights: Floats) -> Floats:
    """Return the average precision for each row of weights [B, N]; equal scores are told apart by no threshold."""
    order = np.argsort(-scores, kind="stable")
    ranked = -scores[order]
    last = np.searchsorted(ranked, ranked, side="right") - 1
    weighed = weights[:, order]
    hits = weighed * truth[order]
    precision = np.cumsum(hits, axis=1)[:, last] / np.maximum(np.cumsum(weighed, axis=1)[:, last], 1e-9)
    return np.asarray((hits * precision).sum(axis=1) / np.maximum(hits.sum(axis=1), 1e-9))


def figure(value: float, resampled: Floats) -> dict[str, float]:
    """Return a figure with its 95 % interval."""
    low, high = np.percentile(resampled, (2.5, 97.5))
    return {"value": round(float(value), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def share(hits: Sequence[float], sizes: Sequence[float]) -> dict[str, float]:
    """Return a share over recordings, each with so many hits of so many tries, and its interval."""
    hit, size = np.asarray(hits, float), np.asarray(sizes, float)
    if not size.sum():
        return dict.fromkeys(("value", "low", "high"), float("nan"))
    weights = resamples([0] * len(size))
    return figure(hit.sum() / size.sum(), (weights @ hit) / (weights @ size))


def rate(count: int, hours: float, *, per_hours: float = 1.0, name: str = "per_hour") -> dict[str, Any]:
    """Return a rate of alarms: so many per `per_hours` hours, under the key `name`.

    Its interval is the exact one of the expectation behind a count (Garwood, Biometrika 28, 1936).
    """
    found: dict[str, Any] = {"count": count, "hours": round(hours, 4)}
    if not hours:
        return found | {name: 0.0, "low": 0.0, "high": float("inf")}
    low = float(chi2.ppf(0.025, 2 * count) / 2) if count else 0.0
    high = float(chi2.ppf(0.975, 2 * count + 2) / 2)
    scale = per_hours / hours
    return found | {
        name: round(count * scale, 3),
        "low": round(low * scale, 3),
        "high": round(high * scale, 3),
    }
