"""The assistant tells our classes by what the teachers hear, and is asked of nothing else."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from echonet_models.activity import IGNORE, WINDOW_STEPS
from echonet_models.assistant import Assistant, windows_truth
from echonet_models.datasets import CLASSES
from echonet_models.losses import assisted_loss, standard
from echonet_models.pools import NOT_ASKED, Pool, without_sound
from echonet_models.portraits import (
    MN04_FRAME_S,
    MN04_FRAMES,
    NOT_PORTRAYED,
    YAMNET_HOP,
    YAMNET_STEPS,
    YAMNET_WINDOWS,
)
from echonet_models.scene import STEPS
from echonet_models.teachers import WINDOW

WINDOW_S, HOP_S = WINDOW / 16_000, YAMNET_HOP / 16_000


def made_pool(size: int, seed: int) -> Pool:
    """Return mixtures of one event each; YAMNet hears the even classes, mn04 the odd ones, both among noise."""
    generator = np.random.default_rng(seed)
    labels = np.zeros((size, STEPS, len(CLASSES)), np.int8)
    yamnet = generator.exponential(1, (size, *NOT_PORTRAYED.yamnet.shape))
    mn04 = generator.normal(0, 1, (size, *NOT_PORTRAYED.mn04.shape))
    for number in range(size):
        column = int(generator.integers(len(CLASSES)))
        first = int(generator.integers(0, STEPS - 25))
        labels[number, first : first + 25, column] = 1
        begins, ends = first * 0.08, (first + 25) * 0.08
        telling = slice(column * 9, column * 9 + 9)
        if column % 2:
            middles = (np.arange(MN04_FRAMES) + 0.5) * MN04_FRAME_S
            mn04[number, (middles > begins) & (middles < ends), telling] += 3
        else:
            starts = np.arange(YAMNET_WINDOWS) * HOP_S
            yamnet[number, (starts < ends - 0.2) & (starts + WINDOW_S > begins + 0.2), telling] += 3
    return Pool(
        np.zeros((size, 1, 64), np.float16),
        labels,
        np.repeat(NOT_ASKED[None], size, axis=0),
        yamnet.astype(np.float16),
        mn04.astype(np.float16),
    )


def spread_of(pool: Pool) -> dict[str, list[float]]:
    return {name: standard(getattr(pool, name))["spread"] for name in ("yamnet", "mn04")}


@pytest.fixture(scope="module")
def assistant() -> Assistant:
    pool = made_pool(600, 0)
    assistant = Assistant(spread_of(pool))
    assistant.learn(pool)
    return assistant


def test_it_tells_each_class_by_the_teacher_that_hears_it(assistant: Assistant) -> None:
    pool = made_pool(200, 1)
    truth, logits = windows_truth(pool.labels), assistant.judge(pool)
    assert logits.shape == (200, YAMNET_WINDOWS, len(CLASSES))
    for column in range(len(CLASSES)):
        sure = truth[..., column] != IGNORE
        assert average_precision_score(truth[..., column][sure], logits[..., column][sure]) > 0.8


def test_it_needs_no_sound() -> None:
    pool = made_pool(64, 5)
    whole, without = (Assistant(spread_of(pool)) for _ in range(2))
    for each, lessons in ((whole, pool), (without, without_sound(pool))):
        each.learn(lessons, epochs=1)
        assert np.isfinite(each.judge(lessons)).all()
        assert each.judge(lessons).shape == each.judge(pool).shape


def test_of_what_the_teachers_have_not_heard_it_says_nothing(assistant: Assistant) -> None:
    pool = made_pool(6, 2)
    pool.yamnet[2], pool.mn04[2] = NOT_PORTRAYED
    logits = assistant.judge(pool)
    assert np.isnan(logits[2]).all()
    assert np.isfinite(np.delete(logits, 2, axis=0)).all()


def test_it_is_read_back_as_it_was(assistant: Assistant, tmp_path: Path) -> None:
    pool, known = made_pool(6, 3), made_pool(600, 0)
    assistant.save(tmp_path / "assistant.weights.h5")
    again = Assistant(spread_of(known))
    again.load(tmp_path / "assistant.weights.h5")
    np.testing.assert_allclose(again.judge(pool), assistant.judge(pool), atol=1e-5)


def test_a_window_is_judged_where_it_ends() -> None:
    """An event in the steps of one of YAMNet's windows is in the truth of that window, and of none far from it."""
    for window in (0, 6, YAMNET_WINDOWS - 1):
        first = round(window * HOP_S / 0.08)
        labels = np.zeros((1, STEPS, len(CLASSES)), np.int8)
        labels[0, first : first + WINDOW_STEPS, 2] = 1
        truth = windows_truth(labels)[0]
        assert truth[window, 2] == 1
        far = np.abs(np.arange(YAMNET_WINDOWS) - window) > 1
        assert not truth[far].any()
        assert not np.delete(truth, 2, axis=1).any()


def test_what_it_is_sure_of_costs_by_how_far_off_it_is_and_nothing_where_nobody_was_asked() -> None:
    judged = np.full((1, YAMNET_WINDOWS, 4), [-6.0, 0.0, 4.0, np.nan], np.float32)
    right = np.full((1, STEPS, 4), [-6.0, 0.0, 4.0, 50.0], np.float32)
    assert float(assisted_loss(judged, right)) == pytest.approx(0, abs=1e-4)
    costs = [float(assisted_loss(judged, right + off)) for off in (-4, -2, -1, 1, 2, 4)]
    assert costs == sorted(costs[:3], reverse=True) + sorted(costs[3:])
    assert min(costs) > 0.01


def test_a_window_holds_what_one_of_its_steps_holds() -> None:
    """Where a window has a shot, one sure step of it is right, whichever; in a window without, it is wrong."""
    judged = np.full((1, YAMNET_WINDOWS, 1), -9.0, np.float32)
    judged[0, 4] = 6.0
    cost = {}
    for place in (YAMNET_STEPS[4, 3], YAMNET_STEPS[4, 7], YAMNET_STEPS[8, 5], None):
        logits = np.full((1, STEPS, 1), -9.0, np.float32)
        if place is not None:
            logits[0, place] = 7.0
        cost[place] = float(assisted_loss(judged, logits))
    right, right_too, wrong, silent = cost.values()
    assert right == pytest.approx(right_too, rel=0.01)
    assert right < silent / 10 < wrong
