"""The weights of a training in one small file, from which another training goes on: with more recordings, say.

A released `.tflite` lacks what only a training needs: what normalisation has seen, and what predicts the teachers.
"""

from pathlib import Path

import numpy as np

from .errors import ModelsError
from .networks.streaming import StreamingNetwork


def store_beginning(path: Path, network: StreamingNetwork, pools: int) -> None:
    """Write the weights, matrices with 16 bits a number, and from how many pools they were learned."""
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = [value.astype(np.float16) if value.ndim > 1 else value for value in network.pupil.get_weights()]
    np.savez(path, *weights, allow_pickle=False, pools=np.array(pools))


def load_beginning(path: Path, network: StreamingNetwork) -> int:
    """Read the weights into a network of the same shape; return from how many pools they were learned.

    Raises:
        ModelsError: the file cannot be read, or is that of another network.
    """
    try:
        with np.load(path) as stored:
            pools = int(stored["pools"])
            weights = [stored[f"arr_{number}"].astype(np.float32) for number in range(len(stored.files) - 1)]
    except (OSError, ValueError, KeyError) as error:
        raise ModelsError(f"cannot read the weights {path}: {error}") from None
    if [value.shape for value in weights] != [value.shape for value in network.pupil.get_weights()]:
        raise ModelsError(
            f"{path} holds the weights of another network: train without --from, or from another file"
        )
    network.pupil.set_weights(weights)
    return pools
