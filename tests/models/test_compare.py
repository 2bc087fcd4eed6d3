"""The frame of the comparison: windows, features, figures, what is done only once, and the page."""

from dataclasses import replace
import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from echonet_models.compare import references, run
from echonet_models.compare.approach import Approach, Progress, Scores
from echonet_models.compare.clip_features import one_class
from echonet_models.compare.features import (
    FEATURES,
    clip_features,
    linear_filter_bank,
    linear_prediction_frames,
    lpc_to_cepstrum,
)
from echonet_models.compare.page import write_page
from echonet_models.compare.scoring import MEASURES, score
from echonet_models.compare.scream import domains
from echonet_models.compare.windows import LABELS, OTHER_LABEL, WINDOW, Windows, windows_of
from echonet_models.datasets import CLASSES, Split
from echonet_models.errors import ModelsError
from echonet_models.material import Material
from echonet_satellite.classifier import load_classifier
from echonet_satellite.hearing import Hearing
from echonet_satellite.protocol import Sensitivity, SoundClass


@pytest.fixture(scope="module")
def windows(small_material: Material) -> Windows:
    return windows_of(small_material, Split.TRAIN, limit_per_class=9, seed=3)


def test_windows_are_of_one_split_and_hold_their_class(small_material: Material, windows: Windows) -> None:
    assert {small_material.split[origin] for origin in windows.origins} == {Split.TRAIN}
    assert windows.samples.shape == (len(windows), WINDOW)
    of_path = {clip.path: clip for clip in small_material.clips}
    for number, (path, start) in enumerate(zip(windows.clips, windows.starts, strict=True)):
        label = LABELS[windows.labels[number]]
        assert of_path[path].label in (label, "background" if label == "other" else label)
        cut = small_material.recordings[path][start : start + WINDOW]
        np.testing.assert_array_equal(windows.samples[number, : len(cut)], cut)
        if label != "other":
            assert np.abs(cut).max() > 0.1, "the tone is in it, not only the silence around it"


def test_recordings_take_turns_up_to_the_limit(small_material: Material, windows: Windows) -> None:
    for label in range(len(LABELS)):
        origins = [
            origin for origin, own in zip(windows.origins, windows.labels, strict=True) if own == label
        ]
        counts = [origins.count(origin) for origin in set(origins)]
        assert len(origins) == 9
        assert max(counts) - min(counts) <= 1
    again = windows_of(small_material, Split.TRAIN, limit_per_class=9, seed=3)
    assert (again.clips, again.starts) == (windows.clips, windows.starts)
    other = windows_of(small_material, Split.TRAIN, limit_per_class=9, seed=4)
    assert (other.clips, other.starts) != (windows.clips, windows.starts)


def test_taking_by_mask_and_by_index_agree(windows: Windows) -> None:
    mask = windows.labels == OTHER_LABEL
    one, two = windows.take(mask), windows.take(np.flatnonzero(mask))
    np.testing.assert_array_equal(one.samples, two.samples)
    assert one.origins == two.origins
    assert set(one.labels) == {OTHER_LABEL}


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
    assert bank.shape == (24, 513)
    assert bank.max() <= 1
    inner = bank.sum(axis=0)[30:480]
    np.testing.assert_allclose(inner, 1, atol=1e-5)


def test_features_are_seventeen_of_finite_numbers_whatever_the_level(windows: Windows) -> None:
    assert len(set(FEATURES)) == 17
    samples = windows.samples[:4].copy()
    samples[3] = 0
    features, frames = clip_features(samples), linear_prediction_frames(samples)
    assert np.isfinite(features).all()
    assert np.isfinite(frames).all()
    np.testing.assert_allclose(
        clip_features(samples[:3] * np.float32(0.25)), features[:3], rtol=1e-3, atol=1e-3
    )


def test_features_are_remembered_only_for_the_same_array(windows: Windows) -> None:
    samples = windows.samples[:2].copy()
    first = clip_features(samples)
    assert clip_features(samples) is first
    assert clip_features(samples.copy()) is not first


def test_figures_are_those_of_scikit_learn(windows: Windows) -> None:
    generator = np.random.default_rng(1)
    predicted = generator.random((len(windows), len(LABELS))).astype(np.float32)
    predicted[np.arange(len(windows)), windows.labels] += 0.4
    figures = score(predicted, windows)
    expected = precision_recall_fscore_support(
        windows.labels, predicted.argmax(axis=1), labels=range(len(LABELS)), zero_division=0
    )
    for key, values in zip(("precision", "recall", "f1"), expected, strict=False):
        own = [figures["classes"][name][key] for name in LABELS]
        np.testing.assert_allclose(own, values, atol=1e-4)
        macro = figures["macro"][key]
        assert macro["value"] == pytest.approx(float(np.mean(values)), abs=1e-4)
        assert macro["low"] <= macro["value"] <= macro["high"]
    right = float((predicted.argmax(axis=1) == windows.labels).mean())
    assert figures["micro"]["accuracy"]["value"] == pytest.approx(right, abs=1e-4)
    counts = np.array(figures["confusion"]["counts"])
    assert counts.sum() == len(windows)
    specificity = 1 - (counts[:, 0].sum() - counts[0, 0]) / (counts.sum() - counts[0].sum())
    assert figures["classes"][LABELS[0]]["specificity"] == pytest.approx(specificity, abs=1e-4)


def test_one_class_is_scored_on_its_own_question(windows: Windows) -> None:
    dog = CLASSES.index(SoundClass.DOG)
    predicted = np.zeros((len(windows), len(LABELS)), np.float32)
    predicted[:, OTHER_LABEL] = 0.5
    predicted[windows.labels == dog, dog] = 0.6
    figures = score(predicted, windows, SoundClass.DOG)
    assert list(figures["classes"]) == ["dog", "rest"]
    assert all(figures["macro"][key]["value"] == 1 for key in MEASURES)
    assert set(one_class(windows.labels, SoundClass.DOG)) == {dog, OTHER_LABEL}


class Oracle:
    """Looks the answer up in the pitch: each class of the small data set has its own."""

    name, paper, purpose = "oracle", "A", "a test"

    def __init__(self, hears: bool = True) -> None:
        self.fitted, self.hears = 0, hears

    def fit(self, train: Windows, tune: Windows, *, seed: int, quick: bool, progress: Progress) -> None:
        del train, tune, seed, quick
        self.fitted += 1
        progress(0.5)

    def predict(self, windows: Windows) -> Scores:
        rows = np.zeros((len(windows), len(LABELS)), np.float32)
        rows[np.arange(len(windows)), windows.labels if self.hears else OTHER_LABEL] = 1
        return rows

    def size_bytes(self) -> int:
        return 12


def test_what_is_done_is_not_done_again(
    small_material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle = Oracle()
    monkeypatch.setattr(run, "approaches", lambda _material, _only=None: [cast("Approach", oracle)])
    (first,) = run.compare(small_material, tmp_path, quick=True)
    (second,) = run.compare(small_material, tmp_path, quick=True)
    assert oracle.fitted == 1
    assert first == second == json.loads((tmp_path / "oracle.json").read_text(encoding="utf-8"))
    assert first["figures"]["macro"]["f1"]["value"] == 1
    run.compare(small_material, tmp_path, quick=True, again=True)
    run.compare(small_material, tmp_path, quick=True, seed=2)
    assert oracle.fitted == 3
    (tmp_path / "oracle.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelsError, match="delete it"):
        run.compare(small_material, tmp_path, quick=True)


def test_results_of_other_windows_do_not_come_onto_the_page(
    small_material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "approaches", lambda _material, _only=None: [cast("Approach", Oracle())])
    (result,) = run.compare(small_material, tmp_path, quick=True)
    assert run.read_results(small_material, tmp_path, like=result["key"]) == ([result], [])
    assert run.read_results(small_material, tmp_path, like={**result["key"], "seed": 9}) == ([], ["oracle"])


def test_who_does_not_learn_is_named(small_material: Material) -> None:
    data = run.gather(small_material, run.QUICK, seed=1)
    results = [
        run.measure(
            cast("Approach", oracle), small_material, data, seed=1, quick=True, progress=lambda _: None
        )
        for oracle in (Oracle(), Oracle(hears=False))
    ]
    (line,) = run.unlearned(results)
    assert line.startswith("oracle: balanced accuracy 0.11")


def test_a_cost_is_told_beside_yamnet_s(small_material: Material, windows: Windows) -> None:
    try:
        yamnet = references.YamnetEar(small_material)
    except ModelsError as error:
        pytest.skip(str(error))
    itself = references.Reference("itself", "a test", lambda: yamnet, lambda: references.HALF)
    itself.fit(windows, windows, seed=1, quick=True, progress=lambda _: None)
    cost = run.cost_beside(yamnet, itself, windows, seed=1)
    assert cost["low"] <= cost["value"] <= cost["high"]
    # It takes turns with itself; what looks nothing up but the answer costs nearly nothing.
    nothing = run.cost_beside(yamnet, cast("Approach", Oracle()), windows, seed=1)
    assert nothing["value"] < cost["value"] / 10


def test_the_page_has_every_approach_and_its_pictures(small_material: Material, tmp_path: Path) -> None:
    data = run.gather(small_material, run.QUICK, seed=1)
    result = run.measure(
        cast("Approach", Oracle()), small_material, data, seed=1, quick=True, progress=lambda _: None
    )
    result |= {"size_bytes": 12_000, "cost_of_yamnet": {"value": 0.25, "low": 0.2, "high": 0.3}}
    gun = {**result, "name": "gun", "target": "gunshot"}
    predicted = Oracle().predict(data.validation)
    predicted[:, OTHER_LABEL] += 0.5
    gun["figures"] = score(predicted, data.validation, SoundClass.GUNSHOT)
    gun["extra"] = {"title": "More", "note": "Of it.", "columns": ["what", "F1"], "rows": [["this", 0.25]]}
    amounts: dict[str, Any] = {"train": 30, "tune": 15, "validation": 15}
    released = {**result, "name": "echonet", "key": {"version": "0123"}}
    page = write_page(
        [{**result, "key": {}}, {**gun, "key": {}}, released], amounts, tmp_path, ["late"]
    ).read_text(encoding="utf-8")
    naming, rest = page.split("## One class or not")
    assert "| `oracle` | A | 100 %" in naming
    assert "Not measured yet: late." in naming
    assert "EchoNet ships\n(`model.tflite` with the SHA-256 `0123`)." in naming
    assert "| 12 kB | 0.25 | " in naming
    assert "| `gun` | A | gunshot or not | 100 | 100 | 100 | 100 |" in rest
    assert "| this | 0.25 |" in rest
    for line in page.splitlines():
        if "](images" in line:
            assert (tmp_path / line.split("](")[1].rstrip(")")).is_file()


def test_thresholds_are_chosen_where_f1_is_best(windows: Windows) -> None:
    heard = np.zeros((len(windows), len(CLASSES)), np.float32)
    for column in range(len(CLASSES)):
        heard[windows.labels == column, column] = 0.02 * (column + 1)
    heard[windows.labels == OTHER_LABEL] = 0.01
    absent = windows.take(windows.labels != 3)
    thresholds = references.best_thresholds(heard[windows.labels != 3], absent)
    assert thresholds[3] == np.float32(0.5)
    assert thresholds[0] == np.float32(0.02)


def test_the_released_model_is_heard_as_the_satellite_hears_it(
    small_material: Material, windows: Windows
) -> None:
    path = next(path for path, label in zip(windows.clips, windows.labels, strict=True) if label == 0)
    rows: list[np.ndarray] = []
    hearing = Hearing(
        load_classifier(), dict.fromkeys(CLASSES, Sensitivity.MEDIUM), on_probabilities=rows.append
    )
    hearing.push(small_material.recordings[path])
    hearing.finish()
    heard = np.concatenate(rows)
    which = np.array([clip == path for clip in windows.clips])
    chosen = windows.take(which)
    ear = references.EchonetEar(small_material)
    for start, row in zip(chosen.starts, ear.hear(chosen, lambda _: None), strict=True):
        first = start // 1280
        np.testing.assert_allclose(row, heard[first : first + 14].max(axis=0), atol=1e-4)
    assert ear.heard_s(chosen) == pytest.approx((max(chosen.starts) / 1280 + 14) * 0.08)


def test_domains_share_no_recording(small_material: Material) -> None:
    clips = [
        replace(clip, origin="both") if clip.path in ("scream/0.flac", "scream/1.flac") else clip
        for clip in small_material.clips
    ]
    here, there = domains(clips)
    assert {clip.source for clip in here} == {"source-0"}
    assert not {clip.origin for clip in here} & {clip.origin for clip in there}
