"""What is exported computes what the network computes, whatever its weights are stored in, and says how well."""

import json
from pathlib import Path
import re

import keras
import numpy as np
import pytest

from echonet_models import export
from echonet_models.agreement import compare, frames_to_compare
from echonet_models.errors import ModelsError
from echonet_models.export import Conversion, Precision, convert, write_release
from echonet_models.networks.streaming import Convolution, StreamingNetwork, StreamingShape
from echonet_models.thresholds import decisions_to_json, undecided
from echonet_satellite.classifier import lead_in, load_classifier
from echonet_satellite.frontend import FrontendParameters

# Two states of one shape; every layer large enough to be quantised (smaller ones are left as they are).
SHAPE = StreamingShape(
    convolutions=(
        Convolution(16, 2, 2),
        Convolution(24, 2, 2),
        Convolution(32, 2, 2),
        Convolution(48, 1, 2),
        Convolution(48, 1, 1, residual=True),
        Convolution(48, 1, 1, residual=True),
    ),
    bottleneck=64,
    recurrent=64,
)


@pytest.fixture(scope="module")
def network() -> StreamingNetwork:
    keras.utils.set_random_seed(3)
    network = StreamingNetwork(SHAPE)
    # As after training: frames of about -8 come to the convolutions as values around zero.
    for layer in network.sequence.layers:
        if layer.name == "normalise":
            layer.moving_mean.assign(np.full(SHAPE.n_mels, -8.0))
            layer.moving_variance.assign(np.full(SHAPE.n_mels, 9.0))
    return network


@pytest.fixture(scope="module")
def conversions(network: StreamingNetwork) -> dict[Precision, Conversion]:
    return {precision: convert(network, precision) for precision in Precision}


def test_both_precisions_agree_with_the_network(conversions: dict[Precision, Conversion]) -> None:
    int8, float16 = conversions[Precision.INT8], conversions[Precision.FLOAT16]
    rows = sum(len(frames) // SHAPE.step_frames for frames in frames_to_compare()) * SHAPE.outputs_per_step
    assert int8.agreement.outputs == float16.agreement.outputs == rows
    # Fewer bits are further off: a difference of nothing would mean that nothing was compared.
    assert 0 < float16.agreement.mean < int8.agreement.mean <= int8.agreement.largest < 0.05
    assert float16.agreement.largest < 0.005


def test_int8_is_the_smaller_one(conversions: dict[Precision, Conversion]) -> None:
    assert len(conversions[Precision.INT8].model) < 0.75 * len(conversions[Precision.FLOAT16].model)


def test_another_network_does_not_agree(conversions: dict[Precision, Conversion]) -> None:
    converted = conversions[Precision.INT8]
    keras.utils.set_random_seed(4)
    assert compare(converted.model, converted.tensors, StreamingNetwork(SHAPE)).largest > 0.05


def test_what_does_not_agree_is_refused(
    network: StreamingNetwork, conversions: dict[Precision, Conversion], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Converting takes seconds, and was done already.
    monkeypatch.setattr(export, "to_tflite", lambda *_: conversions[Precision.INT8].model)
    monkeypatch.setitem(export.AGREEMENT, Precision.INT8, 1e-6)
    with pytest.raises(ModelsError, match=r"int8 weights a probability is 0\.\d+ off; .* --precision"):
        convert(network)


def test_a_line_tells_size_and_cost(conversions: dict[Precision, Conversion]) -> None:
    assert re.fullmatch(r" *int8: \d\.\d\d MB, \d+ us per step, .* at most", str(conversions[Precision.INT8]))


def test_the_satellite_runs_the_precision_that_was_asked_for(
    network: StreamingNetwork,
    conversions: dict[Precision, Conversion],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(export, "to_tflite", lambda _, precision: conversions[precision].model)
    frames = frames_to_compare()[0][:320]
    logits = np.asarray(network.sequence(np.concatenate([lead_in(FrontendParameters()), frames])[None]))[0]
    for precision, conversion in conversions.items():
        card = write_release(
            tmp_path / precision,
            network,
            name="test",
            version="1",
            decision=decisions_to_json(undecided()),
            metrics={},
            data={},
            precision=precision,
        )
        assert json.loads(card.read_text())["precision"]["weights"] == precision
        assert (tmp_path / precision / "model.tflite").read_bytes() == conversion.model
        classifier = load_classifier(tmp_path / precision)
        heard = np.concatenate([classifier.step(frames[first : first + 16]) for first in range(0, 320, 16)])
        np.testing.assert_allclose(heard, 1 / (1 + np.exp(-logits[16:])), atol=0.03)
