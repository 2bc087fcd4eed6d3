"""The second look: when it is taken, what it sees, how much it counts, and what happens to one that is damaged."""

import json
from pathlib import Path

from hypothesis import given, strategies as st
import numpy as np
import pytest

from echonet_satellite.classifier import Classifier, ModelError, load_classifier
from echonet_satellite.frontend import Floats
from echonet_satellite.protocol import SoundClass
from echonet_satellite.second_look import UNLIKELY_LOGIT, blend
from tests.support import networks

GUNSHOT, GLASS, DOG = (
    tuple(SoundClass).index(name) for name in (SoundClass.GUNSHOT, SoundClass.GLASS_BREAK, SoundClass.DOG)
)
QUIET, LOUD = -1.2, 0.5


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small model that takes a second look."""
    return networks.write_second_look(networks.write_model(tmp_path / "model"))


@pytest.fixture
def first(tmp_path: Path) -> Classifier:
    """The same without."""
    return load_classifier(networks.write_model(tmp_path / "first"))


def steps(level: float, count: int) -> Floats:
    """Return steps of frames of a level."""
    return np.full((count, 16, 104), level, np.float32)


def hear(classifier: Classifier, sound: Floats) -> Floats:
    """Return the probabilities of each step."""
    return np.stack([classifier.step(step).probabilities for step in sound])


def logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def test_what_is_likely_counts_as_both_hear_it_and_the_rest_as_surely_not(
    model: Path, first: Classifier
) -> None:
    sound = np.concatenate((steps(QUIET, 3), steps(LOUD, 2), steps(QUIET, 12)))
    own, both = hear(first, sound), hear(load_classifier(model), sound)
    likely = own[:, GUNSHOT] >= 0.2
    assert likely.any()
    assert not likely.all()
    for asked, alone, found in zip(likely, own, both, strict=True):
        # Whoever is looked at, the look is at all.
        other = 4.0 if asked else UNLIKELY_LOGIT
        for place in (GUNSHOT, GLASS):
            sure = float(np.clip(alone[place], 1e-6, 1 - 1e-6))
            assert logit(float(found[place])) == pytest.approx((logit(sure) + other) / 2, abs=0.05)
        assert found[DOG] == alone[DOG]


def test_it_sees_three_times_as_much(tmp_path: Path) -> None:
    """A bang is in its window for 4.8 s; it is asked all the time here."""
    model = networks.write_second_look(
        networks.write_model(tmp_path / "model"), likely={"gunshot": 0.0, "glass_break": 0.0}
    )
    classifier = load_classifier(model)
    hear(classifier, steps(LOUD, 1))
    glass = hear(classifier, steps(QUIET, 40))[:, GLASS]
    # It is in the last of 30 steps, of which one was itself; the first network never hears glass.
    assert (glass[:29] > 0.2).all()
    assert (glass[29:] < 0.01).all()


def test_each_stream_has_frames_of_its_own_and_forgets_them(model: Path) -> None:
    one = load_classifier(model)
    other = one.for_another_stream()
    fresh = hear(load_classifier(model), steps(QUIET, 3))
    hear(one, steps(LOUD, 5))
    np.testing.assert_array_equal(hear(other, steps(QUIET, 3)), fresh)
    one.reset()
    np.testing.assert_array_equal(hear(one, steps(QUIET, 3)), fresh)


def test_many_steps_are_as_good_as_few(model: Path) -> None:
    """The frames move to the front of their memory now and then, which nobody hears."""
    sound = np.random.default_rng(0).normal(-0.4, 0.3, (300, 16, 104)).astype(np.float32)
    found = hear(load_classifier(model), sound)[-1]
    again = hear(load_classifier(model), sound[-40:])[-1]
    np.testing.assert_array_equal(found, again)


@given(st.floats(0, 1), st.floats(-50, 50), st.floats(0, 1))
def test_a_blend_lies_between_both(probability: float, other: float, share: float) -> None:
    own = np.array([probability], np.float32)
    found = float(blend(own, np.array([other], np.float32), np.array([share], np.float32))[0])
    limited = 1 / (1 + np.exp(-max(other, UNLIKELY_LOGIT)))
    low, high = sorted((float(own[0]), float(limited)))
    assert low - 1e-4 <= found <= high + 1e-4


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "0" * 64}, "second_look.tflite is damaged"),
        ({"sha256": 3}, "second_look.sha256 is no text"),
        ({"logits": "nothing"}, "has no output nothing"),
        ({"window_frames": 470}, "not float32 [1, 470, 104]"),
        ({"window_frames": 0}, "second_look.window_frames is out of range"),
        ({"shares": {"gunshot": 2.0}}, "second_look.shares.gunshot is out of range"),
        ({"likely": {"gunshot": 0.2}}, "second_look.likely.glass_break is missing"),
    ],
)
def test_one_that_is_damaged_is_refused_in_a_line(
    model: Path, changes: dict[str, object], reason: str
) -> None:
    card = json.loads((model / "model.json").read_text())
    card["second_look"] |= changes
    (model / "model.json").write_text(json.dumps(card))
    with pytest.raises(ModelError) as caught:
        load_classifier(model)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_that_is_missing_is_refused(model: Path) -> None:
    (model / "second_look.tflite").unlink()
    with pytest.raises(ModelError, match="cannot read"):
        load_classifier(model)
