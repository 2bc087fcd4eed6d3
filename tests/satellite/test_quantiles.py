"""Median and percentiles without what NumPy loads for its own, which are their oracle."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from echonet_satellite.quantiles import median, percentile

_NUMBERS = st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=30)


@given(_NUMBERS, st.sampled_from([0, 10, 50, 90, 100]))
def test_they_are_what_numpy_says(numbers: list[float], percent: float) -> None:
    values = np.array(numbers)
    assert percentile(values, percent) == pytest.approx(float(np.percentile(values, percent)))
    assert median(values) == pytest.approx(float(np.median(values)))
