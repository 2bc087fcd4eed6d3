"""Mixtures come from their seed, carry their labels, and hold what they say."""

from dataclasses import replace

import numpy as np
import pytest

from echonet_models.activity import IGNORE, STEP
from echonet_models.datasets import CLASSES, Split
from echonet_models.knowledge import SCALE, UNTAUGHT, Knowledge
from echonet_models.lessons import Lesson
from echonet_models.material import Material
from echonet_models.pools import Pool, PoolMaker
from echonet_models.recordings import SAMPLE_RATE
from echonet_models.scene import FRAMES, SAMPLES, STEPS
from echonet_models.synthetic.alarms import smoke_or_co_alarm
from echonet_models.teachers import TEACHER_CLASSES

from .conftest import PLAIN


def test_a_seed_gives_the_same_mixture_again(small_material: Material) -> None:
    def pool(seed: int, number: int) -> Pool:
        maker = small_material.maker(Split.TRAIN, taught=True)
        return PoolMaker(maker, seed=seed, size=3).make(number)

    first, same, other = pool(1, 2), pool(1, 2), pool(1, 3)
    for name in first._fields:
        np.testing.assert_array_equal(getattr(first, name), getattr(same, name))
        assert not np.array_equal(getattr(first, name), getattr(other, name))


def test_shapes_and_values(small_material: Material) -> None:
    maker = small_material.maker(Split.TRAIN)
    for seed in range(20):
        samples, labels, _ = maker.mix(np.random.default_rng(seed))
        features = maker.features(samples)
        assert features.shape == (FRAMES, 64)
        assert labels.shape == (STEPS, len(CLASSES))
        assert np.isfinite(features.astype(np.float32)).all()
        assert set(np.unique(labels)) <= {IGNORE, 0, 1}


def test_every_class_appears(small_material: Material) -> None:
    maker = small_material.maker(Split.TRAIN)
    labels = np.stack([maker.mix(np.random.default_rng(seed)).labels for seed in range(150)])
    assert ((labels == 1).any(axis=(0, 1))).all()


def test_labelled_steps_hold_the_loud_part(small_material: Material) -> None:
    """Without room, speed or colour, an event at +24 dB is where its label says."""
    maker = replace(small_material, recipe=PLAIN).maker(Split.TRAIN)
    loud, quiet = [], []
    for seed in range(40):
        samples, labels, _ = maker.mix(np.random.default_rng(seed))
        power = np.square(samples[: STEPS * STEP]).reshape(STEPS, STEP).mean(axis=1)
        active = (labels == 1).any(axis=1)
        if active.any() and (labels == 0).all(axis=1).any():
            loud.append(10 * np.log10(np.median(power[active])))
            quiet.append(10 * np.log10(np.median(power[(labels == 0).all(axis=1)]) + 1e-12))
    assert len(loud) > 20
    assert np.mean(np.array(loud) > np.array(quiet) + 10) > 0.9


def test_the_teachers_hear_what_the_labels_say(small_material: Material) -> None:
    """The teacher of the tests knows each clip's class: its lesson is there when the event is, and only then."""
    maker = replace(small_material, recipe=PLAIN).maker(Split.TRAIN, taught=True)
    for seed in range(30):
        _, labels, taught = maker.mix(np.random.default_rng(seed))
        assert taught is not None
        assert taught.shape == (39, TEACHER_CLASSES)
        for window, scores in enumerate(taught):
            # The window's middle second of steps; its edges belong to the sound's own silence.
            steps = labels[3 * window : 3 * window + 12]
            for column in range(len(CLASSES)):
                if (steps[:, column] == 1).sum() >= 6:
                    assert scores[column] > SCALE / 2
        heard = np.flatnonzero((taught[:, : len(CLASSES)] > SCALE / 2).any(axis=0))
        # One event: no other class is heard, and before it nothing.
        assert len(heard) <= 1


def test_a_layer_that_is_drowned_teaches_nothing() -> None:
    knowledge = Knowledge({"a": np.full((60, TEACHER_CLASSES), SCALE, np.uint8)})
    loud, faint = np.ones(SAMPLES, np.float32), np.full(SAMPLES, 0.03, np.float32)
    lesson = Lesson(SAMPLES, knowledge)
    lesson.add(loud, 0, None)
    lesson.add(faint, 0, "a")
    assert lesson.scores().max() == 0
    lesson.add(loud[: SAMPLES // 2], 0, "a")
    scores = lesson.scores()
    assert scores[0].min() == SCALE
    assert scores[-1].max() == 0


def test_a_sound_that_no_teacher_heard_is_left_out() -> None:
    lesson = Lesson(SAMPLES, Knowledge({}))
    lesson.add(np.full(SAMPLES, 0.01, np.float32), 0, None)
    lesson.add(np.ones(20_000, np.float32), 100_000, None, known=False)
    scores = lesson.scores()
    assert (scores[0] == 0).all()
    assert (scores[26] == UNTAUGHT).all()


@pytest.mark.parametrize("seed", range(10))
def test_synthetic_alarms_keep_their_pattern(seed: int) -> None:
    samples, envelope = smoke_or_co_alarm(np.random.default_rng(seed), 12.0)
    assert np.abs(samples).max() <= 1.0
    edges = np.flatnonzero(np.diff(envelope))
    on = np.diff(np.concatenate([[0], edges])[:])[1::2] / SAMPLE_RATE
    beep = np.median(on)
    assert 0.45 <= beep <= 0.55 or 0.09 <= beep <= 0.11
