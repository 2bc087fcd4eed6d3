"""Tones in frames: how far each band stands out, worked out band by band."""

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from echonet_satellite.frontend import Floats, FrontendParameters, decibels, log_mel
from echonet_satellite.synthesis import demo_scene
from echonet_satellite.tones import BESIDE, tonal_contrast

PARAMETERS = FrontendParameters()


@pytest.fixture(scope="module")
def levels_db() -> Floats:
    """Return the frames of a scene with alarms, voices and noise in it."""
    return decibels(log_mel(demo_scene().samples, PARAMETERS), PARAMETERS)


def one_by_one(levels_db: Floats) -> Floats:
    """Return the contrast of each band of each frame by itself: the oracle of what takes all at once."""
    frames, bands = levels_db.shape
    alone = np.empty_like(levels_db)
    for frame, row in enumerate(levels_db):
        for band in range(bands):
            at = [row[min(max(band + step, 0), bands - 1)] for step in range(-BESIDE, BESIDE + 1)]
            around = max(at[0] + at[1], at[-2] + at[-1]) * np.float32(0.5)
            alone[frame, band] = max(at[BESIDE - 1], at[BESIDE], at[BESIDE + 1]) - around
    smooth = alone.copy()
    for frame in range(1, frames - 1):
        smooth[frame] = (alone[frame - 1] + alone[frame] + alone[frame + 1]) / np.float32(3)
    return smooth


@settings(max_examples=20, deadline=None)
@given(first=st.integers(0, 5000), count=st.integers(1, 20))
def test_contrast_is_that_of_each_band_alone(levels_db: Floats, first: int, count: int) -> None:
    frames = levels_db[first : first + count]
    np.testing.assert_array_equal(tonal_contrast(frames), one_by_one(frames))


@settings(max_examples=20, deadline=None)
@given(first=st.integers(BESIDE, 60), count=st.integers(1, 30))
def test_contrast_of_some_bands_needs_only_those_beside_them(
    levels_db: Floats, first: int, count: int
) -> None:
    frames = levels_db[:300]
    near = tonal_contrast(frames[:, first - BESIDE : first + count + BESIDE])[:, BESIDE:-BESIDE]
    np.testing.assert_array_equal(near, tonal_contrast(frames)[:, first : first + count])
