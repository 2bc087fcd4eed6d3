"""The whole comparison: which approaches there are, in the order of the table, and where it writes."""

from collections.abc import Sequence
from pathlib import Path

from echonet_satellite.card import MODEL_FILE, SECOND_LOOK_FILE
from echonet_satellite.classifier import PACKAGED_MODEL

from ..data.library import Library
from ..data.manifest import UNLABELLED
from ..errors import ModelsError
from . import page, references, run
from .approach import Factory
from .classical import clip_features, generative, screams
from .folds import leave_sources_out
from .networks import cnn, crnn, encoder, regions, resnet

PER_CLASS = 48
# What the networks of EchoNet's own folds said of the clips left out: `evaluate` leaves it in the folder of a training.
POOLED_FILE = "pooled.npz"
# Kept in the repository: after a release only the released network's own rows are measured anew.
RESULTS, PARTS = Path("models/compared"), Path("runs/compare")
# Each module of approaches ends in `APPROACHES`, and stands here.
LEARNING: tuple[Factory, ...] = (
    *clip_features.APPROACHES,
    *generative.APPROACHES,
    *cnn.APPROACHES,
    *resnet.APPROACHES,
    *encoder.APPROACHES,
    *regions.APPROACHES,
    *crnn.APPROACHES,
    *screams.APPROACHES,
)
"""Those that learn from the windows."""

EVERY = (*references.APPROACHES, *LEARNING)


def compare_all(
    library: Library,
    training: Path,
    docs: Path,
    *,
    only: str | None = None,
    again: bool = False,
    seed: int = 1,
) -> Path:
    """Train, score, print the main figures, and return the page that was written into the folder `docs`.

    Where EchoNet's own `training` has not been evaluated, its rows are missing. With `only`, one approach is done; with
    `again`, also what is done already; everything random comes from `seed`.
    """
    library = library.only([clip for clip in library.clips if clip.label != UNLABELLED])
    every, absent = EVERY, ["echonet", "echonet-tuned"]
    if (training / POOLED_FILE).is_file():
        networks = [PACKAGED_MODEL / name for name in (MODEL_FILE, SECOND_LOOK_FILE)]
        every = (*references.released(training / POOLED_FILE, networks), *every)
        absent = []
    chosen = choose(every, only)
    folds = leave_sources_out(library, PER_CLASS, seed)
    for result in run.compare(chosen, folds, RESULTS, PARTS, again=again):
        f1, precision = result["figures"]["macro"]["f1"], result["figures"]["mean_average_precision"]
        print(f"{result['name']:28} macro F1 {f1['value']:.2f}, mAP {precision['value']:.2f}")
    results, missing = run.read_results(every, folds, RESULTS)
    absent += [factory().name for factory in missing]
    return page.write_page(results, folds, PER_CLASS, docs, absent)


def choose(factories: Sequence[Factory], only: str | None) -> list[Factory]:
    """Return all, or the one of a name.

    Raises:
        ModelsError: there is none of that name.
    """
    named = {factory().name: factory for factory in factories}
    if only is not None and only not in named:
        raise ModelsError(f"no approach is called {only}; there are: {', '.join(named)}")
    return list(factories) if only is None else [named[only]]
