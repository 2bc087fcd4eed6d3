"""When a bang begins, to the millisecond: the network says so to 80 ms, in which sound crosses the house."""

from typing import Final

import numpy as np

from .frontend import Floats

# What comes through walls comes early and faint. Where the bang itself arrives is within this of its loudest moment.
NEARLY_DB: Final = 3.0


def find_onset(samples: Floats) -> int:
    """Return where the loudest bang in these samples begins, as an index."""
    loudness = np.abs(samples)
    return int(np.argmax(loudness >= loudness.max() * 10 ** (-NEARLY_DB / 20)))
