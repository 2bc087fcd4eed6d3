"""A class may lean on what the network has learned of its teachers: two logits, summed in the last layer."""

import csv

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is in .venv-models only: scripts/setup models")

from echonet_models.datasets import CLASSES
from echonet_models.errors import ModelsError
from echonet_models.leaning import LEANINGS, lean
from echonet_models.mn04 import YAMNET_LABELS_FILE
from echonet_models.networks.streaming import StreamingNetwork, StreamingShape
from echonet_models.teachers import FIRST_TAUGHT_OUTPUT, TAUGHT_OUTPUTS, teachers_directory

SMALL = StreamingShape(bottleneck=16, recurrent=16)


def test_a_leaning_class_adds_what_was_learned_of_the_teachers() -> None:
    network = StreamingNetwork(SMALL)
    # Weights that tell the teachers' classes apart from the first.
    network.pupil.set_weights(
        [
            np.random.default_rng(number).normal(0, 0.1, weights.shape) ** 2 + 0.01
            for number, weights in enumerate(network.pupil.get_weights())
        ]
    )
    frames = np.random.default_rng(0).normal(-6, 3, (1, 512, 64)).astype(np.float32)
    before = network.pupil.predict_on_batch(frames)
    lean(network)
    after = network.sequence.predict_on_batch(frames)
    places = slice(FIRST_TAUGHT_OUTPUT, None, TAUGHT_OUTPUTS)
    expected = before["classes"].copy()
    for leaning in LEANINGS:
        column = CLASSES.index(leaning.sound_class)
        expected[:, places, column] += leaning.weight * before["taught"][..., leaning.place]
    np.testing.assert_allclose(after[:, places], expected[:, places], rtol=1e-4, atol=1e-4)
    leaning_columns = {CLASSES.index(leaning.sound_class) for leaning in LEANINGS}
    for column in range(len(CLASSES)):
        assert np.allclose(after[..., column], before["classes"][..., column]) == (
            column not in leaning_columns
        )


def test_the_teachers_classes_are_those_that_are_named() -> None:
    try:
        directory = teachers_directory()
    except ModelsError as error:
        pytest.skip(str(error))
    with (directory / YAMNET_LABELS_FILE).open(newline="", encoding="utf-8") as lines:
        names = {int(row["index"]): row["display_name"] for row in csv.DictReader(lines)}
    assert {leaning.place: leaning.name for leaning in LEANINGS}.items() <= names.items()
