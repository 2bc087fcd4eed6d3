"""What each class is like: representative vectors of the teacher's embeddings, for class cleaning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from echonet_satellite.protocol import SoundClass

from .activity import STEP, step_levels
from .datasets import BACKGROUND, CLASSES, OTHER, Clip
from .embeddings import EMBEDDING_HOP, Embeddings
from .recordings import Samples
from .teachers import WINDOW

Floats = NDArray[np.float32]
SILENCE = "silence"

WINDOWS_PER_CLIP = 20
VECTORS = {SILENCE: 1, OTHER: 6}
RECORDINGS_PER_VECTOR = 25

# A crackle, a shot, a pane and a door are all cracks, and cries are cries: that one of them resembles another says
# nothing against it. A bark among baby cries is another matter.
CRACKS = frozenset({SoundClass.GUNSHOT, SoundClass.GLASS_BREAK, SoundClass.FIRE, SoundClass.PRESENCE})
CRIES = frozenset({SoundClass.BABY_CRY, SoundClass.SCREAM})


@dataclass(frozen=True, slots=True)
class Limits:
    """When a window is doubted or dropped; levels in dB below the loudest step of its clip."""

    peak_db: float = 6.0
    """Windows this close to the peak teach what the class is like."""
    quiet_db: float = 30.0
    """Only what is quieter may be dropped."""
    silent_db: float = 45.0
    """What is quieter still is dropped on less suspicion."""
    margin: float = 0.25
    """How much nearer (cosine distance) something else must be for doubt."""
    quiet_margin: float = 0.1
    unusual: float = 0.9
    """A window is far when so large a share of its class's loudest windows is nearer to the class."""
    heard: float = 0.1
    """A window in which the teacher hears the class with such a score is kept, whatever it resembles."""
    few: int = 15
    """Of a class of fewer recordings nobody knows yet what is unusual: only what is quiet is doubted."""
    trim: float = 0.25
    """Share of windows, the farthest, that does not count for a representative vector."""


@dataclass(frozen=True, slots=True)
class Representatives:
    """The vectors of each class, of everything else, and of silence, around the mean of all."""

    names: tuple[str, ...]
    """Whose vector each is: a class, `other` or `silence`, [vectors]."""
    vectors: Floats
    """Unit vectors, [vectors, size]."""
    mean: Floats
    """[size]."""
    far: Mapping[str, float]
    """Per class, the distance from which a window is unusual."""
    recordings: Mapping[str, int]
    """Per class, how many recordings its vectors rest on."""

    def distances(self, embeddings: Embeddings | Floats) -> Floats:
        """Return the cosine distance (0 to 2) of windows [windows, size] to every vector, [windows, vectors]."""
        distances: Floats = 1 - _unit(embeddings.astype(np.float32) - self.mean) @ self.vectors.T
        return distances

    def compare(self, own: SoundClass, distances: Floats) -> tuple[Floats, Floats, list[str]]:
        """Return per window the distance to its own class, to the nearest rival, and that rival's name."""
        names = np.array(self.names)
        rivals = [n for n, name in enumerate(names) if name != own and name not in _kin(own)]
        nearest = distances[:, rivals].argmin(axis=1)
        rival = distances[np.arange(len(distances)), np.array(rivals)[nearest]]
        return distances[:, names == own].min(axis=1), rival, [str(names[rivals[n]]) for n in nearest]


def window_levels(samples: Samples, windows: int) -> tuple[Floats, float]:
    """Return the loudest step of each window in dB under the loudest of the clip (0 or less), and that one in dB."""
    levels = step_levels(samples)
    peak = float(levels.max())
    starts = np.minimum(np.arange(windows) * EMBEDDING_HOP // STEP, len(levels) - 1)
    steps = WINDOW // STEP
    loudest = [levels[start : start + steps].max() - peak for start in starts]
    return np.array(loudest, np.float32), peak


def find_representatives(
    embedded: Mapping[str, Embeddings],
    levels: Mapping[str, Floats],
    clips: Sequence[Clip],
    limits: Limits | None = None,
) -> Representatives:
    """Return what each class is like, from clips that are for training.

    Each recording counts the same, however long. A class of many recordings has up to three vectors (presence is steps
    and voices); the farthest windows do not count for them.
    """
    limits = limits or Limits()
    names: list[str] = []
    vectors: list[Floats] = []
    gathered = {name: _gather(embedded, levels, clips, name, limits) for name in (*CLASSES, OTHER, SILENCE)}
    gathered = {name: rows for name, rows in gathered.items() if len(rows[0])}
    mean = np.mean([np.average(rows, axis=0, weights=weights) for rows, weights in gathered.values()], axis=0)
    far: dict[str, float] = {}
    recordings: dict[str, int] = {}
    for name, (rows, weights) in gathered.items():
        units = _unit(rows - mean)
        found = _centres(units, weights, _count(name, weights), limits.trim)
        names.extend([str(name)] * len(found))
        vectors.extend(found)
        far[str(name)] = float(np.quantile((1 - units @ np.stack(found).T).min(axis=1), limits.unusual))
        recordings[str(name)] = round(float(weights.sum()))
    return Representatives(tuple(names), np.stack(vectors), mean.astype(np.float32), far, recordings)


def _kin(own: SoundClass) -> frozenset[str]:
    return frozenset(str(name) for group in (CRACKS, CRIES) if own in group for name in group)


def _count(name: str, weights: Floats) -> int:
    return VECTORS.get(name, int(np.clip(weights.sum() // RECORDINGS_PER_VECTOR, 1, 3)))


def _gather(
    embedded: Mapping[str, Embeddings],
    levels: Mapping[str, Floats],
    clips: Sequence[Clip],
    name: str,
    limits: Limits,
) -> tuple[Floats, Floats]:
    """Return the windows that show a class, everything else or silence, and weights: 1 for each recording."""
    rows, origins = [], []
    for clip in clips:
        rest = clip.label in (OTHER, BACKGROUND) and not clip.imitates and not clip.may_contain
        if clip.label == BACKGROUND:
            chosen = np.arange(len(embedded[clip.path])) if name == OTHER and rest else np.array([], int)
        elif name == SILENCE:
            chosen = (
                np.flatnonzero(levels[clip.path] < -limits.silent_db)
                if clip.sound_class
                else np.array([], int)
            )
        elif clip.label == name and (name != OTHER or rest):
            chosen = np.flatnonzero(levels[clip.path] >= -limits.peak_db)
        else:
            continue
        chosen = chosen[:: -(-len(chosen) // WINDOWS_PER_CLIP) or 1]
        rows.extend(embedded[clip.path][chosen].astype(np.float32))
        origins.extend([clip.origin] * len(chosen))
    _names, place, counts = np.unique(origins, return_inverse=True, return_counts=True)
    weights = (1 / counts[place]).astype(np.float32) if origins else np.zeros(0, np.float32)
    return np.array(rows, np.float32), weights


def _centres(units: Floats, weights: Floats, count: int, trim: float) -> list[Floats]:
    """Return up to `count` unit vectors in the middle of the windows, without the farthest of them."""
    count = min(count, len(units))
    found = _unit(KMeans(count, n_init=2, random_state=0).fit(units, sample_weight=weights).cluster_centers_)
    for _ in range(3):
        apart = 1 - units @ found.T
        nearest, distance = apart.argmin(axis=1), apart.min(axis=1)
        near = distance <= np.quantile(distance, 1 - trim)
        centres = []
        for number in range(len(found)):
            mine = near & (nearest == number)
            # A handful of windows that resemble each other and nothing else is a mistake, not a kind of the class.
            if weights[mine].sum() >= 0.1 * weights[near].sum():
                centres.append(_unit(np.average(units[mine], axis=0, weights=weights[mine])))
        found = np.stack(centres)
    return list(found.astype(np.float32))


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9)
    return unit
