"""The shipped model, and what happens to one that is damaged."""

from collections.abc import Callable
import json
from pathlib import Path
import shutil
from typing import Any

import numpy as np
import pytest

from echonet_satellite import synthesis
from echonet_satellite.card import read_card
from echonet_satellite.classifier import ModelError, load_classifier
from echonet_satellite.frontend import Floats
from echonet_satellite.hearing import Hearing
from echonet_satellite.protocol import SoundClass
from tests.support.hearing import model_directory

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the shipped model, to be damaged."""
    return Path(shutil.copytree(model_directory(), tmp_path / "model"))


def change_card(model: Path, change: Change) -> None:
    """Change the card of a model."""
    card = json.loads((model / "model.json").read_text())
    change(card)
    (model / "model.json").write_text(json.dumps(card))


def refused(model: Path) -> str:
    """Return why a model is refused: in one line."""
    with pytest.raises(ModelError) as caught:
        load_classifier(model)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def frames(count: int, seed: int = 0) -> np.ndarray:
    """Return log-mel frames of something."""
    return np.random.default_rng(seed).normal(-6, 3, (count, 16, 64)).astype(np.float32)


def test_gives_a_probability_for_each_class_and_half_step() -> None:
    classifier = load_classifier(model_directory())
    assert classifier.card.classes == tuple(SoundClass)
    for step in frames(10):
        probabilities = classifier.step(step)
        assert probabilities.shape == (2, 8)
        assert probabilities.dtype == np.float32
        assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_remembers_from_step_to_step_until_reset() -> None:
    classifier = load_classifier(model_directory())
    first, second = frames(2)
    fresh = classifier.step(first)
    classifier.step(second)
    assert not np.array_equal(classifier.step(first), fresh)
    classifier.reset()
    np.testing.assert_array_equal(classifier.step(first), fresh)


def test_what_it_gave_does_not_change_with_the_next_step() -> None:
    classifier = load_classifier(model_directory())
    first, second = frames(2)
    given = classifier.step(first)
    kept = given.copy()
    classifier.step(second)
    np.testing.assert_array_equal(given, kept)


def test_recovers_from_what_is_not_a_number() -> None:
    classifier = load_classifier(model_directory())
    assert not classifier.step(np.full((16, 64), np.nan, np.float32)).any()
    (step,) = frames(1)
    assert np.array_equal(classifier.step(step), load_classifier(model_directory()).step(step))


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_a_truncated_model_is_refused(model: Path, keep: int) -> None:
    content = (model / "model.tflite").read_bytes()
    (model / "model.tflite").write_bytes(content[:keep])
    assert "model.tflite is damaged" in refused(model)


def test_a_corrupted_model_is_refused(model: Path) -> None:
    content = bytearray((model / "model.tflite").read_bytes())
    content[len(content) // 2] ^= 1
    (model / "model.tflite").write_bytes(content)
    assert "model.tflite is damaged" in refused(model)


def test_garbage_with_a_fitting_card_is_refused(model: Path) -> None:
    content = b"TFL3 but nothing more" * 10
    (model / "model.tflite").write_bytes(content)
    import hashlib  # noqa: PLC0415 - the one test that forges a card

    change_card(model, lambda card: card.update(sha256=hashlib.sha256(content).hexdigest()))
    assert "cannot be used by the LiteRT runtime" in refused(model)


@pytest.mark.parametrize("name", ["model.tflite", "model.json"])
def test_a_missing_file_is_named(model: Path, name: str) -> None:
    (model / name).unlink()
    assert name in refused(model)


def test_a_card_that_is_no_json_is_refused(model: Path) -> None:
    (model / "model.json").write_text("{")
    assert "model.json is damaged: it is not JSON" in refused(model)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda card: card.pop("name"), "name is missing"),
        (lambda card: card.update(version=1), "version is no text"),
        (lambda card: card.update(sha256="ABC"), "sha256 is no SHA-256"),
        (lambda card: card.update(classes=["gunshot", "cat"]), "classes holds an unknown class"),
        (lambda card: card.update(classes=["dog", "dog"]), "classes is empty or names a class twice"),
        (lambda card: card.update(step_frames=0), "step_frames is out of range"),
        (lambda card: card.update(step_frames=True), "step_frames is no whole number"),
        (lambda card: card.update(outputs_per_step=3), "outputs_per_step does not divide step_frames"),
        (lambda card: card["frontend"].pop("fmin"), "frontend.fmin is missing"),
        (lambda card: card["frontend"].update(hop_length=0), "hop_length must be greater than 0"),
        (lambda card: card["frontend"].update(n_mels="64"), "frontend.n_mels is no whole number"),
        (lambda card: card.update(tensors=[]), "tensors is no object"),
        (lambda card: card["tensors"]["states"].append(7), r"is not an object"),
        (lambda card: card["tensors"]["states"][0].update(shape=[0]), r"tensors.states[0].shape"),
        (lambda card: card["decision"].pop("dog"), "decision.dog is missing"),
        (lambda card: card["decision"]["dog"]["thresholds"].update(low=1.5), "decision.dog.thresholds.low"),
        (lambda card: card["decision"]["dog"]["thresholds"].update(low=float("nan")), "is not finite"),
        (lambda card: card["decision"]["dog"].update(confirm=[3, 2]), "decision.dog.confirm"),
        (lambda card: card["decision"]["dog"].update(hold_s=-1), "decision.dog.hold_s is out of range"),
        (lambda card: card["decision"]["dog"].update(leave_ratio=None), "decision.dog.leave_ratio"),
    ],
)
def test_a_damaged_card_names_file_and_field(model: Path, change: Change, said: str) -> None:
    change_card(model, change)
    reason = refused(model)
    assert said in reason
    assert str(model / "model.json") in reason


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda card: card["tensors"].update(input="nothing"), "it has no input nothing"),
        (lambda card: card["tensors"].update(output="nothing"), "it has no output nothing"),
        (lambda card: card.update(step_frames=32), "not float32 [1, 32, 64]"),
        (lambda card: card["frontend"].update(n_mels=40), "not float32 [1, 16, 40]"),
        (lambda card: card["classes"].pop(), "not float32 [1, 2, 7]"),
        (lambda card: card["tensors"]["states"][0].update(shape=[1, 9]), "not float32 [1, 9]"),
        (lambda card: card["tensors"]["states"].pop(), "is not named in it"),
    ],
)
def test_a_card_of_another_model_is_refused(model: Path, change: Change, said: str) -> None:
    change_card(model, change)
    assert said in refused(model)


def test_unknown_fields_of_a_card_are_ignored(model: Path) -> None:
    change_card(model, lambda card: card.update(later="more"))
    assert read_card(model).name == read_card(model_directory()).name


def test_a_blast_that_begins_a_recording_is_heard_as_one_in_it() -> None:
    """What is at the very start of a stream must not drown in the network's first states."""
    blast = synthesis.gunshot(np.random.default_rng(1))[:16_000]
    quiet = np.random.default_rng(2).normal(0, 3e-4, 48_000).astype(np.float32)
    heard = []
    for samples in (np.concatenate([blast, quiet]), np.concatenate([quiet, blast, quiet])):
        rows: list[Floats] = []
        hearing = Hearing(load_classifier(model_directory()), {}, on_probabilities=rows.append)
        hearing.push(samples)
        heard.append(float(np.concatenate(rows)[:, 0].max()))
    assert heard[0] > heard[1] / 2
