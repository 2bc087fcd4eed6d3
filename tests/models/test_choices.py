"""The choices for rare classes: what each does, how they are measured, and a quick comparison that can be stopped."""

import argparse
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from echonet_models.activity import IGNORE
from echonet_models.choices import entry, run
from echonet_models.choices.conclusions import conclusions
from echonet_models.choices.page import PAGE
from echonet_models.choices.plot import PICTURE, PICTURES
from echonet_models.choices.run import Comparison, Outcome, compare_choices
from echonet_models.choices.scoring import (
    EvenOdds,
    Figure,
    Jury,
    Measure,
    Score,
    Verdict,
    average_precision,
    compare,
    recall,
)
from echonet_models.choices.store import Results
from echonet_models.choices.variants import CHOSEN, VARIANTS, Question, Sampling, Variant, shares
from echonet_models.datasets import CLASSES, Split
from echonet_models.losses import class_loss, focal_loss, masked_loss, positive_weights
from echonet_models.material import Material
from echonet_models.pools import Pool
from echonet_models.recipe import CLASS_SHARES, Recipe
from echonet_models.schedule import Weighting
from echonet_models.teachers import ClassMap
from echonet_satellite.protocol import SoundClass

STOPS = (2, 4, 6)
"""After so many trainings the comparison is stopped: eight in a row are too long for one test."""


def labels_of_one_rare_and_one_common_class() -> np.ndarray:
    labels = np.zeros((10, 100, 2), np.int8)
    labels[0, :10, 0] = 1
    labels[:, :50, 1] = 1
    return labels


def test_weightings_do_what_they_say() -> None:
    """One step in a hundred holds the rare class, every second the common one."""
    weights = {each: positive_weights(labels_of_one_rare_and_one_common_class(), each) for each in Weighting}
    assert weights[Weighting.FULL] == pytest.approx([99, 1], rel=0.01)
    assert weights[Weighting.ROOT] == pytest.approx([0.5 * 99**0.5, 1], rel=0.01)
    assert weights[Weighting.NONE] == weights[Weighting.FOCAL] == [1, 1]


def test_full_balancing_makes_both_kinds_of_mistake_cost_the_same() -> None:
    labels = labels_of_one_rare_and_one_common_class().astype(np.float32)[..., :1]
    cost = {}
    for weighting in (Weighting.FULL, Weighting.NONE):
        weights = np.array(positive_weights(labels.astype(np.int8), weighting), np.float32)
        loss = class_loss(weighting, weights)
        silent, shouting = (float(loss(labels, np.full_like(labels, logit))) for logit in (-5, 5))
        cost[weighting] = shouting / silent
    assert cost[Weighting.FULL] == pytest.approx(1, rel=0.05)
    assert cost[Weighting.NONE] > 50


def test_focal_loss_forgets_what_is_easy() -> None:
    labels = np.array([[[1.0, 0.0]]], np.float32)
    plain = masked_loss(np.ones(2, np.float32))
    sure, undecided, wrong = (labels * 2 * by - by for by in (6.0, 0.0, -6.0))
    assert float(focal_loss(labels, sure)) < 1e-4 * float(plain(labels, sure))
    assert float(focal_loss(labels, undecided)) == pytest.approx(float(plain(labels, undecided)) / 4)
    assert float(focal_loss(labels, wrong)) == pytest.approx(float(plain(labels, wrong)), rel=0.01)


def test_focal_loss_leaves_out_unsure_steps() -> None:
    labels = np.array([[[1.0, IGNORE]]], np.float32)
    one, other = (float(focal_loss(labels, np.array([[[0.5, logit]]], np.float32))) for logit in (-50, 50))
    assert one == other > 0


def test_each_recipe_differs_from_the_chosen_in_one_thing() -> None:
    for variant in VARIANTS:
        changed = [
            name
            for name in ("weighting", "sampling", "teacher_weight", "seed")
            if getattr(variant, name) != getattr(CHOSEN, name)
        ]
        assert len(changed) == (variant is not CHOSEN), variant.name
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)
    assert {variant.question for variant in VARIANTS} == {None, *Question}


def test_samplings_share_out_the_events(small_material: Material) -> None:
    clips = small_material.of(Split.TRAIN)
    found = {each: shares(each, CLASS_SHARES, clips) for each in Sampling}
    for each in found.values():
        assert sum(each.values()) == pytest.approx(1)
    assert found[Sampling.CHOSEN] == pytest.approx(CLASS_SHARES)
    assert set(found[Sampling.UNIFORM].values()) == {1 / len(CLASSES)}
    cries = [clip for clip in clips if clip.label == "baby_cry"]
    alarms = [clip for clip in clips if clip.label == "alarm"]
    natural = shares(Sampling.NATURAL, CLASS_SHARES, [*clips, *cries, *cries])
    cry, alarm = SoundClass.BABY_CRY, SoundClass.ALARM
    assert natural[cry] / natural[alarm] == pytest.approx(3 * len(cries) / len(alarms))


def test_the_default_recipe_makes_the_mixtures_that_it_always_made(small_material: Material) -> None:
    """Shares that are given make what the shares of the module made, and other shares something else."""

    def digest(recipe: Recipe) -> str:
        maker = replace(small_material, recipe=recipe).maker(Split.TRAIN, taught=True)
        known = hashlib.sha256()
        for seed in range(4):
            mixture = maker.mix(np.random.default_rng(seed))
            assert mixture.taught is not None
            for part in (mixture.samples, mixture.labels, mixture.taught):
                known.update(part.tobytes())
        return known.hexdigest()

    uniform = shares(Sampling.UNIFORM, CLASS_SHARES, [])
    assert digest(Recipe()) == digest(Recipe(class_shares=CLASS_SHARES))
    assert digest(Recipe()) != digest(Recipe(class_shares=uniform))


def test_a_class_that_is_never_drawn_is_in_no_mixture(small_material: Material) -> None:
    only_dogs = {name: float(str(name) == "dog") for name in CLASSES}
    maker = replace(small_material, recipe=Recipe(class_shares=only_dogs)).maker(Split.TRAIN)
    labels = np.stack([maker.mix(np.random.default_rng(seed)).labels for seed in range(30)])
    heard = {str(name) for column, name in enumerate(CLASSES) if (labels[..., column] == 1).any()}
    assert heard == {"dog"}


def some_mixtures(generator: np.random.Generator, skill: float) -> tuple[np.ndarray, np.ndarray]:
    labels = np.zeros((40, 20, len(CLASSES)), np.int8)
    labels[generator.random(labels.shape) < 0.05] = 1
    labels[generator.random(labels.shape) < 0.05] = IGNORE
    # Rounded, so that some are equal.
    logits = np.round(generator.normal(0, 1, labels.shape) + skill * (labels == 1), 1).astype(np.float32)
    return labels, logits


def test_average_precision_is_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    labels, logits = (array[..., 0] for array in some_mixtures(generator, 1.0))
    weights = np.vstack([np.ones(len(labels)), generator.integers(0, 3, (3, len(labels)))])
    sure = labels != IGNORE
    for row, found in zip(weights, average_precision(labels, logits, weights), strict=True):
        counted = np.broadcast_to(row[:, None], labels.shape)[sure]
        expected = average_precision_score(labels[sure] == 1, logits[sure], sample_weight=counted)
        assert found == pytest.approx(expected)


def test_recall_is_at_the_threshold_of_so_many_false_detections() -> None:
    """Ten of twenty mixtures hold the class; the others are as loud as their number."""
    labels, logits = np.zeros((20, 128), np.int8), np.full((20, 128), -9.0, np.float32)
    labels[:10, 3] = 1
    logits[:10, 3] = np.arange(10) + 0.5
    logits[10:, 50] = np.arange(10)
    hours = 10 * 128 * 0.08 / 3600
    weights = np.ones((1, 20))
    for allowed in (0, 1, 4):
        found = recall(labels, logits, weights, per_hour=(allowed + 0.01) / hours)
        assert found[0] == (allowed + 1) / 10
    # What is unsure of the class can be no false detection.
    labels[19] = IGNORE
    assert recall(labels, logits, weights, per_hour=0)[0] == 0.2


def test_differences_are_paired() -> None:
    """The same scores differ by nothing, whatever is drawn; better ones are better beyond the interval."""
    generator = np.random.default_rng(0)
    labels, logits = some_mixtures(generator, 1.0)
    jury = Jury(labels, times=60)
    poor = jury.measure(logits)
    good = jury.measure(logits + 2 * (labels == 1).astype(np.float32))
    for measure in Measure:
        same = compare(poor[measure], poor[measure]).mean
        assert (same.difference, same.low, same.high, same.verdict) == (0, 0, 0, Verdict.ALIKE)
    assert compare(good[Measure.PRECISION], poor[Measure.PRECISION]).mean.verdict is Verdict.BETTER
    assert compare(poor[Measure.PRECISION], good[Measure.PRECISION]).mean.verdict is Verdict.WORSE


def outcome(variant: Variant, difference: float, margin: float = 0.01) -> Outcome:
    figure = Figure(0.5, difference, difference - margin, difference + margin)
    score = Score(figure, {"dog": figure})
    return Outcome(variant, dict.fromkeys(Measure, score), EvenOdds(0.5, 1.0), {}, 1.0)


def test_conclusions_say_what_the_figures_do() -> None:
    by_name = {variant.name: variant for variant in VARIANTS}
    chosen, noise = outcome(CHOSEN, 0.0, 0.0), outcome(by_name["other-seed"], -0.03)
    better, worse = outcome(by_name["focal"], 0.05), outcome(by_name["balanced"], -0.05)
    alike, chance = outcome(by_name["uniform"], 0.005), outcome(by_name["natural"], 0.02)
    text = conclusions([chosen, better, worse, alike, chance, noise])
    assert "On the whole better than the chosen recipe: `focal`." in text
    assert "On the whole worse than the chosen recipe: `balanced`." in text
    assert "as far as this can tell: `uniform`, `natural`." in text
    assert "`natural` (sampling): average precision +2.0, better, but no further off" in text
    assert "nothing here speaks for another recipe" not in text
    assert "nothing here speaks for another recipe" in conclusions([chosen, worse, alike, noise])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("choices")


@pytest.fixture(scope="module")
def trained() -> Iterator[list[str]]:
    """The names of the variants, in the order in which they are trained."""
    names: list[str] = []
    stops = list(STOPS)
    with pytest.MonkeyPatch.context() as patch:
        train = run._train

        def watched(variant: Variant, results: Results, tune: Pool, class_map: ClassMap | None) -> None:
            if len(names) in stops:
                # As by Ctrl+C, and only once.
                stops.remove(len(names))
                raise KeyboardInterrupt
            names.append(variant.name)
            train(variant, results, tune, class_map)

        patch.setattr(run, "_train", watched)
        yield names


@pytest.mark.parametrize("done", STOPS)
def test_a_stopped_comparison_keeps_what_is_done(
    small_material: Material, folder: Path, trained: list[str], done: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        compare_choices(small_material, folder, quick=True)
    assert len(trained) == done
    assert {path.stem for path in folder.glob("*.json")} == set(trained)
    needed = sum(variant.sampling is Sampling.CHOSEN for variant in VARIANTS)
    assert bool(list(folder.glob("pools/*"))) == (done < needed), "mixtures are kept while another needs them"


@pytest.fixture(scope="module")
def comparison(small_material: Material, folder: Path, trained: list[str]) -> Comparison:
    """What the same command makes of it when it is started again."""
    while True:
        # Where the tests above were not asked for, it is stopped here.
        with suppress(KeyboardInterrupt):
            return compare_choices(small_material, folder, quick=True)


def test_it_goes_on_where_it_was_stopped(comparison: Comparison, folder: Path, trained: list[str]) -> None:
    assert sorted(trained) == sorted(variant.name for variant in VARIANTS)
    assert [each.variant for each in comparison.outcomes] == list(VARIANTS)
    assert not list(folder.glob("pools/*")), "nobody needs the mixtures any more"
    assert not list(folder.glob("trainings/*"))


def test_each_variant_is_trained_as_it_says(comparison: Comparison, folder: Path) -> None:
    weights = {each.variant.name: each.weights for each in comparison.outcomes}
    assert set(weights["unweighted"].values()) == set(weights["focal"].values()) == {1.0}
    assert max(weights["balanced"].values()) > max(weights["chosen"].values()) > 1
    keys = {
        each.name: json.loads((folder / f"{each.name}.json").read_text(encoding="utf-8"))["key"]
        for each in VARIANTS
    }
    assert keys["untaught"]["schedule"]["teacher_weight"] == 0
    assert set(keys["uniform"]["shares"].values()) == {1 / len(CLASSES)}
    assert len({key["material"] for key in keys.values()}) == 1


def test_the_command_prints_a_table_and_writes_the_page(
    comparison: Comparison,
    small_material: Material,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    parser = argparse.ArgumentParser()
    entry.add_arguments(parser)
    options = ["--quick", "--write", "--results", str(folder), "--docs", str(tmp_path)]
    entry.command(parser.parse_args(options), small_material)
    printed = capsys.readouterr().out
    text = (tmp_path / PAGE).read_text(encoding="utf-8")
    for variant in VARIANTS:
        assert f"\n{variant.name} " in printed
        # What it is, its means, and each measure class by class.
        assert text.count(f"| `{variant.name}` |") == 2 + len(Measure), variant.name
    for heading in ("What was compared", "What came out", "What follows", "Limits"):
        assert f"## {heading}" in text
    assert "A quick look" in text
    assert f"({(PICTURES / PICTURE).as_posix()})" in text
    assert (tmp_path / PICTURES / PICTURE).stat().st_size > 10_000


def test_what_is_done_is_not_done_again_unless_the_recordings_change(
    comparison: Comparison, small_material: Material, folder: Path, trained: list[str]
) -> None:
    done = len(trained)
    again = compare_choices(small_material, folder, quick=True)
    assert [each.scores for each in again.outcomes] == [each.scores for each in comparison.outcomes]
    assert len(trained) == done
    fewer = replace(small_material, clips=small_material.clips[:-1])
    results = Results(folder, fewer, comparison.amounts)
    assert all(results.read(variant) is None for variant in VARIANTS)
