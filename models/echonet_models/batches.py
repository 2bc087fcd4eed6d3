"""Batches of a pool, each time heard anew: through another microphone, with bands and moments blanked."""

import keras
import numpy as np
from numpy.typing import NDArray

from echonet_satellite.frontend import FrontendParameters

from .knowledge import SCALE
from .pools import Pool

Floats = NDArray[np.float32]

# Of the mixtures so many lose a band of so many mels at most, so many some moments of so many frames at most.
BLANKED_SHARE, WIDEST_BAND = 0.4, 8
MOMENTS, LONGEST_MOMENT = 4, 6

# Each time that a mixture is learned from it is so much louder or softer at most, and in so many bands, between which
# gains are interpolated, by so much more or less on average.
LOUDER_DB, COLOUR_DB, GAIN_KNOTS = 12.0, 4.0, 6
LOG_OFFSET = np.float32(FrontendParameters().log_offset)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of a pool, with bands of frequency and moments blanked at random.

    D. S. Park and others, "SpecAugment", Interspeech 2019. Moments are shorter than a step, so that labels hold.
    """

    def __init__(
        self,
        pool: Pool,
        order: NDArray[np.int64],
        batch: int,
        generator: np.random.Generator,
        judged: Floats,
    ) -> None:
        """Take the pool, the order to go through it, and what the assistant makes of each mixture."""
        super().__init__()
        self._pool, self._order, self._judged = pool, order, judged
        self._batch, self._generator = batch, generator

    def release(self) -> None:
        """Let go of the pool: TensorFlow keeps every data set that it was ever given."""
        # Copies: views would keep the arrays that they look into.
        empty = {name: part[:0].copy() for name, part in self._pool._asdict().items()}
        self._pool = self._pool._replace(**empty)

    def __len__(self) -> int:
        """Return how many batches there are."""
        return len(self._order) // self._batch

    def __getitem__(self, number: int) -> tuple[Floats, dict[str, Floats]]:
        """Return one batch."""
        chosen = self._order[number * self._batch : (number + 1) * self._batch]
        features = heard_anew(self._pool.features[chosen].astype(np.float32), self._generator)
        for row in np.flatnonzero(self._generator.random(len(features)) < BLANKED_SHARE):
            width = int(self._generator.integers(1, WIDEST_BAND + 1))
            start = int(self._generator.integers(0, features.shape[2] - width))
            features[row, :, start : start + width] = features[row].min()
        for row in np.flatnonzero(self._generator.random(len(features)) < BLANKED_SHARE):
            for _ in range(MOMENTS):
                width = int(self._generator.integers(1, LONGEST_MOMENT + 1))
                start = int(self._generator.integers(0, features.shape[1] - width))
                features[row, start : start + width] = features[row].min()
        return features, {
            "classes": self._pool.labels[chosen].astype(np.float32),
            "taught": self._pool.taught[chosen] * np.float32(1 / SCALE),
            "yamnet": self._pool.yamnet[chosen].astype(np.float32),
            "mn04": self._pool.mn04[chosen].astype(np.float32),
            "assisted": self._judged[chosen],
        }


def heard_anew(features: Floats, generator: np.random.Generator) -> Floats:
    """Return log-mel frames [B, T, mels] as another microphone hears them, louder or softer: another gain in each band.

    After FilterAugment (H. Nam and others, ICASSP 2022). What the logarithm was given to keep it from silence stays.
    """
    mixtures, _, mels = features.shape
    knots = np.linspace(0, mels - 1, GAIN_KNOTS)
    gains_db = generator.uniform(-LOUDER_DB, LOUDER_DB, (mixtures, 1))
    gains_db = gains_db + generator.normal(0, COLOUR_DB, (mixtures, GAIN_KNOTS))
    curves_db = np.stack([np.interp(np.arange(mels), knots, row) for row in gains_db])
    power = np.maximum(np.exp(features) - LOG_OFFSET, 0)
    power *= np.power(10, curves_db / 10).astype(np.float32)[:, None]
    anew: Floats = np.log(power + LOG_OFFSET)
    return anew
