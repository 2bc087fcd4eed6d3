"""Thresholds keep to their aims on the clips that they are chosen on."""

from dataclasses import replace

from hypothesis import given, strategies as st
from hypothesis.extra import numpy as arrays
import numpy as np
import pytest

from echonet_models.datasets import CLASSES, Clip
from echonet_models.listening import detections, firing_scores
from echonet_models.thresholds import (
    AIMS,
    CANDIDATES,
    Trade,
    choose,
    exceedances_per_hour,
    undecided,
)
from echonet_satellite.protocol import Sensitivity, SoundClass

STEPS = 250


def clip(label: str, number: int) -> Clip:
    return Clip(path=f"{label}/{number}", label=label, origin=f"{label}/{number}", duration_s=20.0)


def heard(clips: list[Clip], loud: float, quiet: float, seed: int = 0) -> dict[str, np.ndarray]:
    """Return probabilities: around `quiet` everywhere, and around `loud` in a clip's own class."""
    generator = np.random.default_rng(seed)
    found = {}
    for item in clips:
        rows = generator.uniform(0, quiet, (STEPS, len(CLASSES)))
        if item.sound_class:
            rows[50:200, CLASSES.index(item.sound_class)] = generator.uniform(loud - 0.1, loud, 150)
        found[item.path] = rows.astype(np.float32)
    return found


CLIPS = [clip(label, number) for label in (*map(str, CLASSES), "other", "background") for number in range(60)]


def test_a_good_classifier_hears_all_and_is_quiet() -> None:
    decisions = choose(CLIPS, heard(CLIPS, 0.9, 0.15), undecided())
    for decision in decisions.values():
        assert 0.2 <= decision.thresholds[Sensitivity.MEDIUM] <= 0.9
    probabilities = heard(CLIPS, 0.9, 0.15, seed=1)
    for item in CLIPS:
        found = {
            event.sound_class for event in detections(probabilities[item.path], decisions, Sensitivity.MEDIUM)
        }
        assert found == ({item.sound_class} if item.sound_class else set())


def test_more_sensitive_means_lower_thresholds() -> None:
    for decision in choose(CLIPS, heard(CLIPS, 0.6, 0.8), undecided()).values():
        low, medium, high = (decision.thresholds[level] for level in AIMS)
        assert low >= medium >= high


@given(
    arrays.arrays(float, len(CANDIDATES), elements=st.floats(0, 1)),
    arrays.arrays(float, len(CANDIDATES), elements=st.floats(0, 500)),
)
def test_a_higher_sensitivity_never_hears_less(recall: np.ndarray, per_day: np.ndarray) -> None:
    """Not even where the recall that it aims at is out of reach, and that of the lower one is not."""
    thresholds = Trade(np.sort(recall)[::-1], np.sort(per_day)[::-1]).thresholds()
    assert list(thresholds) == [Sensitivity.LOW, Sensitivity.MEDIUM, Sensitivity.HIGH]
    low, medium, high = thresholds.values()
    assert low >= medium >= high


def test_comfort_is_precise_and_safety_complete() -> None:
    """A class of which one threshold hears much at many false alarms, another little at few."""
    recall, per_day = np.full(len(CANDIDATES), 0.4), np.full(len(CANDIDATES), 1.0)
    recall[:40], per_day[:40] = 0.7, 120.0
    safety, comfort = (Trade(recall, per_day, safety).thresholds() for safety in (True, False))
    assert safety[Sensitivity.MEDIUM] <= CANDIDATES[39]
    assert comfort[Sensitivity.MEDIUM] > CANDIDATES[39]


def test_recall_comes_first_but_not_at_any_price() -> None:
    """A class that cannot be told from noise is kept from firing all the time."""
    decisions = choose(CLIPS, heard(CLIPS, 0.3, 0.9), undecided())
    assert decisions[SoundClass.GUNSHOT].thresholds[Sensitivity.MEDIUM] > 0.8


def test_false_alarms_are_spent_where_they_buy_most() -> None:
    """Two classes with the same recall: the one that the background imitates gets the higher threshold."""
    probabilities = heard(CLIPS, 0.7, 0.2)
    generator = np.random.default_rng(5)
    column = CLASSES.index(SoundClass.SCREAM)
    for item in CLIPS:
        if item.label == "background":
            probabilities[item.path][:, column] = generator.uniform(0, 0.72, STEPS)
    decisions = choose(CLIPS, probabilities, undecided())
    for level in AIMS:
        assert (
            decisions[SoundClass.SCREAM].thresholds[level]
            > decisions[SoundClass.GLASS_BREAK].thresholds[level]
        )


def test_rare_false_alarms_are_foreseen_from_frequent_ones() -> None:
    """A hundred hours tell the true rate at a high threshold; one hour comes within a factor of four."""
    generator = np.random.default_rng(3)

    def blocks(hours: int) -> np.ndarray:
        logits = generator.exponential(0.7, hours * 360) - 3
        return (1 / (1 + np.exp(-logits))).astype(np.float32)

    thresholds = np.array([0.5, 0.8])
    truth = 360 * np.exp(-(np.log(thresholds / (1 - thresholds)) + 3) / 0.7)
    np.testing.assert_allclose(exceedances_per_hour(blocks(1000), 1000, thresholds), truth, rtol=0.6)
    foreseen = np.stack([exceedances_per_hour(blocks(1), 1.0, thresholds) for _ in range(40)])
    assert np.all(np.median(foreseen, axis=0) < 4 * truth)
    assert np.all(np.median(foreseen, axis=0) > truth / 4)


def test_a_higher_threshold_never_brings_more_false_alarms() -> None:
    generator = np.random.default_rng(4)
    rates = exceedances_per_hour(
        generator.random(500).astype(np.float32) ** 6, 1.4, np.linspace(0.01, 0.99, 50)
    )
    assert np.all(np.diff(rates) <= 1e-9)


@given(
    arrays.arrays(np.float32, (40, len(CLASSES)), elements=st.floats(0, 1, width=32)),
    st.sampled_from([(1, 1), (2, 3), (3, 5)]),
    st.floats(0.05, 0.95),
)
def test_the_firing_score_is_where_the_detector_starts(
    probabilities: np.ndarray, confirm: tuple[int, int], threshold: float
) -> None:
    name = SoundClass.DOG
    thresholds = dict.fromkeys(AIMS, threshold)
    decisions = {
        item: replace(decision, confirm=confirm, thresholds=thresholds)
        for item, decision in undecided().items()
    }
    started = [
        event for event in detections(probabilities, decisions, Sensitivity.LOW) if event.sound_class is name
    ]
    scores = firing_scores(probabilities, decisions[name], CLASSES.index(name))
    assert bool(started) == any(score >= threshold for score in scores.tolist())


@pytest.mark.parametrize("level", AIMS)
def test_every_sensitivity_has_a_threshold(level: Sensitivity) -> None:
    decisions = choose(CLIPS[:10], heard(CLIPS[:10], 0.9, 0.1), undecided())
    assert all(0 < decision.thresholds[level] < 1 for decision in decisions.values())
