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


@given(st.lists(st.sampled_from([-np.inf, -3.0, 0.5, 7.0]), min_size=1, max_size=9))
def test_where_no_tone_is_the_level_is_infinitely_low(levels: list[float]) -> None:
    assert median(np.array(levels, np.float32)) == float(np.median(levels))
