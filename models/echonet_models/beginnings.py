"""The weights of a training in one small file, from which another training goes on: with more recordings, say.

A released `.tflite` lacks what only a training needs: what normalisation has seen, and what predicts the teachers.
"""

from pathlib import Path
from typing import Any
import zipfile

import numpy as np
from numpy.typing import NDArray

from .errors import ModelsError
from .networks.streaming import StreamingNetwork

Floats = NDArray[np.float32]

POOLS = "pools"
# The recurrent layer's weights for its two gates and for its state lie side by side.
RECURRENT, GATES = "gru/", 3


def store_beginning(path: Path, network: StreamingNetwork, pools: int) -> None:
    """Write the weights by name, matrices with 16 bits a number, and from how many pools they were learned."""
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value.astype(np.float16) if value.ndim > 1 else value
        for name, value in named_weights(network).items()
    }
    np.savez(path, allow_pickle=False, **weights, **{POOLS: np.array(pools)})


def load_beginning(path: Path, network: StreamingNetwork) -> int:
    """Read the weights into a network of that shape or a wider one; return from how many pools they were learned.

    A wider network hears at first what the narrower one heard: nothing that was there listens to the new units yet
    (T. Chen, I. Goodfellow and J. Shlens, "Net2Net", ICLR 2016). What predicts the teachers may begin at random.

    Raises:
        ModelsError: the file cannot be read, or is that of another network.
    """
    pools, known = read_beginning(path)
    own = named_weights(network)
    heard = {weight.path for weight in network.sequence.weights}
    if not heard <= set(known) or any(
        name not in own or not _fits(value, own[name]) for name, value in known.items()
    ):
        raise ModelsError(
            f"{path} holds the weights of another network: train without --from, or from another file"
        )
    network.pupil.set_weights(
        [
            widened(known[name], value, GATES if name.startswith(RECURRENT) else 1)
            if name in known
            else value
            for name, value in own.items()
        ]
    )
    return pools


def read_beginning(path: Path) -> tuple[int, dict[str, Floats]]:
    """Return from how many pools the weights of a file were learned, and the weights by name.

    Raises:
        ModelsError: the file cannot be read.
    """
    try:
        with np.load(path) as stored:
            known = {name: stored[name].astype(np.float32) for name in stored.files if name != POOLS}
            return int(stored[POOLS]), known
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelsError(f"cannot read the weights {path}: {error}") from None


def named_weights(network: StreamingNetwork) -> dict[str, Floats]:
    """Return all weights of a network by their names, in its own order."""
    return dict(
        zip(
            (weight.path for weight in network.pupil.weights),
            network.pupil.get_weights(),
            strict=True,
        )
    )


def widened(known: Floats, random: Floats, gates: int = 1) -> Floats:
    """Return weights [.., inputs, gates * outputs] of a wider layer that gives what the known outputs gave.

    Known outputs take nothing from new inputs; new outputs have the weights of `random`, which has the wider shape.
    """
    old, new = (value.reshape(*value.shape[:-1], gates, -1) for value in (known, random))
    wider = new.copy()
    wider[..., : old.shape[-1]] = 0
    wider[tuple(slice(size) for size in old.shape)] = old
    return wider.reshape(random.shape)


def _fits(known: NDArray[Any], own: NDArray[Any]) -> bool:
    return known.ndim == own.ndim and all(
        size <= wide for size, wide in zip(known.shape, own.shape, strict=True)
    )
