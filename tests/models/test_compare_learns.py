"""Every approach of the comparison learns from a few windows of plain sounds."""

from typing import cast

import numpy as np
import pytest

from echonet_models.compare import references
from echonet_models.compare.registry import GROUPS, approaches
from echonet_models.compare.run import QUICK, Data, gather, measure, unlearned
from echonet_models.compare.windows import LABELS
from echonet_models.errors import ModelsError
from echonet_models.material import Material

# A factory keeps the material and asks nothing of it.
LEARNING = [
    factory(cast("Material", None)).name
    for group in GROUPS
    if group is not references.APPROACHES
    for factory in group
]


@pytest.fixture(scope="module")
def data(small_material: Material) -> Data:
    return gather(small_material, QUICK, seed=1)


@pytest.mark.parametrize("name", LEARNING)
def test_it_is_better_than_chance_by_a_margin(name: str, data: Data, small_material: Material) -> None:
    (approach,) = approaches(small_material, name)
    told: list[float] = []
    try:
        result = measure(approach, small_material, data, seed=1, quick=True, progress=told.append)
    except ModelsError as error:
        if "ECHONET_TEACHERS" in str(error):
            pytest.skip(f"it starts from a teacher's weights: {error}")
        raise
    # Chance is a ninth, or a half for one class against the rest; the margin is in `unlearned`.
    assert unlearned([result]) == []
    scores = approach.predict(data.validation)
    assert scores.shape == (len(data.validation), len(LABELS))
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-4)
    assert (scores >= 0).all()
    assert approach.size_bytes() > 0
    assert told[-1] == 1
    assert all(0 <= done <= 1 for done in told)


def test_names_and_papers_are_those_of_the_table(small_material: Material) -> None:
    every = approaches(small_material)
    assert len({approach.name for approach in every}) == len(every)
    assert {approach.paper for approach in every} <= {"A", "B", "C", "D", "E", ""}
    assert all(approach.purpose for approach in every)
    with pytest.raises(ModelsError, match="there are: svm"):
        approaches(small_material, "nobody")
