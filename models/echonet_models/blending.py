"""The mean of two networks of one descent, weight by weight: of a training, and of what it went on from.

M. Wortsman and others, "Robust fine-tuning of zero-shot models", CVPR 2022: what the training has learned is kept,
and so is what it has forgotten. What normalisation has seen of either does not hold for their mean and is seen anew.
"""

import json
from pathlib import Path
import shutil

import numpy as np

from .batches import heard_anew
from .beginnings import load_beginning
from .datasets import Split
from .material import Material
from .networks.streaming import StreamingNetwork
from .pools import PoolMaker
from .progress import track
from .training import BEST_FILE, SCHEDULE_FILE, SHAPE_FILE, STATE_FILE, load_network

# After so many batches hardly anything is left of what normalisation had seen before.
MIXTURES, BATCH = 1600, 40
# The pool has a number that no training reaches.
BLENDING_POOL = 10**6 + 1


def blend(
    run: Path, beginning: Path, to: Path, material: Material, *, share: float = 0.5, mixtures: int = MIXTURES
) -> None:
    """Write a run whose network has `share` of the training's weights and the rest of those it went on from.

    Args:
        run: the training.
        beginning: what it went on from, see `beginnings`.
        to: folder to write to; it can be evaluated and exported like a training.
        material: what normalisation sees.
        share: 1 is the training, 0 its beginning.
        mixtures: how many of them it sees.

    Raises:
        ModelsError: nothing is trained there, or the weights are those of another network.
    """
    network = load_network(run, calibrated=False)
    other = StreamingNetwork(network.shape)
    load_beginning(beginning, other)
    pairs = zip(network.pupil.get_weights(), other.pupil.get_weights(), strict=True)
    network.pupil.set_weights([share * own + (1 - share) * before for own, before in pairs])

    state = json.loads((run / STATE_FILE).read_text(encoding="utf-8"))
    seed = json.loads((run / SCHEDULE_FILE).read_text(encoding="utf-8"))["seed"]
    maker = PoolMaker(material.maker(Split.TRAIN), seed=seed, size=min(BATCH, mixtures))
    generator = np.random.default_rng((seed, BLENDING_POOL))
    for number in track(range(-(-mixtures // BATCH)), "blending"):
        features = maker.make(BLENDING_POOL + number).features.astype(np.float32)
        network.sequence(heard_anew(features, generator), training=True)

    to.mkdir(parents=True, exist_ok=True)
    for name in (SHAPE_FILE, SCHEDULE_FILE):
        shutil.copyfile(run / name, to / name)
    network.pupil.save_weights(to / BEST_FILE)
    (to / STATE_FILE).write_text(json.dumps({**state, "blended": share}), encoding="utf-8")
