"""The mean of two networks of one descent, weight by weight: of a training, and of what it went on from.

M. Wortsman and others, "Robust fine-tuning of zero-shot models", CVPR 2022: what the training has learned is kept,
and so is what it has forgotten. What normalisation has seen of either does not hold for their mean and is seen anew.
"""

from collections.abc import Sequence
import json
from pathlib import Path
import shutil

import keras
import numpy as np
from numpy.typing import NDArray

from .batches import heard_anew
from .beginnings import load_beginning, named_weights, read_beginning
from .datasets import CLASSES, Split
from .elsewhere import told_apart
from .heeding import USUAL
from .material import Material
from .networks.streaming import StreamingNetwork
from .pools import PoolMaker
from .progress import track
from .training import BEST_FILE, SCHEDULE_FILE, SHAPE_FILE, STATE_FILE, load_network

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
# After so many batches hardly anything is left of what normalisation had seen before.
MIXTURES, BATCH = 1600, 40
# The pool has a number that no training reaches.
BLENDING_POOL = 10**6 + 1

Floats = NDArray[np.float32]


def blend(
    run: Path,
    beginning: Path,
    to: Path,
    material: Material,
    *,
    shares: Sequence[float] = SHARES,
    mixtures: int = MIXTURES,
) -> float:
    """Write a run whose network has a share of the training's weights and the rest of those it went on from.

    Args:
        run: the training.
        beginning: what it went on from, see `beginnings`.
        to: folder to write to; it can be evaluated and exported like a training.
        material: what normalisation sees, and whose tune split chooses.
        shares: 1 is the training, 0 its beginning; of several the one that tells clips of the tune split best, as they
            are, through microphones and in rooms.
        mixtures: how many of them normalisation sees.

    Returns:
        The share.

    Raises:
        ModelsError: nothing is trained there, or the weights are those of another network.
    """
    network = load_network(run, calibrated=False)
    after = network.pupil.get_weights()
    state = json.loads((run / STATE_FILE).read_text(encoding="utf-8"))
    seed = json.loads((run / SCHEDULE_FILE).read_text(encoding="utf-8"))["seed"]
    # What was not in the beginning began as in the training, with the same random weights.
    keras.utils.set_random_seed(seed)
    other = StreamingNetwork(network.shape)
    load_beginning(beginning, other)
    _, known = read_beginning(beginning)
    # Of what was not there before the training's own is taken.
    before = [
        early if name in known else late
        for (name, early), late in zip(named_weights(other).items(), after, strict=True)
    ]
    maker = PoolMaker(material.maker(Split.TRAIN), seed=seed, size=min(BATCH, mixtures))
    batches = [
        maker.make(BLENDING_POOL + number).features.astype(np.float32)
        for number in track(range(-(-mixtures // BATCH)), "mixtures for normalisation")
    ]

    def take(share: float) -> None:
        pairs = zip(after, before, strict=True)
        network.pupil.set_weights([share * late + (1 - share) * early for late, early in pairs])
        _see(network, batches, seed)

    quality: dict[float, dict[str, float]] = {}
    if len(shares) > 1:
        for share in shares:
            take(share)
            network.heed([USUAL] * len(CLASSES))
            quality[share] = told_apart(network, material, Split.TUNE)
            places = ", ".join(f"{place} {value:.3f}" for place, value in quality[share].items())
            print(f"share {share:g}: average precision over tune clips {places}", flush=True)
    best = max(quality, key=lambda share: sum(quality[share].values())) if quality else shares[0]
    take(best)
    to.mkdir(parents=True, exist_ok=True)
    for name in (SHAPE_FILE, SCHEDULE_FILE):
        shutil.copyfile(run / name, to / name)
    network.pupil.save_weights(to / BEST_FILE)
    chosen = {str(share): places for share, places in quality.items()}
    written = {**state, "blended": best, "blends": chosen}
    (to / STATE_FILE).write_text(json.dumps(written), encoding="utf-8")
    return best


def _see(network: StreamingNetwork, batches: Sequence[Floats], seed: int) -> None:
    """Let normalisation see mixtures, each through a microphone of its own."""
    generator = np.random.default_rng((seed, BLENDING_POOL))
    for features in track(batches, "normalising"):
        network.sequence(heard_anew(features, generator), training=True)
