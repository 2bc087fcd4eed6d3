"""What the figures of an evaluation are made of, against slow and obvious references."""

from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as arrays
import numpy as np
import pytest

from echonet_models.activity import WINDOW_STEPS
from echonet_models.datasets import CLASSES
from echonet_models.evaluation import tables
from echonet_models.evaluation.aims import Aim
from echonet_models.evaluation.collar import COLLAR_S, best_threshold, changes, match
from echonet_models.evaluation.events import EventRule, decode
from echonet_models.evaluation.intervals import poisson, rate, resamples, share
from echonet_models.evaluation.trade_off import reliability
from echonet_models.evaluation.windows import (
    HOP_STEPS,
    Windows,
    best_thresholds,
    count_windows,
    table,
    window_scores,
    window_truth,
)
from echonet_models.thresholds import SAFETY
from echonet_satellite.protocol import SoundClass

STEP_S = 0.08
# Packages are loaded in the first example, and a busy machine is slow.
UNHURRIED = settings(deadline=None, max_examples=60)
TENTHS = st.integers(0, 10).map(lambda value: value / 10)
SCORES = arrays.arrays(float, st.integers(1, 40), elements=TENTHS)


def regions(scores: np.ndarray, threshold: float) -> list[tuple[int, int]]:
    """Return the runs of steps above a threshold, the slow way."""
    found: list[tuple[int, int]] = []
    start = None
    for step, score in enumerate([*scores, 0.0]):
        if score > threshold and start is None:
            start = step
        elif score <= threshold and start is not None:
            found.append((start, step))
            start = None
    return found


def most_pairs(found: list[float], true: list[float]) -> int:
    """Return the size of the largest matching, by trying all."""
    if not true:
        return 0
    best = most_pairs(found, true[1:])
    for place, onset in enumerate(found):
        if abs(onset - true[0]) <= COLLAR_S + 1e-9:
            best = max(best, 1 + most_pairs(found[:place] + found[place + 1 :], true[1:]))
    return best


@UNHURRIED
@given(SCORES, TENTHS, st.none() | st.integers(0, 45), st.integers(-6, 3))
def test_the_collar_agrees_with_a_slow_reference(
    scores: np.ndarray, threshold: float, onset: int | None, shift: int
) -> None:
    # Half a step off the grid, so that no onset lies exactly on the edge of the collar.
    onset_s = None if onset is None else onset * STEP_S + 0.03
    found = changes(scores, STEP_S, shift * STEP_S, onset_s).at(threshold)
    onsets = [(start + shift) * STEP_S for start, _ in regions(scores, threshold)]
    hits = int(onset_s is not None and any(abs(each - onset_s) <= COLLAR_S for each in onsets))
    assert found == (hits, len(onsets) - hits)


@UNHURRIED
@given(st.lists(st.floats(0, 5), max_size=5), st.lists(st.floats(0, 5), max_size=4))
def test_matching_onsets_finds_as_many_pairs_as_there_are(found: list[float], true: list[float]) -> None:
    hits, false = match([round(each, 3) for each in found], [round(each, 3) for each in true])
    assert hits == most_pairs([round(each, 3) for each in found], [round(each, 3) for each in true])
    assert hits + false == len(found)


def test_perfect_scores_have_no_errors_and_silence_misses_everything() -> None:
    onsets = {"event": 1.6, "empty": None}
    perfect = np.zeros(50)
    perfect[20:25] = 1.0
    found = {
        "event": changes(perfect, STEP_S, 0.0, 1.6),
        "empty": changes(np.zeros(50), STEP_S, 0.0, None),
    }
    error_rate, threshold = best_threshold(found, onsets)
    assert error_rate == 0
    assert found["event"].at(threshold) == (1, 0)
    assert found["empty"].at(threshold) == (0, 0)
    silent = {key: changes(np.zeros(50), STEP_S, 0.0, onset) for key, onset in onsets.items()}
    assert best_threshold(silent, onsets)[0] == 1


def events(scores: np.ndarray, rule: EventRule) -> list[tuple[int, int]]:
    """Return the events of a rule without a median filter, the slow way."""
    level = rule.threshold if rule.onset_level is None else rule.onset_level
    joined: list[tuple[int, int]] = []
    for start, stop in regions(scores, level):
        if joined and start - joined[-1][1] < rule.gap_steps:
            joined[-1] = joined[-1][0], stop
        else:
            joined.append((start, stop))
    if rule.one and joined:
        joined = [max(joined, key=lambda run: max(scores[slice(*run)]))]
    return [run for run in joined if max(scores[slice(*run)]) > rule.threshold]


@UNHURRIED
@given(SCORES, st.sampled_from([1, 2, 7]), TENTHS, st.none() | TENTHS, st.booleans())
def test_events_are_those_of_a_slow_reference(
    scores: np.ndarray, gap: int, threshold: float, level: float | None, one: bool
) -> None:
    # The run around the peak has no gaps: they are not part of that rule.
    gap = 1 if one and level is None else gap
    rule = EventRule(threshold, level, 1, gap, 0.0, one=one)
    assert regions(decode(scores, rule), threshold) == events(scores, rule)


def test_what_is_sure_later_began_where_it_began_to_show() -> None:
    scores = np.array([0, 0.1, 0.3, 0.2, 0, 0, 0.9, 0.4, 0, 0, 0, 0, 0, 0.5])
    rule = EventRule(0.6, 0.05, 1, 4, 0.0, one=False)
    assert regions(decode(scores, rule), 0.6) == [(1, 8)]


def test_a_poisson_interval_is_the_one_in_the_tables() -> None:
    assert poisson(0) == pytest.approx((0, 3.689), abs=1e-3)
    assert poisson(10) == pytest.approx((4.795, 18.39), abs=1e-2)
    per_day = rate(2, 4.0, per_hours=24, name="per_day")
    assert per_day["per_day"] == 12
    assert per_day["low"] < 12 < per_day["high"]


@UNHURRIED
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(5, 9)), min_size=1, max_size=12))
def test_an_interval_holds_its_share(recordings: list[tuple[int, int]]) -> None:
    hits, sizes = zip(*recordings, strict=True)
    found = share(hits, sizes)
    shares = [hit / size for hit, size in recordings]
    assert min(shares) - 1e-3 <= found["low"] <= found["high"] <= max(shares) + 1e-3


def test_a_resample_keeps_the_number_of_recordings_of_each_label() -> None:
    labels = ["dog"] * 4 + ["fire"] * 3
    weights = resamples(labels, times=50)
    assert (weights[:, :4].sum(axis=1) == 4).all()
    assert (weights[:, 4:].sum(axis=1) == 3).all()


@UNHURRIED
@given(
    arrays.arrays(np.float32, st.tuples(st.integers(1, 60), st.just(8)), elements=st.floats(0, 1, width=32))
)
def test_windows_are_cut_as_by_hand(rows: np.ndarray) -> None:
    scores = window_scores(rows, count_windows(len(rows)), (0, WINDOW_STEPS))
    assert len(scores) * HOP_STEPS + HOP_STEPS >= len(rows)
    for number, row in enumerate(scores):
        own = rows[number * HOP_STEPS : number * HOP_STEPS + WINDOW_STEPS]
        assert row == pytest.approx(own.max(axis=0))


def test_a_window_holds_a_class_when_enough_of_it_sounds() -> None:
    labels = np.zeros((WINDOW_STEPS, len(CLASSES)), np.int8)
    gunshot, dog, fire = (
        CLASSES.index(name) for name in (SoundClass.GUNSHOT, SoundClass.DOG, SoundClass.FIRE)
    )
    labels[4, gunshot] = 1
    labels[4:6, dog] = 1
    labels[2, fire] = -1
    truth = window_truth(labels)[0]
    assert truth[gunshot] == 1
    assert truth[dog] == -1, "two of twelve steps are neither a bark nor none"
    assert truth[fire] == -1
    labels[4:8, dog] = 1
    assert window_truth(labels)[0, dog] == 1


def made_windows(seed: int, size: int = 400) -> Windows:
    generator = np.random.default_rng(seed)
    truth = (generator.random((size, len(CLASSES))) < 0.3).astype(np.int8)
    truth[generator.random(truth.shape) < 0.1] = -1
    scores = np.clip(generator.normal(0.35 + 0.3 * (truth == 1), 0.2), 0, 1).astype(np.float32)
    return Windows(truth, scores, np.sort(generator.integers(0, 20, size)), ["dog"] * 10 + ["other"] * 10)


def test_the_table_counts_as_by_hand() -> None:
    windows = made_windows(0)
    found = table(windows, [0.5] * len(CLASSES))
    column = CLASSES.index(SoundClass.FIRE)
    sure = windows.truth[:, column] >= 0
    truth, fired = windows.truth[sure, column] == 1, windows.scores[sure, column] >= 0.5
    hit, false = int((truth & fired).sum()), int((~truth & fired).sum())
    row = found["classes"]["fire"]
    assert row["windows"] == int(truth.sum())
    assert row["precision"]["value"] == pytest.approx(hit / (hit + false), abs=1e-4)
    assert row["recall"]["value"] == pytest.approx(hit / truth.sum(), abs=1e-4)
    assert row["specificity"]["value"] == pytest.approx(1 - false / (~truth).sum(), abs=1e-4)
    assert row["accuracy"]["value"] == pytest.approx(float((truth == fired).mean()), abs=1e-4)
    assert row["precision"]["low"] <= row["precision"]["value"] <= row["precision"]["high"]
    mean = np.mean([found["classes"][str(name)]["f1"]["value"] for name in CLASSES])
    assert found["macro"]["f1"]["value"] == pytest.approx(mean, abs=1e-3)


def test_the_best_threshold_is_the_best_of_all() -> None:
    windows = made_windows(1)
    thresholds = best_thresholds(windows)
    chosen = table(windows, thresholds)
    for threshold in np.linspace(0.05, 0.95, 19):
        others = table(windows, [float(threshold)] * len(CLASSES))
        for name in CLASSES:
            best = chosen["classes"][str(name)]["f1"]["value"]
            assert best >= others["classes"][str(name)]["f1"]["value"] - 1e-4


def test_confidence_that_says_the_truth_is_reliable() -> None:
    generator = np.random.default_rng(0)
    scores = generator.random((20_000, len(CLASSES))).astype(np.float32)
    honest = Windows(
        (generator.random(scores.shape) < scores).astype(np.int8), scores, np.zeros(20_000, np.int64), [""]
    )
    boastful = Windows(
        (generator.random(scores.shape) < scores / 2).astype(np.int8),
        scores,
        np.zeros(20_000, np.int64),
        [""],
    )
    assert reliability(honest)["overall"]["expected_error"] < 0.01
    assert reliability(boastful)["overall"]["expected_error"] == pytest.approx(0.25, abs=0.01)


def test_a_dog_and_steps_wake_nobody() -> None:
    assert set(CLASSES) - set(SAFETY) == {SoundClass.DOG, SoundClass.PRESENCE}


@pytest.mark.parametrize(("value", "shown"), [(0.898, "89.8 %"), (0.9, "90 %"), (0.88, "88 %")])
def test_what_is_not_reached_does_not_look_as_if_it_were(
    monkeypatch: pytest.MonkeyPatch, value: float, shown: str
) -> None:
    aim = Aim("heard", 0.9, True, "share", lambda system: system["heard"])
    monkeypatch.setattr(tables, "aims", lambda: [aim])
    page = tables.aim_table({"ours": {"heard": {"value": value, "low": 0.8, "high": 0.95}}}, "ours")
    row = page.splitlines()[-1]
    assert f"| {shown} (80–95) |" in row
    assert ("**no**" in row) == (value < 0.9)
