"""What every maker of sounds keeps to."""

import numpy as np
import pytest

from echonet_models.recordings import SAMPLE_RATE
from echonet_models.synthetic.sounds import Maker


def check_sound(make: Maker, seed: int, shortest_s: float, longest_s: float) -> None:
    """Check that a sound is one, of peak 1, as long as promised, and its seed's."""
    sound, again = (make(np.random.default_rng(seed)) for _ in range(2))
    assert sound.dtype == np.float32
    assert sound.ndim == 1
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() == pytest.approx(1, abs=1e-5)
    assert shortest_s <= len(sound) / SAMPLE_RATE <= longest_s
    np.testing.assert_array_equal(sound, again)


def check_seeds_differ(make: Maker, seed: int) -> None:
    """Check that the next seed makes another sound."""
    first, other = (make(np.random.default_rng(number)) for number in (seed, seed + 1))
    assert len(first) != len(other) or not np.array_equal(first, other)
