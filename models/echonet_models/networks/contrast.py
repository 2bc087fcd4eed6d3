"""What stands out: every band against its own mean over the last seconds.

How loud a sound is and what a microphone makes of its treble say little about what it is; how far it stands out from
what was heard just before says much. Cepstral mean normalisation (B. S. Atal, 1974) does this for speech over whole
sentences; here the mean only knows the past, so that it can be kept from step to step.
"""

from typing import Any

import keras
from keras import ops

# How much of the mean remains after a block of 80 ms: it follows within about two seconds.
REMAINS = 0.96


def contrast(frames: Any, mean: Any, block: int) -> tuple[Any, Any]:
    """Return the frames of one step, each beside what it is above the mean before its block, and the mean after them.

    Args:
        frames: normalised log-mel frames, [B, T, mels], T a multiple of `block`.
        mean: the mean of what was before, [B, mels].
        block: how many frames share one mean.

    Returns:
        [B, T, mels, 2] and [B, mels].
    """
    above = []
    for first in range(0, frames.shape[1], block):
        own = frames[:, first : first + block]
        above.append(own - mean[:, None])
        mean = REMAINS * mean + (1 - REMAINS) * ops.mean(own, axis=1)
    return ops.stack([frames, ops.concatenate(above, axis=1)], axis=-1), mean


@keras.saving.register_keras_serializable(package="echonet")
class Contrast(keras.layers.Layer):  # type: ignore[misc]
    """The same for sequences of any length, from a mean of zero: [B, T, mels] -> [B, T, mels, 2]."""

    def __init__(self, block: int, **options: Any) -> None:
        """Take how many frames share one mean."""
        super().__init__(**options)
        self._block = block

    def call(self, frames: Any) -> Any:
        """Return the frames beside what each is above the mean before its block."""
        length = ops.shape(frames)[1]
        blocks = -(-length // self._block)
        padded = ops.pad(frames, ((0, 0), (0, blocks * self._block - length), (0, 0)))
        cut = ops.reshape(padded, (-1, blocks, self._block, frames.shape[2]))
        # The mean before block i holds block j < i with a weight that falls with every block between them.
        number = ops.cast(ops.arange(blocks), "float32")
        between = number[:, None] - number[None, :] - 1
        weights = ops.where(between >= 0, (1 - REMAINS) * REMAINS ** ops.maximum(between, 0), 0)
        mean = ops.einsum("ij,bjm->bim", weights, ops.mean(cut, axis=2))
        above = ops.reshape(cut - mean[:, :, None], ops.shape(padded))[:, :length]
        return ops.stack([frames, above], axis=-1)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return [B, T, mels, 2]."""
        return (*shape, 2)
