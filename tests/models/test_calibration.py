"""A calibrated network is as sure as it is right."""

from pathlib import Path

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from echonet_models.calibration import Calibration, fit_windows, read_calibration
from echonet_models.datasets import CLASSES
from echonet_models.networks.streaming import StreamingNetwork

from .test_streaming import SMALL


def windows(slope: float, offset: float, count: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    """Return logits and labels of a network whose true odds are `slope` times its logit plus `offset`."""
    generator = np.random.default_rng(7)
    logits = generator.normal(-1, 3, size=(count, 1))
    truth = generator.random((count, 1)) < 1 / (1 + np.exp(-(slope * logits + offset)))
    return logits, truth.astype(np.int8)


@settings(max_examples=8, deadline=None)
@given(slope=st.floats(0.3, 2.5), offset=st.floats(-3, 2))
def test_it_finds_what_an_overconfident_network_should_have_said(slope: float, offset: float) -> None:
    found = fit_windows(*windows(slope, offset))
    assert found.slopes[0] == pytest.approx(slope, rel=0.15)
    assert found.offsets[0] == pytest.approx(offset, abs=0.3)


def test_unsure_windows_do_not_count() -> None:
    logits, truth = windows(1.0, 0.0)
    unsure = truth.copy()
    unsure[::2] = -1
    misled = logits.copy()
    misled[::2] = 50
    assert fit_windows(misled, unsure) == fit_windows(logits[1::2], truth[1::2])


def test_a_class_without_examples_stays_as_it_is() -> None:
    found = fit_windows(np.zeros((0, 1)), np.zeros((0, 1), np.int8))
    assert found.slopes == (1.0,)
    assert found.offsets == (0.0,)


def test_the_network_says_what_its_calibration_says(tmp_path: Path) -> None:
    network = StreamingNetwork(SMALL)
    frames = np.random.default_rng(1).normal(-6, 3, size=(1, 64, SMALL.n_mels)).astype(np.float32)

    def heard() -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-np.asarray(network.sequence(frames)))), np.float32)

    generator = np.random.default_rng(2)
    calibration = Calibration(
        tuple(generator.uniform(0.5, 2, len(CLASSES)).tolist()),
        tuple(generator.normal(0, 1, len(CLASSES)).tolist()),
    )
    calibration.store(tmp_path)
    stored = read_calibration(tmp_path)
    assert stored == calibration
    expected = calibration.apply(heard())
    calibration.fold_into(network)
    np.testing.assert_allclose(heard(), expected, atol=1e-5)
