"""The reference set of a network: how true sounds lie in its embeddings, and how the sounds of every day do.

Recordings cannot be shipped; what the network makes of them can. Every lesson is held against this set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
import zipfile

import numpy as np
from numpy.typing import NDArray

from ..card import ModelCard, ModelError
from ..frontend import Floats
from ..protocol import SoundClass

REFERENCE_FILE: Final = "reference.npz"
# Directions are kept in eight bits: a similarity is off by less than a hundredth.
SCALE: Final = 127.0
# How much the spread of everyday sounds is taken to be the same in all directions.
_RIDGE: Final = 1.3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """Embeddings become directions (unit vectors) in a space in which everyday sounds lie evenly around.

    Attributes:
        mean: of the embeddings of everyday sounds, [embedding].
        basis: what makes their spread even, [embedding, size].
        sounds: for each class the telling moments of true recordings, [recordings, moments, size].
        smoke: moments of smoke and carbon monoxide alarms, [moments, size].
        usual: the mean of the directions of everything else that a home hears, [size].
        spread: their covariance, [size, size].
    """

    mean: Floats
    basis: Floats
    sounds: Mapping[SoundClass, Floats]
    smoke: Floats
    usual: Floats
    spread: Floats

    def place(self, embeddings: Floats) -> Floats:
        """Return the directions [..., size] of embeddings; the inner product of two is how similar they are."""
        moved = (embeddings - self.mean) @ self.basis
        length = np.linalg.norm(moved, axis=-1, keepdims=True)
        directions: Floats = (moved / np.maximum(length, 1e-6)).astype(np.float32)
        return directions

    def way(self, begin: Floats, end: Floats) -> tuple[Floats, float]:
        """Return what a direction is multiplied by, and what is then taken off, to be 0 at `begin` and 1 at `end`.

        It is the linear discriminant (Fisher) between the two, as the sounds of every day are spread.
        """
        size = len(begin)
        evenly = _RIDGE * np.trace(self.spread) / size * np.eye(size)
        weights = np.linalg.solve(self.spread + evenly, end - begin)
        scale = 1 / max(float((end - begin) @ weights), 1e-6)
        return (scale * weights).astype(np.float32), scale * float(begin @ weights)


def read_reference(directory: Path, card: ModelCard) -> Reference:
    """Read the reference set beside a model.

    Raises:
        ModelError: it is missing, damaged, or of another network.
    """
    path = directory / REFERENCE_FILE
    try:
        with np.load(path) as file:
            stored = {name: file[name] for name in file.files}
        if str(stored["model_sha256"]) != card.sha256:
            raise ModelError(f"{path} belongs to another network; install the model again")
        return _reference(stored, card)
    except FileNotFoundError:
        raise ModelError(f"{path} is missing: with this model nothing can be learned at home") from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as err:
        raise ModelError(f"{path} is damaged ({err}); install the model again") from None


def write_reference(directory: Path, model_sha256: str, reference: Reference) -> Path:
    """Write a reference set beside its model, and return its file."""
    path = directory / REFERENCE_FILE
    with path.open("wb") as stream:
        arrays: dict[str, Any] = {
            "model_sha256": np.array(model_sha256),
            "mean": reference.mean.astype(np.float32),
            "basis": reference.basis.astype(np.float16),
            "smoke": _stored(reference.smoke),
            "usual": reference.usual.astype(np.float32),
            "spread": reference.spread.astype(np.float16),
            **{f"sounds_{name}": _stored(own) for name, own in reference.sounds.items()},
        }
        np.savez_compressed(stream, **arrays)
    return path


def _reference(stored: Mapping[str, NDArray[np.generic]], card: ModelCard) -> Reference:
    mean, basis = stored["mean"].astype(np.float32), stored["basis"].astype(np.float32)
    if mean.shape != (card.embedding_size,) or basis.ndim != 2 or len(basis) != card.embedding_size:
        raise ValueError(f"its space is not one of {card.embedding_size} numbers")
    size = basis.shape[1]
    sounds = {name: _directions(stored[f"sounds_{name}"], size, 3) for name in card.classes}
    usual, spread = stored["usual"].astype(np.float32), stored["spread"].astype(np.float32)
    if usual.shape != (size,) or spread.shape != (size, size):
        raise ValueError("its everyday sounds are of another space")
    return Reference(
        mean=mean,
        basis=basis,
        sounds=sounds,
        smoke=_directions(stored["smoke"], size, 2),
        usual=usual,
        spread=spread,
    )


def _stored(directions: Floats) -> NDArray[np.int8]:
    return np.round(directions * SCALE).astype(np.int8)


def _directions(stored: NDArray[np.generic], size: int, dimensions: int) -> Floats:
    if stored.ndim != dimensions or stored.shape[-1] != size or not np.issubdtype(stored.dtype, np.int8):
        raise ValueError("it holds something else than directions")
    directions: Floats = stored.astype(np.float32) / np.float32(SCALE)
    return directions
