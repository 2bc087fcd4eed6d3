"""A small training learns, can be stopped and resumed, and ends in a release that the satellite loads."""

from collections.abc import Callable
from dataclasses import replace
import json
from multiprocessing import get_context
import os
from pathlib import Path
import time

import keras
import numpy as np
import pytest

from echonet_models.beginnings import load_beginning, store_beginning
from echonet_models.blending import blend
from echonet_models.datasets import CLASSES, Split
from echonet_models.errors import ModelsError
from echonet_models.evaluation import evaluate_run
from echonet_models.evaluation.subject import released
from echonet_models.heeding import USUAL, choose_heeds
from echonet_models.knowledge import Knowledge
from echonet_models.material import Material
from echonet_models.networks.streaming import Convolution, StreamingNetwork, StreamingShape
from echonet_models.pools import Pool, PoolMaker, PoolSupply, pool_path, store_pool
from echonet_models.release import measured_as_released, release_run
from echonet_models.schedule import Schedule
from echonet_models.training import load_network, pools_learned, train_run
from echonet_satellite.classifier import load_classifier

from .conftest import PLAIN

SMALL = StreamingShape(
    convolutions=(
        Convolution(8, 2, 2),
        Convolution(12, 2, 2),
        Convolution(16, 2, 2),
        Convolution(16, 1, 1, residual=True),
    ),
    bottleneck=32,
    recurrent=24,
    dropout=0.0,
)


def schedule(pools: int) -> Schedule:
    return Schedule(rounds=(pools,), pool_size=240, batch=16, learning_rate=1e-2, passes=1)


@pytest.fixture(scope="module")
def material(small_material: Material) -> Material:
    # Six events in ten seconds: a minute of training then holds enough of every class.
    return replace(small_material, recipe=replace(PLAIN, events=(0, 0, 0, 0, 0, 0, 1.0)))


@pytest.fixture(scope="module")
def run(material: Material, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("run")
    train_run(directory, material, schedule(4), shape=SMALL, tune_size=60)
    return directory


def test_it_learns(run: Path) -> None:
    log = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(log) == 4
    assert log[-1]["classes_loss"] < log[0]["classes_loss"] / 1.5
    # Chance is the share of steps that hold the class, a few per cent.
    assert log[-1]["best"] > 0.3


def test_it_learns_from_the_teachers(run: Path) -> None:
    log = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert 0 < log[-1]["taught_loss"] < log[0]["taught_loss"]


def test_the_teachers_listen_in_the_process_that_trains(material: Material, tmp_path: Path) -> None:
    """One that is forked from it, after TensorFlow has begun to work, would wait for ever for mn04's answer."""
    asked_in = []

    def knowledge() -> Knowledge:
        asked_in.append(os.getpid())
        return material.knowledge()

    train_run(
        tmp_path,
        replace(material, knowledge=knowledge),
        replace(schedule(1), pool_size=16),
        shape=SMALL,
        tune_size=8,
    )
    assert asked_in == [os.getpid()]


def test_it_ends_when_it_no_longer_gets_better(material: Material, tmp_path: Path) -> None:
    """A rate of zero learns nothing: after the first pool no pool is better."""
    still = replace(schedule(20), pool_size=32, learning_rate=0.0, patience=2)
    train_run(tmp_path, material, still, shape=SMALL, tune_size=20)
    log = (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert 3 <= len(log) < 20


def test_it_resumes_where_it_was_stopped(run: Path, material: Material) -> None:
    before = (run / "log.jsonl").read_text(encoding="utf-8").splitlines()
    train_run(run, material, schedule(5), shape=SMALL, tune_size=60)
    after = (run / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert after[: len(before)] == before
    assert [json.loads(line)["pool"] for line in after] == [1, 2, 3, 4, 5]


def test_a_training_goes_on_from_the_weights_of_another(
    run: Path, material: Material, tmp_path: Path
) -> None:
    """The first pool already ends near where the other training ended, and far from where that one began."""
    store_beginning(tmp_path / "weights.npz", load_network(run, calibrated=False), 40)
    train_run(
        tmp_path / "next",
        material,
        schedule(1),
        shape=SMALL,
        tune_size=60,
        beginning=tmp_path / "weights.npz",
    )
    before, after = (
        [json.loads(line)["classes_loss"] for line in (folder / "log.jsonl").read_text("utf-8").splitlines()]
        for folder in (run, tmp_path / "next")
    )
    assert after[0] < (before[0] + before[-1]) / 2
    assert pools_learned(tmp_path / "next") == 41


def test_a_blend_lies_between_a_training_and_its_beginning(
    run: Path, material: Material, tmp_path: Path
) -> None:
    keras.utils.set_random_seed(5)
    random = StreamingNetwork(SMALL)
    store_beginning(tmp_path / "random.npz", random, 0)
    learned = load_network(run, calibrated=False)
    for share in (0.0, 0.5, 1.0):
        blend(run, tmp_path / "random.npz", tmp_path / "to", material, shares=(share,), mixtures=80)
        blended = load_network(tmp_path / "to", calibrated=False)
        for own, after, before in zip(
            blended.sequence.trainable_weights,
            learned.sequence.trainable_weights,
            random.sequence.trainable_weights,
            strict=True,
        ):
            mean = share * np.asarray(after) + (1 - share) * np.asarray(before)
            np.testing.assert_allclose(np.asarray(own), mean, atol=1e-3)
    # The training by itself, whose normalisation has only seen other mixtures, hears what it heard.
    frames = material.maker(Split.TUNE).features(
        material.maker(Split.TUNE).mix(np.random.default_rng(1)).samples
    )
    heard, again = (
        np.asarray(each.sequence(frames[None].astype(np.float32))).ravel() for each in (learned, blended)
    )
    assert np.corrcoef(heard, again)[0, 1] > 0.95
    assert json.loads((tmp_path / "to" / "state.json").read_text(encoding="utf-8"))["blended"] == 1.0


def test_the_share_of_a_blend_is_the_one_that_tells_the_tune_split_best(
    run: Path, material: Material, tmp_path: Path
) -> None:
    random = tmp_path / "random.npz"
    keras.utils.set_random_seed(5)
    store_beginning(random, StreamingNetwork(SMALL), 0)
    assert blend(run, random, tmp_path / "to", material, shares=(0.0, 1.0), mixtures=80) == 1.0
    state = json.loads((tmp_path / "to" / "state.json").read_text(encoding="utf-8"))
    before, after = (np.mean(list(state["blends"][share].values())) for share in ("0.0", "1.0"))
    assert after > before + 0.2


def test_each_class_heeds_the_better_of_the_two(run: Path, material: Material) -> None:
    """What was learned from labels is right for the even classes, what the assistant says for the others."""
    network = load_network(run, calibrated=False)
    heads = {layer.name: layer for layer in network.pupil.layers if layer.name in ("head", "assisted")}
    right = heads["head"].get_weights()
    wrong = [-0.3 * value for value in right]
    even = np.arange(len(CLASSES)) % 2 == 0
    for name, trusted in (("head", even), ("assisted", ~even)):
        heads[name].set_weights(
            [np.where(trusted, good, bad) for good, bad in zip(right, wrong, strict=True)]
        )
    before = network.sequence.get_weights()
    heeds = np.array(choose_heeds(network, material, fewest=1))
    np.testing.assert_array_equal(heeds[even], 0)
    # Less would not make up for what is wrong, more tells the clips no better.
    np.testing.assert_array_equal(heeds[~even], 0.5)
    assert choose_heeds(network, material, fewest=99) == (USUAL,) * len(CLASSES)
    for own, was in zip(network.sequence.get_weights(), before, strict=True):
        np.testing.assert_allclose(own, was, atol=1e-5)


def test_heeding_adds_a_share_of_what_the_assistant_would_say(run: Path) -> None:
    network = load_network(run, calibrated=False)
    frames = np.random.default_rng(0).normal(-6, 3, (1, 1024, 64)).astype(np.float32)
    shares = np.linspace(0, 4, len(CLASSES)).astype(np.float32)
    before = np.asarray(network.sequence(frames))
    network.heed(shares.tolist())
    # Nobody has taught it what an assistant says.
    np.testing.assert_array_equal(np.asarray(network.sequence(frames)), before)

    (assisted,) = (layer for layer in network.pupil.layers if layer.name == "assisted")
    generator = np.random.default_rng(1)
    assisted.set_weights([generator.normal(size=value.shape) for value in assisted.get_weights()])
    said = {name: np.asarray(value) for name, value in network.pupil(frames).items()}
    network.heed(shares.tolist())
    np.testing.assert_allclose(
        network.sequence(frames), said["classes"] + shares * said["assisted"], atol=1e-4
    )


def test_the_weights_of_another_network_are_refused(run: Path, material: Material, tmp_path: Path) -> None:
    store_beginning(tmp_path / "weights.npz", load_network(run, calibrated=False), 40)
    other = replace(SMALL, recurrent=16)
    (tmp_path / "torn.npz").write_bytes((tmp_path / "weights.npz").read_bytes()[:3000])
    for path, shape, text in (
        (tmp_path / "weights.npz", other, "another network"),
        (tmp_path / "none.npz", SMALL, "cannot read"),
        (tmp_path / "torn.npz", SMALL, "cannot read"),
    ):
        with pytest.raises(ModelsError, match=text):
            train_run(tmp_path / text, material, schedule(1), shape=shape, tune_size=8, beginning=path)


def test_a_wider_network_begins_with_what_a_narrower_one_heard(run: Path, tmp_path: Path) -> None:
    narrow = load_network(run, calibrated=False)
    store_beginning(tmp_path / "weights.npz", narrow, 4)
    wide = StreamingNetwork(replace(SMALL, bottleneck=40, recurrent=31))
    assert load_beginning(tmp_path / "weights.npz", wide) == 4
    frames = np.random.default_rng(0).normal(-6, 3, (2, 640, 64)).astype(np.float32)
    heard, again = (np.asarray(each.sequence(frames)) for each in (narrow, wide))
    assert np.ptp(heard) > 1
    # The file has 16 bits a number.
    np.testing.assert_allclose(again, heard, atol=0.05)
    # The new units hear something of their own, which the old ones have not learned from.
    assert all(np.any(value, axis=-1).all() for value in wide.sequence.get_weights() if value.ndim == 4)


def test_a_release_needs_figures(run: Path, material: Material, tmp_path: Path) -> None:
    (run / "evaluation.json").unlink(missing_ok=True)
    with pytest.raises(ModelsError, match="evaluate"):
        release_run(run, tmp_path, version="1", material=material)


def test_evaluate_and_release(run: Path, material: Material, tmp_path: Path) -> None:
    assert "gunshot" in evaluate_run(run, material)
    # Eight bits are few for so small a network: what they keep of a real one, `test_export` and the card say.
    release_run(run, tmp_path, version="1.2.3", material=material, precision="float16")
    classifier = load_classifier(tmp_path)
    card = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    assert card["version"] == "1.2.3"
    assert [str(name) for name in classifier.card.classes] == [str(name) for name in CLASSES]
    text = (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert f"gunshot {card['data']['training']['heeds'][0]:g}," in " ".join(text.split())
    for name in CLASSES:
        recall = card["metrics"]["sensitivity"]["medium"]["recall"][str(name)]["value"]
        assert f"| {name} |" in text
        assert f"| clips with {str(name).replace('_', ' ')} that are heard | ≥" in text
        assert f"{recall:.2f}" in text
    assert released(tmp_path).model["pools"] == pools_learned(run)
    # What is measured of the file itself takes the place of what was measured of the network.
    figures = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    figures["sensitivity"]["medium"]["recall"]["dog"]["value"] = 0.1234
    measured = tmp_path / "measured.json"
    measured.write_text(json.dumps(figures), encoding="utf-8")
    with pytest.raises(ModelsError, match="another file"):
        measured_as_released(tmp_path, measured)
    figures["model"] = {"sha256": card["sha256"]}
    measured.write_text(json.dumps(figures), encoding="utf-8")
    assert "| 0.12 (" in measured_as_released(tmp_path, measured).read_text(encoding="utf-8")
    again = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    assert again["metrics"]["sensitivity"]["medium"]["recall"]["dog"]["value"] == 0.1234
    assert {**again, "metrics": None} == {**card, "metrics": None}


def test_pools_that_lie_there_are_not_made_again_behind_the_trainer(
    material: Material, tmp_path: Path
) -> None:
    """More pools than the supply makes ahead are left from before; only what comes after them is made."""
    maker = PoolMaker(material.maker(Split.TRAIN), seed=1, size=2)
    for number in range(6):
        store_pool(pool_path(tmp_path, number), maker.make(number))
    supply = PoolSupply(tmp_path, maker, count=7)
    supply.start(0)
    try:
        for number in range(6):
            supply.get(number)
            supply.drop(number)
        supply.get(6)
    finally:
        supply.stop()
    assert [path.name for path in tmp_path.glob("pool-*")] == ["pool-006.npz"]


class NeverReady(PoolMaker):
    """Notes in which process it is asked for a pool, and never gives one."""

    def __init__(self, asked: Path) -> None:
        self._asked = asked

    def make(self, number: int) -> Pool:
        unfinished = self._asked.with_suffix(".partial")
        unfinished.write_text(f"{os.getpid()}", encoding="utf-8")
        unfinished.replace(self._asked)
        time.sleep(600)
        raise AssertionError(f"nobody ended pool {number}")


def test_nothing_goes_on_after_a_training_that_was_killed(tmp_path: Path) -> None:
    asked = tmp_path / "asked"

    def trainer() -> None:
        PoolSupply(tmp_path, NeverReady(asked)).start(0)
        time.sleep(600)

    process = get_context("fork").Process(target=trainer)
    process.start()
    waits(asked.is_file)
    process.kill()
    process.join()
    maker = Path("/proc") / asked.read_text(encoding="utf-8")
    waits(lambda: not maker.exists() or "Z" in (maker / "stat").read_text(encoding="utf-8").split()[2])


def waits(until: Callable[[], bool]) -> None:
    """Fail where something is not so within half a minute."""
    end = time.monotonic() + 30
    while not until():
        assert time.monotonic() < end
        time.sleep(0.1)
