"""The frame of the comparison: folds, features, figures, what is done only once, and the page."""

from collections.abc import Callable
from dataclasses import replace
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

pytest.importorskip("tensorflow", reason="TensorFlow is in .venv-models only: scripts/setup models")

from echonet_models.compare import comparison, page, references, run, scoring
from echonet_models.compare.approach import Approach, Factory
from echonet_models.compare.classical.screams import small_part
from echonet_models.compare.features.handmade import (
    FEATURES,
    clip_features,
    linear_filter_bank,
    linear_prediction_frames,
    lpc_to_cepstrum,
)
from echonet_models.compare.folds import Fold, leave_sources_out
from echonet_models.compare.networks.rare_events import Mixer
from echonet_models.compare.windows import LABELS, OTHER_LABEL, WINDOW, Remembered, Windows, fresh
from echonet_models.data.activity import SOUNDS
from echonet_models.data.kept import store_rows
from echonet_models.data.manifest import CLASSES
from echonet_models.data.teachers import teachers_directory
from echonet_models.errors import ModelsError
from echonet_satellite.protocol import SoundClass

from . import compare_data


@pytest.fixture
def windows() -> Windows:
    return compare_data.folds()[0].scored


def test_nothing_of_a_source_is_learned_from_where_it_is_scored() -> None:
    source = {clip.path: (clip.label, clip.source) for clip in compare_data.library().clips}
    judged: list[str] = []
    for fold in compare_data.folds():
        known, tuned, scored = (
            {source[path] for path in part.clips.tolist()} for part in (fold.train, fold.tune, fold.scored)
        )
        assert not (known | tuned) & scored
        assert not set(fold.train.origins) & set(fold.tune.origins)
        assert set(np.unique(fold.train.labels)) == set(range(len(LABELS)))
        judged += fold.scored.clips.tolist()
    assert {source[path] for path in judged} == set(source.values())


def test_what_is_unsure_is_learned_from_at_most_and_what_is_suspect_is_not() -> None:
    library = compare_data.library()
    notes = {"dog": "weak_impulse", "fire": "label_suspect"}
    clips = [
        replace(clip, quality=notes.get(clip.label, "")) if clip.source == "source-0" else clip
        for clip in library.clips
    ]
    folds = leave_sources_out(replace(library, clips=clips), 8, seed=1)
    marked = {label: {clip.path for clip in clips if clip.quality == note} for label, note in notes.items()}
    learned = {path for fold in folds for path in fold.train.clips.tolist()}
    judged = {path for fold in folds for part in (fold.tune, fold.scored) for path in part.clips.tolist()}
    assert learned & marked["dog"]
    assert not judged & marked["dog"]
    assert not (learned | judged) & marked["fire"]


def test_a_window_holds_its_class(windows: Windows) -> None:
    recordings = compare_data.library().recordings
    for sample, label, path, start in zip(
        windows.samples, windows.labels, windows.clips.tolist(), windows.starts, strict=True
    ):
        assert path.split("/")[0] in (LABELS[label], "background" if label == OTHER_LABEL else "")
        cut = recordings[path][start : start + WINDOW]
        np.testing.assert_array_equal(sample[: len(cut)], cut)
        if label != OTHER_LABEL:
            assert np.abs(cut).max() > 0.1, "the tone is in it, not only the silence around it"


def test_recordings_take_turns_and_a_seed_is_repeatable() -> None:
    for fold in compare_data.folds():
        for label in range(len(LABELS)):
            _, counts = np.unique(fold.scored.origins[fold.scored.labels == label], return_counts=True)
            assert counts.sum() <= 8
            assert counts.max() - counts.min() <= 1
    again = leave_sources_out(compare_data.library(), 8, seed=1)
    np.testing.assert_array_equal(again[1].train.samples, compare_data.folds()[1].train.samples)
    other = leave_sources_out(compare_data.library(), 8, seed=2)
    assert not np.array_equal(other[1].train.samples, again[1].train.samples)


def test_a_function_of_windows_is_computed_once_unless_asked_afresh(windows: Windows) -> None:
    rows: list[int] = []

    def level(samples: np.ndarray) -> np.ndarray:
        rows.append(len(samples))
        highest: np.ndarray = np.abs(samples).max(axis=1)
        return highest

    function = Remembered(level)
    first = function(windows.take(np.arange(5)))
    np.testing.assert_array_equal(function(windows.take(np.arange(4, 0, -1))), first[4:0:-1])
    assert rows == [5]
    with fresh():
        function(windows.take(np.arange(2)))
    assert rows == [5, 2]


def test_the_cepstrum_is_that_of_the_filter() -> None:
    generator = np.random.default_rng(0)
    # Poles within the unit circle, in conjugate pairs.
    poles = generator.uniform(0.2, 0.9, 4) * np.exp(1j * generator.uniform(0, np.pi, 4))
    lpc = np.real(np.poly(np.concatenate([poles, poles.conj()])))
    # The cepstrum of 1 / A is that of a sum over its poles: sum of p^n / n.
    expected = [np.sum(np.concatenate([poles, poles.conj()]) ** n).real / n for n in range(1, 13)]
    np.testing.assert_allclose(lpc_to_cepstrum(lpc[None], 12)[0], expected, atol=1e-9)


def test_linear_bands_cover_the_spectrum_evenly() -> None:
    bank = linear_filter_bank(24, 513)
    assert bank.max() <= 1
    np.testing.assert_allclose(bank.sum(axis=0)[30:480], 1, atol=1e-5)


def test_features_are_seventeen_of_finite_numbers_whatever_the_level(windows: Windows) -> None:
    assert len(set(FEATURES)) == 17
    four = windows.take(np.arange(4))
    samples = four.samples.copy()
    samples[3] = 0
    four = replace(four, samples=samples)
    assert np.isfinite(clip_features(four)).all()
    assert np.isfinite(linear_prediction_frames(four)).all()
    quiet = replace(four, samples=samples * np.float32(0.25))
    np.testing.assert_allclose(clip_features(quiet)[:3], clip_features(four)[:3], rtol=1e-3, atol=1e-3)


def test_figures_are_those_of_scikit_learn(windows: Windows) -> None:
    generator = np.random.default_rng(1)
    predicted = generator.random((len(windows), len(LABELS))).astype(np.float32)
    predicted[np.arange(len(windows)), windows.labels] += 0.4
    predicted = predicted.round(1)
    figures = scoring.score(predicted, windows)
    expected = precision_recall_fscore_support(
        windows.labels, predicted.argmax(axis=1), labels=range(len(LABELS)), zero_division=0
    )
    for key, values in zip(("precision", "recall", "f1"), expected, strict=False):
        own = [figures["classes"][name][key] for name in LABELS]
        np.testing.assert_allclose(own, values, atol=1e-4)
        macro = figures["macro"][key]
        assert macro["value"] == pytest.approx(float(np.mean(values)), abs=1e-4)
        assert macro["low"] <= macro["value"] <= macro["high"]
    counts = np.array(figures["confusion"]["counts"])
    assert counts.sum() == len(windows)
    specificity = 1 - (counts[:, 0].sum() - counts[0, 0]) / (counts.sum() - counts[0].sum())
    assert figures["classes"][LABELS[0]]["specificity"] == pytest.approx(specificity, abs=1e-4)
    # Rounded to tenths, many scores are equal.
    precisions = [average_precision_score(windows.labels == label, predicted[:, label]) for label in range(8)]
    found = figures["mean_average_precision"]
    assert found["value"] == pytest.approx(float(np.mean(precisions)), abs=1e-4)
    assert found["low"] < found["value"] < found["high"]


def test_thresholds_that_differ_from_fold_to_fold_do_not_change_the_ranking() -> None:
    folds, outcomes = compare_data.folds(), []
    for number, fold in enumerate(folds):
        divided = Oracle()
        divided.thresholds = np.full(9, 1 + number, np.float32)
        outcome = run.measure(divided, fold)
        outcome["predicted"] = (np.array(outcome["predicted"]) / divided.thresholds).tolist()
        outcomes.append(outcome)
    outcomes[0]["predicted"][-1][0] = 0.9
    figures = run.summarise(Oracle(), folds, outcomes)["figures"]
    assert figures["mean_average_precision"]["value"] == 1


def test_one_class_is_scored_on_its_own_question(windows: Windows) -> None:
    dog = CLASSES.index(SoundClass.DOG)
    predicted = np.zeros((len(windows), len(LABELS)), np.float32)
    predicted[:, OTHER_LABEL] = 0.5
    predicted[windows.labels == dog, dog] = 0.6
    for asked in (windows, windows.asked(SoundClass.DOG)):
        figures = scoring.score(predicted, asked, SoundClass.DOG)
        assert list(figures["classes"]) == ["dog", "rest"]
        assert all(figures["macro"][key]["value"] == 1 for key in scoring.MEASURES)
        assert figures["mean_average_precision"]["value"] == 1
    assert set(windows.asked(SoundClass.DOG).labels) == {dog, OTHER_LABEL}


class Oracle(Approach):
    """Knows the answer."""

    fitted = 0

    def __init__(self, target: SoundClass | None = None) -> None:
        self.name, self.paper, self.purpose, self.target = "oracle", "A", "a test", target

    def fit(self, fold: Fold) -> None:
        assert not set(fold.scored.origins) & set(fold.train.origins)
        Oracle.fitted += 1

    def predict(self, windows: Windows) -> np.ndarray:
        rows = np.zeros((len(windows), len(LABELS)), np.float32)
        rows[np.arange(len(windows)), windows.labels] = 1
        return rows

    def size_bytes(self) -> int:
        return 12_000


@pytest.fixture
def compare(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    def once(*factories: Factory, seed: int = 1, again: bool = False) -> list[dict[str, Any]]:
        folds = [replace(fold, seed=seed) for fold in compare_data.folds()]
        return run.compare(factories, folds, tmp_path / "all", tmp_path / "parts", again=again)

    return once


def test_what_is_done_is_not_done_again(
    compare: Callable[..., list[dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Oracle, "fitted", 0)
    (first,) = compare(Oracle)
    (second,) = compare(Oracle)
    assert Oracle.fitted == 3, "once in each fold"
    assert first == second == json.loads((tmp_path / "all/oracle.json").read_text(encoding="utf-8"))
    assert first["figures"]["macro"]["f1"]["value"] == 1
    compare(Oracle, again=True)
    compare(Oracle, seed=2)
    assert Oracle.fitted == 9
    (tmp_path / "all/oracle.json").unlink()
    (tmp_path / "parts/oracle-1.json").unlink()
    assert compare(Oracle, seed=2)
    assert Oracle.fitted == 10, "only the fold that was missing"
    (tmp_path / "all/oracle.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelsError, match="delete it"):
        compare(Oracle, seed=2)


def test_results_of_other_windows_do_not_come_onto_the_page(
    compare: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    (result,) = compare(Oracle)
    folds, factory = compare_data.folds(), [Oracle]
    assert run.read_results(factory, folds, tmp_path / "all") == ([result], [])
    fewer = [replace(fold, scored=fold.scored.take(np.arange(9))) for fold in folds]
    assert run.read_results(factory, fewer, tmp_path / "all") == ([], factory)


def test_a_cost_is_told_beside_yamnet_s() -> None:
    try:
        path = teachers_directory()
    except ModelsError as error:
        pytest.skip(str(error))
    itself = references.Reference("itself", "a test", references.hear_yamnet, [path])
    # It takes turns with itself; what looks nothing up but the answer costs nearly nothing.
    cost = run.cost_beside_yamnet(itself, compare_data.folds()[0])
    assert run.cost_beside_yamnet(Oracle(), compare_data.folds()[0]) < cost / 10


def test_the_page_has_every_approach_and_its_picture(
    compare: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    (result,) = compare(Oracle)
    (gun,) = compare(lambda: Oracle(SoundClass.GUNSHOT), again=True)
    result["cost_of_yamnet"] = 0.25
    gun |= {"name": "gun"}
    gun["experiment"] = {
        "title": "More",
        "note": "Of it.",
        "columns": ["what", "F1"],
        "rows": [["this", 0.25]],
    }
    written = page.write_page([result, gun], compare_data.folds(), 8, tmp_path, ["late"])
    naming, rest = written.read_text(encoding="utf-8").split("## One class or not")
    assert "| `oracle` | A | 100 %" in naming
    assert "Not measured yet: late." in naming
    assert "| 12 kB | 0.25 | a test |" in naming
    assert "| in each fold | 8 + 8 + 8 |" in naming
    assert "| sources | 3 | 3 |" in naming
    assert "| `gun` | A | gunshot or not | 100 | 100 | 100 | 100 | 100 |" in rest
    assert "| this | 0.25 |" in rest
    for line in (naming + rest).splitlines():
        if "](images" in line:
            assert (tmp_path / line.split("](")[1].rstrip(")")).is_file()


def test_thresholds_are_chosen_where_f1_is_best(windows: Windows) -> None:
    heard = np.zeros((len(windows), len(CLASSES)), np.float32)
    for column in range(len(CLASSES)):
        heard[windows.labels == column, column] = 0.02 * (column + 1)
    heard[windows.labels == OTHER_LABEL] = 0.01
    there = windows.labels != 3
    thresholds = references.best_thresholds(heard[there], windows.labels[there])
    assert thresholds[3] == np.float32(0.5)
    assert thresholds[0] == np.float32(0.02)


def test_the_released_network_is_asked_for_the_steps_that_end_in_the_window(
    windows: Windows, tmp_path: Path
) -> None:
    one = windows.take(np.flatnonzero(windows.starts == 7680)[:1])
    (path,) = one.clips.tolist()
    said = np.zeros((13, 8))
    # The window lies from 0.48 to 1.44 s; steps end at 0.16, 0.32 and so on.
    said[[2, 3, 9, 10], [0, 1, 2, 3]] = 0.7
    rows = {path: {"probabilities": said}, "other": {"probabilities": np.ones((1, 8))}}
    store_rows(tmp_path / "pooled.npz", rows)
    networks = [tmp_path / name for name in ("first", "second")]
    for size, network in enumerate(networks, 3):
        network.write_bytes(bytes(size))
    ours, tuned = (factory() for factory in references.released(tmp_path / "pooled.npz", networks))
    assert ours.size_bytes() == 7
    np.testing.assert_allclose(ours.predict(one)[0], [0, 1.4, 1.4, 0, 0, 0, 0, 0, 1], atol=1e-6)
    assert ours.version == tuned.version != ""


def test_a_mixture_has_its_event_where_it_says() -> None:
    library = compare_data.library()
    mixer = Mixer(library, library.clips, seed=4)
    assert mixer.classes == list(CLASSES)
    mixture = mixer.mix(10, SoundClass.DOG, 20.0)
    sounding = np.flatnonzero(mixture.labels[:, CLASSES.index(SoundClass.DOG)] == SOUNDS)
    assert sounding[0] == round((mixture.onset_s or 0) * 100)
    assert len(sounding) == pytest.approx(100, abs=3)
    loud = np.square(mixture.samples.reshape(-1, 160)).mean(axis=1)
    assert loud[sounding].mean() > 50 * np.delete(loud, sounding).mean()
    assert mixer.mix(10, None, 0.0).onset_s is None


def test_a_small_part_is_of_recordings_of_both_kinds(windows: Windows) -> None:
    asked = windows.asked(SoundClass.SCREAM)
    part = small_part(asked, np.random.default_rng(0))
    labels = {label for label, origin in zip(asked.labels, asked.origins, strict=True) if origin in part}
    assert labels == {CLASSES.index(SoundClass.SCREAM), OTHER_LABEL}
    assert len(part) < len(set(asked.origins)) / 2


def test_names_and_papers_are_those_of_the_table() -> None:
    every = [factory() for factory in comparison.LEARNING]
    assert len({approach.name for approach in every}) == len(every)
    assert {approach.paper for approach in every} == {"A", "B", "C", "D", "E"}
    with pytest.raises(ModelsError, match="there are: svm"):
        comparison.choose(comparison.LEARNING, "nobody")


def test_the_command_writes_results_and_page_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(comparison, "EVERY", (Oracle,))
    comparison.compare_all(compare_data.library(), Path("nowhere"), Path("docs"))
    assert (tmp_path / "models/compared/oracle.json").is_file()
    assert "Not measured yet: echonet, echonet-tuned." in (tmp_path / "docs/compare.md").read_text(
        encoding="utf-8"
    )
    assert "macro F1 1.00, mAP 1.00" in capsys.readouterr().out
    with pytest.raises(ModelsError, match="there are: oracle"):
        comparison.compare_all(compare_data.library(), Path("nowhere"), Path("docs"), only="nobody")
