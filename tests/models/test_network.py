"""The network begins as mn04, ends as a file that computes the same, and copies no layer of its teacher."""

import json
from pathlib import Path

from ai_edge_litert.interpreter import Interpreter
import numpy as np
import pytest

from echonet_models.data.library import Library
from echonet_models.data.manifest import CLASSES, UNLABELLED
from echonet_models.data.teachers import (
    AUDIOSET_CLASSES,
    LOWEST_LOGIT,
    MN04_FILE,
    STRETCH,
    Mn04,
    read_class_map,
)
from echonet_models.errors import ModelsError
from echonet_models.network.checkpoints import read_state
from echonet_models.network.ears import BANDS, WINDOW_FRAMES, Ears, load_weights, pretrained, save_weights
from echonet_models.network.export import convert
from echonet_models.network.regression import Regression, features, fit
from echonet_models.network.shortening import shorten, window_of

RELEASED = Path(__file__).parents[2] / "models" / "released" / "echonet"


@pytest.fixture(scope="module")
def ears(teachers: Path) -> Ears:
    return pretrained(teachers, read_class_map(teachers).meanings)


def test_a_class_begins_as_what_the_regression_says_of_the_teachers_classes(teachers: Path) -> None:
    meanings = read_class_map(teachers).meanings
    ears = pretrained(teachers, meanings)
    generator = np.random.default_rng(0)
    regression = Regression(
        generator.normal(size=(AUDIOSET_CLASSES + len(CLASSES), len(CLASSES))).astype(np.float32),
        generator.normal(size=len(CLASSES)).astype(np.float32),
    )
    ears.begin_with(regression)
    window = generator.normal(-0.5, 0.5, (3, WINDOW_FRAMES, BANDS)).astype(np.float32)
    own, audioset, embedding = (np.asarray(part) for part in ears.model(window, training=False))
    assert embedding.shape == (3, 384)
    expected = np.asarray(features(audioset, meanings)) @ regression.kernel + regression.bias
    assert own == pytest.approx(expected, abs=1e-3)


def test_half_way_a_class_is_the_mean_of_the_regression_and_the_classes_that_mean_it() -> None:
    generator = np.random.default_rng(0)
    regression = Regression(
        generator.normal(size=(AUDIOSET_CLASSES + len(CLASSES), len(CLASSES))).astype(np.float32),
        generator.normal(size=len(CLASSES)).astype(np.float32),
    )
    # Each of our classes is meant by one of AudioSet's.
    meanings = [[3 * place] for place in range(len(CLASSES))]
    audioset = generator.uniform(-6, 3, (5, AUDIOSET_CLASSES)).astype(np.float32)
    seen = np.asarray(features(audioset, meanings))
    plain = audioset[:, [own[0] for own in meanings]]
    asked = seen @ regression.kernel + regression.bias
    half = regression.halfway()
    assert seen @ half.kernel + half.bias == pytest.approx((asked + plain) / 2, abs=1e-3)


def test_the_regression_tells_classes_apart_that_the_teachers_tell_apart(library: Library) -> None:
    clips = [clip for clip in library.clips if clip.label != UNLABELLED]
    regression = fit(clips, library.lessons, library.class_map)
    logits = np.concatenate([library.lessons[clip.path].logits for clip in clips])
    ends = np.cumsum([len(library.lessons[clip.path].logits) for clip in clips])
    told = np.asarray(features(logits, library.class_map.meanings)) @ regression.kernel + regression.bias
    scores = dict(zip((clip.path for clip in clips), np.split(told, ends[:-1]), strict=True))
    for column, name in enumerate(CLASSES):
        own = [scores[clip.path][:, column].max() for clip in clips if clip.sound_class is name]
        others = [scores[clip.path][:, column].max() for clip in clips if clip.sound_class is not name]
        assert np.median(own) > np.median(others)


def test_the_file_computes_what_the_network_does_with_calibration_in_it(ears: Ears) -> None:
    slopes = np.linspace(0.5, 1.5, len(CLASSES)).astype(np.float32)
    offsets = np.linspace(-1, 1, len(CLASSES)).astype(np.float32)
    before = ears.head.get_weights()
    conversion = convert(ears, slopes, offsets)
    # The network that was trained is as it was.
    assert all(np.array_equal(a, b) for a, b in zip(before, ears.head.get_weights(), strict=True))
    assert len(conversion.content) < 4e6
    interpreter = Interpreter(model_content=conversion.content, num_threads=1)
    interpreter.allocate_tensors()
    window = np.random.default_rng(1).normal(-0.5, 0.5, (1, WINDOW_FRAMES, BANDS)).astype(np.float32)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window)
    interpreter.invoke()
    found = {
        detail["name"]: interpreter.get_tensor(detail["index"])[0]
        for detail in interpreter.get_output_details()
    }
    logits = np.asarray(ears.model(window, training=False)[0])[0]
    expected = 1 / (1 + np.exp(-(logits * slopes + offsets)))
    assert found[conversion.tensors["probabilities"]] == pytest.approx(expected, abs=0.01)
    assert found[conversion.tensors["embedding"]].shape == (conversion.embedding_size,)
    assert found[conversion.tensors["audioset"]].min() >= 0


def test_weights_come_back_as_they_were(ears: Ears, tmp_path: Path) -> None:
    save_weights(tmp_path / "weights.npz", ears.model)
    before = ears.model.get_weights()
    load_weights(tmp_path / "weights.npz", ears.model)
    assert all(np.array_equal(a, b) for a, b in zip(before, ears.model.get_weights(), strict=True))
    with pytest.raises(ModelsError, match="cannot take weights"):
        load_weights(tmp_path / "absent.npz", ears.model)


@pytest.mark.parametrize("file", ["model.tflite", "second_look.tflite"])
def test_no_layer_of_a_released_network_is_an_untouched_copy(teachers: Path, file: str) -> None:
    """Every layer was trained on: none of mn04's kernels lies in the file, whatever precision it was rounded to."""
    assert json.loads((RELEASED / "model.json").read_text(encoding="utf-8"))["training"]
    interpreter = Interpreter(model_path=str(RELEASED / file), num_threads=1)
    interpreter.allocate_tensors()
    kept: dict[int, list[np.ndarray]] = {}
    for detail in interpreter.get_tensor_details():
        try:
            values = np.asarray(interpreter.get_tensor(detail["index"]), np.float32)
        except ValueError:
            continue  # of a tensor that lives only while the network runs
        # Memory that is filled only while it runs may hold anything until then.
        if values.size >= 64 and np.isfinite(values).all():
            kept.setdefault(values.size, []).append(values)
    compared = 0
    for name, weight in read_state(teachers / "mn04_as_mAP_432.pt").items():
        if weight.ndim < 2 or weight.size < 64:
            continue
        for values in kept.get(weight.size, []):
            # Sorted, so that no transposition hides a copy; scaled, so that no folded normalisation of a whole does.
            a, b = (np.sort(part.ravel()) / (np.abs(part).max() + 1e-12) for part in (weight, values))
            compared += 1
            assert np.abs(a - b).mean() > 1e-4, name
    assert compared > 20


def test_fitted_to_short_windows_it_says_what_mn04_says_of_them_in_ten_seconds_of_silence(
    teachers: Path, library: Library
) -> None:
    state = read_state(teachers / MN04_FILE)
    stretches = [
        np.pad(library.recordings.piece(clip.path, start, STRETCH), (0, STRETCH))[:STRETCH]
        for clip in library.clips
        for start in library.lessons[clip.path].starts[:4]
    ]
    # Those that it was not fitted with tell.
    fitted, others = stretches[::2], stretches[1::2][:40]
    ears = pretrained(teachers, read_class_map(teachers).meanings)
    mn04 = Mn04(teachers)
    wanted = np.maximum(np.stack([mn04.logits(sound) for sound in others]), LOWEST_LOGIT).ravel()
    windows = np.stack([window_of(sound, WINDOW_FRAMES) for sound in others])

    def agreement() -> float:
        told = np.maximum(np.asarray(ears.model(windows, training=False)[1]), LOWEST_LOGIT).ravel()
        return float(np.corrcoef(told, wanted)[0, 1])

    before = agreement()
    shorten(ears.model, state, fitted)
    assert agreement() > 0.95 > before + 0.1
