"""All approaches, in the order of the table."""

from collections.abc import Sequence

from ..errors import ModelsError
from . import references
from .approach import Factory
from .classical import clip_features, generative, screams
from .networks import cnn, crnn, encoder, regions, resnet
from .windows import Material

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


def choose(factories: Sequence[Factory], material: Material, only: str | None) -> list[Factory]:
    """Return all, or the one of a name.

    Raises:
        ModelsError: there is none of that name.
    """
    names = [factory(material).name for factory in factories]
    if only is None:
        return list(factories)
    if only not in names:
        raise ModelsError(f"no approach is called {only}; there are: {', '.join(names)}")
    return [factories[names.index(only)]]
