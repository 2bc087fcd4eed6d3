"""The network fed step by step, as the satellite does it, agrees with the network over the whole sequence."""

from pathlib import Path

import keras
import numpy as np
import pytest

from echonet_models.datasets import CLASSES
from echonet_models.export import match_tensors, to_tflite, write_release
from echonet_models.networks.streaming import Convolution, StreamingNetwork, StreamingShape
from echonet_models.thresholds import decisions_to_json, undecided
from echonet_satellite.classifier import lead_in, load_classifier

SMALL = StreamingShape(
    convolutions=(
        Convolution(4, 2, 2),
        Convolution(6, 2, 2),
        Convolution(8, 2, 2),
        Convolution(8, 1, 2),
        Convolution(8, 1, 1, residual=True),
    ),
    bottleneck=16,
    recurrent=12,
)


@pytest.fixture(scope="module")
def network() -> StreamingNetwork:
    keras.utils.set_random_seed(3)
    network = StreamingNetwork(SMALL)
    # Batch norms that have seen something: with their first values some mistakes would not show.
    for layer in network.sequence.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(np.random.default_rng(1).normal(size=layer.moving_mean.shape))
            layer.moving_variance.assign(
                np.random.default_rng(2).uniform(0.5, 2, size=layer.moving_variance.shape)
            )
    return network


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    return (
        np.random.default_rng(4).normal(-6, 3, size=(10 * SMALL.step_frames, SMALL.n_mels)).astype(np.float32)
    )


def whole(network: StreamingNetwork, frames: np.ndarray) -> np.ndarray:
    logits = np.asarray(network.sequence(frames[None]))[0]
    probabilities: np.ndarray = 1 / (1 + np.exp(-logits))
    return probabilities


def test_steps_equal_the_sequence(network: StreamingNetwork, frames: np.ndarray) -> None:
    step = network.build_step()
    states = [np.zeros(shape, np.float32) for shape in network.state_shapes()]
    heard = []
    for start in range(0, len(frames), SMALL.step_frames):
        outputs = step([frames[None, start : start + SMALL.step_frames], *states])
        heard.append(np.asarray(outputs[0])[0])
        states = [np.asarray(state) for state in outputs[1:]]
    np.testing.assert_allclose(np.concatenate(heard), whole(network, frames), atol=1e-5)


def test_the_future_changes_nothing(network: StreamingNetwork, frames: np.ndarray) -> None:
    changed = frames.copy()
    changed[80:] = 0
    np.testing.assert_allclose(whole(network, frames)[:10], whole(network, changed)[:10], atol=1e-6)


def test_the_satellite_computes_what_was_trained(
    network: StreamingNetwork, frames: np.ndarray, tmp_path: Path
) -> None:
    write_release(
        tmp_path,
        network,
        name="test",
        version="1",
        decision=decisions_to_json(undecided()),
        metrics={},
        data={},
    )
    classifier = load_classifier(tmp_path)
    heard = [classifier.step(frames[start : start + 16]).copy() for start in range(0, len(frames), 16)]
    rested = np.concatenate([lead_in(classifier.card.frontend), frames])
    np.testing.assert_allclose(np.concatenate(heard), whole(network, rested)[16:], atol=0.01)


def test_states_are_matched_by_value(network: StreamingNetwork) -> None:
    step = network.build_step()
    tensors = match_tensors(to_tflite(step), step)
    names = [state["output"] for state in tensors["states"]] + [tensors["output"]]
    assert len(set(names)) == len(names) == len(network.state_shapes()) + 1
    assert [tuple(state["shape"]) for state in tensors["states"]] == network.state_shapes()
    assert len(CLASSES) == SMALL.classes
