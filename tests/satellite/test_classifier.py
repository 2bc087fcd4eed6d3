"""A network and its card: what it is given, what it gives, and what happens to one that is damaged."""

from collections.abc import Callable
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from echonet_satellite import synthesis
from echonet_satellite.card import read_card
from echonet_satellite.classifier import Heard, ModelError, load_classifier, quiet_room
from echonet_satellite.frontend import Floats, log_mel
from echonet_satellite.hearing import Hearing
from echonet_satellite.protocol import SoundClass
from tests.support import networks
from tests.support.hearing import model_directory
from tests.support.networks import PARAMETERS

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small model, to be damaged."""
    return networks.write_model(tmp_path / "model")


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


def frames(count: int, seed: int = 0) -> Floats:
    """Return steps of log-mel frames of something."""
    return np.random.default_rng(seed).normal(-0.9, 0.2, (count, 16, 104)).astype(np.float32)


def test_gives_all_that_it_hears_once_a_step(model: Path) -> None:
    classifier = load_classifier(model)
    assert classifier.card.classes == tuple(SoundClass)
    assert classifier.card.step_s == pytest.approx(0.16)
    for step in frames(10):
        heard = classifier.step(step)
        assert heard.probabilities.shape == (8,)
        assert heard.audioset.shape == (527,)
        assert heard.embedding.shape == (networks.EMBEDDING_SIZE,)
        assert heard.probabilities.dtype == np.float32
        for probabilities in (heard.probabilities, heard.audioset):
            assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_sees_the_window_that_ends_with_the_step(model: Path) -> None:
    """Over many windows, so that the frames that are kept have moved to the front again and again."""
    classifier = load_classifier(model)
    quiet = log_mel(quiet_room(PARAMETERS.samples_in(160)), PARAMETERS)
    steps = frames(100)
    so_far = np.concatenate((quiet, *steps))
    for number, step in enumerate(steps):
        window = so_far[(number + 1) * 16 :][:160]
        assert classifier.step(step).probabilities[0] == pytest.approx(networks.expected(window), abs=1e-5)


def test_a_window_need_not_be_so_many_whole_steps(tmp_path: Path) -> None:
    classifier = load_classifier(networks.write_model(tmp_path / "model", step_frames=21))
    so_far = log_mel(quiet_room(PARAMETERS.samples_in(160)), PARAMETERS)
    louder_and_louder = np.arange(80, dtype=np.float32)[:, None, None] / 200
    for step in frames(2).reshape(-1, 104)[:21] + louder_and_louder:
        so_far = np.concatenate((so_far, step))[-160:]
        assert classifier.step(step).probabilities[0] == pytest.approx(networks.expected(so_far), abs=1e-5)


def test_remembers_from_step_to_step_until_reset(model: Path) -> None:
    classifier = load_classifier(model)
    first, second = frames(2)
    fresh = classifier.step(first)
    classifier.step(second)
    assert not np.array_equal(classifier.step(first).embedding, fresh.embedding)
    classifier.reset()
    np.testing.assert_array_equal(classifier.step(first).embedding, fresh.embedding)


def test_what_it_gave_does_not_change_with_the_next_step(model: Path) -> None:
    classifier = load_classifier(model)
    first, second = frames(2)
    given = classifier.step(first)
    kept = given.probabilities.copy(), given.audioset.copy(), given.embedding.copy()
    classifier.step(second + 1)
    for now, then in zip((given.probabilities, given.audioset, given.embedding), kept, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_recovers_from_what_is_not_a_number(model: Path, value: float) -> None:
    classifier = load_classifier(model)
    classifier.step(frames(1, seed=1)[0] + 1)
    broken = frames(1)[0]
    broken[3, 5] = value
    heard = classifier.step(broken)
    assert not heard.probabilities.any()
    assert not heard.audioset.any()
    assert not heard.embedding.any()
    (step,) = frames(1)
    np.testing.assert_array_equal(
        classifier.step(step).embedding, load_classifier(model).step(step).embedding
    )


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
        (lambda card: card.update(step_frames=161), "step_frames is more than window_frames"),
        (lambda card: card.pop("window_frames"), "window_frames is missing"),
        (lambda card: card.update(embedding_size=-1), "embedding_size is out of range"),
        (lambda card: card["frontend"].pop("fmin"), "frontend.fmin is missing"),
        (lambda card: card["frontend"].update(hop_length=0), "hop_length must be greater than 0"),
        (lambda card: card["frontend"].update(n_mels="104"), "frontend.n_mels is no whole number"),
        (lambda card: card["frontend"].update(scale=0), "scale must be greater than 0"),
        (lambda card: card.update(tensors=[]), "tensors is no object"),
        (lambda card: card["tensors"].pop("embedding"), "tensors.embedding is missing"),
        (lambda card: card["tensors"].update(audioset=3), "tensors.audioset is no text"),
        (lambda card: card["decision"].pop("dog"), "decision.dog is missing"),
        (lambda card: card["decision"]["dog"]["thresholds"].update(low=1.5), "decision.dog.thresholds.low"),
        (lambda card: card["decision"]["dog"]["thresholds"].update(low=float("nan")), "is not finite"),
        (lambda card: card["decision"]["dog"].update(confirm=[3, 2]), "decision.dog.confirm"),
        (lambda card: card["decision"]["dog"].update(hold_s=-1), "decision.dog.hold_s is out of range"),
        (lambda card: card["decision"]["dog"].update(leave_ratio=None), "decision.dog.leave_ratio"),
        (lambda card: card["decision"]["dog"].pop("rise_db"), "decision.dog.rise_db is missing"),
        (lambda card: card["decision"]["dog"].update(scene=3), "decision.dog.scene is no object"),
        (
            lambda card: card["decision"]["presence"]["scene"].update(build_up_s=0),
            "decision.presence.scene.build_up_s is out of range",
        ),
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
        (lambda card: card["tensors"].update(probabilities="nothing"), "it has no output nothing"),
        (lambda card: card["tensors"].update(audioset="probabilities"), "not float32 [1, 527]"),
        (lambda card: card.update(window_frames=100), "not float32 [1, 100, 104]"),
        (lambda card: card["frontend"].update(n_mels=40), "not float32 [1, 160, 40]"),
        (lambda card: card["classes"].pop(), "not float32 [1, 7]"),
        (lambda card: card.update(embedding_size=9), "not float32 [1, 9]"),
    ],
)
def test_a_card_of_another_model_is_refused(model: Path, change: Change, said: str) -> None:
    change_card(model, change)
    assert said in refused(model)


def test_unknown_fields_of_a_card_are_ignored(model: Path) -> None:
    change_card(model, lambda card: card.update(later="more"))
    assert read_card(model).name == "loudness"


def test_a_scene_needs_no_smoothing_and_no_hold(model: Path) -> None:
    change_card(model, lambda card: card["decision"]["presence"].pop("smoothing_steps"))
    change_card(model, lambda card: card["decision"]["presence"].pop("hold_s"))
    scene = read_card(model).decisions[SoundClass.PRESENCE].scene
    assert scene is not None
    assert (scene.build_up_s, scene.linger_s) == (5.0, 60.0)


def test_the_card_may_name_tensors_instead_of_the_signature(model: Path) -> None:
    change_card(model, lambda card: card["tensors"].update(input="frames", probabilities="sigmoid3"))
    (step,) = frames(1)
    given = load_classifier(model).step(step)
    assert given.probabilities.shape == (8,)


def test_a_blast_that_begins_a_recording_is_heard_as_one_in_it() -> None:
    """What is at the very start of a stream must not drown in the network's first states."""
    blast = synthesis.gunshot(np.random.default_rng(1))[:16_000]
    quiet = np.random.default_rng(2).normal(0, 3e-4, 48_000).astype(np.float32)
    heard = []
    for samples in (np.concatenate([blast, quiet]), np.concatenate([quiet, blast, quiet])):
        rows: list[Heard] = []
        hearing = Hearing(load_classifier(model_directory()), {}, on_heard=rows.append)
        hearing.push(samples)
        heard.append(max(float(row.probabilities[0]) for row in rows))
    assert heard[0] > heard[1] / 2
