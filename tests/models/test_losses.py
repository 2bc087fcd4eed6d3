"""What a training minimises counts what is known, as much as it should."""

import numpy as np
import pytest

from echonet_models.losses import (
    TELLING,
    masked_loss,
    portrait_loss,
    positive_weights,
    standard,
    taught_loss,
    taught_weights,
)
from echonet_models.teachers import TEACHER_CLASSES, ClassMap
from echonet_satellite.protocol import SoundClass


def test_unsure_steps_cost_nothing() -> None:
    loss = masked_loss(np.ones(2, np.float32))
    labels = np.array([[[1.0, -1.0]]], np.float32)
    assert float(loss(labels, np.array([[[9.0, 50.0]]], np.float32))) == pytest.approx(
        float(loss(labels, np.array([[[9.0, -50.0]]], np.float32)))
    )


def test_rare_classes_weigh_more() -> None:
    labels = np.zeros((10, 100, 2), np.int8)
    labels[0, :5, 0] = 1
    labels[:, :50, 1] = 1
    rare, common = positive_weights(labels)
    assert 1 <= common < rare <= 6


def test_what_tells_a_shot_from_a_firework_counts_more_than_what_names_a_cow() -> None:
    shot, firework, speech = 421, 426, 0
    class_map = ClassMap(
        core={SoundClass.GUNSHOT: [shot], SoundClass.PRESENCE: [speech]},
        weak={SoundClass.GUNSHOT: [firework]},
    )
    weights = taught_weights(class_map)
    assert weights[shot] == weights[firework] == TELLING
    assert weights[speech] == 1
    assert weights.sum() == TEACHER_CLASSES + 2 * (TELLING - 1)
    np.testing.assert_array_equal(taught_weights(None), 1)

    scores = np.zeros((1, 1, TEACHER_CLASSES), np.float32)
    wrong = {}
    for column in (shot, speech):
        logits = np.full(scores.shape, -20.0, np.float32)
        logits[..., column] = 4.0
        wrong[column] = float(taught_loss(weights)(scores, logits))
    assert wrong[shot] == pytest.approx(TELLING * wrong[speech], rel=1e-3)


def test_windows_that_no_teacher_was_asked_about_cost_nothing() -> None:
    scores = np.full((1, 1, TEACHER_CLASSES), 255 / 250, np.float32)
    logits = np.full(scores.shape, 9.0, np.float32)
    assert float(taught_loss(taught_weights(None))(scores, logits)) == 0


def test_a_portrait_is_compared_in_units_of_its_spread_and_only_where_there_is_one() -> None:
    generator = np.random.default_rng(0)
    portraits = (generator.normal(size=(6, 5, 3)) * [10, 1, 0] + [0, 50, 3]).astype(np.float16)
    portraits[0] = np.nan
    like = {name: np.asarray(values, np.float32) for name, values in standard(portraits).items()}
    known = portraits[1:].astype(np.float64)
    np.testing.assert_allclose(like["mean"], known.mean(axis=(0, 1)), rtol=0.01, atol=1e-3)
    spread = known.std(axis=(0, 1))
    np.testing.assert_allclose(like["spread"], np.maximum(spread, 0.05 * spread[0]), rtol=0.01)
    loss = portrait_loss(like["mean"], like["spread"])
    true = portraits.astype(np.float32)
    found = np.where(np.isfinite(true), (true - like["mean"]) / like["spread"] + 2, 7)
    assert float(loss(true, found)) == pytest.approx(4, rel=0.05)
    assert float(loss(true[:1], found[:1])) == 0


def test_what_knows_nothing_of_a_portrait_is_a_spread_away_from_it() -> None:
    """However small and far from zero a number of it is: no teacher's units may drown the other losses."""
    generator = np.random.default_rng(1)
    portraits = (generator.normal(size=(60, 5, 4)) * [10, 3, 1, 0.6] + [0, 40, -9, 7]).astype(np.float16)
    like = {name: np.asarray(values, np.float32) for name, values in standard(portraits).items()}
    loss = portrait_loss(like["mean"], like["spread"])
    nothing = np.zeros(portraits.shape, np.float32)
    assert float(loss(portraits.astype(np.float32), nothing)) == pytest.approx(1, rel=0.1)
