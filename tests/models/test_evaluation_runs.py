"""The folders of trainings: which network is measured, that it is the one that is released, and where figures go."""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from echonet_models import evaluation
from echonet_models.datasets import CLASSES, Protocol, Split, split_by
from echonet_models.errors import ModelsError
from echonet_models.evaluation.audio import QUICK
from echonet_models.evaluation.entry import figures_path
from echonet_models.evaluation.listeners import Released, Trained
from echonet_models.evaluation.sources import measure_sources
from echonet_models.evaluation.subject import agreement, released, trained
from echonet_models.export import write_release
from echonet_models.material import Material
from echonet_models.networks.streaming import StreamingNetwork
from echonet_models.training import BEST_FILE, SHAPE_FILE, STATE_FILE, load_network

from .conftest import tone
from .test_training import SMALL


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that has not learned anything: what is asked here does not depend on that."""
    directory = tmp_path_factory.mktemp("run")
    network = StreamingNetwork(SMALL)
    network.pupil.save_weights(directory / BEST_FILE)
    (directory / SHAPE_FILE).write_text(json.dumps(SMALL.to_json()), encoding="utf-8")
    (directory / STATE_FILE).write_text(
        json.dumps({"pool": 5, "best_pool": 3, "pools_before": 0, "blended": None}), encoding="utf-8"
    )
    return directory


def options(run: Path, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    evaluation.add_arguments(parser)
    return argparse.Namespace(**vars(parser.parse_args(words)), run=run)


def test_what_is_measured_is_what_is_released(run: Path, small_material: Material, tmp_path: Path) -> None:
    assert "gunshot" in evaluation.evaluate_run(run, small_material)
    figures = json.loads((run / evaluation.EVALUATION_FILE).read_text(encoding="utf-8"))
    assert set(figures["sensitivity"]) == set(map(str, evaluation.LEVELS))
    assert figures["sensitivity"]["medium"]["recall"]["dog"]["clips"] > 0
    decision = figures["decision"]
    write_release(
        tmp_path, load_network(run), name="test", version="1", decision=decision, metrics={}, data={}
    )
    release = released(tmp_path)
    content = (tmp_path / "model.tflite").read_bytes()
    assert release.model["sha256"] == hashlib.sha256(content).hexdigest()
    assert release.model["bytes"] == len(content)
    # Both hear the same: the whole sound at once, and block by block as the satellite does.
    sounds = [tone(900.0, 1.5, np.random.default_rng(0)), tone(300.0, 3.0, np.random.default_rng(1))]
    clips = small_material.of(Split.VALIDATION)[:2]
    one, other = (
        dict(zip((clip.path for clip in clips), listener.hear(sounds), strict=True))
        for listener in (Trained(run), Released(tmp_path))
    )
    assert release.decisions is not None
    found = agreement(clips, one, other, release.decisions)
    assert found["largest_difference"] < 0.02
    assert found["same_detections"] == 1
    opposite = {path: 1 - rows for path, rows in other.items()}
    assert agreement(clips, one, opposite, release.decisions)["largest_difference"] > 0.02


def test_another_state_of_the_training_is_another_listener(run: Path, small_material: Material) -> None:
    trained(run, small_material)
    before = Trained(run).fingerprint
    assert Trained(run).fingerprint == before
    StreamingNetwork(SMALL).pupil.save_weights(run / BEST_FILE)
    trained(run, small_material)
    assert Trained(run).fingerprint != before


def test_new_sources_are_measured_on_what_was_left_out(run: Path, small_material: Material) -> None:
    split = split_by(Protocol.SOURCE, small_material.clips)
    found = measure_sources(run, small_material, QUICK, pools_of_ours=7)
    assert (found["pools"], found["pools_of_ours"]) == (3, 7)
    outside = {clip for clip in small_material.clips if split[clip.origin] is Split.VALIDATION}
    for name in map(str, CLASSES):
        own = {clip.source for clip in outside if clip.label == name}
        assert set(found["held_out"][name]) == own
        assert bool(found["sensitivity"]["medium"]["recall"][name]["clips"]) == bool(own)
        assert (found["average_precision"][name] is not None) == bool(own)


def test_figures_of_a_quick_look_or_a_release_leave_those_of_the_run_alone(run: Path) -> None:
    paths = [figures_path(options(run, *words)) for words in ([], ["--quick"], ["--release", "somewhere"])]
    assert paths[0] == run / evaluation.EVALUATION_FILE
    assert len({*paths}) == 3


def test_a_page_needs_figures(run: Path, small_material: Material) -> None:
    with pytest.raises(ModelsError, match="--write"):
        evaluation.command(options(run, "--quick", "--page"), small_material)
