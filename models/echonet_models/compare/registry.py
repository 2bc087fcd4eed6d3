"""All approaches, in the order of the table."""

from ..errors import ModelsError
from ..material import Material
from . import (
    clip_features,
    deep_cnn,
    deep_crnn,
    deep_encoder,
    deep_regions,
    deep_resnet,
    generative,
    references,
    scream,
)
from .approach import Approach, Factory

GROUPS: tuple[tuple[Factory, ...], ...] = (
    clip_features.APPROACHES,
    generative.APPROACHES,
    deep_cnn.APPROACHES,
    deep_resnet.APPROACHES,
    deep_encoder.APPROACHES,
    deep_regions.APPROACHES,
    deep_crnn.APPROACHES,
    scream.APPROACHES,
    references.APPROACHES,
)
"""Each module of approaches ends in `APPROACHES: tuple[Factory, ...]`, and stands here."""


def approaches(material: Material, only: str | None = None) -> list[Approach]:
    """Return every approach, or the one of a name.

    Raises:
        ModelsError: there is none of that name.
    """
    every = [factory(material) for group in GROUPS for factory in group]
    chosen = [approach for approach in every if only in (None, approach.name)]
    if not chosen:
        names = ", ".join(approach.name for approach in every)
        raise ModelsError(f"no approach is called {only}; there are: {names}")
    return chosen
