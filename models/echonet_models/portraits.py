"""What a whole mixture sounds like to each teacher: the numbers from which it tells hundreds of classes.

Scores say what a teacher decided; its embeddings say what it heard (A. Romero and others, "FitNets: hints for thin deep
nets", ICLR 2015). A pupil that can tell them hears differences for which there are no recordings to learn from. Unlike
scores, those of a mixture cannot be put together from those of its layers: the teachers listen to every one.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .activity import WINDOW_STEPS
from .embeddings import EMBEDDING_SIZE, Embedder
from .recordings import SAMPLE_RATE, Samples
from .scene import SAMPLES, STEPS
from .teachers import DENSE_HOP, FIRST_TAUGHT_OUTPUT, OUTPUT_SAMPLES, TAUGHT_OUTPUTS, WINDOW

Numbers = NDArray[np.float16]

# YAMNet's windows that are portrayed overlap by a quarter of a second.
YAMNET_HOP = 3 * DENSE_HOP
YAMNET_WINDOWS = (SAMPLES - WINDOW) // YAMNET_HOP + 1
YAMNET_OUTPUTS = slice(FIRST_TAUGHT_OUTPUT, None, TAUGHT_OUTPUTS * YAMNET_HOP // DENSE_HOP)
# Which outputs lie in each window, [windows, outputs]; the last is the one that is asked about it.
YAMNET_STEPS = np.arange(STEPS)[YAMNET_OUTPUTS][:, None] + np.arange(1 - WINDOW_STEPS, 1)

# mn04 hears ten seconds at once and keeps 32 frames of them. It looks ahead; so the network, which does not, is asked
# about a frame half a second after it has ended.
MN04_SIZE = 384
MN04_FRAMES = 30
MN04_FRAME_S = 0.32
MN04_LATER_S = 0.48
_MN04_OUTPUTS_PER_FRAME = round(MN04_FRAME_S * SAMPLE_RATE / OUTPUT_SAMPLES)
_MN04_FIRST = round((MN04_FRAME_S + MN04_LATER_S) * SAMPLE_RATE / OUTPUT_SAMPLES) - 1
MN04_OUTPUTS = slice(
    _MN04_FIRST, _MN04_FIRST + MN04_FRAMES * _MN04_OUTPUTS_PER_FRAME, _MN04_OUTPUTS_PER_FRAME
)


class Portraits(NamedTuple):
    """Of one mixture, or with one more dimension of many; NaN where nobody was asked."""

    yamnet: Numbers
    """[windows, 1024]."""
    mn04: Numbers
    """[frames, 384]."""


NOT_PORTRAYED = Portraits(
    np.full((YAMNET_WINDOWS, EMBEDDING_SIZE), np.nan, np.float16),
    np.full((MN04_FRAMES, MN04_SIZE), np.nan, np.float16),
)


class Portrayer:
    """Both teachers, up to the layer before their scores."""

    def __init__(self, directory: Path) -> None:
        """Load them.

        Raises:
            ModelsError: one is missing, or is not what it should be.
        """
        from .mn04 import Mn04  # noqa: PLC0415 - TensorFlow loads for seconds; whoever only reads pools does not wait

        self._yamnet, self._mn04 = Embedder(directory), Mn04(directory, threads=1)

    def portray(self, samples: Samples) -> Portraits:
        """Return what a mixture sounds like to each."""
        return Portraits(
            self._yamnet.embed(samples, YAMNET_HOP)[:YAMNET_WINDOWS],
            self._mn04.frames(samples)[:MN04_FRAMES].astype(np.float16),
        )
