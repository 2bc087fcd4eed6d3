"""Every kind of approach learns from a few windows of plain sounds, and says what it hears of other sources."""

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is in .venv-models only: scripts/setup models")

from echonet_models.compare import comparison, run
from echonet_models.compare.windows import LABELS
from echonet_models.errors import ModelsError

from . import compare_data

# Others differ from these in a number.
KINDS = (
    *("svm", "fnn", "layered-gmm", "hmm", "cnn-svm", "transfer-yamnet", "encoder-classifier-dropout"),
    *("rcnn", "crnn", "scream-svm", "scream-fnn"),
)


@pytest.mark.parametrize("name", KINDS)
def test_it_is_better_than_chance_by_a_margin(name: str) -> None:
    (factory,) = comparison.choose(comparison.LEARNING, name)
    approach, fold = factory(), compare_data.folds()[0]
    try:
        outcome = run.measure(approach, fold)
    except ModelsError as error:
        if "ECHONET_TEACHERS" in str(error):
            pytest.skip(f"it starts from a teacher's weights: {error}")
        raise
    result = run.summarise(approach, [fold], [outcome])
    # Chance is a ninth, or a half for one class against the rest.
    assert result["figures"]["macro"]["recall"]["value"] > (0.25 if approach.target is None else 0.6)
    assert np.isfinite(outcome["predicted"]).all()
    assert np.shape(outcome["predicted"]) == (len(fold.scored), len(LABELS))
    assert result["size_bytes"] > 0
    if result["experiment"]:
        columns = len(result["experiment"]["columns"])
        assert {len(row) for row in result["experiment"]["rows"]} == {columns}
