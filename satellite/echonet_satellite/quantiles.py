"""Median and percentiles of a few numbers. NumPy's own load its masked arrays, 10 MB of memory, and take longer."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def median(values: NDArray[Any]) -> float:
    """Return the number in the middle of all of an array, or the mean of the two there; some may be infinite."""
    ordered, middle = np.sort(values, axis=None), values.size // 2
    return float(ordered[middle] if values.size % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def percentile(values: NDArray[Any], percent: float) -> float:
    """Return what so many percent of all numbers of an array lie below, as `numpy.percentile` does; all are finite."""
    ordered = np.sort(values, axis=None)
    place = percent / 100 * (len(ordered) - 1)
    before = int(place)
    low, high = float(ordered[before]), float(ordered[min(before + 1, len(ordered) - 1)])
    return low + (high - low) * (place - before)
