"""Between the teachers and the network: a judge of our eight classes by what both teachers hear in a mixture.

A small recurrent network on the teachers' own numbers, which looks ahead. It needs no peculiarity of a microphone to
tell a shot, and is hardly worse on recordings that it never learned from than on others: what the network learns
from it holds elsewhere too, where labels alone would also teach what a few dozen recordings have in common.
(S. I. Mirzadeh and others, "Improved knowledge distillation via teacher assistant", AAAI 2020; D. Lopez-Paz and others,
"Unifying distillation and privileged information", ICLR 2016.)
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
from keras import layers
import numpy as np
from numpy.typing import NDArray

from .activity import Labels, windows_hold
from .datasets import CLASSES
from .embeddings import EMBEDDING_SIZE
from .losses import masked_loss
from .pools import Pool
from .portraits import MN04_FRAME_S, MN04_FRAMES, MN04_SIZE, YAMNET_HOP, YAMNET_STEPS, YAMNET_WINDOWS
from .progress import shown_by_keras
from .recordings import SAMPLE_RATE

Floats = NDArray[np.float32]

HEARD_SIZE = EMBEDDING_SIZE + 2 * MN04_SIZE
DENSE, RECURRENT, DROPOUT = 256, 64, 0.4
EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY = 12, 32, 1.5e-3, 1e-2
# So many mixtures are put into single precision at a time: a whole pool's would take gigabytes.
PART = 256

# Which of mn04's frames lie in each of YAMNet's windows, [windows, frames].
_FRAMES_PER_WINDOW = 4
_FRAMES = np.minimum(
    np.round(np.arange(YAMNET_WINDOWS) * YAMNET_HOP / SAMPLE_RATE / MN04_FRAME_S).astype(int)[:, None]
    + np.arange(_FRAMES_PER_WINDOW),
    MN04_FRAMES - 1,
)


class Assistant:
    """Says of each of YAMNet's windows of a mixture which classes it holds, from portraits of it by both teachers."""

    def __init__(self, spread: Mapping[str, Sequence[float]]) -> None:
        """Create it, with random weights; `spread` is how far each number of each teacher varies, see `losses`."""
        self._spread = {name: np.asarray(varies, np.float32) for name, varies in spread.items()}
        heard = keras.Input((YAMNET_WINDOWS, HEARD_SIZE))
        x = layers.Dense(DENSE, activation="relu")(layers.Dropout(DROPOUT)(heard))
        x = layers.Dropout(DROPOUT)(x)
        around = layers.Bidirectional(layers.GRU(RECURRENT, return_sequences=True))(x)
        x = layers.Dropout(DROPOUT)(layers.Concatenate()([x, around]))
        self._network = keras.Model(heard, layers.Dense(len(CLASSES))(x))

    def learn(self, pool: Pool, epochs: int = EPOCHS) -> None:
        """Learn from the mixtures of a pool that the teachers have listened to, if there are any."""
        known = _portrayed(pool)
        size = len(known)
        if not size:
            return
        pace = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, max(1, epochs * size // BATCH))
        self._network.compile(
            keras.optimizers.AdamW(pace, weight_decay=WEIGHT_DECAY),
            masked_loss(np.ones(len(CLASSES), np.float32)),
        )
        truth = windows_truth(pool.labels[known]).astype(np.float32)
        heard = np.empty((size, YAMNET_WINDOWS, HEARD_SIZE), np.float32)
        for first in range(0, size, PART):
            heard[first : first + PART] = self._heard(pool, known[first : first + PART])
        self._network.fit(heard, truth, batch_size=BATCH, epochs=epochs, verbose=shown_by_keras())

    def judge(self, pool: Pool) -> Floats:
        """Return the logits of every window, [size, windows, classes]; NaN where the teachers were not asked."""
        known = _portrayed(pool)
        logits = np.full((len(pool.yamnet), YAMNET_WINDOWS, len(CLASSES)), np.nan, np.float32)
        for first in range(0, len(known), PART):
            part = known[first : first + PART]
            logits[part] = self._network.predict(self._heard(pool, part), batch_size=PART, verbose=0)
        return logits

    def save(self, path: Path) -> None:
        """Write what it has learned."""
        self._network.save_weights(path)

    def load(self, path: Path) -> None:
        """Read what `save` wrote."""
        self._network.load_weights(path)

    def _heard(self, pool: Pool, part: NDArray[np.intp]) -> Floats:
        yamnet = pool.yamnet[part] / self._spread["yamnet"]
        mn04 = (pool.mn04[part] / self._spread["mn04"])[:, _FRAMES]
        return np.concatenate((yamnet, mn04.max(axis=2), mn04.mean(axis=2)), axis=-1, dtype=np.float32)


def windows_truth(labels: Labels) -> Labels:
    """Return whether each of YAMNet's windows holds each class (1, 0, -1 unsure), [size, windows, classes]."""
    return windows_hold(labels[:, YAMNET_STEPS])


def _portrayed(pool: Pool) -> NDArray[np.intp]:
    """Return which mixtures the teachers have listened to."""
    return np.flatnonzero(np.isfinite(pool.yamnet[:, 0, 0]) & np.isfinite(pool.mn04[:, 0, 0]))
