"""A training learns, is stopped at any step and goes on there, and takes its makers of mixtures with it."""

from collections.abc import Iterator
from functools import partial
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from echonet_models.data.library import Library
from echonet_models.data.teachers import AUDIOSET_CLASSES, read_class_map
from echonet_models.errors import ModelsError
from echonet_models.mixing.windows import Recipe, Windows, stack
from echonet_models.network.ears import Ears, pretrained
from echonet_models.training import loop
from echonet_models.training.feed import Batch, batches
from echonet_models.training.loop import Schedule, train
from echonet_models.training.losses import class_loss, distillation_loss

ONES = np.ones(AUDIOSET_CLASSES, np.float32)
NOBODY = tf.fill((1, 2), np.nan)


def advise(audioset: tf.Tensor) -> tf.Tensor:
    """Stand for the regression: NaN where nobody was asked."""
    return audioset[:, :8]


@pytest.fixture
def ears(teachers: Path) -> Ears:
    return pretrained(teachers, read_class_map(teachers).meanings)


def feed_of(library: Library, stop_at: int, total: int, begun: list[int]) -> "partial[Iterator[Batch]]":
    def feed(first: int) -> Iterator[Batch]:
        begun.append(first)
        windows = Windows(library, Recipe(), np.random.default_rng(0))
        for number in range(first, total):
            if number == stop_at:
                raise KeyboardInterrupt
            yield stack(windows.batch(8))

    return partial(feed)


def test_it_goes_on_where_it_was_stopped(
    ears: Ears,
    library: Library,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(loop, "_SAVE_EVERY", 2)
    monkeypatch.setattr(loop, "_SAY_EVERY", 1)
    schedule = Schedule(steps=5, batch=8, warm_up=1)
    begun: list[int] = []
    before = [np.array(part) for part in ears.model.get_weights()]
    with pytest.raises(KeyboardInterrupt):
        train(ears, schedule, feed_of(library, 3, 5, begun), ONES, tmp_path, "small", advise)
    assert not (tmp_path / "weights.npz").exists()
    train(ears, schedule, feed_of(library, -1, 5, begun), ONES, tmp_path, "small", advise)
    assert begun == [0, 2]
    assert "step 5/5" in capsys.readouterr().err
    trained = {variable.path for variable in ears.model.trainable_variables}
    for variable, old in zip(ears.model.weights, before, strict=True):
        # What mn04 found all sounds to be like, a batch of ours does not change.
        assert np.array_equal(old, variable.value) == (variable.path not in trained), variable.path
    # What is done is not done again.
    train(ears, schedule, feed_of(library, -1, 5, begun), ONES, tmp_path, "small", advise)
    assert begun == [0, 2]
    assert json.loads((tmp_path / "schedule.json").read_text())["steps"] == 5


def test_another_schedule_does_not_go_on_with_it(ears: Ears, library: Library, tmp_path: Path) -> None:
    tmp_path.joinpath("schedule.json").write_text("{}")
    with pytest.raises(ModelsError, match="another schedule"):
        train(ears, Schedule(steps=2), feed_of(library, -1, 2, []), ONES, tmp_path, "small", advise)


def test_the_same_step_gets_the_same_batch_wherever_a_training_begins(library: Library) -> None:
    make = partial(batches, partial(windows_of, library), size=4, seed=3, total=3)
    whole = list(make(first=0))
    later = list(make(first=2))
    assert len(whole) == 3
    for one, other in zip(whole[2], later[0], strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def windows_of(library: Library) -> Windows:
    return Windows(library, Recipe(), np.random.default_rng())


def test_what_is_unsure_costs_nothing() -> None:
    logits = tf.constant([[3.0, -2.0]])
    sure = class_loss(tf.constant([[1, 0]]), NOBODY, logits)
    unsure = class_loss(tf.constant([[1, -1]]), NOBODY, tf.constant([[3.0, 50.0]]))
    assert float(sure) < 0.2
    assert float(unsure) == pytest.approx(float(class_loss(tf.constant([[1, -1]]), NOBODY, logits)))
    # Of a sound that teaches nothing of our classes, no advice is taken either.
    advice = tf.constant([[0.9, 0.9]])
    assert float(class_loss(tf.constant([[-2, -2]]), advice, logits)) == 0


def test_advice_counts_alone_where_nothing_is_sure_and_a_little_beside_a_label() -> None:
    logits = tf.Variable([[0.0, 0.0, 0.0]])
    with tf.GradientTape() as tape:
        loss = class_loss(tf.constant([[-1, 0, 1]]), tf.constant([[0.9, 0.9, np.nan]]), logits)
    up, down, told = -tape.gradient(loss, logits).numpy()[0]
    assert up > 0
    assert down < 0
    assert abs(down) < abs(told)


def test_distillation_pulls_where_a_teacher_was_asked_and_nowhere_else() -> None:
    teacher = np.full((2, AUDIOSET_CLASSES), -20, np.float32)
    teacher[0, 5] = 1
    teacher[1] = np.nan
    logits = tf.Variable(np.full((2, AUDIOSET_CLASSES), -12, np.float32))
    with tf.GradientTape() as tape:
        loss = distillation_loss(tf.constant(teacher), logits, ONES)
    slope = tape.gradient(loss, logits).numpy()
    assert slope[0, 5] < 0
    # Two that are sure of "no" need not agree how sure; and of whom nobody was asked nothing is learned.
    assert not np.delete(slope[0], 5).any()
    assert not slope[1].any()
